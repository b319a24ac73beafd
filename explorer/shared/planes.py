"""Weights as planes of bits: which are +1, which are switched off, which have changed. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnn_core.bits import unpack
from bnn_core.kernels import PackedLayer
from bnn_core.measures.weights import flipped
from explorer.shared.fields import Bits, Field, place_inputs

Order = NDArray[np.int64]
"""(units,) int64, position -> unit."""


@dataclass(frozen=True, eq=False)
class Planes:
    """Weights as planes of one shape, uint8 in {0, 1}.

    Attributes:
        bits: 1 for +1.
        mask: 0 where the weight is 0; None when dense.
        changed: 1 where it is another one than in the network compared with; None without one.
    """

    bits: Bits
    mask: Bits | None
    changed: Bits | None

    def at(self, *index: slice | int | NDArray[np.int64]) -> Planes:
        """The same part of every plane."""
        return self.each(lambda plane: plane[index])

    def placed(self, rows: Order, columns: Order | None = None) -> Planes:
        """Rows, and columns, put in an order (position -> number)."""
        where = rows[:, np.newaxis]
        return self.each(lambda plane: plane[rows] if columns is None else plane[where, columns])

    def laid_out(self, field: Field, order: Order | None) -> Planes:
        """One unit's (inputs,) weights as the picture (order None), or as the field of the layer before."""
        if order is None:
            return self.each(lambda plane: place_inputs(field, plane))
        return self.each(lambda plane: field.place(plane, order))

    def each(self, change: Callable[[Bits], Bits]) -> Planes:
        """Every plane changed in the same way."""
        mask = None if self.mask is None else change(self.mask)
        return Planes(change(self.bits), mask, None if self.changed is None else change(self.changed))

    @property
    def total(self) -> Total:
        """What they hold."""
        off = 0 if self.mask is None else int((self.mask == 0).sum())
        on = int(self.bits.sum() if self.mask is None else (self.bits & self.mask).sum())
        flips = None if self.changed is None else int(self.changed.sum())
        return Total(on, self.bits.size - off - on, off, flips)


def stack(parts: Sequence[Planes]) -> Planes:
    """Planes of one shape as tiles."""
    bits = np.stack([part.bits for part in parts])
    masks = [part.mask for part in parts if part.mask is not None]
    changed = [part.changed for part in parts if part.changed is not None]
    return Planes(bits, np.stack(masks) if masks else None, np.stack(changed) if changed else None)


@dataclass(frozen=True)
class Total:
    """How many weights are +1, -1, 0; how many changed, None without a comparison."""

    plus: int
    minus: int
    zero: int
    flips: int | None

    @property
    def weights(self) -> int:
        """All of them."""
        return self.plus + self.minus + self.zero


def planes_of(layer: PackedLayer, before: PackedLayer | None = None) -> Planes:
    """A layer's weights, (units, inputs); `before` is what they are compared with."""
    changed = None if before is None else unpack(flipped(before, layer), layer.inputs)
    return Planes(layer.weight_bits(), layer.mask_bits(), changed)
