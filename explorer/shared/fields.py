"""How a layer's bits lie, the account of one unit's sum, and what the ten sums say. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnn_core.measures.order import band_edges
from bnn_core.network.bitwise import LayerTrace

Bits = NDArray[np.uint8]

FIELD_ROWS = 32
"""Rows of a field at the full pitch: the ten bars beside it share its height."""


@dataclass(frozen=True)
class Field:
    """How a layer's bits lie in a rectangle, row by row.

    Attributes:
        units: how many bits.
        rows, cols: rows * cols >= units; what is left over stays empty.
        scale: times the page's pitch, so that every field is as high as the ten bars.
    """

    units: int
    rows: int
    cols: int
    scale: float

    def place(self, values: Bits, order: NDArray[np.int64] | None = None) -> Bits:
        """(units,) values as (rows, cols), put in the order (position -> unit) before; 0 where empty."""
        cells = np.zeros(self.rows * self.cols, np.uint8)
        cells[: self.units] = values if order is None else values[order]
        return cells.reshape(self.rows, self.cols)


def hidden_field(units: int) -> Field:
    """32 rows up to 1024 units, half as many twice as large up to 256, twice as many half as large above.

    So a tenth of the units is always a band as high as one of the ten bars.
    """
    rows, scale = FIELD_ROWS, 1.0
    while rows > 8 and units * 4 <= rows * rows:
        rows, scale = rows // 2, scale * 2
    while units > rows * rows:
        rows, scale = rows * 2, scale / 2
    return Field(units, rows, -(-units // rows), scale)


def input_field(inputs: int, side: int) -> Field:
    """The picture's bits as the picture; two-bit features lie side by side, the high bits at the left."""
    planes = inputs // (side * side)
    return Field(inputs, side, side * planes, 28 / side / planes)


def place_inputs(field: Field, bits: Bits) -> Bits:
    """(inputs,) bits as (rows, cols) of `input_field`."""
    planes = field.cols // field.rows
    return np.concatenate(list(bits.reshape(planes, field.rows, field.rows)), axis=1)


def band(field: Field, classes: int, label: int) -> tuple[float, float]:
    """The rows, from and to, of a class's units in a field ordered by digit."""
    edges = band_edges(classes, field.units)
    return int(edges[label]) / field.cols, int(edges[label + 1]) / field.cols


@dataclass(frozen=True)
class Ledger:
    """The account of a unit's sum: agree - differ + bias = total, and the bit is total >= 0.

    Attributes:
        agree, differ: inputs that are, or are not, like their weight.
        out: inputs that take no part.
    """

    agree: int
    differ: int
    bias: int
    out: int

    @property
    def total(self) -> int:
        """The unit's sum."""
        return self.agree - self.differ + self.bias

    @property
    def bit(self) -> int:
        """Its sign, 1 for +1; sign(0) = +1."""
        return int(self.total >= 0)


def unit_sum(trace: LayerTrace, unit: int) -> Ledger:
    """The integers of a unit, as the kernel counted them."""
    agree, active = int(trace.counts[unit]), int(trace.active[unit])
    return Ledger(agree, active - agree, int(trace.bias[unit]), len(trace.inputs) - active)


def typical_unit(trace: LayerTrace, order: NDArray[np.int64], classes: int, label: int) -> int:
    """The unit of a layer to look at first: of those that answer most to a class the first that is on.

    Args:
        order: position -> unit, by digit.
    """
    edges = band_edges(classes, len(order))
    members = order[edges[label] : edges[label + 1]]
    on = members[trace.bits[members] == 1]
    return int(on[0]) if len(on) else int(members[0])


@dataclass(frozen=True)
class Reading:
    """What the output sums say.

    Attributes:
        label: the class with the most votes, the lowest one of equals.
        ahead: votes between it and the runner-up.
        second: the runner-up.
    """

    label: int
    ahead: int
    second: int


def reading(sums: NDArray[np.int32]) -> Reading:
    """Read (classes,) int32 sums."""
    label = int(sums.argmax())
    others = np.where(np.arange(len(sums)) == label, np.iinfo(np.int32).min, sums)
    second = int(others.argmax())
    return Reading(label, int(sums[label]) - int(sums[second]), second)
