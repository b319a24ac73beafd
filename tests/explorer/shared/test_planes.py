"""The Weights page's pictures against the bits that they show."""

import json
import re
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_core import BitwiseNetwork
from bnn_core.kernels import PackedLayer
from bnn_core.measures import flips, sign_counts
from explorer.components.bit_matrix import Label, encode
from explorer.screens.weights import html as pieces
from explorer.screens.weights.words import SORT_NAMES, first_note, matrix_note, template_name
from explorer.shared import fields as watch
from explorer.shared import planes as weights


@pytest.fixture(scope="module")
def quick():
    return BitwiseNetwork.load("quick")


def random_layer(units, inputs, seed=0, values=(-1, 0, 1)):
    signs = np.random.default_rng(seed).choice(np.array(values, np.int8), (units, inputs))
    return PackedLayer.from_signs(signs, np.ones(units, np.int32)), signs


# --- planes ---


def test_planes_are_the_layer_s_signs_and_what_changed():
    (layer, now), (before, then) = random_layer(20, 70), random_layer(20, 70, seed=1)
    planes = weights.planes_of(layer, before)
    assert np.array_equal(planes.bits * planes.mask, now == 1)
    assert np.array_equal(planes.mask, now != 0)
    assert np.array_equal(planes.changed, now != then)
    total = planes.total
    assert (total.plus, total.minus, total.zero) == tuple((now == sign).sum() for sign in (1, -1, 0))
    assert total.flips == (now != then).sum()
    assert total.weights == now.size


def test_a_dense_layer_alone_has_no_mask_and_no_flips():
    layer, _ = random_layer(5, 9, values=(-1, 1))
    planes = weights.planes_of(layer)
    assert planes.mask is None
    assert planes.changed is None
    assert planes.total.flips is None
    assert planes.total.zero == 0


def test_rows_and_columns_are_placed():
    layer, signs = random_layer(12, 30)
    rng = np.random.default_rng(3)
    rows, columns = rng.permutation(12), rng.permutation(30)
    placed = weights.planes_of(layer).placed(rows, columns)
    assert np.array_equal(placed.mask, signs[rows][:, columns] != 0)
    part = placed.at(slice(2, 5), slice(4, 9))
    assert np.array_equal(part.mask, placed.mask[2:5, 4:9])
    assert np.array_equal(weights.planes_of(layer).placed(rows).bits, layer.weight_bits()[rows])


def test_a_unit_lies_as_the_picture_or_as_the_field_of_the_layer_before(quick):
    row = weights.planes_of(quick.layers[0]).at(7)
    first = watch.input_field(784, 28)
    assert np.array_equal(row.laid_out(first, None).bits.ravel(), quick.layers[0].weight_bits()[7])
    field, order = watch.hidden_field(256), np.random.default_rng(0).permutation(256)
    deep = weights.planes_of(quick.layers[1]).at(9).laid_out(field, order)
    assert np.array_equal(deep.bits.ravel(), quick.layers[1].weight_bits()[9][order])


def test_stacked_planes_keep_their_parts():
    layer, _ = random_layer(4, 16)
    planes = weights.planes_of(layer, layer)
    parts = [planes.at(unit) for unit in range(4)]
    tiles = weights.stack(parts)
    assert np.array_equal(tiles.bits, planes.bits)
    assert np.array_equal(tiles.mask, planes.mask)
    assert not tiles.changed.any()


def test_layer_totals_are_exact(quick):
    before = BitwiseNetwork(
        tuple(random_layer(each.units, each.inputs, values=(-1, 1))[0] for each in quick.layers)
    )
    found = flips(before, quick)
    for total, layer, lit in zip(weights.layer_totals(quick, found), quick.layers, found, strict=True):
        plus, minus, zero = sign_counts(layer).sum(axis=0)
        assert (total.plus, total.minus, total.zero, total.flips) == (plus, minus, zero, lit.sum())
        assert total.weights == layer.units * layer.inputs


# --- pages of templates ---


@given(st.integers(1, 300), st.sampled_from([None, 2, 10]), st.booleans(), st.integers(0, 10**6))
def test_the_pages_show_every_unit_once_and_each_is_found_again(units, classes, wide, seed):
    order = np.random.default_rng(seed).permutation(units)
    first = weights.template_page(order, classes=classes, wide=wide, number=1)
    seen = []
    for number in range(1, first.pages + 1):
        page = weights.template_page(order, classes=classes, wide=wide, number=number)
        assert (page.number, page.pages, page.columns) == (number, first.pages, first.columns)
        assert len(page.units) == len(first.units)  # what stands below a page does not move
        shown = page.units[page.units >= 0]
        assert len(shown) + len(page.blank) == len(page.units)
        for unit in shown:
            assert weights.page_of(order, int(unit), classes=classes, wide=wide) == number
        seen += shown.tolist()
    assert sorted(seen) == list(range(units))


@pytest.mark.parametrize("wide", [False, True])
def test_units_stand_under_their_digit_strongest_first(wide):
    order = np.arange(100) * 7 % 100  # bands of ten: order[0:10] answers to 0, and so on
    page = weights.template_page(order, classes=10, wide=wide, number=1)
    grid = page.units.reshape(-1, page.columns)
    for label in range(10):
        band = grid[label] if wide else grid[:, label]
        assert band.tolist() == order[label * 10 :][: len(band)].tolist()
    assert page.labels == [str(label) for label in range(10)]
    assert page.down == wide


def test_a_page_beyond_the_last_is_the_last():
    order = np.arange(100)
    assert weights.template_page(order, classes=None, wide=False, number=99).number == 2
    assert weights.template_page(order, classes=10, wide=False, number=0).number == 1


def test_templates_are_the_weights_and_two_bit_planes_stand_side_by_side():
    layer, _ = random_layer(6, 2 * 784)
    planes = weights.planes_of(layer)
    page = weights.template_page(np.arange(6), classes=None, wide=True, number=1)
    tiles = weights.template_tiles(planes, page, watch.input_field(2 * 784, 28))
    assert tiles.bits.shape == (6, 28, 56)
    bits = layer.weight_bits()
    for unit in range(6):
        assert np.array_equal(tiles.bits[unit][:, :28].ravel(), bits[unit, :784])
        assert np.array_equal(tiles.bits[unit][:, 28:].ravel(), bits[unit, 784:])


# --- matrices ---


@given(st.integers(1, 4096), st.integers(1, 4096))
def test_a_texture_is_as_large_as_it_may_be(rows, columns):
    scale = weights.texture_scale(rows, columns)
    if scale is None:
        assert max(rows, columns) <= 2 * weights.LENS
        return
    dots = -(-max(rows, columns) // scale.dots)
    assert scale.dots >= 2
    assert scale.pitch >= 1
    assert dots * scale.pitch <= weights.TEXTURE < dots * (scale.pitch + 1)


@pytest.mark.parametrize(
    ("units", "dots", "pitch"), [(128, 2, 4), (256, 2, 2), (512, 4, 2), (1024, 4, 1), (4096, 16, 1)]
)
def test_usual_textures(units, dots, pitch):
    assert weights.texture_scale(units, units) == weights.Scale(dots, pitch)


@given(st.integers(1, 4096), st.integers(1, 4096))
def test_every_bit_has_a_pixel_at_least(rows, columns):
    scale = weights.every_scale(rows, columns)
    assert scale.dots == 1
    assert scale.pitch >= 1
    assert scale.pitch == 1 or scale.pitch * max(rows, columns) <= weights.EVERY


@given(st.integers(0, 2000), st.integers(1, 60), st.integers(1, 2000))
def test_the_lens_stays_inside_and_holds_its_centre(centre, size, total):
    centre = min(centre, total - 1)
    part = weights.span(centre, size, total)
    assert 0 <= part.start <= centre < part.stop <= total
    assert part.stop - part.start == min(size, total)


def test_bands_share_the_units_out():
    assert weights.bands(10, 512)[:2] == [(0, 51), (51, 102)]
    assert weights.bands(10, 8)[0] == (0, 0)


# --- words and HTML ---


def test_bars_hold_exact_counts_and_the_fullest_is_bold():
    on, digits = np.array([3, 10, 0]), np.array([12, 10, 0])
    text = pieces.bars(on, digits, output=False)
    assert re.findall(r"height:([\d.]+)%", text) == ["25.0", "100.0", "0.0"]
    assert 'class="best" title="1: on for 10 of 10 digits"' in text
    assert "0: on for 3 of 12 digits" in text
    assert "votes" in pieces.bars(on, digits, output=True)


def test_the_layers_table_has_what_there_is():
    dense = weights.Total(6, 4, 0, None)
    sparse = weights.Total(3, 1, 6, 2)
    plain = pieces.layers(["Hidden 1"], [dense], [0.5])
    assert "60.0" in plain
    assert "6 of 10" in plain
    assert "saturation" in plain
    assert "flipped" not in plain
    lit = pieces.layers(["Hidden 1"], [sparse], None)
    assert "3 of 4" in lit  # the share of +1 is among connected weights
    assert "flipped" in lit
    assert "20.0" in lit
    assert "saturation" not in lit
    widths = [float(width) for width in re.findall(r"width:([\d.]+)%", lit)]
    assert widths == [30.0, 10.0, 60.0]


def test_texts_are_escaped():
    assert "<b>" not in pieces.title("<b>", "<b>") + pieces.line("<b>") + pieces.readers("<b>")
    assert "&lt;b&gt;" in pieces.layers(["<b>"], [weights.Total(1, 1, 0, None)], None)


@pytest.mark.parametrize("sort", SORT_NAMES)
def test_every_order_has_its_words(sort):
    assert len(first_note(784, sort, down=False, planes=1)) < 120
    assert SORT_NAMES["trained"] in matrix_note(2, "trained")
    assert matrix_note(2, sort) != matrix_note(1, sort)


def test_a_template_is_said_with_its_counts():
    said = template_name(778, 410, 374, 0, 784, None, band="3")
    assert said.startswith("Unit 778, answers most to 3: 410 of 784 weights are +1")
    assert "off" not in said
    assert "flipped" not in said
    assert "9 flipped" in template_name(1, 2, 3, 4, 9, 9, band="")


# --- what the browser gets ---


def header(data):
    (length,) = struct.unpack_from("<I", data)
    return json.loads(data[4 : 4 + length])


def test_labels_blanks_and_the_window_reach_the_browser():
    bits = np.zeros((4, 2, 3), np.uint8)
    head = header(
        encode(
            bits,
            label="x",
            blank=[3],
            row_labels=[Label(0, 1, "7")],
            column_labels=[Label(0, 2, "8")],
            row_names=["a", "b"],
            column_names=["c", "d", "e"],
            window=(1, 3),
            even=True,
        )
    )
    assert head["blank"] == [3]
    assert head["row_labels"] == [{"start": 0, "stop": 1, "text": "7"}]
    assert head["column_labels"][0]["text"] == "8"
    assert (head["row_names"], head["column_names"]) == (["a", "b"], ["c", "d", "e"])
    assert head["window"] == [1, 3]
    assert head["even"] is True
    plain = header(encode(bits, label="x"))
    assert plain["window"] is None
    assert plain["blank"] == []
