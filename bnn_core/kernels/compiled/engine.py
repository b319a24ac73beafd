"""The compiled kernels for Python: one layer like any other kernel, or a whole network in one call."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from weakref import WeakKeyDictionary

import numpy as np

from bnn_core.bits import WordArray
from bnn_core.errors import InputError
from bnn_core.kernels.compiled.plan import MOST_INPUTS
from bnn_core.kernels.compiled.prepared import Pixels, Prepared
from bnn_core.kernels.compiled.program import program
from bnn_core.kernels.layer import PackedLayer, Sums
from bnn_core.kernels.numpy_kernel import numpy_sums

COMPILED = ("popcount", "table")
"""The kernels that are machine code."""

_lock = threading.Lock()
_layers: dict[str, WeakKeyDictionary[PackedLayer, Prepared]] = {
    name: WeakKeyDictionary() for name in COMPILED
}


def prepared(layers: Sequence[PackedLayer], kernel: str, pixels: Pixels | None = None) -> Prepared | None:
    """The layers laid out for a compiled kernel; None where there is no machine code.

    Args:
        layers: from the input on.
        kernel: a name of :data:`COMPILED`.
        pixels: how to make input bits of pixels, if it is to.
    """
    # The table kernel counts in 16 bits; a wider layer than that is popcount's.
    fits = all(layer.inputs <= MOST_INPUTS for layer in layers)
    code = program(kernel if fits else "popcount", masked=any(layer.mask is not None for layer in layers))
    if code is None:
        return None
    return Prepared(layers, code, pixels)


def popcount_sums(inputs: WordArray, layer: PackedLayer) -> Sums:
    """a_i = constant_i - cost popcount((x xor w_i) and m_i), in machine code.

    Every word of inputs is XORed with the weights' word and masked, and its bits are counted: literally.
    It is :func:`numpy_sums` eight words at a time, and that kernel itself where there is no machine code.

    Args:
        inputs: (n, words) uint64, padding 0.
        layer: the layer.

    Returns:
        (n, units) int32, the oracle's integers.
    """
    return _layer_sums("popcount", inputs, layer)


def table_sums(inputs: WordArray, layer: PackedLayer) -> Sums:
    """a_i = constant_i - cost mismatches_i, where the mismatches are looked up instead of counted.

    For four inputs x the table holds popcount(x xor w) for each of the 16 sets of four weights w, so that
    one instruction finds the mismatches of 32 units at four inputs. For two digits, at inputs x and y, it
    holds both: popcount(x xor w) + 16 popcount(y xor w). In a masked layer the index is two weights and
    their two masks, and the table holds popcount((x xor w) and m), of both digits likewise.

    :mod:`bnn_core.kernels.compiled.table_ir` tells how the halves of a byte are added up.

    Args:
        inputs: (n, words) uint64, padding 0.
        layer: the layer.

    Returns:
        (n, units) int32, the oracle's integers.
    """
    return _layer_sums("table", inputs, layer)


def _layer_sums(kernel: str, inputs: WordArray, layer: PackedLayer) -> Sums:
    engine = _layers[kernel].get(layer)
    if engine is None:
        engine = prepared((layer,), kernel)
        if engine is not None:
            with _lock:
                _layers[kernel][layer] = engine
    return numpy_sums(inputs, layer) if engine is None else engine.scores(checked_words(inputs, layer.words))


def checked_words(words: WordArray, expected: int) -> WordArray:
    """Words that machine code may read: of that shape and type, in C order.

    Raises:
        InputError: they are of another type or shape.
    """
    if words.dtype != np.uint64 or words.ndim != 2 or words.shape[1] != expected:
        raise InputError(
            f"words is {words.dtype} of shape {words.shape}: allowed is uint64 of shape (n, {expected})."
        )
    return np.ascontiguousarray(words)
