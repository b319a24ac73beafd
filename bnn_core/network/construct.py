"""A strict network that decides as a threshold network does: what is always on carries its integers.

A strict unit has one bit of bias, where a threshold unit has an integer t:

    threshold    a_i + t_i >= 0
    strict       a_i + c_i + b_i >= 0        b_i in {-1, +1},  c_i = sum_j w_ij z_j over constant inputs j

The weights of k constant inputs give every c in [-k, k] with the parity of k, so c + b gives every integer
in [-k - 1, k + 1] with the other parity; and since a sum of n bits has the parity of n, of two
neighbouring integers one decides as t does. So nothing is lost but what lies beyond k + 1.

    first layer       inputs that are never on in the training digits: constant -1 there
    deeper layers     units that are always on: their weights are the signs of their inputs' means

They are constant on the training digits; a digit that is unlike all of them may find them otherwise
(:func:`constant_margin` measures how far they are from it), and is then read by the strict network all
the same, only not as the threshold network would read it. Zero-one features have no constant inputs
that count: their first layer makes do with one bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bnn_core.datasets.features import FEATURES
from bnn_core.kernels import PackedLayer
from bnn_core.network.bitwise import BitwiseNetwork

Signs = NDArray[np.int8]
Means = NDArray[np.float64]

_DIGITS = 10_000
"""Digits whose bits are looked at at a time."""


def reach(constants: int) -> int:
    """The largest integer that so many constant inputs and a bias bit can stand for."""
    return constants + 1


def input_constants(features: str, quiet: NDArray[np.bool_]) -> int:
    """How many inputs carry integers in the first layer: those that are never on, where that is a -1."""
    return int(quiet.sum()) if FEATURES[features].low == -1 else 0


def quiet_inputs(bits: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(inputs,) bool: never on in these digits, (n, inputs) uint8 in {0, 1}."""
    quiet: NDArray[np.bool_] = bits.max(axis=0) == 0
    return quiet


def _layer_bits(network: BitwiseNetwork, images: NDArray[np.uint8]) -> Iterator[list[NDArray[np.uint8]]]:
    """The input bits of every layer, (n, inputs) uint8 in {0, 1} each, over some of the digits at a time."""
    for start in range(0, len(images), _DIGITS):
        part = images[start : start + _DIGITS]
        yield [network.input_bits(part), *network.codes(part)]


def layer_means(network: BitwiseNetwork, images: NDArray[np.uint8]) -> list[Means]:
    """The mean bit, in [0, 1], of every input of every layer over some digits: (inputs,) float64 each."""
    totals: list[Means] = []
    for bits in _layer_bits(network, images):
        sums = [b.sum(axis=0, dtype=np.float64) for b in bits]
        totals = [a + b for a, b in zip(totals, sums, strict=True)] if totals else sums
    return [total / len(images) for total in totals]


def without_inputs(network: BitwiseNetwork, quiet: NDArray[np.bool_]) -> BitwiseNetwork:
    """What reads a digit, the quiet inputs off, as this network would if they took no part."""
    first = network.layers[0]
    if first.zero_one:
        return network  # what is off takes no part
    taken = first.weight_signs()[:, quiet].sum(axis=1, dtype=np.int32)
    return replace(network, layers=(replace(first, bias=first.bias + taken), *network.layers[1:]))


def strict_network(
    network: BitwiseNetwork, constants: int, quiet: NDArray[np.bool_], means: Sequence[Means]
) -> BitwiseNetwork:
    """The strict network with so many units more in each hidden layer, all of them always on.

    On a digit on which the quiet inputs are off and the added units on, every other hidden bit is the
    given network's, wherever its integer is within :func:`reach`; beyond that the nearest one is taken.
    The sums of the classes are the given network's, up to a unit of rounding to the parity that is to be had.

    Args:
        network: strict or threshold.
        constants: units to add to each hidden layer; they are its last ones.
        quiet: (inputs,) bool: which inputs are never on.
        means: the mean bit of each layer's inputs, see :func:`layer_means`.
    """
    low = FEATURES[network.features].low
    layers: list[PackedLayer] = []
    last = len(network.layers) - 1
    for place, (layer, mean) in enumerate(zip(network.layers, means, strict=True)):
        signs, integers = layer.weight_signs(), layer.bias.astype(np.int64)
        if place == 0:
            carriers, value = (np.flatnonzero(quiet), -1) if low == -1 else (np.empty(0, np.int64), 0)
            integers = integers + value * signs[:, carriers].sum(axis=1)
            signs[:, carriers] = 0
        else:
            carriers, value = np.arange(layer.inputs, layer.inputs + constants), 1
            signs = np.hstack([signs, np.zeros((layer.units, constants), np.int8)])
        parity = None if layer.zero_one else (signs != 0).sum(axis=1)
        integers = _within_reach(integers, len(carriers), parity)
        bias = np.where(integers > 0, 1, -1)
        signs[:, carriers] = value * _rows(integers - bias, len(carriers), sparse=layer.mask is not None)
        if place < last:
            # The signs of the inputs' means; +1 for constants, and where nothing is negative.
            always = np.ones(signs.shape[1], np.int8)
            if place > 0 or low == -1:
                always[: len(mean)] = np.where(mean >= 0.5, 1, -1)
            signs = np.vstack([signs, np.tile(always, (constants, 1))])
            bias = np.concatenate([bias, np.ones(constants, np.int64)])
        layers.append(PackedLayer.from_signs(signs, bias.astype(np.int32), zero_one=layer.zero_one))
    return replace(network, layers=tuple(layers), variant="strict")


def _within_reach(
    integers: NDArray[np.int64], constants: int, parity: NDArray[np.int64] | None
) -> NDArray[np.int64]:
    """The nearest integers that can be had, deciding alike where they can.

    Args:
        integers: (units,), of any parity.
        constants: inputs that carry them.
        parity: of each unit's other sum, which has that of its connected inputs; None if it has none.
    """
    wrong = (integers + constants) % 2 == 0
    # a + t >= 0: if a + t is odd it may be one less; if it is even, one more.
    down = 0 if parity is None else (parity + integers) % 2
    nearest = np.where(wrong, np.where(down, integers - 1, integers + 1), integers)
    result: NDArray[np.int64] = np.clip(nearest, -reach(constants), reach(constants))
    return result


def _rows(sums: NDArray[np.int64], constants: int, *, sparse: bool) -> Signs:
    """(units, constants) int8 weights with these sums; in a sparse layer no more than it takes."""
    place = np.arange(constants)
    if sparse:
        return np.where(place < np.abs(sums)[:, None], np.sign(sums)[:, None], 0).astype(np.int8)
    ones = (sums + constants) // 2
    return np.where(place < ones[:, None], 1, -1).astype(np.int8)


def constant_margin(network: BitwiseNetwork, constants: int, images: NDArray[np.uint8]) -> int:
    """The smallest sum of any added unit on any of the digits: at least 0 if they are on, and so constant.

    Args:
        network: from :func:`strict_network`.
        constants: units that were added to each hidden layer.
        images: (n, side, side) uint8.
    """
    smallest = network.layers[0].inputs
    for bits in _layer_bits(network, images):
        for layer, inputs in zip(network.layers[:-1], bits, strict=False):
            signs = layer.weight_signs()[-1].astype(np.int32)  # they are all alike
            values = inputs.astype(np.int32) if layer.zero_one else 2 * inputs.astype(np.int32) - 1
            smallest = min(smallest, int((values @ signs + layer.bias[-1]).min()))
    return smallest if constants else 0
