"""What the XNOR page adds to the address: the word at which the unit stands."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from explorer.shared.address import Key, Whole

WORD = Key[int | None](
    "word", Annotated[Whole, Field(ge=1)] | None, None, "words count from 1, so all are counted"
)
"""From 1; None: all are counted."""
