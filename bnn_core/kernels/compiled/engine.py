"""The compiled kernels for Python: one layer like any other kernel, or a whole network in one call."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from weakref import WeakKeyDictionary

import numpy as np

from bnn_core.bits import WordArray
from bnn_core.errors import InputError
from bnn_core.kernels.compiled.code import Code, Program
from bnn_core.kernels.compiled.prepared import Pixels, Prepared
from bnn_core.kernels.compiled.program import program
from bnn_core.kernels.layer import PackedLayer, Sums
from bnn_core.kernels.numpy_kernel import numpy_sums

_lock = threading.Lock()
_layers: WeakKeyDictionary[PackedLayer, dict[Code, Prepared]] = WeakKeyDictionary()


def prepared(layers: Sequence[PackedLayer], code: Code, pixels: Pixels | None = None) -> Prepared | None:
    """The layers laid out for a compiled kernel; None where there is no machine code.

    Args:
        layers: from the input on.
        code: the kernel's.
        pixels: how to make input bits of pixels, if it is to.
    """
    if code.instead is not None and any(layer.inputs > code.most_inputs for layer in layers):
        code = code.instead
    made = program(code, masked=any(layer.mask is not None for layer in layers))
    return Prepared(layers, made, pixels) if isinstance(made, Program) else None


def layer_sums(code: Code, inputs: WordArray, layer: PackedLayer) -> Sums:
    """One layer by a compiled kernel, or by NumPy where there is no machine code.

    Args:
        code: the kernel's.
        inputs: (n, words) uint64, padding 0.
        layer: the layer.

    Returns:
        (n, units) int32, the oracle's integers.
    """
    engine = _layers.get(layer, {}).get(code)
    if engine is None:
        engine = prepared((layer,), code)
        if engine is not None:
            with _lock:
                _layers.setdefault(layer, {})[code] = engine
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
