"""The Watch page's pictures against the integers that they show."""

import base64
import json
import re
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_core import BitwiseNetwork, load_mnist
from bnn_core.bench import cost
from bnn_core.measures.order import band_edges
from explorer.components.bit_matrix import Bracket, Cell, encode
from explorer.components.digit_pad import RASTER, decode
from explorer.palette import DARK, LIGHT, css_variables
from explorer.screens.watch import html as pieces
from explorer.screens.watch.layout import pitch_rules
from explorer.shared import fields, html, numbers


@pytest.fixture(scope="module")
def quick():
    return BitwiseNetwork.load("quick")


@pytest.fixture(scope="module")
def trace(quick):
    return quick.trace(load_mnist().test_images[0])


@given(st.integers(8, 4096))
def test_a_field_holds_every_unit_and_is_as_high_as_the_bars(units):
    field = fields.hidden_field(units)
    assert field.rows * field.cols >= units > field.rows * (field.cols - 1)
    assert field.rows * field.scale == fields.FIELD_ROWS


@pytest.mark.parametrize(
    ("units", "rows", "cols"), [(1024, 32, 32), (512, 32, 16), (256, 16, 16), (4096, 64, 64)]
)
def test_usual_fields(units, rows, cols):
    field = fields.hidden_field(units)
    assert (field.rows, field.cols) == (rows, cols)


def test_units_lie_in_their_order_and_bands():
    field = fields.hidden_field(512)
    order = np.random.default_rng(0).permutation(512)
    bits = np.zeros(512, np.uint8)
    edges = band_edges(10, 512)
    bits[order[edges[3] : edges[4]]] = 1
    cells = field.place(bits, order)
    start, stop = fields.band(field, 10, 3)
    on = np.flatnonzero(cells.ravel())
    assert on[0] == start * field.cols
    assert on[-1] + 1 == stop * field.cols
    assert on.size == edges[4] - edges[3]


@pytest.mark.parametrize("planes", [1, 2])
def test_input_bits_lie_as_the_picture(planes):
    field = fields.input_field(784 * planes, 28)
    bits = np.arange(784 * planes, dtype=np.uint16) % 251
    placed = fields.place_inputs(field, bits.astype(np.uint8))
    assert placed.shape == (28, 28 * planes)
    for plane in range(planes):
        picture = bits[784 * plane : 784 * (plane + 1)].reshape(28, 28)
        assert (placed[:, 28 * plane : 28 * (plane + 1)] == picture).all()


def test_the_arithmetic_of_a_unit_adds_up(trace):
    for layer in trace:
        for unit in range(0, len(layer.bits), 7):
            value = fields.unit_sum(layer, unit)
            assert value.agree - value.differ + value.bias == value.total == layer.sums[unit]
            assert value.bit == layer.bits[unit] == (value.total >= 0)
            assert value.agree == (layer.inputs == layer.weights[unit]).sum()
            assert value.out == 0


def test_reading_ties_go_to_the_lower_class():
    assert fields.reading(np.array([1, 5, -3, 5], np.int32)) == fields.Reading(1, 0, 3)
    assert fields.reading(np.array([-9, -5], np.int32)) == fields.Reading(1, 4, 0)


def test_the_bars_are_the_sums(trace):
    sums = trace[-1].sums
    text = html.sum_bars(sums.tolist(), limit=300, read=7, true=3)
    found = re.findall(
        r'class="row( read| true|)" title="(\d): (\S+)".*?'
        r'class="(on|off)" style="left:([\d.]+)%;width:([\d.]+)%',
        text,
    )
    assert [int(label) for _, label, *_ in found] == list(range(10))
    for (tone, label, number, side, left, width), value in zip(found, sums.tolist(), strict=True):
        assert number == numbers.signed(value)
        assert tone.strip() == {"7": "read", "3": "true"}.get(label, "")
        assert side == ("on" if value >= 0 else "off")
        assert float(width) == pytest.approx(50 * abs(value) / 315, abs=0.01)
        middle = float(left) if value >= 0 else float(left) + float(width)
        assert middle == pytest.approx(50, abs=0.02)


def test_the_network_s_cost_is_counted(quick):
    value = cost(quick)
    assert value.float_operations == 784 * 256 + 256 * 256 + 256 * 10
    assert value.bit_operations == 256 * 13 + 256 * 4 + 10 * 4
    assert value.float_bytes == 4 * (value.float_operations + 256 + 256 + 10)
    assert value.bit_bytes == quick.packed_bytes


def test_numbers_as_they_are_written():
    assert [numbers.signed(v) for v in (25, -379, 0)] == ["+25", "\N{MINUS SIGN}379", "0"]
    assert numbers.grouped(2910208) == "2,910,208"
    assert [numbers.size(v) for v in (812, 86_800, 364_000, 11_700_000)] == [
        "812 bytes",
        "86.8 kB",
        "364 kB",
        "11.7 MB",
    ]
    assert [numbers.times(v) for v in (31.6, 7.94)] == [
        "32\N{MULTIPLICATION SIGN}",
        "7.9\N{MULTIPLICATION SIGN}",
    ]
    assert numbers.plural(1, "vote") == "1 vote"


def test_text_from_outside_is_escaped():
    assert "<script>" not in html.note("<script>") + html.head("<script>", "<script>")


@pytest.mark.parametrize(("true", "says"), [(3, "right"), (5, "It is a 5."), (None, "votes")])
def test_right_and_wrong_are_written_out(true, says):
    text = pieces.answer(fields.Reading(3, 396, 5), true, 3)
    assert says in text
    assert ("✕" in text) == (true == 5)
    assert ("✓" in text) == (true == 3)


def test_the_pitch_grows_with_the_window():
    rules = pitch_rules(fields.input_field(784, 28), [fields.hidden_field(1024)] * 3)
    assert "--bx-columns: 124;" in rules
    pitches = {
        int(pitch): int(width)
        for width, pitch in re.findall(r"min-width: (\d+)px.*?--bx-field: (\d+)", rules)
    }
    assert list(pitches.values()) == sorted(pitches.values())
    assert pitches[5] <= 1024 < 1280 < pitches[8] <= 1440


def test_every_colour_of_both_themes_is_a_css_variable():
    text = css_variables()
    assert f"--bx-on-cell: light-dark({LIGHT.on_cell}, {DARK.on_cell});" in text
    assert text.count("light-dark") == len(vars(LIGHT))


def unpacked(data: bytes) -> tuple[dict, bytes]:
    length = struct.unpack("<I", data[:4])[0]
    return json.loads(data[4 : 4 + length]), data[4 + length :]


def test_a_bit_matrix_travels_as_packed_bits():
    rng = np.random.default_rng(0)
    bits, mask = rng.integers(0, 2, (2, 5, 13), dtype=np.uint8)
    header, body = unpacked(
        encode(bits, mask=mask, label="x", brackets=[Bracket(1, 2.5, "3")], selected=Cell(2, 4), count=60)
    )
    assert (header["tiles"], header["rows"], header["cols"], header["count"]) == (1, 5, 13, 60)
    assert header["planes"] == ["bits", "mask"]
    assert header["selected"] == [0, 2, 4]
    plane = -(-bits.size // 8)
    for number, values in enumerate((bits, mask)):
        part = np.frombuffer(body[number * plane : (number + 1) * plane], np.uint8)
        assert (np.unpackbits(part, bitorder="little")[: bits.size] == values.ravel()).all()
    _, body = unpacked(encode(np.ones((1024, 1024), np.uint8), label="x"))
    assert len(body) == 1024 * 1024 // 8


def test_a_bit_matrix_refuses_what_does_not_fit():
    bits = np.zeros((4, 4), np.uint8)
    with pytest.raises(ValueError, match="mask"):
        encode(bits, mask=np.zeros((4, 5), np.uint8), label="x")
    with pytest.raises(ValueError, match="captions"):
        encode(bits, captions=["a", "b"], label="x")


@pytest.mark.parametrize("message", [None, 3, {}, {"ink": 7}, {"ink": "#"}, {"ink": "AAAA"}])
def test_the_pad_takes_only_drawings(message):
    assert decode(message) is None


def test_the_pad_s_drawing_is_read():
    raster = np.zeros((RASTER, RASTER), np.uint8)
    assert decode({"ink": base64.b64encode(raster.tobytes()).decode()}) is None
    raster[70, 20:90] = 255
    assert (decode({"ink": base64.b64encode(raster.tobytes()).decode()}) == raster).all()
