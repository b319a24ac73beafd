"""The Watch page, run as a page: what it opens on, what the URL decides, and what it says when it cannot."""

import re
import shutil
import threading

import pytest
from streamlit.testing.v1 import AppTest

from bnn_core import BitwiseNetwork, load_mnist
from bnn_core.runs.find import find_run
from explorer.server import live
from tests.explorer.pages import notes, text


def answer(at: AppTest) -> int:
    found = re.search(r'class="digit">(\d)<', text(at))
    assert found
    return int(found[1])


def test_it_opens_on_a_shipped_network_and_a_recognised_digit(open_page):
    at = open_page()
    assert at.selectbox(key="model_choice").value == "talk"
    assert answer(at) == 3
    assert "right" in text(at)
    assert notes(at) == []
    assert at.query_params == {}


def test_the_url_decides_network_and_digit(open_page):
    at = open_page(model="quick", digit="90", layer="2", unit="200", order="trained")
    network = BitwiseNetwork.load("quick")
    image = load_mnist().test_images[90]
    assert answer(at) == network.predict(image[None])[0]
    trace = network.trace(image)
    assert "unit 200 of hidden 2" in text(at)
    for number in (trace[1].counts[200], abs(trace[1].sums[200])):
        assert str(number) in text(at)
    assert at.segmented_control(key="order_choice").value == "trained"


def test_the_bars_show_the_network_s_own_integers(open_page):
    at = open_page(model="quick", digit="11")
    shown = re.findall(r'class="row[^"]*" title="(\d): (\S+)"', text(at))
    scores = BitwiseNetwork.load("quick").scores(load_mnist().test_images[11:12])[0]
    assert [(int(label), int(value.replace("\N{MINUS SIGN}", "-"))) for label, value in shown] == list(
        enumerate(scores)
    )


def test_without_training_the_time_is_measured_against_numpy(open_page, monkeypatch):
    monkeypatch.setenv("BNN_TRAINING", "off")
    live.speeds.clear()  # a worker of another test may have answered
    at = open_page(model="quick")
    for thread in [t for t in threading.enumerate() if t.name == "speed"]:
        thread.join(60)
    at.run()
    assert not at.exception
    assert "in float32, NumPy" in text(at)
    assert "faster" in text(at)


def test_a_wrong_answer_is_said(open_page):
    network = BitwiseNetwork.load("quick")
    data = load_mnist()
    read = network.predict(data.test_images[:1000])
    wrong = int((read != data.test_labels[:1000]).argmax())
    at = open_page(model="quick", digit=str(wrong))
    assert answer(at) == read[wrong]
    assert "✕ wrong" in text(at)
    assert f"It is a {data.test_labels[wrong]}." in text(at)


def test_another_network_goes_into_the_url(open_page):
    at = open_page(digit="5")
    at.selectbox(key="model_choice").set_value("quick").run()
    assert not at.exception
    assert at.query_params == {"model": "quick", "digit": "5"}


def test_an_address_that_was_just_replaced_is_no_wish_to_go_back(open_page):
    at = open_page(digit="5")
    at.selectbox(key="model_choice").set_value("quick").run()
    # A message that the browser sent before it had the new address.
    at.query_params.clear()
    at.query_params["digit"] = "5"
    at.run()
    assert at.query_params == {"model": "quick", "digit": "5"}
    assert at.selectbox(key="model_choice").value == "quick"
    # Later, the same address is one that somebody went back to.
    at.session_state["explorer_view"].bar.echo_seconds = 0
    at.query_params.clear()
    at.query_params["digit"] = "5"
    at.run()
    assert at.query_params == {"digit": "5"}
    assert at.selectbox(key="model_choice").value == "talk"


def test_the_scrubber_shows_a_snapshot(open_page):
    first = find_run("quick").snapshots()[0].path
    at = open_page(model="quick", digit="5")
    at.select_slider(key="moment_choice").set_value(first.stem).run()
    assert not at.exception
    assert at.query_params["at"] == first.stem
    assert answer(at) == BitwiseNetwork.load(first).predict(load_mnist().test_images[5:6])[0]


@pytest.mark.parametrize(
    "params",
    [
        {"model": "no-such"},
        {"digit": "10000"},
        {"digit": "drawn.x"},
        {"at": "phase9-epoch0001-step0000001"},
        {"layer": "9", "unit": "0"},
        {"layer": "1", "unit": "999999"},
        {"order": "upside-down"},
    ],
)
def test_a_bad_url_gives_a_sentence_and_the_default(open_page, params):
    at = open_page(**params)
    assert len(notes(at)) == 1
    assert at.query_params == {}
    assert answer(at) == 3


def test_without_any_network_the_page_says_so(open_page, monkeypatch):
    import explorer.server.catalogue

    monkeypatch.setattr(explorer.server.catalogue, "shipped_models", list)
    assert "no trained network" in notes(open_page())[0]


def test_a_run_of_one_s_own_can_be_chosen(open_page, runs):
    source = find_run("quick").path
    folder = runs / "my-run"
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("checkpoint*", "snapshots"))
    at = open_page(model="my-run", digit="5")
    assert at.selectbox(key="model_choice").value == "my-run"
    assert notes(at) == []


def test_a_damaged_network_gives_a_sentence(open_page, runs):
    source = find_run("quick").path
    folder = runs / "my-run"
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("checkpoint*", "snapshots"))
    at = open_page(model="my-run", digit="5")
    (folder / "model.safetensors").write_bytes(b"not a network")
    at.run()
    assert not at.exception
    assert "cannot be shown" in notes(at)[0]
