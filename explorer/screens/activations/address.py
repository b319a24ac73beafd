"""What the Activations page adds to the address: how its map places digits."""

from __future__ import annotations

from typing import Literal, get_args

from explorer.shared.address import Key

Map = Literal["near", "flat"]
"""Along neighbours, or flat."""

MAP = Key[Map]("map", Map, "near", f"digits are placed as {' or '.join(get_args(Map))}")
