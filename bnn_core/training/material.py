"""Material: the digits of a run as training reads them (torch)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bnn_core.bits import WordArray, pack
from bnn_core.config import RunConfig
from bnn_core.datasets.digits import Digits, split
from bnn_core.datasets.features import input_bits, input_count, input_values
from bnn_core.network.construct import input_constants, quiet_inputs, reach


@dataclass(frozen=True)
class Probe:
    """Digits that a network is measured on.

    Attributes:
        values: (n, inputs) int8 for torch, as :class:`Material` has them.
        words: the same, packed for the kernels.
        labels: (n,) int64.
    """

    values: Tensor
    words: WordArray
    labels: NDArray[np.int64]


class Material:
    """What a run learns from and is measured on.

    Attributes:
        digits: all of them; the test digits are for the end of a phase.
        images: (n, side, side) uint8: those that it trains on.
        values: (n, inputs) int8 in {-1, +1}, or {0, 1} for zero-one features; floats are made a batch at a
            time. With constant units, inputs that carry integers take no part: 0.
        labels: (n,) int64.
        quiet: (inputs,) bool: never on in training.
        varied: (inputs,) bool, for torch: the others.
        probe: training digits on which every epoch's training error is read.
        validation: the digits kept for validation; None if all are trained on.
        reaches: with constant units the largest integer of each layer's units, else empty.

    Raises:
        InputError: the digits do not fit the configuration.
    """

    def __init__(self, config: RunConfig, digits: Digits, device: str) -> None:
        self.digits = digits
        self._config = config
        self._device = device
        parts = split(digits, config.data.train_digits)
        self.images = parts.train_images
        bits = self._bits(self.images)
        self.quiet = quiet_inputs(bits)
        self.varied = torch.from_numpy(~self.quiet).to(device)
        self.values = self._values(bits)
        self.labels = torch.from_numpy(parts.train_labels.astype(np.int64)).to(device)
        self.probe = self.prepare(parts.probe_images, parts.probe_labels)
        self.validation = (
            None
            if parts.validation_images is None or parts.validation_labels is None
            else self.prepare(parts.validation_images, parts.validation_labels)
        )
        self.reaches = self._reaches()

    @property
    def sizes(self) -> tuple[int, ...]:
        """Of the network to be: inputs, hidden units of each layer, classes."""
        return (self._inputs, *self._config.network.hidden, self.digits.classes)

    @property
    def free_sizes(self) -> tuple[int, ...]:
        """The same without the constant units, which are not trained."""
        constants = self._config.network.constant_units
        hidden = (units - constants for units in self._config.network.hidden)
        return (self._inputs, *hidden, self.digits.classes)

    def prepare(self, images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> Probe:
        """Digits to measure on: (n, side, side) and (n,) uint8."""
        bits = self._bits(images)
        return Probe(self._values(bits), pack(bits), labels.astype(np.int64))

    @property
    def _inputs(self) -> int:
        return input_count(self._config.data.features, self.digits.side)

    def _reaches(self) -> list[int]:
        constants = self._config.network.constant_units
        if not constants:
            return []
        first = input_constants(self._config.data.features, self.quiet)
        return [reach(first), *[reach(constants)] * len(self._config.network.hidden)]

    def _bits(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return input_bits(images, self._config.data.features, self._config.data.input_threshold)

    def _values(self, bits: NDArray[np.uint8]) -> Tensor:
        values = input_values(bits, self._config.data.features)
        if self._config.network.constant_units:
            values[:, self.quiet] = 0
        return torch.from_numpy(values).to(self._device)
