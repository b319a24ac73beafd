"""The model file: one network, one safetensors file that cannot run code.

Tensors, per layer i from 0: ``layer{i}.weight`` uint64 (units, words), ``layer{i}.mask`` the same,
only if the network is sparse, ``layer{i}.bias`` int32 (units,). Metadata, every value a JSON text:
``format``, ``sizes``, ``features``, ``input_threshold``, ``variant``, ``provenance``, ``sha256``
(over the tensors' bytes in name order and the other metadata). A reader needs nothing else.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import save

from bnn_core.bits import padding_is_zero, word_count
from bnn_core.datasets.features import FEATURES
from bnn_core.errors import InputError
from bnn_core.files import read_tensors, stable_bytes
from bnn_core.kernels import PackedLayer

FORMAT = "bitwise-network/1"
VARIANTS = ("strict", "threshold")
_MAX_BIAS = 1 << 29
_FACTS = ("features", "input_threshold", "variant", "provenance")
_KEYS = ("format", "sizes", *_FACTS)
_MAX_BYTES = 1 << 30


def _digest(tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(tensors[name]).tobytes())
    for key in sorted(metadata):
        digest.update(f"{key}={metadata[key]}".encode())
    return digest.hexdigest()


def model_bytes(layers: Sequence[PackedLayer], **facts: Any) -> bytes:
    """The model file's content.

    Args:
        layers: from the input on.
        facts: features, input_threshold, variant and provenance, as JSON values.
    """
    tensors: dict[str, NDArray[Any]] = {}
    sparse = any(layer.mask is not None for layer in layers)
    for index, layer in enumerate(layers):
        tensors[f"layer{index}.weight"] = layer.weight
        if sparse:
            tensors[f"layer{index}.mask"] = np.ascontiguousarray(layer.connected)
        tensors[f"layer{index}.bias"] = layer.bias
    facts = {"format": FORMAT, "sizes": [layers[0].inputs, *(layer.units for layer in layers)], **facts}
    metadata = {key: json.dumps(value, sort_keys=True) for key, value in facts.items()}
    metadata["sha256"] = json.dumps(_digest(tensors, metadata))
    return stable_bytes(save(tensors, metadata))


def read_model(path: Path) -> tuple[tuple[PackedLayer, ...], dict[str, Any]]:
    """Read and check a model file: the layers and the facts that it was made of.

    Raises:
        InputError: missing, truncated, altered, of another format, or with tensors that do not fit.
    """
    tensors, metadata = _read(path)
    values = {}
    for key in _KEYS:
        try:
            values[key] = json.loads(metadata[key])
        except (KeyError, ValueError, RecursionError):
            raise InputError(f"{path} is not a model file: its metadata has no readable {key!r}.") from None
    if values["format"] != FORMAT:
        raise InputError(f"{path} has format {values['format']!r}: allowed is {FORMAT!r}.")
    rest = {key: metadata[key] for key in _KEYS}
    if metadata.get("sha256") != json.dumps(_digest(tensors, rest)):
        raise InputError(f"{path} was altered or damaged: its content does not match its SHA-256 sum.")
    sizes = values["sizes"]
    if not isinstance(sizes, list) or len(sizes) < 2 or any(type(s) is not int or s < 1 for s in sizes):
        raise InputError(f"{path} has sizes {sizes!r}: allowed is a list of two or more whole numbers.")
    if not isinstance(values["features"], str) or values["features"] not in FEATURES:
        raise InputError(f"{path} has features {values['features']!r}: allowed are {', '.join(FEATURES)}.")
    threshold = values["input_threshold"]
    if type(threshold) is not int or not 1 <= threshold <= 255:
        raise InputError(
            f"{path} has input_threshold {threshold!r}: allowed is a whole number from 1 to 255."
        )
    if not isinstance(values["provenance"], dict):
        raise InputError(f"{path} has a provenance that is no object of facts.")
    if values["variant"] not in VARIANTS:
        raise InputError(f"{path} has variant {values['variant']!r}: allowed are {', '.join(VARIANTS)}.")
    layers = tuple(
        _layer(path, tensors, index, inputs, units, values)
        for index, (inputs, units) in enumerate(pairwise(sizes))
    )
    return layers, {key: values[key] for key in _FACTS}


def _read(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InputError(f"{path} is larger than {_MAX_BYTES >> 20} MiB: not a model file.")
        return read_tensors(path)
    except (OSError, SafetensorError, TypeError, AttributeError) as error:
        if isinstance(error, OSError) and not path.is_file():
            raise InputError(f"{path} cannot be read: there is no such file.") from None
        raise InputError(f"{path} is not a model file, or is damaged: {error}.") from None


def _layer(
    path: Path,
    tensors: Mapping[str, NDArray[Any]],
    index: int,
    inputs: int,
    units: int,
    values: Mapping[str, Any],
) -> PackedLayer:
    shape = (units, word_count(inputs))

    def tensor(part: str, dtype: str, shape: tuple[int, ...]) -> NDArray[Any]:
        name = f"layer{index}.{part}"
        found = tensors.get(name)
        if found is None or found.dtype != np.dtype(dtype) or found.shape != shape:
            came = "missing" if found is None else f"{found.dtype} {found.shape}"
            raise InputError(f"{path}: {name} is {came}: allowed is {dtype} {shape}.")
        return found

    weight = tensor("weight", "uint64", shape)
    mask = tensor("mask", "uint64", shape) if f"layer{index}.mask" in tensors else None
    bias = tensor("bias", "int32", (units,))
    if values["variant"] == "strict" and not np.all(np.abs(bias) == 1):
        raise InputError(f"{path}: layer{index}.bias is not -1 or +1 everywhere, as strict networks are.")
    if np.any(np.abs(bias.astype(np.int64)) > _MAX_BIAS):
        raise InputError(
            f"{path}: layer{index}.bias is beyond {_MAX_BIAS:,}: sums would not fit their integers."
        )
    for name, plane in (("weight", weight), ("mask", mask)):
        if plane is not None and not padding_is_zero(plane, inputs):
            raise InputError(f"{path}: layer{index}.{name} has padding bits that are not 0.")
    zero_one = index == 0 and FEATURES[values["features"]].low == 0
    return PackedLayer(inputs, weight, mask, bias, zero_one)
