"""The Activations page, run as a page: what the URL decides, what is counted, what a click changes."""

import json
import re
import struct

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from bnn_core import BitwiseNetwork, load_mnist
from bnn_core.runs.find import find_run
from explorer.screens.activations import cache
from explorer.server import catalogue
from explorer.shared.pages import address_table, find_pages
from explorer.shared.view import View, to_params
from tests.explorer.pages import notes, text


@pytest.fixture(scope="module")
def quick():
    return BitwiseNetwork.load("quick")


@pytest.fixture(scope="module")
def data():
    return load_mnist()


@pytest.fixture(scope="module")
def codes(quick, data):
    """The test digits' bits: input, hidden 1, hidden 2."""
    return [quick.input_bits(data.test_images), *quick.codes(data.test_images)]


def component(at: AppTest, name: str, label: str = "") -> dict:
    """What the browser gets: the header of a component's data."""
    for each in at.get("bidi_component"):
        if each.proto.component_name == name:
            sent = bytes(each.proto.bytes)
            header = json.loads(sent[4 : 4 + struct.unpack("<I", sent[:4])[0]])
            if header["label"].startswith(label):
                return header
    raise AssertionError(f"no {name} {label}")


def differ(a: np.ndarray, b: np.ndarray) -> int:
    return int((a != b).sum())


def test_it_opens_on_the_first_layer_of_a_shipped_network(open_page):
    at = open_page()
    assert at.segmented_control(key="layer_choice").value == 1
    assert notes(at) == []
    assert at.query_params == {}
    for head in ("Code of this digit", "Nearest digits", "The map of digits", "How the units are used"):
        assert head in text(at)


def test_nearest_digits_and_classes_are_counted_from_the_bits(open_page, codes, data):
    at = open_page(model="quick", digit="247", layer="2", unit="9")
    bits = codes[2]
    distances = (bits != bits[247]).sum(axis=1)
    order = [int(i) for i in np.argsort(distances, kind="stable") if i != 247][:12]
    near = component(at, "bitwise_bit_matrix", "Nearest digits")
    assert [int(re.search(r"digit (\d+)", name)[1]) for name in near["names"]] == order
    for index, caption, tone in zip(order, near["captions"], near["tones"], strict=True):
        other = data.test_labels[index] != data.test_labels[247]
        assert caption == f"{'✕ ' if other else ''}{data.test_labels[index]} · {distances[index]}"
        assert tone == ("wrong" if other else "")
    for label in range(10):
        most = bits[data.test_labels == label].mean(axis=0) >= 0.5
        assert f"{label}: {differ(most, bits[247])}" in text(at)
    assert "Unit 9, framed:" in text(at)
    assert f"entropy {entropy(bits[:, 9].mean()):.2f} bits" in text(at)


def entropy(p: float) -> float:
    return float(-p * np.log2(p) - (1 - p) * np.log2(1 - p))


def test_the_table_of_classes_is_exact(open_page, codes, data):
    at = open_page(model="quick", layer="1", unit="0")
    rows = re.search(r'<div class="bx bx-pairs">.*?</table>', text(at), re.DOTALL)[0].split("<tr>")[2:]
    found = [[int(value) for value in re.findall(r"<td[^>]*>(\d+)</td>", row)] for row in rows]
    fours, nines = (codes[1][data.test_labels == label].astype(np.float64) for label in (4, 9))
    pairs = fours @ (1 - nines).T + (1 - fours) @ nines.T
    assert found[4][9] == found[9][4] == round(pairs.mean())
    own = fours @ (1 - fours).T + (1 - fours) @ fours.T
    assert found[4][4] == round(own.sum() / (len(fours) * (len(fours) - 1)))


def test_dead_and_always_on_units_are_counted_over_all_test_digits(open_page, codes):
    at = open_page(model="quick")
    rows = re.search(r'<div class="bx bx-use">.*?</table>', text(at), re.DOTALL)[0].split("<tr")[2:5]
    for row, bits in zip(rows, codes, strict=True):
        on = bits.mean(axis=0)
        assert re.findall(r"<td>(\d+)</td>", row) == [str((on == 0).sum()), str((on == 1).sum())]
        inner = on[(on > 0) & (on < 1)]
        mean = sum(entropy(p) for p in inner) / len(on)
        assert f"{mean:.2f}</td>" in row


def test_another_layer_goes_into_the_url_with_a_unit_that_is_on(open_page, codes):
    at = open_page(model="quick", digit="247")
    at.segmented_control(key="layer_choice").set_value(2).run()
    assert not at.exception
    assert at.query_params["layer"] == "2"
    assert codes[2][247, int(at.query_params["unit"])] == 1
    assert "hidden 2, 256 bits" in text(at)


def ready(kind: str = "near") -> None:
    """Wait until the map of the finished quick network is there."""
    moment = catalogue.moments(catalogue.entries()["quick"])[-1]
    assert cache.planes(moment.file, kind, 60)


@pytest.mark.parametrize("kind", ["near", "flat"])
def test_the_map_shows_the_same_digits_in_every_layer(open_page, quick, data, kind):
    open_page(model="quick")
    ready(kind)
    at = open_page(
        model="quick", digit="247", layer="2", unit="9", **({"map": kind} if kind == "flat" else {})
    )
    header = component(at, "bitwise_digit_map")
    assert [panel["title"] for panel in header["panels"]] == ["Input", "Hidden 1", "Hidden 2"]
    assert [panel["pick"] for panel in header["panels"]] == [None, 1, 2]
    assert (header["large"], header["count"], header["chosen_number"]) == (2, 500, 247)
    assert header["strong"] == data.test_labels[247]
    assert np.bincount(data.test_labels[header["numbers"]]).tolist() == [50] * 10
    assert ("shown" in header["panels"][2]["long_note"]) == (kind == "flat")
    read = quick.predict(data.test_images[header["numbers"]])
    wrong = [
        number
        for number, label in zip(header["numbers"], read, strict=True)
        if label != data.test_labels[number]
    ]
    assert [
        n for n, name in zip(header["numbers"], header["names"], strict=True) if "misread" in name
    ] == wrong


def test_how_digits_are_placed_goes_into_the_url(open_page):
    at = open_page(model="quick")
    at.segmented_control(key="map_kind").set_value("flat").run()
    assert not at.exception
    assert at.query_params == {"model": "quick", "map": "flat"}


def test_a_drawn_digit_has_a_code_and_neighbours_but_no_class(open_page, quick, data):
    image = np.roll(data.test_images[11], 1, axis=0)
    open_page(model="quick")
    ready()
    at = open_page(**to_params(View(model="quick", drawn=image.tobytes()), address_table(find_pages())))
    assert notes(at) == []
    near = component(at, "bitwise_bit_matrix", "Nearest digits")
    assert not any(caption.startswith("✕") for caption in near["captions"])
    assert "its class" not in "".join(component(at, "bitwise_bit_matrix", "Hidden 1: for each")["captions"])
    header = component(at, "bitwise_digit_map")
    assert header["chosen_number"] is None
    assert header["strong"] == quick.predict(image[None])[0]


def test_the_first_moments_of_training_have_codes_too(open_page):
    first = find_run("quick").snapshots()[0].path
    at = open_page(model="quick", digit="5", at=first.stem)
    assert notes(at) == []
    bits = BitwiseNetwork.load(first).codes(load_mnist().test_images)[0]
    on = bits.mean(axis=0)
    rows = re.search(r'<div class="bx bx-use">.*?</table>', text(at), re.DOTALL)[0].split("<tr")
    assert re.findall(r"<td>(\d+)</td>", rows[3]) == [str((on == 0).sum()), str((on == 1).sum())]


@pytest.mark.parametrize(
    "params", [{"layer": "9", "unit": "0"}, {"map": "round"}, {"at": "phase9-epoch0001-step0000001"}]
)
def test_a_bad_url_gives_a_sentence_and_the_default(open_page, params):
    at = open_page(model="quick", **params)
    assert len(notes(at)) == 1
    assert at.query_params == {"model": "quick"}
    assert at.segmented_control(key="layer_choice").value == 1


def test_the_output_layer_of_another_page_leads_to_the_first(open_page):
    at = open_page(model="quick", layer="3", unit="4")
    assert notes(at) == []
    assert at.segmented_control(key="layer_choice").value == 1


def test_without_any_network_the_page_says_so(open_page, monkeypatch):
    monkeypatch.setattr(catalogue, "shipped_models", list)
    assert "no trained network" in notes(open_page())[0]
