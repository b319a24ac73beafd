"""The popcount kernel: every word is XORed with the weights' word and masked, and its bits are counted.

It is the NumPy kernel eight words at a time: literally constant_i - cost popcount((x xor w_i) and m_i).
:mod:`bnn_core.kernels.compiled.popcount_ir` writes its code.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from bnn_core.bits import WordArray
from bnn_core.kernels.compiled.code import Code, Layout, aligned
from bnn_core.kernels.compiled.engine import layer_sums
from bnn_core.kernels.compiled.machine import Machine
from bnn_core.kernels.compiled.plan import GROUP_UNITS, GROUPS_TOGETHER
from bnn_core.kernels.kernel import Kernel
from bnn_core.kernels.layer import PackedLayer


def lay_out(layer: PackedLayer, limit: NDArray[np.int64], _machine: Machine) -> Layout:
    """What the functions that count read of a layer."""
    weight = _side_by_side(layer.weight)
    mask = 0 if layer.mask is None else _side_by_side(layer.mask)
    return Layout({"groups": len(weight), "weight": weight, "mask": mask, "limit": limit})


def _side_by_side(rows: WordArray) -> WordArray:
    """Weights, or a mask, as the kernel reads them.

    Args:
        rows: (units, words) uint64.

    Returns:
        (units / 8, words, 8) uint64: a word of eight units, then the next word of the same eight; units
        are padded with zeros, to whole turns of the kernel's loop.
    """
    units, words = rows.shape
    groups = -(-units // (GROUP_UNITS * GROUPS_TOGETHER)) * GROUPS_TOGETHER
    full = np.zeros((groups * GROUP_UNITS, words), np.uint64)
    full[:units] = rows
    out: WordArray = aligned((groups, words, GROUP_UNITS), np.uint64)
    out[:] = full.reshape(groups, GROUP_UNITS, words).transpose(0, 2, 1)
    return out


CODE = Code("popcount", "popcount_ir", lay_out)
POPCOUNT = Kernel("popcount", "Machine code, XOR and popcount", partial(layer_sums, CODE), code=CODE)
