"""Measures of weights against their plain definitions, on signs {-1, 0, +1}."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_core import BitwiseNetwork, InputError, RealNetwork
from bnn_core.bits import padding_is_zero, unpack
from bnn_core.kernels import PackedLayer
from bnn_core.measures.weights import (
    balance,
    differences,
    flipped,
    flips,
    order_alike,
    order_by_value,
    reader_counts,
    saturation,
    sign_counts,
)

WIDTHS = st.sampled_from([1, 31, 63, 64, 65, 127, 128, 129, 200])
DENSE, SPARSE = st.just((-1, 1)), st.just((-1, 0, 1))
VALUES = DENSE | SPARSE
SEEDS = st.integers(0, 2**32 - 1)


def signs_of(units: int, inputs: int, values: tuple[int, ...], seed: int) -> np.ndarray:
    return np.random.default_rng(seed).choice(np.array(values, np.int8), (units, inputs))


def layer_of(signs: np.ndarray) -> PackedLayer:
    return PackedLayer.from_signs(signs, np.ones(len(signs), np.int32))


def messy(layer: PackedLayer) -> PackedLayer:
    """The same weights with +1 bits left under the mask, as a file may hold them."""
    if layer.mask is None:
        return layer
    full = layer_of(np.ones((layer.units, layer.inputs), np.int8)).weight
    return PackedLayer(layer.inputs, layer.weight | (full & ~layer.mask), layer.mask, layer.bias)


@given(st.integers(1, 9), WIDTHS, VALUES, VALUES, SEEDS)
def test_a_flip_is_a_weight_of_another_value(units, inputs, before, after, seed):
    then, now = signs_of(units, inputs, before, seed), signs_of(units, inputs, after, seed + 1)
    words = flipped(messy(layer_of(then)), messy(layer_of(now)))
    assert words.dtype == np.uint64
    assert np.array_equal(unpack(words, inputs), then != now)
    assert padding_is_zero(words, inputs)
    assert np.array_equal(words, flipped(layer_of(now), layer_of(then)))


@given(WIDTHS, VALUES, SEEDS)
def test_nothing_flips_between_equal_layers(inputs, values, seed):
    layer = layer_of(signs_of(4, inputs, values, seed))
    assert not flipped(layer, messy(layer)).any()


@given(SEEDS)
def test_flips_are_counted_by_layer_and_unit(seed):
    sizes = (70, 9, 65, 3)
    shapes = [(b, a) for a, b in itertools.pairwise(sizes)]
    before = [signs_of(*shape, (-1, 0, 1), seed + i) for i, shape in enumerate(shapes)]
    after = [signs_of(*shape, (-1, 1), seed + 9 + i) for i, shape in enumerate(shapes)]
    found = flips(*(BitwiseNetwork(tuple(map(layer_of, side))) for side in (before, after)))
    for counts, then, now in zip(found, before, after, strict=True):
        assert counts.dtype == np.int32
        assert np.array_equal(counts, (then != now).sum(axis=1))


def test_other_shapes_have_no_flips():
    one, other = (layer_of(np.ones(shape, np.int8)) for shape in ((3, 64), (3, 65)))
    with pytest.raises(InputError, match="3 x 64"):
        flipped(one, other)
    with pytest.raises(InputError, match="64-3"):
        flips(BitwiseNetwork((one,)), BitwiseNetwork((other,)))


@given(st.integers(1, 9), WIDTHS, VALUES, SEEDS)
def test_counts_and_shares(units, inputs, values, seed):
    signs = signs_of(units, inputs, values, seed)
    layer = messy(layer_of(signs))
    rows, columns = sign_counts(layer), reader_counts(layer)
    for place, value in enumerate((1, -1, 0)):
        assert np.array_equal(rows[:, place], (signs == value).sum(axis=1))
        assert np.array_equal(columns[:, place], (signs == value).sum(axis=0))
    assert rows.dtype == columns.dtype == np.int32
    for share, row in zip(balance(layer), signs, strict=True):
        connected = row[row != 0]
        assert np.isnan(share) if not len(connected) else share == pytest.approx((connected == 1).mean())


@given(st.integers(1, 12), WIDTHS, VALUES, SEEDS)
def test_differences_are_those_of_the_signs(units, inputs, values, seed):
    signs = signs_of(units, inputs, values, seed)
    found = differences(messy(layer_of(signs)))
    assert found.dtype == np.int32
    assert np.array_equal(found, (signs[:, None] != signs[None]).sum(axis=2))


@given(st.integers(1, 40), st.integers(1, 6), VALUES, SEEDS)
def test_alike_is_a_permutation_in_which_equal_units_stand_together(units, kinds, values, seed):
    rng = np.random.default_rng(seed)
    kind = rng.integers(kinds, size=units)
    signs = signs_of(kinds, 40, values, seed)[kind]
    order = order_alike(layer_of(signs))
    assert order.dtype == np.int64
    assert sorted(order) == list(range(units))
    runs = [tuple(row) for row, _ in itertools.groupby(signs[order].tolist())]
    assert len(set(runs)) == len(runs)


@given(st.integers(2, 5), st.integers(2, 10), SEEDS)
def test_families_of_alike_units_stand_together(families, members, seed):
    """Each member differs from its family's pattern in 2 of 300 weights, from other families in some 150."""
    rng = np.random.default_rng(seed)
    patterns = signs_of(families, 300, (-1, 1), seed)
    family = rng.permutation(np.repeat(np.arange(families), members))
    signs = patterns[family]
    for row in signs:
        row[rng.choice(300, 2, replace=False)] *= -1
    runs = [number for number, _ in itertools.groupby(family[order_alike(layer_of(signs))])]
    assert len(runs) == families


def test_neighbours_of_a_trained_layer_are_more_alike_than_units_as_trained(quick: BitwiseNetwork):
    for layer in quick.layers[:2]:
        between = differences(layer)
        order = order_alike(layer)
        neighbours = between[order[1:], order[:-1]].mean()
        nearest = (between + np.eye(layer.units, dtype=int) * layer.inputs).min(axis=1).mean()
        assert neighbours < np.diagonal(between, 1).mean()
        assert neighbours < 1.2 * nearest  # no order could do better than the nearest of each


def test_values_are_ordered_from_the_largest_and_nan_comes_last():
    values = np.array([0.5, np.nan, 0.9, 0.5, 0.1])
    assert order_by_value(values).tolist() == [2, 0, 3, 4, 1]


def test_saturation_is_the_mean_size_of_compressed_weights():
    weights = (np.array([[1, -0.5], [0, 0.5]], np.float32), np.array([[-1, 1]], np.float32))
    network = RealNetwork(weights, (np.zeros(2, np.float32), np.zeros(1, np.float32)))
    assert saturation(network) == [0.5, 1.0]
