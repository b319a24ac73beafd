"""What the bits of hidden units say: class codes."""

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
