"""What the Weights page adds to the address: the order of units, and what is compared with."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, StringConstraints

from explorer.shared.address import PLAIN, Key
from explorer.shared.view import known_model

Sort = Literal["digit", "balance", "use", "alike", "trained"]

SORT = Key[Sort]("sort", Sort, "digit", f"units are sorted by {', '.join(get_args(Sort))}")
VERSUS = Key(
    "versus",
    Annotated[str, AfterValidator(known_model)],
    "",
    "there is no such model here, so nothing is compared",
)
VERSUS_AT = Key(
    "versus_at",
    Annotated[str, StringConstraints(pattern=f"^{PLAIN}$")],
    "",
    "no snapshot has such a name, so the finished network is compared",
    beside="versus",
)
