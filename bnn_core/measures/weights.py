"""What the bits of weights say: flips, balance, zeros, saturation, and which units are alike.

A weight is +1, -1 or, where its connection is switched off, 0. All counts are exact integers, on packed
words.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bnn_core.bits import WordArray, count_ones, unpack
from bnn_core.errors import InputError
from bnn_core.kernels import PackedLayer
from bnn_core.network.bitwise import BitwiseNetwork
from bnn_core.network.real import RealNetwork

Counts = NDArray[np.int32]
"""Numbers of weights, int32 >= 0."""


def flipped(before: PackedLayer, after: PackedLayer) -> WordArray:
    """Which weights are others than before; a connection that appears or vanishes counts too.

    Args:
        before, after: one layer at two moments, or of two networks.

    Returns:
        (units, words) uint64, 1 where the weight changed, padding 0.

    Raises:
        InputError: the layers differ in units or inputs.
    """
    if (before.units, before.inputs) != (after.units, after.inputs):
        raise InputError(
            f"A layer of {after.units} x {after.inputs} weights has no flips from one of"
            f" {before.units} x {before.inputs}: allowed is the same shape."
        )
    differ = before.weight ^ after.weight
    if before.mask is None and after.mask is None:
        return differ
    then, now = before.connected, after.connected
    return (then ^ now) | (differ & then & now)


def flips(before: BitwiseNetwork, after: BitwiseNetwork) -> list[Counts]:
    """How many weights of each unit are others than before (:func:`flipped`).

    Returns:
        one (units,) int32 a layer; its sum is the layer's count.

    Raises:
        InputError: the networks differ in sizes.
    """
    if before.sizes != after.sizes:
        shapes = ["-".join(map(str, network.sizes)) for network in (after, before)]
        raise InputError(
            f"A network of {shapes[0]} has no flips from one of {shapes[1]}: allowed are equal sizes."
        )
    return [count_ones(flipped(b, a)) for b, a in zip(before.layers, after.layers, strict=True)]


def sign_counts(layer: PackedLayer) -> Counts:
    """How many weights of each unit are +1, -1 and 0.

    Returns:
        (units, 3) int32, in that order; each row sums to the layer's inputs.
    """
    plus = count_ones(layer.plus)
    return np.stack([plus, layer.active - plus, layer.inputs - layer.active], axis=1).astype(np.int32)


def reader_counts(layer: PackedLayer) -> Counts:
    """How many units of the layer read each of its inputs as it is (+1), inverted (-1), and not at all (0).

    Returns:
        (inputs, 3) int32, in that order; each row sums to the layer's units.
    """
    plus = unpack(layer.plus, layer.inputs).sum(axis=0, dtype=np.int32)
    mask = layer.mask_bits()
    active = (
        np.full(layer.inputs, layer.units, np.int32) if mask is None else mask.sum(axis=0, dtype=np.int32)
    )
    return np.stack([plus, active - plus, layer.units - active], axis=1).astype(np.int32)


def balance(layer: PackedLayer) -> NDArray[np.float64]:
    """(units,) float64: the share of +1 among each unit's connected weights; NaN for a unit without any."""
    plus, minus, _ = sign_counts(layer).T.astype(np.float64)
    with np.errstate(invalid="ignore"):
        return plus / (plus + minus)


def saturation(network: RealNetwork) -> list[float]:
    """For each layer the mean |compressed weight| of phase 1's network: 1 when all are at -1 or +1."""
    return [float(np.abs(weight).mean(dtype=np.float64)) for weight in network.weights]


def differences(layer: PackedLayer) -> Counts:
    """In how many weights each two units differ; 0 is a value of its own.

    Returns:
        (units, units) int32, symmetric, 0 on the diagonal.
    """
    # Words first: one unit against all is then a few long rows.
    weight = np.ascontiguousarray(layer.weight.T)
    mask = None if layer.mask is None else np.ascontiguousarray(layer.mask.T)
    found = np.zeros((layer.units, layer.units), np.int32)
    for unit in range(layer.units - 1):
        one, rest = slice(unit, unit + 1), slice(unit + 1, None)
        differ = weight[:, rest] ^ weight[:, one]
        if mask is not None:
            differ &= mask[:, rest] & mask[:, one]
            differ |= mask[:, rest] ^ mask[:, one]
        found[unit, rest] = np.bitwise_count(differ).sum(axis=0, dtype=np.int32)
    return found + found.T


def order_alike(layer: PackedLayer) -> NDArray[np.int64]:
    """Units placed so that neighbours have alike weights; equal ones stand together.

    The leaves of a hierarchical clustering with average linkage, grown by chains of nearest neighbours
    (Murtagh, "A survey of recent advances in hierarchical clustering algorithms", 1983). Where two clusters
    join, the most alike of their ends meet.

    Returns:
        (units,) int64, a permutation: position -> unit.
    """
    # Not SciPy's linkage: of equally near clusters, which are many among bits, it takes others, and every
    # order would change, for none that is better.
    between = differences(layer)
    units = len(between)
    # Sums of the differences between the units of two clusters: exact, so that the mean of clusters that join
    # lies between theirs, and no chain can bite its own tail. Clusters that are gone are infinitely far.
    total = between.astype(np.float64)
    np.fill_diagonal(total, np.inf)
    size = np.ones(units)
    leaves: list[list[int]] = [[unit] for unit in range(units)]
    chain: list[int] = []
    for _ in range(units - 1):
        if not chain:
            chain = [int((size > 0).argmax())]
        while True:
            mean = total[chain[-1]] / size
            nearest = int(mean.argmin())
            # Of equally near ones the one before in the chain is taken: the two are each other's nearest.
            if len(chain) > 1 and mean[chain[-2]] <= mean[nearest]:
                break
            chain.append(nearest)
        one, two = chain.pop(), chain.pop()
        leaves[one] = _joined(leaves[one], leaves[two], between)
        size[one], size[two] = size[one] + size[two], 0
        total[one] += total[two]
        total[one, one] = np.inf
        total[:, one] = total[one]
        total[two], total[:, two] = np.inf, np.inf
    return np.array(leaves[int(size.argmax())], np.int64)


def order_by_value(values: NDArray[np.floating]) -> NDArray[np.int64]:
    """Units by a value of each, the largest first, equal ones as they come, NaN last.

    Args:
        values: (units,), for example :func:`balance`, or how often each unit is on.

    Returns:
        (units,) int64, a permutation: position -> unit.
    """
    return np.argsort(-values, kind="stable")


def _joined(one: list[int], two: list[int], between: Counts) -> list[int]:
    """Two rows of units as one: their most alike ends meet."""
    pairs = [(one, two), (one, two[::-1]), (one[::-1], two), (two, one)]
    left, right = min(pairs, key=lambda pair: between[pair[0][-1], pair[1][0]])
    return left + right
