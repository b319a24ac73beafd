"""What the bits of hidden units say: class codes, Hamming distances, entropy, dead and always-on units.

A *code* is the bits of one layer for one digit. Distances count the bits in which two codes differ, on packed
words; shares are counts divided once, so that 0 and 1 are exact.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bnn_core.bits import BitArray, WordArray, count_ones
from bnn_core.network.bitwise import BitwiseNetwork

Shares = NDArray[np.float64]
"""How often bits are on, float64 in [0, 1]."""
Distances = NDArray[np.int32]
"""Numbers of bits that differ, int32 >= 0."""

CHUNK = 2048
"""Digits counted at a time, so that memory does not grow with their number."""


class Nearest(NamedTuple):
    """Codes near to one, the nearest first; of equally near ones the lower row first.

    Attributes:
        rows: (count,) int64, which ones.
        distances: (count,) int32, in how many bits each differs.
    """

    rows: NDArray[np.int64]
    distances: Distances


def class_codes(
    network: BitwiseNetwork, images: NDArray[np.uint8], labels: NDArray[np.integer]
) -> list[Shares]:
    """How often each hidden bit is on, for each class.

    Args:
        images: (n, side, side) uint8.
        labels: (n,) integers from 0.

    Returns:
        one (classes, units) float64 array in [0, 1] a hidden layer; 0 for a class without a digit.
    """
    classes = network.sizes[-1]
    counts = [np.zeros((classes, units), np.int64) for units in network.sizes[1:-1]]
    for start in range(0, len(images), CHUNK):
        part = slice(start, start + CHUNK)
        for total, codes in zip(counts, network.codes(images[part]), strict=True):
            total += class_counts(codes, labels[part], classes)
    digits = np.bincount(labels, minlength=classes)
    return [shares(total, digits) for total in counts]


def class_counts(codes: BitArray, labels: NDArray[np.integer], classes: int) -> NDArray[np.int64]:
    """For how many digits of each class each bit is on; the sum over the classes is that of all digits.

    Args:
        codes: (n, units) uint8 in {0, 1}.
        labels: (n,) integers from 0 to classes - 1.

    Returns:
        (classes, units) int64.
    """
    counts = np.zeros((classes, codes.shape[1]), np.int64)
    for start in range(0, len(codes), CHUNK):
        part = slice(start, start + CHUNK)
        size = len(codes[part])
        one_hot = np.zeros((classes, size), np.float32)
        one_hot[labels[part], np.arange(size)] = 1
        # Whole numbers below 2 ** 24 are exact in float32, and its matrix product is far the fastest.
        counts += (one_hot @ codes[part].astype(np.float32)).astype(np.int64)
    return counts


def shares(counts: NDArray[np.integer], digits: NDArray[np.integer] | int) -> Shares:
    """How often bits are on, from for how many digits they are.

    Args:
        counts: (classes, units), or (units,).
        digits: (classes,) how many digits each class has, or how many there are.

    Returns:
        the shape of the counts, float64 in [0, 1]; 0 where there is no digit.
    """
    total = np.maximum(np.asarray(digits), 1)
    return counts / (total[:, None] if total.ndim else total)


def dead_units(on: Shares) -> NDArray[np.int64]:
    """Units whose bit is never on, in order, from (units,) shares."""
    return np.flatnonzero(on == 0)


def always_on_units(on: Shares) -> NDArray[np.int64]:
    """Units whose bit is on for every digit, in order, from (units,) shares."""
    return np.flatnonzero(on == 1)


def unit_entropy(on: Shares) -> Shares:
    """The entropy of each bit, H(p) = -p log2 p - (1 - p) log2(1 - p), where p is how often it is on.

    1 bit for a unit that is on for half of the digits, 0 for one that never changes. The entropy of a layer
    is the mean over its units: what a unit says of a digit at most, as if the others did not matter (the code
    as a whole says less where units repeat each other).

    Returns:
        the same shape, float64 in [0, 1].
    """
    entropy = np.zeros_like(on)
    for p in (on, 1 - on):
        seen = p > 0  # 0 log 0 is 0
        entropy[seen] -= p[seen] * np.log2(p[seen])
    return np.clip(entropy, 0, 1)


def majority(on: Shares) -> BitArray:
    """The bits that most digits have: uint8, 1 where on for at least half of them (as sign(0) = +1)."""
    return (on >= 0.5).astype(np.uint8)


def hamming(codes: WordArray, others: WordArray) -> Distances:
    """In how many bits each code differs from each other one, by XOR and popcount on packed words.

    The rows may be anything of equal length: digits (their codes), classes (the :func:`majority` codes), or
    units (the transposed codes: for how many digits two units disagree).

    Args:
        codes: (n, words) uint64, padding 0.
        others: (m, words) uint64, padding 0.

    Returns:
        (n, m) int32.
    """
    distances = np.empty((len(codes), len(others)), np.int32)
    # One row against all of the longer side: long loops, and never more than one of its copies.
    if len(codes) > len(others):
        for column, other in enumerate(others):
            distances[:, column] = count_ones(codes ^ other)
    else:
        for row, code in enumerate(codes):
            distances[row] = count_ones(others ^ code)
    return distances


def nearest(codes: WordArray, code: WordArray, count: int, *, leave_out: int | None = None) -> Nearest:
    """The codes that differ from one in the fewest bits.

    Args:
        codes: (n, words) uint64.
        code: (words,) uint64.
        count: how many to find; fewer where there are no more.
        leave_out: a row that does not count: the code itself.
    """
    distances = count_ones(codes ^ code)
    order = np.argsort(distances, kind="stable")
    if leave_out is not None:
        order = order[order != leave_out]
    rows = order[: max(0, count)]
    return Nearest(rows, distances[rows])


def class_distances(on: Shares, digits: NDArray[np.integer]) -> NDArray[np.float64]:
    """The mean Hamming distance between a digit of one class and a digit of another, over all such pairs.

    Exact, without forming a pair: two bits that are on with shares p and q differ in p (1 - q) + q (1 - p) of
    the pairs, and the sum over the units is the mean distance. On the diagonal each digit meets the others of
    its class, not itself, so that sum is scaled by n / (n - 1).

    Args:
        on: (classes, units) shares.
        digits: (classes,) how many digits each class has.

    Returns:
        (classes, classes) float64, symmetric; NaN where there is no pair.
    """
    one_way = on @ (1 - on).T
    distances = one_way + one_way.T
    counts = np.asarray(digits, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        np.fill_diagonal(distances, distances.diagonal() * counts / (counts - 1))
    distances[counts == 0, :] = distances[:, counts == 0] = np.nan
    distances[np.diag(counts == 1)] = np.nan
    return distances


def within_and_between(distances: NDArray[np.float64]) -> tuple[float, float]:
    """The mean distance within a class (over the classes) and between two classes (over their pairs).

    Args:
        distances: (classes, classes), from :func:`class_distances`; at least two classes.

    Returns:
        two numbers of bits; what is NaN is left out, and a mean of nothing is NaN.
    """

    def mean(values: NDArray[np.float64]) -> float:
        known = values[~np.isnan(values)]
        return float(known.mean()) if len(known) else float("nan")

    return mean(distances.diagonal()), mean(distances[~np.eye(len(distances), dtype=bool)])
