"""What one looks at in a network's bits: class codes and the order of units that makes them legible."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bnn_core.network import BitwiseNetwork


def class_codes(
    network: BitwiseNetwork, images: NDArray[np.uint8], labels: NDArray[np.integer]
) -> list[NDArray[np.float64]]:
    """How often each hidden bit is on, for each class.

    Args:
        images: (n, side, side) uint8.
        labels: (n,) integers from 0.

    Returns:
        one (classes, units) float64 array in [0, 1] a hidden layer; 0 for a class without a digit.
    """
    classes = network.sizes[-1]
    one_hot = np.zeros((classes, len(labels)), np.float32)
    one_hot[labels, np.arange(len(labels))] = 1
    digits = np.maximum(one_hot.sum(axis=1, keepdims=True), 1)
    return [
        (one_hot @ codes.astype(np.float32) / digits).astype(np.float64) for codes in network.codes(images)
    ]


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
