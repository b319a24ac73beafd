"""Commands for those who keep the project: which networks come with it, and what its README says of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bnn_core.files import write_atomically
from bnn_core.models import shipped_models
from bnn_core.reproduce import Results
from bnn_core.runs.find import find_run


def ship(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A finished run's id or folder.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the network is to be called.")],
    snapshots: Annotated[int, typer.Option(min=1, metavar="N", help="Moments of the run to keep.")] = 12,
    real: Annotated[bool, typer.Option(help="Keep phase 1's network.")] = True,
) -> None:
    """Make a finished run one of the networks that come with the project."""
    from bnn_core.runs.ship import ship as copy

    print(copy(find_run(run), name, snapshots=snapshots, real=real))


def readme(path: Annotated[Path, typer.Argument(metavar="FILE", help="The README.")]) -> None:
    """Write the README's tables anew, from the results and the networks that come with the project."""
    from bnn_core.reproduce.tables import written

    text = written(path.read_text("utf-8"), Results(), shipped_models())
    write_atomically(path, text.encode())
