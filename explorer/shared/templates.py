"""First-layer weights as pictures, and which of them flipped since an earlier moment. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnn_core import BitwiseNetwork
from bnn_core.bits import unpack

Tiles = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Templates:
    """The weights of some first-layer units.

    Attributes:
        bits: (units, side, side) uint8, 1 for +1.
        mask: the same, 0 where a connection is switched off; None when dense.
        changed: the same, 1 where the weight is another one than before; None without a before.
        flips: how many those are, a unit; None without a before.
        inputs: how many weights a unit shows.
    """

    bits: Tiles
    mask: Tiles | None
    changed: Tiles | None
    flips: list[int] | None
    inputs: int

    @property
    def on(self) -> list[int]:
        """How many weights of each unit are +1."""
        active = self.bits if self.mask is None else self.bits & self.mask
        return [int(n) for n in active.sum(axis=(1, 2))]


def templates(
    network: BitwiseNetwork, before: BitwiseNetwork | None = None, units: int = 10
) -> Templates | None:
    """The first units' weights; None if the inputs are no square picture.

    Args:
        before: the same network at an earlier moment.
        units: how many, from unit 0 on.
    """
    inputs = network.sizes[0]
    # Two-bit features are planar: the first plane is the picture's high bits.
    pixels = next((n for n in (inputs, inputs // 2) if math.isqrt(n) ** 2 == n), None)
    if pixels is None:
        return None
    side = math.isqrt(pixels)

    def tiles(words: NDArray[np.uint64]) -> Tiles:
        return unpack(words[:units], inputs)[:, :pixels].reshape(-1, side, side)

    def planes(source: BitwiseNetwork) -> tuple[Tiles, Tiles | None]:
        layer = source.layers[0]
        return tiles(layer.weight), None if layer.mask is None else tiles(layer.mask)

    bits, mask = planes(network)
    if before is None or before.sizes != network.sizes:
        return Templates(bits, mask, None, None, pixels)
    old_bits, old_mask = planes(before)
    now = np.ones_like(bits) if mask is None else mask
    then = np.ones_like(bits) if old_mask is None else old_mask
    changed = ((now != then) | ((now & then).astype(bool) & (bits != old_bits))).astype(np.uint8)
    return Templates(bits, mask, changed, [int(n) for n in changed.sum(axis=(1, 2))], pixels)
