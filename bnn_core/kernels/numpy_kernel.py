"""The NumPy kernel: XOR and population count on words, everywhere NumPy runs."""

from __future__ import annotations

import numpy as np

from bnn_core.bits import WordArray
from bnn_core.kernels.kernel import Kernel
from bnn_core.kernels.layer import PackedLayer, Sums

_BLOCK_BYTES = 1 << 18
"""Bytes of one block of XORed words: small enough to stay in the processor's cache."""


def numpy_sums(inputs: WordArray, layer: PackedLayer) -> Sums:
    """a_i = constant_i - cost popcount((x xor w_i) and m_i).

    Args:
        inputs: (n, words) uint64, padding 0.
        layer: the layer.

    Returns:
        (n, units) int32, the oracle's integers.
    """
    digits = inputs.shape[0]
    sums = np.empty((digits, layer.units), np.int32)
    rows = max(1, _BLOCK_BYTES // (layer.units * 8))
    mismatches = np.empty((rows, layer.units), np.uint16 if layer.inputs < 1 << 16 else np.uint32)
    words = np.empty((rows, layer.units), np.uint64)
    counts = np.empty((rows, layer.units), np.uint8)
    # One word column at a time: the block of (rows, units) words never leaves the cache.
    weight_columns = np.ascontiguousarray(layer.weight.T)
    mask_columns = None if layer.mask is None else np.ascontiguousarray(layer.mask.T)
    for start in range(0, digits, rows):
        block = inputs[start : start + rows]
        size = len(block)
        mismatches[:size] = 0
        for column, weights in enumerate(weight_columns):
            np.bitwise_xor(block[:, column, None], weights, out=words[:size])
            if mask_columns is not None:
                np.bitwise_and(words[:size], mask_columns[column], out=words[:size])
            np.bitwise_count(words[:size], out=counts[:size])
            mismatches[:size] += counts[:size]
        # Signed before subtracting: 16 - 32 must not become 1.8e19.
        lost = mismatches[:size].astype(np.int32) * np.int32(layer.cost)
        np.subtract(layer.constant, lost, out=sums[start : start + size])
    return sums


NUMPY = Kernel("numpy", "NumPy, XOR and popcount", numpy_sums)
