"""RealNetwork: phase 1's network with compressed weights, run in NumPy (no torch needed).

    a = tanh(k b_bar) + sum_j tanh(k w_bar_ij) z_j ,   z = tanh(SLOPE a / sqrt(n))

The scale inside the tanh is the training's (it changes no sign); kept in float16, which is enough to
show the network beside its bitwise twin.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import save

from bnn_core.datasets.features import USUAL, input_bits, input_values
from bnn_core.errors import InputError
from bnn_core.files import read_tensors, stable_bytes, write_atomically

FORMAT = "real-network/1"

SLOPE = 4.0
"""Slope of the hidden tanh and of the logits, in units of 1 / sqrt(fan-in)."""


@dataclass(frozen=True, eq=False)
class RealNetwork:
    """The real-valued network of phase 1.

    Attributes:
        weights: (units, inputs) float32 in (-1, 1) a layer: tanh(k w_bar), rounded to float16.
        biases: (units,) float32 in (-1, 1) a layer.
        features, input_threshold: as in :class:`~bnn_core.network.bitwise.BitwiseNetwork`.
    """

    weights: tuple[NDArray[np.float32], ...]
    biases: tuple[NDArray[np.float32], ...]
    features: str = USUAL
    input_threshold: int = 128

    def scores(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Logits, (n, classes) float32, of (n, side, side) uint8 images."""
        bits = input_bits(images, self.features, self.input_threshold)
        z = input_values(bits, self.features).astype(np.float32)
        for index, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            a = (z @ weight.T + bias) * np.float32(SLOPE / weight.shape[1] ** 0.5)
            z = a if index == len(self.weights) - 1 else np.tanh(a)
        return z

    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.int64]:
        """(n,) int64, the class with the largest logit."""
        return self.scores(images).argmax(axis=1)

    def save(self, path: str | Path) -> None:
        """Write it as float16 safetensors, atomically."""
        tensors: dict[str, NDArray[Any]] = {}
        for index, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            tensors[f"layer{index}.weight"] = weight.astype(np.float16)
            tensors[f"layer{index}.bias"] = bias.astype(np.float16)
        facts = {"format": FORMAT, "features": self.features, "input_threshold": self.input_threshold}
        metadata = {key: json.dumps(value) for key, value in facts.items()}
        write_atomically(Path(path), stable_bytes(save(tensors, metadata)))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read such a file; raises InputError if it is missing or is none."""
        try:
            tensors, texts = read_tensors(path)
            metadata = {key: json.loads(text) for key, text in texts.items()}
            if metadata.get("format") != FORMAT:
                raise InputError(f"{path} has format {metadata.get('format')!r}: allowed is {FORMAT!r}.")
            layers = range(len(tensors) // 2)
            network = cls(
                weights=tuple(tensors[f"layer{i}.weight"].astype(np.float32) for i in layers),
                biases=tuple(tensors[f"layer{i}.bias"].astype(np.float32) for i in layers),
                features=metadata["features"],
                input_threshold=metadata["input_threshold"],
            )
        except InputError:
            raise
        except (
            SafetensorError,
            OSError,
            KeyError,
            ValueError,
            TypeError,
            AttributeError,
            RecursionError,
        ) as error:
            raise InputError(f"{path} is not a real network's file: {error}.") from None
        for before, after in pairwise(network.weights):
            if before.ndim != 2 or after.ndim != 2 or before.shape[0] != after.shape[1]:
                raise InputError(f"{path} is not a real network's file: its layers do not fit each other.")
        return network
