"""One unit at work, word by word: what each word adds, the sum, and whether every kernel agrees. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bnn_core import BitwiseNetwork
from bnn_core.bits import WORD_BITS, pack
from bnn_core.kernels import Kernel, PackedLayer
from bnn_core.network.bitwise import LayerTrace
from explorer.shared.fields import Ledger


@dataclass(frozen=True)
class Word:
    """One word of a unit's inputs and weights, as the processor holds it.

    Attributes:
        first: its first input, counted from 0.
        bits: how many inputs it holds: 64, or fewer in the last word; the rest of that is padding.
        inputs, weights: the two words; input `first` is the lowest bit.
        used: 1 where the input takes part: connected, and not absent.
        sum: agree - differ of all words up to this one; the bias comes at the end.
    """

    first: int
    bits: int
    inputs: int
    weights: int
    used: int
    sum: int

    @property
    def xnor(self) -> int:
        """1 where input and weight are alike, among those that take part."""
        return ~(self.inputs ^ self.weights) & self.used

    @property
    def agree(self) -> int:
        """popcount(xnor)."""
        return self.xnor.bit_count()

    @property
    def active(self) -> int:
        """Inputs that take part."""
        return self.used.bit_count()

    @property
    def differ(self) -> int:
        """Inputs that take part and are not like their weight."""
        return self.active - self.agree

    @property
    def adds(self) -> int:
        """What this word adds to the sum."""
        return self.agree - self.differ


def unit_words(trace: LayerTrace, unit: int) -> list[Word]:
    """The words of one unit, from the first input on; counted here, bit by bit, and not by a kernel."""
    used = trace.used(unit)
    if used is None:
        used = np.ones_like(trace.inputs)
    count = len(trace.inputs)
    words: list[Word] = []
    total = 0
    for index, (inputs, weights, taking_part) in enumerate(
        zip(*(pack(plane).tolist() for plane in (trace.inputs, trace.weights[unit], used)), strict=True)
    ):
        first = index * WORD_BITS
        word = Word(first, min(WORD_BITS, count - first), inputs, weights, taking_part, 0)
        total += word.adds
        words.append(Word(first, word.bits, inputs, weights, taking_part, total))
    return words


def ledger(words: Sequence[Word], bias: int) -> Ledger:
    """Close the account of a unit."""
    agree = sum(word.agree for word in words)
    active = sum(word.active for word in words)
    return Ledger(agree, active - agree, bias, sum(word.bits for word in words) - active)


def telling_word(words: Sequence[Word]) -> int:
    """The word that moves the sum most, from 1; the first of equals. It is shown when none is chosen."""
    return 1 + max(range(len(words)), key=lambda index: abs(words[index].adds))


def hex_word(value: int, bits: int) -> str:
    """0x36bf9eae4d9d5a69: as many digits as the bits need, so that padding is not there."""
    return f"0x{value:0{-(-bits // 4)}x}"


@dataclass(frozen=True)
class KernelCount:
    """One unit as a kernel counts it: base + bias - cost * mismatches = total.

    Attributes:
        base: the sum where nothing differs, without the bias: the inputs that take part; with zero-one
            inputs, the weights that are +1.
        cost: what a mismatch takes from it, 2 or 1.
        mismatches: popcount(x xor w), under the mask.
    """

    base: int
    bias: int
    cost: int
    mismatches: int

    @property
    def total(self) -> int:
        """The unit's sum."""
        return self.base + self.bias - self.cost * self.mismatches


def kernel_count(layer: PackedLayer, inputs: NDArray[np.uint8], unit: int) -> KernelCount:
    """Count one unit by XOR and popcount.

    Args:
        inputs: (n,) uint8 in {0, 1}, the layer's inputs.
    """
    unlike = pack(inputs) ^ layer.weight[unit]
    if layer.mask is not None:
        unlike = unlike & layer.mask[unit]
    bias = int(layer.bias[unit])
    return KernelCount(
        base=int(layer.constant[unit]) - bias,
        bias=bias,
        cost=layer.cost,
        mismatches=int(np.bitwise_count(unlike).sum()),
    )


@dataclass(frozen=True, eq=False)
class LayerCheck:
    """One layer's integers for one digit, from every kernel.

    Attributes:
        sums: by kernel, (units,) int32.
        wrong: by kernel, how many of its integers are not the first one's, the oracle's; empty if all agree.
        operations: XNOR and popcount, one for each word of each unit.
    """

    sums: Mapping[Kernel, NDArray[np.int32]]
    operations: int
    wrong: Mapping[Kernel, int] = field(default_factory=dict)

    @property
    def units(self) -> int:
        """Integers that each kernel gives."""
        return len(next(iter(self.sums.values())))


def check_layer(layer: PackedLayer, inputs: NDArray[np.uint8], kernels: Iterable[Kernel]) -> LayerCheck:
    """Run every kernel over one layer's inputs, and compare each integer with the first kernel's.

    Args:
        inputs: (n,) uint8 in {0, 1}.
        kernels: at least one.
    """
    packed = pack(inputs[None])
    sums = {kernel: kernel.sums(packed, layer)[0] for kernel in kernels}
    first = next(iter(sums.values()))
    unlike = {kernel: int((values != first).sum()) for kernel, values in sums.items()}
    return LayerCheck(
        sums=sums,
        operations=layer.units * layer.words,
        wrong={kernel: count for kernel, count in unlike.items() if count},
    )


def near_zero(sums: NDArray[np.int32]) -> NDArray[np.uint8]:
    """(units,) uint8: 1 for the half of the units whose sums are nearest to 0."""
    size = np.abs(sums)
    return (size < np.median(size)).astype(np.uint8)


@dataclass(frozen=True)
class Unit:
    """Everything that is told of one unit, for one digit.

    Attributes:
        layer, layers: from 1; the last one is the output.
        unit: from 0; an output unit counts the votes for the digit of that number.
        read: the digit that the network reads.
        variant: "strict" or "threshold", which says what a bias is.
        zero_one: whether an input of 0 is absent. masked: whether connections may be switched off.
    """

    layer: int
    layers: int
    unit: int
    read: int
    variant: str
    zero_one: bool
    masked: bool
    words: list[Word]
    ledger: Ledger
    kernel: KernelCount

    @property
    def output(self) -> bool:
        """Whether its sum is a count of votes instead of a bit."""
        return self.layer == self.layers

    @property
    def inputs(self) -> int:
        """How many inputs it has."""
        return sum(word.bits for word in self.words)


def tell(network: BitwiseNetwork, traces: Sequence[LayerTrace], layer: int, unit: int) -> Unit:
    """Count one unit of a network for one digit.

    Args:
        traces: the digit's, one a layer.
        layer: from 1. unit: from 0.
    """
    trace = traces[layer - 1]
    words = unit_words(trace, unit)
    return Unit(
        layer=layer,
        layers=len(traces),
        unit=unit,
        read=int(traces[-1].sums.argmax()),
        variant=network.variant,
        zero_one=trace.zero_one,
        masked=trace.mask is not None,
        words=words,
        ledger=ledger(words, int(trace.bias[unit])),
        kernel=kernel_count(network.layers[layer - 1], trace.inputs, unit),
    )


def all_agree(unit: Unit, check: LayerCheck) -> bool:
    """Whether the sum told here, the kernel's formula and every kernel's integers are the same."""
    told = {unit.ledger.total, unit.kernel.total, *(int(sums[unit.unit]) for sums in check.sums.values())}
    return len(told) == 1 and not check.wrong
