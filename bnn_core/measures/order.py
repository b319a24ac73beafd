"""The order of units that makes their bits legible."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def order_by_digit(codes: NDArray[np.float64]) -> NDArray[np.int64]:
    """Units placed by the class that they answer to most, class 0 first.

    Each class gets an equal share of the units (102 or 103 of 1024), those whose bit is on more often
    for it than for the others; within a class the strongest come first.

    Args:
        codes: (classes, units), how often each bit is on (:func:`class_codes`).

    Returns:
        (units,) int64, a permutation: position -> unit.
    """
    classes, units = codes.shape
    others = (codes.sum(axis=0) - codes) / max(1, classes - 1)
    preference = codes - others
    room = np.diff(band_edges(classes, units))
    owner = np.full(units, -1)
    # Strongest wishes first; a full class passes its unit on to the next wish.
    for wish in np.argsort(-preference, axis=None, kind="stable"):
        label, unit = divmod(int(wish), units)
        if owner[unit] < 0 and room[label] > 0:
            owner[unit] = label
            room[label] -= 1
    strength = preference[owner, np.arange(units)]
    return np.lexsort((-strength, owner))


def band_edges(classes: int, units: int) -> NDArray[np.int64]:
    """(classes + 1,) int64: where each class's band of units begins and the last one ends."""
    return np.arange(classes + 1) * units // classes
