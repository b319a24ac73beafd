"""Planes of weights against the signs that they show."""

import numpy as np
import pytest

from bnn_core import BitwiseNetwork
from bnn_core.kernels import PackedLayer
from explorer.shared import fields
from explorer.shared.planes import planes_of, stack


@pytest.fixture(scope="module")
def quick():
    return BitwiseNetwork.load("quick")


def random_layer(units, inputs, seed=0, values=(-1, 0, 1)):
    signs = np.random.default_rng(seed).choice(np.array(values, np.int8), (units, inputs))
    return PackedLayer.from_signs(signs, np.ones(units, np.int32)), signs


# --- planes ---


def test_planes_are_the_layer_s_signs_and_what_changed():
    (layer, now), (before, then) = random_layer(20, 70), random_layer(20, 70, seed=1)
    planes = planes_of(layer, before)
    assert np.array_equal(planes.bits * planes.mask, now == 1)
    assert np.array_equal(planes.mask, now != 0)
    assert np.array_equal(planes.changed, now != then)
    total = planes.total
    assert (total.plus, total.minus, total.zero) == tuple((now == sign).sum() for sign in (1, -1, 0))
    assert total.flips == (now != then).sum()
    assert total.weights == now.size


def test_a_dense_layer_alone_has_no_mask_and_no_flips():
    layer, _ = random_layer(5, 9, values=(-1, 1))
    planes = planes_of(layer)
    assert planes.mask is None
    assert planes.changed is None
    assert planes.total.flips is None
    assert planes.total.zero == 0


def test_rows_and_columns_are_placed():
    layer, signs = random_layer(12, 30)
    rng = np.random.default_rng(3)
    rows, columns = rng.permutation(12), rng.permutation(30)
    placed = planes_of(layer).placed(rows, columns)
    assert np.array_equal(placed.mask, signs[rows][:, columns] != 0)
    part = placed.at(slice(2, 5), slice(4, 9))
    assert np.array_equal(part.mask, placed.mask[2:5, 4:9])
    assert np.array_equal(planes_of(layer).placed(rows).bits, layer.weight_bits()[rows])


def test_a_unit_lies_as_the_picture_or_as_the_field_of_the_layer_before(quick):
    row = planes_of(quick.layers[0]).at(7)
    first = fields.input_field(784, 28)
    assert np.array_equal(row.laid_out(first, None).bits.ravel(), quick.layers[0].weight_bits()[7])
    field, order = fields.hidden_field(256), np.random.default_rng(0).permutation(256)
    deep = planes_of(quick.layers[1]).at(9).laid_out(field, order)
    assert np.array_equal(deep.bits.ravel(), quick.layers[1].weight_bits()[9][order])


def test_stacked_planes_keep_their_parts():
    layer, _ = random_layer(4, 16)
    planes = planes_of(layer, layer)
    parts = [planes.at(unit) for unit in range(4)]
    tiles = stack(parts)
    assert np.array_equal(tiles.bits, planes.bits)
    assert np.array_equal(tiles.mask, planes.mask)
    assert not tiles.changed.any()
