"""The oracle: the sum of the paper as it is written, on signs, with no packed arithmetic.

Slow and obvious on purpose: every other kernel is tested against it.
"""

from __future__ import annotations

import numpy as np

from bnn_core.bits import WordArray, to_signs, unpack
from bnn_core.kernels.kernel import Kernel
from bnn_core.kernels.layer import PackedLayer, Sums


def oracle_sums(inputs: WordArray, layer: PackedLayer) -> Sums:
    """a_i = b_i + sum_j w_ij z_j with w in {-1, 0, +1} and z in {-1, +1}, or {0, 1} in a zero-one layer.

    Args:
        inputs: (n, words) uint64.
        layer: the layer.

    Returns:
        (n, units) int32.
    """
    bits = unpack(inputs, layer.inputs)
    z = (bits if layer.zero_one else to_signs(bits)).astype(np.int64)
    w = layer.weight_signs().astype(np.int64)
    return (z @ w.T + layer.bias).astype(np.int32)


ORACLE = Kernel("oracle", "Oracle, \N{MINUS SIGN}1 and +1 one by one", oracle_sums)
