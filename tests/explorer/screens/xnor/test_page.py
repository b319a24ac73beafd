"""The XNOR page, run as a page: what it opens on, what the URL decides, what it says of the kernels."""

import json
import shutil

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from bnn_core import BitwiseNetwork, load_mnist
from bnn_core.kernels import KERNELS, Kernel, PackedLayer
from bnn_core.kernels.numpy_kernel import numpy_sums
from bnn_core.runs.find import find_run
from explorer.shared.numbers import signed
from explorer.shared.pages import address_table, find_pages
from explorer.shared.view import View, to_params
from tests.explorer.pages import notes, text


def stepper(at: AppTest) -> dict:
    """What the browser gets."""
    found = [
        each.proto for each in at.get("bidi_component") if each.proto.component_name == "bitwise_word_stepper"
    ]
    return json.loads(found[0].json)


@pytest.fixture(scope="module")
def quick():
    return BitwiseNetwork.load("quick")


@pytest.fixture(scope="module")
def image():
    return load_mnist().test_images[90]


def test_it_opens_on_a_unit_that_is_on_with_all_words_counted(open_page):
    at = open_page()
    data = stepper(at)
    assert at.segmented_control(key="layer_choice").value == 1
    assert data["word"] == 0
    assert data["total"] >= 0
    assert "Unit" in data["words"]["label"]
    assert notes(at) == []
    assert at.query_params == {}


@pytest.mark.parametrize(("layer", "unit"), [(1, 200), (2, 7), (3, 3)])
def test_the_url_decides_the_unit_and_every_kernel_gives_its_sum(open_page, quick, image, layer, unit):
    at = open_page(model="quick", digit="90", layer=str(layer), unit=str(unit), word="2")
    trace = quick.trace(image)[layer - 1]
    data = stepper(at)
    assert data["word"] == 2
    assert data["total"] == trace.sums[unit]
    assert data["sums"][-1] + trace.bias[unit] == trace.sums[unit]
    assert len(data["ways"]["rows"]) == len(KERNELS)
    assert {value for _, value, _ in data["ways"]["rows"]} == {signed(int(trace.sums[unit]))}
    assert not data["ways"]["wrong"]
    assert at.number_input(key="unit_choice").value == unit
    assert at.segmented_control(key="layer_choice").value == layer
    assert f"{sum(quick.sizes[1:])} integers" in text(at)
    assert "the same from" in text(at)
    assert f'class="digit">{quick.predict(image[None])[0]}<' in text(at)


def test_another_unit_keeps_the_word_and_another_layer_does_not(open_page, quick, image):
    at = open_page(model="quick", digit="90", layer="1", unit="200", word="5")
    at.number_input(key="unit_choice").set_value(201).run()
    assert at.query_params == {"model": "quick", "digit": "90", "layer": "1", "unit": "201", "word": "5"}
    assert stepper(at)["total"] == quick.trace(image)[0].sums[201]
    at.segmented_control(key="layer_choice").set_value(3).run()
    read = int(quick.predict(image[None])[0])
    assert at.query_params == {"model": "quick", "digit": "90", "layer": "3", "unit": str(read)}
    assert stepper(at)["total"] == quick.trace(image)[2].sums[read]
    at.segmented_control(key="layer_choice").set_value(2).run()
    unit = int(at.query_params["unit"])
    assert quick.trace(image)[1].bits[unit] == 1
    assert stepper(at)["total"] == quick.trace(image)[1].sums[unit]


def test_the_scrubber_shows_the_unit_as_it_was(open_page, image):
    first = find_run("quick").snapshots()[0].path
    at = open_page(model="quick", digit="90", layer="2", unit="7")
    at.select_slider(key="moment_choice").set_value(first.stem).run()
    assert not at.exception
    assert at.query_params["at"] == first.stem
    assert stepper(at)["total"] == BitwiseNetwork.load(first).trace(image)[1].sums[7]


def test_a_drawn_digit_is_counted(open_page, quick):
    drawn = np.zeros((28, 28), np.uint8)
    drawn[5:24, 13:16] = 255
    address = to_params(View(drawn=drawn.tobytes()), address_table(find_pages()))["digit"]
    at = open_page(model="quick", digit=address, layer="1", unit="17")
    assert stepper(at)["total"] == quick.trace(drawn)[0].sums[17]


@pytest.mark.parametrize(
    "params", [{"word": "0"}, {"word": "99"}, {"layer": "9", "unit": "0"}, {"layer": "1", "unit": "999999"}]
)
def test_a_bad_url_gives_a_sentence_and_the_default(open_page, params):
    at = open_page(**params)
    assert len(notes(at)) == 1
    assert stepper(at)["word"] == 0
    assert at.query_params == {}


def test_kernels_that_differ_are_said_loudly(open_page, monkeypatch):
    def wrong(inputs, layer):
        sums = KERNELS["oracle"].sums(inputs, layer).copy()
        sums[:, 0] += 2
        return sums

    # In front of the others, so that the page's own numbers are still those of the fastest one.
    first, *others = KERNELS
    patched = {first: KERNELS[first], "wrong": Kernel("wrong", "Wrong", wrong)} | {
        name: KERNELS[name] for name in others
    }
    monkeypatch.setattr("explorer.screens.xnor.page.KERNELS", patched)
    at = open_page(model="quick", digit="90", layer="2", unit="0")
    assert len(notes(at)) == 3
    assert all("do not agree" in note and "Wrong: 1 of" in note for note in notes(at))
    assert 'role="alert"' in text(at)
    assert stepper(at)["ways"]["wrong"]
    assert "not the same from every kernel" in text(at)


def test_a_further_kernel_is_checked_and_told_of(open_page, monkeypatch):
    abacus = Kernel("abacus", "Abacus, bead by bead", numpy_sums, "No power.", suits=lambda _machine: False)
    monkeypatch.setitem(KERNELS, "abacus", abacus)
    at = open_page(model="quick", digit="90", layer="2", unit="7")
    rows = stepper(at)["ways"]["rows"]
    assert [title for title, _, _ in rows] == [kernel.title for kernel in KERNELS.values()]
    assert rows[-1][0] == "Abacus, bead by bead"
    assert "No power." in text(at)
    assert "the same from five kernels" in text(at)


@pytest.mark.parametrize(("features", "inputs"), [("zero-one", 784), ("two-bit", 1568)])
def test_other_features_are_counted_too(open_page, runs, image, features, inputs):
    rng = np.random.default_rng(0)
    first = PackedLayer.from_signs(
        rng.integers(-1, 2, (40, inputs)).astype(np.int8),
        rng.integers(-9, 9, 40).astype(np.int32),
        zero_one=features == "zero-one",
    )
    last = PackedLayer.from_signs(rng.choice([-1, 1], (10, 40)).astype(np.int8), np.ones(10, np.int32))
    network = BitwiseNetwork((first, last), features=features, variant="threshold")
    folder = runs / "my-run"
    folder.mkdir(parents=True)
    shutil.copy(find_run("quick").path / "config.json", folder / "config.json")
    network.save(folder / "model.safetensors")
    at = open_page(model="my-run", digit="90", layer="1", unit="11")
    assert notes(at) == []
    data = stepper(at)
    assert data["total"] == network.trace(image)[0].sums[11]
    assert data["count"] == -(-inputs // 64)
    assert data["words"]["part"]
    assert {value for _, value, _ in data["ways"]["rows"]} == {signed(data["total"])}


def test_without_any_network_the_page_says_so(open_page, monkeypatch):
    import explorer.server.catalogue

    monkeypatch.setattr(explorer.server.catalogue, "shipped_models", list)
    assert "no trained network" in notes(open_page())[0]
