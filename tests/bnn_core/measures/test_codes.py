"""What is said of codes, against the plain definitions: every pair, every bit, one after another."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_core import BitwiseNetwork, Digits
from bnn_core.bits import pack
from bnn_core.measures import codes as module
from bnn_core.measures.codes import (
    always_on_units,
    class_codes,
    class_counts,
    class_distances,
    dead_units,
    hamming,
    majority,
    nearest,
    shares,
    unit_entropy,
    within_and_between,
)

seeds = st.integers(0, 2**32 - 1)


def some_codes(seed: int, digits: int, units: int) -> np.ndarray:
    """Codes whose units are on with very different shares, some never, some always."""
    rng = np.random.default_rng(seed)
    share = rng.choice([0.0, 0.02, 0.5, 0.9, 1.0], units)
    return (rng.random((digits, units)) < share).astype(np.uint8)


def on(codes: np.ndarray) -> np.ndarray:
    """How often each bit is on, over all classes."""
    labels = np.arange(len(codes)) % 3
    return shares(class_counts(codes, labels, 3).sum(axis=0), len(codes))


def differ(a: np.ndarray, b: np.ndarray) -> int:
    return sum(int(x != y) for x, y in zip(a, b, strict=True))


@given(seeds, st.integers(1, 9), st.integers(1, 9), st.integers(1, 140))
def test_hamming_counts_the_bits_that_differ(seed, n, m, units):
    codes, others = some_codes(seed, n, units), some_codes(seed + 1, m, units)
    found = hamming(pack(codes), pack(others))
    assert found.dtype == np.int32
    assert found.tolist() == [[differ(a, b) for b in others] for a in codes]


@given(seeds, st.integers(1, 40), st.integers(1, 12))
def test_units_are_compared_by_their_bits_over_digits(seed, digits, units):
    codes = some_codes(seed, digits, units)
    rows = pack(np.ascontiguousarray(codes.T))
    assert hamming(rows, rows).tolist() == [[differ(a, b) for b in codes.T] for a in codes.T]


@given(seeds, st.integers(1, 30), st.integers(1, 20), st.integers(-1, 40))
def test_nearest_sorts_by_distance_then_row(seed, digits, units, count):
    codes = some_codes(seed, digits, units)
    row = seed % digits
    expected = sorted((differ(codes[row], code), i) for i, code in enumerate(codes))
    words = pack(codes)
    rows, distances = nearest(words, words[row], count)
    assert list(zip(distances.tolist(), rows.tolist(), strict=True)) == expected[: max(0, count)]
    rows, distances = nearest(words, words[row], count, leave_out=row)
    others = [pair for pair in expected if pair[1] != row]
    assert list(zip(distances.tolist(), rows.tolist(), strict=True)) == others[: max(0, count)]


@given(seeds, st.integers(1, 50), st.integers(1, 20), st.integers(1, 5))
def test_shares_are_counts_divided_once(seed, digits, units, classes):
    codes = some_codes(seed, digits, units)
    labels = np.random.default_rng(seed).integers(0, classes, digits)
    counts = class_counts(codes, labels, classes)
    by_class = shares(counts, np.bincount(labels, minlength=classes))
    for label, unit in product(range(classes), range(units)):
        members = [int(code[unit]) for code, owner in zip(codes, labels, strict=True) if owner == label]
        assert counts[label, unit] == sum(members)
        assert by_class[label, unit] == (sum(members) / len(members) if members else 0)
    assert on(codes).tolist() == [sum(map(int, column)) / digits for column in codes.T]


def test_counts_do_not_depend_on_the_chunk(monkeypatch):
    codes, labels = some_codes(3, 500, 30), np.arange(500) % 7
    whole = class_counts(codes, labels, 7)
    monkeypatch.setattr(module, "CHUNK", 33)
    assert (class_counts(codes, labels, 7) == whole).all()


@given(seeds, st.integers(1, 40), st.integers(1, 30))
def test_dead_and_always_on_are_exact(seed, digits, units):
    codes = some_codes(seed, digits, units)
    shared = on(codes)
    assert dead_units(shared).tolist() == [u for u in range(units) if not codes[:, u].any()]
    assert always_on_units(shared).tolist() == [u for u in range(units) if codes[:, u].all()]


def test_one_digit_in_many_makes_a_unit_alive():
    codes = np.zeros((10_000, 2), np.uint8)
    codes[9_999, 0] = 1
    codes[:, 1] = 1
    codes[0, 1] = 0
    assert dead_units(on(codes)).size == always_on_units(on(codes)).size == 0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_entropy_is_its_definition(values):
    for p, found in zip(values, unit_entropy(np.array(values)), strict=True):
        terms = [-q * math.log2(q) for q in (p, 1 - p) if q > 0]
        assert found == pytest.approx(min(1.0, sum(terms)), abs=1e-12)


def test_entropy_at_the_ends_and_in_the_middle():
    assert unit_entropy(np.array([0, 0.5, 1])).tolist() == [0, 1, 0]


@given(seeds, st.integers(2, 14), st.integers(1, 20), st.integers(2, 4))
def test_class_distances_are_means_over_all_pairs(seed, digits, units, classes):
    codes = some_codes(seed, digits, units)
    labels = np.random.default_rng(seed).integers(0, classes, digits)
    sizes = np.bincount(labels, minlength=classes)
    found = class_distances(shares(class_counts(codes, labels, classes), sizes), sizes)
    for a, b in product(range(classes), repeat=2):
        pairs = [
            differ(codes[i], codes[j])
            for i, j in product(np.flatnonzero(labels == a), np.flatnonzero(labels == b))
            if i != j
        ]
        if pairs:
            assert found[a, b] == pytest.approx(sum(pairs) / len(pairs), abs=1e-9)
        else:
            assert np.isnan(found[a, b])


def test_within_and_between_leave_out_what_is_not_there():
    nan = float("nan")
    distances = np.array([[2.0, 8, nan], [8, 4, nan], [nan, nan, nan]])
    assert within_and_between(distances) == (3, 8)
    within, between = within_and_between(np.array([[nan, 5], [5, nan]]))
    assert math.isnan(within)
    assert between == 5


def test_majority_goes_to_plus_one_at_a_half():
    assert majority(np.array([[0.0, 0.49], [0.5, 1.0]])).tolist() == [[0, 0], [1, 1]]


def test_class_codes_run_in_parts(mnist: Digits, quick: BitwiseNetwork, monkeypatch):
    images, labels = mnist.test_images[:300], mnist.test_labels[:300]
    whole = class_codes(quick, images, labels)
    for found, codes in zip(whole, quick.codes(images), strict=True):
        assert (found == shares(class_counts(codes, labels, 10), np.bincount(labels))).all()
    monkeypatch.setattr(module, "CHUNK", 64)
    assert all((a == b).all() for a, b in zip(whole, class_codes(quick, images, labels), strict=True))


def test_classes_part_as_layers_go_deeper(mnist: Digits, quick: BitwiseNetwork):
    """In the trained network's codes two classes lie farther apart, against two digits of one class."""
    images, labels = mnist.test_images[:2000], mnist.test_labels[:2000]
    ratios = []
    for codes in [quick.input_bits(images), *quick.codes(images)]:
        sizes = np.bincount(labels)
        by_class = shares(class_counts(codes, labels, 10), sizes)
        within, between = within_and_between(class_distances(by_class, sizes))
        ratios.append(between / within)
    assert ratios == sorted(ratios)
    assert ratios[-1] > 2 > 1.5 > ratios[0]
