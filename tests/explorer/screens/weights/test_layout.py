"""How the Weights page lays its pictures out, what it says of them, and what the browser gets."""

import json
import re
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_core import BitwiseNetwork
from bnn_core.kernels import PackedLayer
from bnn_core.measures.weights import flips, sign_counts
from explorer.components.bit_matrix import Label, encode
from explorer.screens.weights import html as pieces
from explorer.screens.weights import layout
from explorer.screens.weights.unit import layer_totals
from explorer.screens.weights.words import SORT_NAMES, first_note, matrix_note, template_name
from explorer.shared import fields, html
from explorer.shared.planes import Total, planes_of


@pytest.fixture(scope="module")
def quick():
    return BitwiseNetwork.load("quick")


def random_layer(units, inputs, seed=0, values=(-1, 0, 1)):
    signs = np.random.default_rng(seed).choice(np.array(values, np.int8), (units, inputs))
    return PackedLayer.from_signs(signs, np.ones(units, np.int32)), signs


def test_layer_totals_are_exact(quick):
    before = BitwiseNetwork(
        tuple(random_layer(each.units, each.inputs, values=(-1, 1))[0] for each in quick.layers)
    )
    found = flips(before, quick)
    for total, layer, lit in zip(layer_totals(quick, found), quick.layers, found, strict=True):
        plus, minus, zero = sign_counts(layer).sum(axis=0)
        assert (total.plus, total.minus, total.zero, total.flips) == (plus, minus, zero, lit.sum())
        assert total.weights == layer.units * layer.inputs


# --- pages of templates ---


@given(st.integers(1, 300), st.sampled_from([None, 2, 10]), st.booleans(), st.integers(0, 10**6))
def test_the_pages_show_every_unit_once_and_each_is_found_again(units, classes, wide, seed):
    order = np.random.default_rng(seed).permutation(units)
    first = layout.template_page(order, classes=classes, wide=wide, number=1)
    seen = []
    for number in range(1, first.pages + 1):
        page = layout.template_page(order, classes=classes, wide=wide, number=number)
        assert (page.number, page.pages, page.columns) == (number, first.pages, first.columns)
        assert len(page.units) == len(first.units)  # what stands below a page does not move
        shown = page.units[page.units >= 0]
        assert len(shown) + len(page.blank) == len(page.units)
        for unit in shown:
            assert layout.page_of(order, int(unit), classes=classes, wide=wide) == number
        seen += shown.tolist()
    assert sorted(seen) == list(range(units))


@pytest.mark.parametrize("wide", [False, True])
def test_units_stand_under_their_digit_strongest_first(wide):
    order = np.arange(100) * 7 % 100  # bands of ten: order[0:10] answers to 0, and so on
    page = layout.template_page(order, classes=10, wide=wide, number=1)
    grid = page.units.reshape(-1, page.columns)
    for label in range(10):
        band = grid[label] if wide else grid[:, label]
        assert band.tolist() == order[label * 10 :][: len(band)].tolist()
    assert page.labels == [str(label) for label in range(10)]
    assert page.down == wide


def test_a_page_beyond_the_last_is_the_last():
    order = np.arange(100)
    assert layout.template_page(order, classes=None, wide=False, number=99).number == 2
    assert layout.template_page(order, classes=10, wide=False, number=0).number == 1


def test_templates_are_the_weights_and_two_bit_planes_stand_side_by_side():
    layer, _ = random_layer(6, 2 * 784)
    planes = planes_of(layer)
    page = layout.template_page(np.arange(6), classes=None, wide=True, number=1)
    tiles = layout.template_tiles(planes, page, fields.input_field(2 * 784, 28))
    assert tiles.bits.shape == (6, 28, 56)
    bits = layer.weight_bits()
    for unit in range(6):
        assert np.array_equal(tiles.bits[unit][:, :28].ravel(), bits[unit, :784])
        assert np.array_equal(tiles.bits[unit][:, 28:].ravel(), bits[unit, 784:])


# --- matrices ---


@given(st.integers(1, 4096), st.integers(1, 4096))
def test_a_texture_is_as_large_as_it_may_be(rows, columns):
    scale = layout.texture_scale(rows, columns)
    if scale is None:
        assert max(rows, columns) <= 2 * layout.LENS
        return
    dots = -(-max(rows, columns) // scale.dots)
    assert scale.dots >= 2
    assert scale.pitch >= 1
    assert dots * scale.pitch <= layout.TEXTURE < dots * (scale.pitch + 1)


@pytest.mark.parametrize(
    ("units", "dots", "pitch"), [(128, 2, 4), (256, 2, 2), (512, 4, 2), (1024, 4, 1), (4096, 16, 1)]
)
def test_usual_textures(units, dots, pitch):
    assert layout.texture_scale(units, units) == layout.Scale(dots, pitch)


@given(st.integers(1, 4096), st.integers(1, 4096))
def test_every_bit_has_a_pixel_at_least(rows, columns):
    scale = layout.every_scale(rows, columns)
    assert scale.dots == 1
    assert scale.pitch >= 1
    assert scale.pitch == 1 or scale.pitch * max(rows, columns) <= layout.EVERY


@given(st.integers(0, 2000), st.integers(1, 60), st.integers(1, 2000))
def test_the_lens_stays_inside_and_holds_its_centre(centre, size, total):
    centre = min(centre, total - 1)
    part = layout.span(centre, size, total)
    assert 0 <= part.start <= centre < part.stop <= total
    assert part.stop - part.start == min(size, total)


def test_bands_share_the_units_out():
    assert layout.bands(10, 512)[:2] == [(0, 51), (51, 102)]
    assert layout.bands(10, 8)[0] == (0, 0)


# --- words and HTML ---


def test_bars_hold_exact_counts_and_the_fullest_is_bold():
    on, digits = np.array([3, 10, 0]), np.array([12, 10, 0])
    text = pieces.bars(on, digits, output=False)
    assert re.findall(r"height:([\d.]+)%", text) == ["25.0", "100.0", "0.0"]
    assert 'class="best" title="1: on for 10 of 10 digits"' in text
    assert "0: on for 3 of 12 digits" in text
    assert "votes" in pieces.bars(on, digits, output=True)


def test_the_layers_table_has_what_there_is():
    dense = Total(6, 4, 0, None)
    sparse = Total(3, 1, 6, 2)
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
    assert "<b>" not in html.line("<b>") + pieces.readers("<b>")
    assert "&lt;b&gt;" in pieces.layers(["<b>"], [Total(1, 1, 0, None)], None)


@pytest.mark.parametrize("sort", SORT_NAMES)
def test_every_order_has_its_words(sort):
    assert len(first_note(784, sort, down=False, planes=1)) < 120
    assert SORT_NAMES["trained"] in matrix_note(2, "trained")
    assert matrix_note(2, sort) != matrix_note(1, sort)


def test_a_template_is_said_with_its_counts():
    said = template_name(778, Total(410, 374, 0, None), band="3")
    assert said.startswith("Unit 778, answers most to 3: 410 of 784 weights are +1")
    assert "off" not in said
    assert "flipped" not in said
    assert "9 flipped" in template_name(1, Total(2, 3, 4, 9), band="")


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
