"""The Watch page's pictures: the fields of bits, one unit's arithmetic, and the ten sums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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


def band(field: Field, edges: Sequence[int], label: int) -> tuple[float, float]:
    """The rows, from and to, of a class's units in a field ordered by digit; `edges` are units."""
    return edges[label] / field.cols, edges[label + 1] / field.cols


@dataclass(frozen=True)
class Sum:
    """One unit's arithmetic: agree - differ + bias = total, and the bit is total >= 0."""

    agree: int
    differ: int
    bias: int
    total: int
    bit: int
    off: int


def unit_sum(trace: LayerTrace, unit: int) -> Sum:
    """The integers of a unit; `off` counts its switched-off connections."""
    agree = int(trace.counts[unit])
    active = int(trace.active[unit])
    return Sum(
        agree=agree,
        differ=active - agree,
        bias=int(trace.bias[unit]),
        total=int(trace.sums[unit]),
        bit=int(trace.bits[unit]),
        off=len(trace.inputs) - active,
    )


def agreement(trace: LayerTrace, unit: int) -> Bits:
    """(inputs,) uint8: 1 where the input bit and the unit's weight are alike (XNOR)."""
    return (trace.inputs == trace.weights[unit]).astype(np.uint8)


def typical_unit(trace: LayerTrace, members: NDArray[np.int64]) -> int:
    """The unit to look at first: the first of the members (unit numbers) that is on, else the first."""
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
