"""What bitwise inference is compared with: the same network in float, and other engines if installed.

Each baseline gets random weights of the network's sizes, tanh between layers, inputs that are ready to be
multiplied, and as many threads as the bitwise network. What is not installed does not take part.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnn_core.bench.contest import Call

Floats = NDArray[np.float32]
Maker = Callable[[Sequence[Floats], Floats, int], Call]


def random_weights(sizes: Sequence[int], rng: np.random.Generator) -> list[Floats]:
    """(units, inputs) float32 a layer, of a size that keeps tanh busy."""
    return [
        rng.normal(0, 1 / math.sqrt(inputs), (units, inputs)).astype(np.float32)
        for inputs, units in itertools.pairwise(sizes)
    ]


def baselines(
    sizes: Sequence[int], inputs: Floats, threads: int, names: Sequence[str] = ()
) -> dict[str, Call]:
    """The baselines that can run here.

    Args:
        sizes: inputs, hidden units of each layer, classes.
        inputs: (n, inputs) float32.
        threads: that each may use.
        names: keys of :data:`BASELINES`; all of them if left out.
    """
    weights = random_weights(sizes, np.random.default_rng(0))
    made = {}
    for name in names or BASELINES:
        try:
            made[name] = BASELINES[name](weights, inputs, threads)
        except ImportError:
            continue
    return made


def numpy_threads(count: int) -> AbstractContextManager[object]:
    """As long as it lasts, NumPy multiplies matrices with so many threads."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(limits=count, user_api="blas")


def _numpy_float32(weights: Sequence[Floats], inputs: Floats, _threads: int) -> Call:
    turned = [w.T.copy() for w in weights]

    def call() -> Floats:
        z = inputs
        for w in turned[:-1]:
            z = np.tanh(z @ w)
        return z @ turned[-1]

    return call


def _torch_float32(weights: Sequence[Floats], inputs: Floats, threads: int) -> Call:
    import torch

    torch.set_num_threads(threads)
    layers: list[torch.nn.Module] = []
    for w in weights:
        layer = torch.nn.Linear(w.shape[1], w.shape[0])
        layer.weight.data.copy_(torch.from_numpy(w))
        layer.bias.data.zero_()
        layers += [layer, torch.nn.Tanh()]
    network = torch.nn.Sequential(*layers[:-1]).eval()
    z = torch.from_numpy(inputs)

    def call() -> torch.Tensor:
        with torch.inference_mode():
            result: torch.Tensor = network(z)
            return result

    return call


def _onnx_bytes(weights: Sequence[Floats]) -> bytes:
    """The float network as an ONNX model."""
    from onnx import TensorProto, helper, numpy_helper

    nodes, constants, name = [], [], "x"
    for i, w in enumerate(weights):
        last = i == len(weights) - 1
        constants += [
            numpy_helper.from_array(w.T.copy(), f"w{i}"),
            numpy_helper.from_array(np.zeros(len(w), np.float32), f"b{i}"),
        ]
        nodes.append(helper.make_node("MatMul", [name, f"w{i}"], [f"m{i}"]))
        nodes.append(helper.make_node("Add", [f"m{i}", f"b{i}"], ["y" if last else f"a{i}"]))
        if not last:
            nodes.append(helper.make_node("Tanh", [f"a{i}"], [f"z{i}"]))
        name = f"z{i}"
    ends = [
        helper.make_tensor_value_info(end, TensorProto.FLOAT, [None, size])
        for end, size in (("x", weights[0].shape[1]), ("y", len(weights[-1])))
    ]
    graph = helper.make_graph(nodes, "float", ends[:1], ends[1:], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


def _onnx_call(model: bytes, inputs: Floats, threads: int) -> Call:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    feed = {"x": inputs}
    return lambda: session.run(None, feed)


def _onnx_float32(weights: Sequence[Floats], inputs: Floats, threads: int) -> Call:
    return _onnx_call(_onnx_bytes(weights), inputs, threads)


def _onnx_int8(weights: Sequence[Floats], inputs: Floats, threads: int) -> Call:
    import logging
    import tempfile
    from pathlib import Path

    import onnx
    from onnxruntime.quantization import quantize_dynamic

    logging.getLogger().addFilter(_no_advice)  # it recommends a preparation that changes nothing here
    try:
        with tempfile.TemporaryDirectory() as folder:
            small = Path(folder) / "int8.onnx"
            quantize_dynamic(onnx.load_from_string(_onnx_bytes(weights)), small)
            return _onnx_call(small.read_bytes(), inputs, threads)
    finally:
        logging.getLogger().removeFilter(_no_advice)


def _no_advice(record: Any) -> bool:
    return "pre-processing" not in record.getMessage()


def _bnn_lab(weights: Sequence[Floats], inputs: Floats, threads: int) -> Call:
    """Another engine for bits: its native XNOR kernel, layer by layer, from packed inputs."""
    from bnn.kernels import packed  # the name that bnn-lab is imported by

    if not packed.native_kernel_available():
        raise ImportError("bnn-lab has no native kernel here")
    packed.set_num_threads(threads)
    rows = [packed.pack_binary_pm1(np.where(w >= 0, 1, -1).astype(np.float32)) for w in weights]
    words, count = packed.pack_binary_pm1(inputs)

    def call() -> Floats:
        z, n = words, count
        for i, (w, _) in enumerate(rows):
            sums: Floats = packed.binary_gemm_native_prepacked(z, w, n)
            if i < len(rows) - 1:
                z, n = packed.pack_binary_pm1(sums)
        return sums

    return call


BASELINES: dict[str, Maker] = {
    "torch_float32": _torch_float32,
    "numpy_float32": _numpy_float32,
    "onnx_float32": _onnx_float32,
    "onnx_int8": _onnx_int8,
    "bnn_lab": _bnn_lab,
}
"""By name; each takes the weights, the inputs and the number of threads, and may raise ImportError."""
