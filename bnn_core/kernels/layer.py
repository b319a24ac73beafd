"""PackedLayer: one layer's weights, mask and biases in words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bnn_core.bits import WordArray, count_ones, pack, to_signs, unpack, word_count

Sums = NDArray[np.int32]
"""Integer pre-activations, (n, units) int32."""


@dataclass(frozen=True, eq=False)
class PackedLayer:
    """One layer as it is stored and run.

    Its arrays must not be changed in place: what is derived from them, here and for the compiled kernels,
    is derived once. Make another layer instead.

    Attributes:
        inputs: fan-in n, in bits.
        weight: (units, ceil(n / 64)) uint64; 1 means +1, 0 means -1 (or 0 under the mask).
        mask: the same shape, 1 means connected; None when every weight is.
        bias: (units,) int32; -1 or +1 in a strict network, any integer in a threshold network.
        zero_one: whether an input bit of 0 means 0 (absent) instead of -1.
    """

    inputs: int
    weight: WordArray
    mask: WordArray | None
    bias: NDArray[np.int32]
    zero_one: bool = False

    @property
    def units(self) -> int:
        """Number of units."""
        return int(self.weight.shape[0])

    @property
    def words(self) -> int:
        """Words a row."""
        return word_count(self.inputs)

    @cached_property
    def active(self) -> NDArray[np.int32]:
        """(units,) int32: connected inputs of each unit; the fan-in when dense."""
        if self.mask is None:
            return np.full(self.units, self.inputs, np.int32)
        return count_ones(self.mask)

    def active_under(self, inputs: WordArray) -> NDArray[np.int32]:
        """(units,) int32: inputs that take part in each sum for one row of packed inputs, (words,) uint64."""
        if not self.zero_one:
            return self.active
        if self.mask is None:
            return np.full(self.units, count_ones(inputs), np.int32)
        return count_ones(self.mask & inputs)

    @cached_property
    def constant(self) -> NDArray[np.int32]:
        """(units,) int32: the sum where no input differs from its weight; each that does costs `cost`.

        Bipolar: active + bias. Zero-one: W.x counts the +1 weights whose input is there, less the -1
        weights whose input is there; with x equal to the weight bits that is popcount(w and m) + bias.
        """
        if not self.zero_one:
            return self.active + self.bias
        return count_ones(self.plus) + self.bias

    @property
    def plus(self) -> WordArray:
        """(units, words) uint64: the weights that are +1."""
        return self.weight if self.mask is None else self.weight & self.mask

    @property
    def cost(self) -> int:
        """What an input that differs from its weight takes from the sum: 2 (from +1 to -1), or 1."""
        return 1 if self.zero_one else 2

    @property
    def connected(self) -> WordArray:
        """(units, words) uint64: the weights that are not 0; padding 0."""
        if self.mask is not None:
            return self.mask
        return np.broadcast_to(pack(np.ones(self.inputs, np.uint8)), self.weight.shape)

    def weight_bits(self) -> NDArray[np.uint8]:
        """(units, inputs) uint8 in {0, 1}."""
        return unpack(self.weight, self.inputs)

    def mask_bits(self) -> NDArray[np.uint8] | None:
        """(units, inputs) uint8 in {0, 1}, or None when dense."""
        return None if self.mask is None else unpack(self.mask, self.inputs)

    def weight_signs(self) -> NDArray[np.int8]:
        """(units, inputs) int8 in {-1, 0, +1}."""
        signs = to_signs(self.weight_bits())
        mask = self.mask_bits()
        return signs if mask is None else signs * mask.astype(np.int8)

    @classmethod
    def from_signs(
        cls, signs: NDArray[np.int8], bias: NDArray[np.int32], *, zero_one: bool = False
    ) -> PackedLayer:
        """Pack weights given as signs.

        Args:
            signs: (units, inputs) int8 in {-1, 0, +1}; a mask is kept only if there is a 0.
            bias: (units,) int32.
            zero_one: whether an input bit of 0 means 0 instead of -1.
        """
        active = signs != 0
        return cls(
            inputs=signs.shape[1],
            weight=pack((signs > 0).astype(np.uint8)),
            mask=None if active.all() else pack(active.astype(np.uint8)),
            bias=np.ascontiguousarray(bias, np.int32),
            zero_one=zero_one,
        )
