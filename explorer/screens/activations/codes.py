"""What the Activations page knows of one layer's codes, and how it lays them out. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnn_core.bits import BitArray, WordArray, pack
from bnn_core.measures.codes import (
    always_on_units,
    class_distances,
    dead_units,
    hamming,
    majority,
    shares,
    unit_entropy,
    within_and_between,
)
from explorer.shared.fields import Field

SHADES = 4
"""A cell of a class code is drawn as the mean of SHADES x SHADES bits: its share in steps of a sixteenth."""

BINS = 20
"""Bars of a layer's histogram, from never on to always on."""


@dataclass(frozen=True, eq=False)
class LayerCodes:
    """The codes of a set of digits in one layer, or their input bits, and what is counted over all of them.

    Attributes:
        words: (n, words) uint64, the packed codes.
        shares: (classes, units), how often each bit is on among a class's digits.
        on: (units,) how often each bit is on.
        majority: (classes, words) uint64, the bits that most digits of a class have, packed.
        distances: (classes, classes) mean Hamming distances between digits of two classes, or of one.
        within, between: their means, in bits.
        entropy: (units,) bits.
    """

    words: WordArray
    shares: NDArray[np.float64]
    on: NDArray[np.float64]
    majority: WordArray
    distances: NDArray[np.float64]
    within: float
    between: float
    entropy: NDArray[np.float64]

    @property
    def units(self) -> int:
        """Bits of a code."""
        return len(self.on)

    @property
    def never(self) -> int:
        """Units whose bit is on for no digit."""
        return len(dead_units(self.on))

    @property
    def always(self) -> int:
        """Units whose bit is on for every digit."""
        return len(always_on_units(self.on))

    @property
    def parted(self) -> float:
        """How many times as far two classes lie apart as two digits of one; NaN if those never differ."""
        return self.between / self.within if self.within > 0 else float("nan")


def layer_codes(words: WordArray, counts: NDArray[np.integer], digits: NDArray[np.integer]) -> LayerCodes:
    """Work out everything once.

    Args:
        words: (n, words) uint64, the packed codes.
        counts: (classes, units) for how many digits of each class each bit is on.
        digits: (classes,) how many digits each class has.
    """
    by_class = shares(counts, digits)
    on = shares(counts.sum(axis=0), int(digits.sum()))
    distances = class_distances(by_class, digits)
    within, between = within_and_between(distances)
    return LayerCodes(
        words=words,
        shares=by_class,
        on=on,
        majority=pack(majority(by_class)),
        distances=distances,
        within=within,
        between=between,
        entropy=unit_entropy(on),
    )


def share_tiles(
    field: Field, by_class: NDArray[np.float64], order: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Class codes as bits for a picture that shows means.

    Args:
        field: how the layer's bits lie.
        by_class: (classes, units), how often each bit is on.
        order: position -> unit.

    Returns:
        bits and mask, (classes, rows * SHADES, cols * SHADES) uint8: of the SHADES ** 2 bits of a cell as
        many are on as the share says; the mask leaves out cells that hold no unit.
    """
    levels = SHADES * SHADES
    steps = np.stack([field.place(np.rint(each * levels).astype(np.uint8), order) for each in by_class])
    used = field.place(np.ones(field.units, np.uint8))
    fine = np.ones((SHADES, SHADES), np.uint8)
    bits = np.tile(np.arange(levels).reshape(SHADES, SHADES), used.shape) < np.kron(steps, fine[None])
    return bits.astype(np.uint8), np.broadcast_to(np.kron(used, fine), bits.shape)


def class_differences(layer: LayerCodes, code: WordArray) -> NDArray[np.int32]:
    """(classes,) int32: in how many bits a code differs from what most digits of each class have."""
    return hamming(layer.majority, code[None])[:, 0]


def telling_unit(layer: LayerCodes, code: BitArray, label: int) -> int:
    """The unit to look at first: of those that are on, the one that answers most to this class alone."""
    others = (layer.shares.sum(axis=0) - layer.shares[label]) / max(1, len(layer.shares) - 1)
    preference = np.where(code == 1, layer.shares[label] - others, -2.0)
    return int(preference.argmax())


def histogram(on: NDArray[np.float64]) -> NDArray[np.int64]:
    """(BINS,) int64: units by how often they are on; the last bin holds always-on units too."""
    return np.histogram(on, BINS, (0.0, 1.0))[0].astype(np.int64)


def nearest_pair(distances: NDArray[np.float64]) -> tuple[int, int]:
    """The two classes that lie nearest to each other, the lower first."""
    apart = np.where(np.eye(len(distances), dtype=bool) | np.isnan(distances), np.inf, distances)
    a, b = divmod(int(apart.argmin()), len(distances))
    return min(a, b), max(a, b)


SIZES = ((6, 2), (8, 3), (10, 4))
"""Pixels a bit in the digit's code, and in each class's code."""

CLASS_COLUMNS = 5
CLASS_GAP = 24
_GAPS = 24 + 2 * 40
_BARS = 200
_MARGINS = 80
_TALL = 900  # from this height of the window on the largest size leaves room for what comes below


def pitch_rules(field: Field) -> str:
    """CSS that sets the pitches of the codes by the window's width: all of them stand in one row."""
    columns = field.cols * field.scale

    def rule(field_pitch: int, class_pitch: int) -> str:
        return f":root {{ --bx-code: {field_pitch}; --bx-class: {class_pitch}; }}"

    rules = [rule(*SIZES[0])]
    for code, each in SIZES[1:]:
        tiles = CLASS_COLUMNS * columns * each + (CLASS_COLUMNS - 1) * CLASS_GAP
        width = round(columns * code + tiles) + _GAPS + _BARS + _MARGINS
        query = f"(min-width: {width}px)"
        if code == SIZES[-1][0]:
            query += f" and (min-height: {_TALL}px)"
        rules.append(f"@media {query} {{ {rule(code, each)} }}")
    return "\n".join(rules)


def shared(labels: Sequence[int] | NDArray[np.integer]) -> tuple[int, int]:
    """(class, how many): the class that most of some digits have; of equals the lowest."""
    counts = np.bincount(np.asarray(labels, np.int64))
    return int(counts.argmax()), int(counts.max())
