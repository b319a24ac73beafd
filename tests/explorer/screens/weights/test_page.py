"""The Weights page, run as a page: the bits that it draws, what the URL decides, and its sentences."""

import html
import itertools
import json
import re
import struct
from types import SimpleNamespace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from bnn_core import BitwiseNetwork, RunConfig, load_mnist
from bnn_core.kernels import PackedLayer
from bnn_core.measures.codes import class_codes
from bnn_core.measures.order import band_edges, order_by_digit
from bnn_core.measures.weights import balance, differences, flips, reader_counts, sign_counts
from bnn_core.runs.find import find_run
from tests.explorer.pages import notes

MINUS = "\N{MINUS SIGN}"


@pytest.fixture(scope="module")
def quick():
    return BitwiseNetwork.load("quick")


@pytest.fixture(scope="module")
def by_digit(quick):
    data = load_mnist()
    codes = class_codes(quick, data.train_images[:5000], data.train_labels[:5000])
    return [order_by_digit(code) for code in codes]


def make_run(folder, sizes, *, values=(-1, 0, 1), features="bipolar", snapshots=0):
    """A run folder with a finished network, and snapshots, of random weights."""
    rng = np.random.default_rng(0)
    (folder / "snapshots").mkdir(parents=True)
    config = RunConfig().updated({"network.hidden": list(sizes[1:-1]), "data.features": features})
    (folder / "config.json").write_text(json.dumps(config.to_dict()), "utf-8")
    for number in range(snapshots + 1):
        network = BitwiseNetwork(
            tuple(
                PackedLayer.from_signs(
                    rng.choice(np.array(values, np.int8), (units, inputs)),
                    rng.choice(np.array([-1, 1], np.int32), units),
                )
                for inputs, units in itertools.pairwise(sizes)
            ),
            features=features,
        )
        name = f"snapshots/phase2-epoch{number + 1:04d}-step{number + 1:07d}.safetensors"
        network.save(folder / ("model.safetensors" if number == snapshots else name))
    return network


def text(at: AppTest) -> str:
    """Everything that the page writes as HTML, without its tags."""
    found = "\n".join(block.proto.body for block in at.get("html"))
    found = re.sub(r"<style>.*?</style>", "", found, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", "", found))


def drawn(at: AppTest, key: str) -> SimpleNamespace:
    """A bit matrix as the browser gets it: its header's fields, and its planes."""
    (data,) = [part.proto.bytes for part in at.get("bidi_component") if part.proto.id.endswith(f"-{key}")]
    (length,) = struct.unpack_from("<I", data)
    head = json.loads(data[4 : 4 + length])
    body, shape = data[4 + length :], (head["tiles"], head["rows"], head["cols"])
    size = -(-int(np.prod(shape)) // 8)
    planes = {}
    for number, name in enumerate(head["planes"]):
        plane = np.frombuffer(body, np.uint8, size, number * size)
        plane = np.unpackbits(plane, count=int(np.prod(shape)), bitorder="little").reshape(shape)
        planes[name] = plane if shape[0] > 1 else plane[0]
    return SimpleNamespace(**{"mask": None, "changed": None, **head, **planes})


def test_it_opens_on_a_unit_with_its_weights(open_page):
    at = open_page()
    assert notes(at) == []
    assert at.query_params == {}
    network = BitwiseNetwork.load("talk")
    unit = int(re.search(r"Unit (\d+) of hidden 1", text(at))[1])
    assert np.array_equal(drawn(at, "weights_unit_1").bits.ravel(), network.layers[0].weight_bits()[unit])


def test_templates_stand_under_the_digit_that_they_answer_to(open_page, quick, by_digit):
    at = open_page(model="quick")
    tiles = drawn(at, "weights_templates")
    bits, edges = quick.layers[0].weight_bits(), band_edges(10, 256)
    assert [label["text"] for label in tiles.column_labels] == [str(digit) for digit in range(10)]
    for digit in range(10):
        for rank in range(8):
            unit = by_digit[0][edges[digit] + rank]
            assert np.array_equal(tiles.bits[10 * rank + digit].ravel(), bits[unit])
    assert "80 of 256 units" in text(at)
    # Rare pixels are faded, the same ones in every picture: the corners at least.
    assert (tiles.faded == tiles.faded[0]).all()
    assert tiles.faded[0][0, 0]
    assert not tiles.faded[0][14, 14]


def test_the_url_decides_layer_unit_and_order(open_page, quick, by_digit):
    at = open_page(model="quick", layer="2", unit="200", sort="balance")
    assert at.segmented_control(key="layer_choice").value == 2
    assert at.segmented_control(key="sort_choice").value == "balance"
    shown = text(at)
    assert "Unit 200 of hidden 2" in shown
    plus, minus, _ = sign_counts(quick.layers[1])[200]
    assert f"Weights: {plus} +1, {minus} {MINUS}1" in shown
    as_it_is, inverted, _ = reader_counts(quick.layers[2])[200]
    assert f"Of the 10 sums, {as_it_is} read it as it is, {inverted} inverted." in shown
    bias = quick.layers[1].bias[200]
    assert f"{'+' if bias > 0 else MINUS}1bias, one bit" in shown


def test_how_often_a_unit_is_on_is_counted(open_page, quick):
    at = open_page(model="quick", layer="1", unit="17")
    data = load_mnist()
    on = quick.codes(data.train_images[:5000])[0][:, 17]
    labels = data.train_labels[:5000]
    body = "\n".join(block.proto.body for block in at.get("html"))
    for digit in range(10):
        of_class = on[labels == digit]
        assert f'title="{digit}: on for {of_class.sum()} of {len(of_class)} digits"' in body


def test_the_matrix_places_rows_and_columns(open_page, quick, by_digit):
    at = open_page(model="quick", layer="2", unit="3")
    texture = drawn(at, "weights_texture_2")
    weights = quick.layers[1].weight_bits()[by_digit[1]][:, by_digit[0]]
    assert np.array_equal(texture.bits, weights)
    assert texture.dots == 2
    # The lens holds the true bits that the frame surrounds.
    row, column = texture.selected[1:]
    rows, columns = texture.window
    lens = drawn(at, "weights_lens_2")
    top, left = row - rows // 2, column - columns // 2
    assert np.array_equal(lens.bits, weights[top : top + rows, left : left + columns])
    assert f"The frame, 42 × 42 weights: {lens.bits.sum():,} +1" in text(at)
    assert lens.row_names[0] == f"unit {by_digit[1][top]}"


def test_the_lens_goes_to_the_place_that_was_clicked(open_page, quick, by_digit):
    at = open_page(model="quick", layer="2", unit="3")
    at.session_state["weights_lens"] = {2: (255, 0)}
    at.run()
    weights = quick.layers[1].weight_bits()[by_digit[1]][:, by_digit[0]]
    assert np.array_equal(drawn(at, "weights_lens_2").bits, weights[-42:, :42])


@pytest.mark.parametrize("sort", ["balance", "use", "alike", "trained"])
def test_each_order_is_what_its_captions_say(open_page, quick, sort):
    at = open_page(model="quick", sort=sort)
    tiles = drawn(at, "weights_templates")
    bits = quick.layers[0].weight_bits()
    units = [int((bits == tile.ravel()).all(axis=1).argmax()) for tile in tiles.bits]
    assert len(set(units)) == 60
    match sort:
        case "balance":
            shares = balance(quick.layers[0])[units]
            assert (np.diff(shares) <= 0).all()
            assert shares[0] == balance(quick.layers[0]).max()
            wanted = [f"{100 * share:.1f}" for share in shares]
        case "use":
            on = quick.codes(load_mnist().train_images[:5000])[0].mean(axis=0)
            assert (np.diff(on[units]) <= 0).all()
            assert on[units[0]] == on.max()
            wanted = [f"{100 * share:.0f}" for share in on[units]]
        case "alike":
            between = differences(quick.layers[0])
            wanted = ["", *(str(between[a, b]) for a, b in itertools.pairwise(units))]
        case _:
            wanted = [str(unit) for unit in range(60)]
    assert [caption.split("\N{NARROW NO-BREAK SPACE}")[0] for caption in tiles.captions] == wanted


def test_a_unit_brings_its_page_and_an_order_begins_at_its_first(open_page, quick):
    at = open_page(model="quick", layer="1", unit="250", sort="trained")
    tiles = drawn(at, "weights_templates")
    assert tiles.captions[tiles.selected[0]] == "250"
    assert tiles.captions[-1] == ""  # the last page has empty places
    at.segmented_control(key="sort_choice").set_value("balance").run()
    tiles = drawn(at, "weights_templates")
    assert float(tiles.captions[0].split("\N{NARROW NO-BREAK SPACE}")[0]) == pytest.approx(
        100 * balance(quick.layers[0]).max(), abs=0.05
    )


def test_a_layer_without_a_unit_picks_one_and_leaves_the_url_alone(open_page):
    at = open_page(model="quick", layer="2")
    assert "of hidden 2" in text(at)
    assert notes(at) == []
    assert "unit" not in at.query_params


def test_choosing_a_layer_brings_a_unit_and_writes_both(open_page, by_digit):
    at = open_page(model="quick")
    at.segmented_control(key="layer_choice").set_value(2).run()
    assert not at.exception
    unit = by_digit[1][band_edges(10, 256)[3]]  # the one that answers most to a 3
    assert at.query_params == {"model": "quick", "layer": "2", "unit": str(unit)}
    at.segmented_control(key="sort_choice").set_value("alike").run()
    assert at.query_params["sort"] == "alike"


def test_the_output_layer_is_ten_pictures(open_page, quick, by_digit):
    at = open_page(model="quick", layer="3", unit="7")
    assert "The sum for 7" in text(at)
    tiles = drawn(at, "weights_output")
    assert np.array_equal(tiles.bits.reshape(10, 256), quick.layers[2].weight_bits()[:, by_digit[1]])
    data = load_mnist()
    read = quick.predict(data.train_images[:5000])
    sevens = data.train_labels[:5000] == 7
    body = "\n".join(block.proto.body for block in at.get("html"))
    assert f"7: wins for {(read[sevens] == 7).sum()} of {sevens.sum()} digits" in body


def test_a_snapshot_keeps_the_places_of_the_finished_network(open_page, by_digit):
    first = find_run("quick").snapshots()[0].path
    at = open_page(model="quick", at=first.stem)
    tiles = drawn(at, "weights_templates")
    then = BitwiseNetwork.load(first).layers[0].weight_bits()
    assert np.array_equal(tiles.bits[0].ravel(), then[by_digit[0][0]])
    assert "keep the places" in text(at)


def test_two_moments_are_compared_and_flips_are_lit(open_page, quick, by_digit):
    first = find_run("quick").snapshots()[0].path
    then = BitwiseNetwork.load(first)
    at = open_page(model="quick", layer="2", unit="9", versus="quick", versus_at=first.stem)
    assert notes(at) == []
    assert at.query_params["versus_at"] == first.stem
    found = flips(then, quick)
    shown = text(at)
    for counts, layer in zip(found, quick.layers, strict=True):
        share = 100 * counts.sum() / (layer.units * layer.inputs)
        assert f"{share:.1f}\N{NARROW NO-BREAK SPACE}% {counts.sum():,}" in shown
    assert f"{found[1][9]} of 256 flipped" in shown
    texture = drawn(at, "weights_texture_2")
    differ = quick.layers[1].weight_bits() != then.layers[1].weight_bits()
    assert np.array_equal(texture.changed, differ[by_digit[1]][:, by_digit[0]])
    assert texture.all_faded
    assert drawn(at, "weights_templates").changed.any()
    assert "Lit: weights that differ from phase 1" in shown


def test_comparing_starts_with_the_moment_before(open_page):
    at = open_page(model="quick")
    at.selectbox(key="versus_choice").set_value("quick").run()
    assert not at.exception
    before = find_run("quick").snapshots()[-2].path.stem
    assert at.query_params == {"model": "quick", "versus": "quick", "versus_at": before}
    at.selectbox(key="versus_choice").set_value("").run()
    assert at.query_params == {"model": "quick"}


def test_two_runs_of_one_shape_are_compared(open_page, runs):
    networks = [make_run(runs / name, (784, 40, 10)) for name in ("run-a", "run-b")]
    at = open_page(model="run-a", versus="run-b")
    assert notes(at) == []
    assert "0.0\N{NARROW NO-BREAK SPACE}% 0" in text(at)  # made alike: equal seeds
    assert not flips(*networks)[0].any()


def test_networks_of_other_shapes_are_not_compared(open_page):
    at = open_page(model="quick", versus="talk")
    assert len(notes(at)) == 1
    assert "784-512-512-10" in notes(at)[0]
    assert drawn(at, "weights_templates").changed is None
    assert "flipped" not in text(at)


def test_a_moment_compared_with_itself_says_so(open_page):
    at = open_page(model="quick", versus="quick")
    assert len(notes(at)) == 1
    assert not drawn(at, "weights_templates").changed.any()


@pytest.mark.parametrize(
    "params",
    [
        {"model": "no-such"},
        {"at": "phase9-epoch0001-step0000001"},
        {"layer": "9", "unit": "0"},
        {"layer": "9"},
        {"layer": "0"},
        {"layer": "1", "unit": "999999"},
        {"layer": "4", "unit": "0"},
        {"sort": "upside-down"},
        {"versus": "no-such"},
        {"unit": "-1"},
    ],
)
def test_a_bad_url_gives_a_sentence_and_the_default(open_page, params):
    at = open_page(**params)
    assert len(notes(at)) == 1
    assert at.query_params == {}
    assert "of hidden 1" in text(at)


@pytest.mark.parametrize("name", ["phase9-epoch0001-step0000001", "../x"])
def test_a_moment_to_compare_with_that_is_not_there_gives_a_sentence(open_page, name):
    at = open_page(model="talk", at=find_run("talk").snapshots()[3].path.stem, versus="talk", versus_at=name)
    assert len(notes(at)) == 1
    assert "versus_at" not in at.query_params
    assert drawn(at, "weights_templates").changed.any()


def test_a_run_to_compare_with_that_was_deleted_gives_a_sentence(open_page, runs):
    make_run(runs / "run-a", (784, 40, 10))
    make_run(runs / "run-b", (784, 40, 10))
    at = open_page(model="run-a", versus="run-b")
    (runs / "run-b" / "model.safetensors").unlink()
    at.run()
    assert not at.exception
    assert "run-b" in notes(at)[0]
    assert at.query_params == {"model": "run-a"}


def test_a_damaged_network_to_compare_with_gives_a_sentence(open_page, runs):
    make_run(runs / "run-a", (784, 40, 10))
    make_run(runs / "run-b", (784, 40, 10))
    at = open_page(model="run-a", versus="run-b")
    (runs / "run-b" / "model.safetensors").write_bytes(b"not a network")
    at.run()
    assert not at.exception
    assert "cannot be compared with" in notes(at)[0]


@pytest.mark.parametrize(
    ("sizes", "sort"),
    [((784, 12, 10), "digit"), ((784, 8, 300, 20, 10), "digit"), ((784, 30, 90, 10), "use")],
)
def test_networks_of_any_shape_show_something_true(open_page, runs, sizes, sort):
    network = make_run(runs / "odd", sizes, snapshots=1)
    for layer in range(1, len(sizes)):
        at = open_page(model="odd", layer=str(layer), unit="2", sort=sort)
        assert notes(at) == []
        row = drawn(at, f"weights_unit_{layer}")
        counts = sign_counts(network.layers[layer - 1])[2]
        assert [int((row.bits & row.mask).sum()), int(row.mask.sum())] == [counts[0], counts[0] + counts[1]]
        assert f"{counts[2]} off" in text(at)


def test_two_bit_features_show_both_planes(open_page, runs):
    network = make_run(runs / "two", (1568, 40, 10), features="two-bit", values=(-1, 1))
    at = open_page(model="two", layer="1", unit="5", sort="trained")
    tiles = drawn(at, "weights_templates")
    bits = network.layers[0].weight_bits()
    assert (tiles.rows, tiles.cols) == (28, 56)
    assert np.array_equal(tiles.bits[5][:, 28:].ravel(), bits[5, 784:])
    assert "high bits beside low bits" in text(at)


def test_every_bit_of_the_chosen_layer(open_page, quick, by_digit):
    at = open_page(model="quick", layer="1", unit="5")
    at.toggle(key="weights_every").set_value(True).run()
    assert not at.exception
    every = drawn(at, "weights_every_1")
    assert np.array_equal(every.bits, quick.layers[0].weight_bits()[by_digit[0]])
    assert every.dots == 1
    row = int(np.flatnonzero(by_digit[0] == 5)[0])
    assert every.selected == [0, row, 0]
    assert every.window == [1, 784]


def test_the_unit_goes_to_the_xnor_page(open_page):
    at = open_page(model="quick")
    unit = int(re.search(r"Unit (\d+) of hidden 1", text(at))[1])
    at.button(key="at_work").click().run()
    assert {key: at.query_params[key] for key in ("model", "layer", "unit")} == {
        "model": "quick",
        "layer": "1",
        "unit": str(unit),
    }


def test_without_any_network_the_page_says_so(open_page, monkeypatch):
    import explorer.server.catalogue

    monkeypatch.setattr(explorer.server.catalogue, "shipped_models", list)
    assert "no trained network" in notes(open_page())[0]


def test_a_damaged_network_gives_a_sentence(open_page, runs):
    make_run(runs / "mine", (784, 20, 10))
    at = open_page(model="mine")
    (runs / "mine" / "model.safetensors").write_bytes(b"not a network")
    at.run()
    assert not at.exception
    assert "cannot be shown" in notes(at)[0]
