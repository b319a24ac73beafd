"""The Activations page's numbers and pictures against plain counts; the maps against what they promise."""

import json
import re
import struct
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from bnn_core import BitwiseNetwork, Digits, load_mnist
from bnn_core.bits import pack
from bnn_core.measures.codes import class_counts, hamming, nearest
from explorer.components import digit_map
from explorer.palette import DARK, LIGHT
from explorer.screens.activations import cache, maps, words
from explorer.screens.activations import html as pieces
from explorer.screens.activations.charts import parting
from explorer.screens.activations.codes import (
    BINS,
    SHADES,
    LayerCodes,
    class_differences,
    histogram,
    layer_codes,
    nearest_pair,
    pitch_rules,
    share_tiles,
    shared,
    telling_unit,
)
from explorer.shared.fields import hidden_field
from explorer.shared.words import layer_name


@pytest.fixture(scope="module")
def quick():
    return BitwiseNetwork.load("quick")


@pytest.fixture(scope="module")
def digits():
    """400 digits of MNIST."""
    data = load_mnist()
    return Digits(
        data.train_images[:400], data.train_labels[:400], data.test_images[:400], data.test_labels[:400]
    )


@pytest.fixture(scope="module")
def known(quick, digits):
    return cache.count_codes(quick, digits)


def layer_of(codes: np.ndarray, labels: np.ndarray, classes: int) -> LayerCodes:
    counts = class_counts(codes, labels, classes)
    return layer_codes(pack(codes), counts, np.bincount(labels, minlength=classes))


def some_layer(seed: int, units: int = 30, digits: int = 60, classes: int = 4) -> LayerCodes:
    rng = np.random.default_rng(seed)
    codes = (rng.random((digits, units)) < rng.choice([0, 0.3, 0.8, 1], units)).astype(np.uint8)
    return layer_of(codes, np.arange(digits) % classes, classes)


# --- what is counted ---


def test_one_pass_gives_codes_and_answers(quick, digits, known, monkeypatch):
    codes = [quick.input_bits(digits.test_images), *quick.codes(digits.test_images)]
    for layer, bits in zip(known.layers, codes, strict=True):
        assert (layer.words == pack(bits)).all()
        assert np.allclose(layer.on, bits.mean(axis=0))
        assert layer.never == int((bits.sum(axis=0) == 0).sum())
        assert layer.always == int((bits.sum(axis=0) == len(bits)).sum())
        assert layer.units == bits.shape[1]
        for label in (0, 7):
            of_class = bits[digits.test_labels == label]
            assert np.allclose(layer.shares[label], of_class.mean(axis=0))
            most = pack((2 * of_class.sum(axis=0) >= len(of_class)).astype(np.uint8))
            assert (layer.majority[label] == most).all()
    assert (known.answers.read == quick.predict(digits.test_images)).all()
    monkeypatch.setattr(cache, "CHUNK", 70)
    again = cache.count_codes(quick, digits)
    for one, other in zip(known.layers, again.layers, strict=True):
        assert (one.words == other.words).all()
        assert (one.shares == other.shares).all()


def test_the_classes_part_in_the_trained_network(known):
    ratios = [layer.parted for layer in known.layers]
    assert ratios == sorted(ratios)


def test_digits_that_never_differ_have_no_ratio():
    layer = layer_of(np.ones((6, 5), np.uint8), np.arange(6) % 2, 2)
    assert layer.within == layer.between == 0
    assert np.isnan(layer.parted)
    assert words.parted(layer.parted) == "–"
    assert (layer.never, layer.always) == (0, 5)


@given(st.integers(0, 10**6), st.sampled_from([8, 30, 100, 300, 1000]))
def test_a_class_code_has_as_many_bits_on_as_its_share_says(seed, units):
    rng = np.random.default_rng(seed)
    by_class, order = rng.random((3, units)), rng.permutation(units)
    field = hidden_field(units)
    bits, mask = share_tiles(field, by_class, order)
    assert bits.shape == mask.shape == (3, field.rows * SHADES, field.cols * SHADES)
    cells = bits.reshape(3, field.rows, SHADES, field.cols, SHADES).sum(axis=(2, 4)).reshape(3, -1)
    expected = np.rint(by_class[:, order] * SHADES**2)
    assert (cells[:, :units] == expected).all()
    assert not cells[:, units:].any()
    used = mask.reshape(3, field.rows, SHADES, field.cols, SHADES).sum(axis=(2, 4)).reshape(3, -1)
    assert (used == np.where(np.arange(field.rows * field.cols) < units, SHADES**2, 0)).all()


def test_the_bits_that_differ_are_counted_from_the_majority(known, digits, quick):
    layer = known.layers[2]
    code = quick.codes(digits.test_images[5:6])[1][0]
    found = class_differences(layer, pack(code))
    for label in range(10):
        most = layer.shares[label] >= 0.5
        assert found[label] == (most != code).sum()
    rows = np.array([3, 5, 9])
    others = quick.codes(digits.test_images[rows])[1]
    assert hamming(layer.words[rows], pack(code)[None])[:, 0].tolist() == [(o != code).sum() for o in others]


def test_the_nearest_digits_leave_out_the_digit_itself(known):
    layer = known.layers[1]
    rows, distances = nearest(layer.words, layer.words[7], 5, leave_out=7)
    assert 7 not in rows
    assert distances.tolist() == sorted(distances)
    rows, distances = nearest(layer.words, layer.words[7], 5)
    assert (rows[0], distances[0]) == (7, 0)


def test_the_telling_unit_is_on_and_answers_to_the_class():
    layer = some_layer(1)
    code = np.zeros(30, np.uint8)
    code[[4, 9, 20]] = 1
    unit = telling_unit(layer, code, 2)
    others = np.delete(layer.shares, 2, axis=0).mean(axis=0)
    assert unit == max((4, 9, 20), key=lambda u: layer.shares[2, u] - others[u])
    assert 0 <= telling_unit(layer, np.zeros(30, np.uint8), 2) < 30


def test_the_histogram_holds_every_unit():
    on = np.array([0, 0, 0.049, 0.5, 0.96, 1, 1])
    counts = histogram(on)
    assert (counts.sum(), counts[0], counts[10], counts[-1]) == (7, 3, 1, 3)


def test_the_nearest_pair_is_no_class_with_itself():
    nan = float("nan")
    assert nearest_pair(np.array([[0, 9, 5.0], [9, 0, 7], [5, 7, 0]])) == (0, 2)
    assert nearest_pair(np.array([[1, nan, nan], [nan, 0, 7], [nan, 7, 0]])) == (1, 2)


def test_most_of_the_nearest():
    assert shared([3, 5, 3, 5]) == (3, 2)


def test_the_codes_grow_with_the_window():
    rules = pitch_rules(hidden_field(1024))
    widths = [int(width) for width in re.findall(r"min-width: (\d+)px", rules)]
    pitches = [int(pitch) for pitch in re.findall(r"--bx-code: (\d+)", rules)]
    assert pitches == [6, 8, 10]
    assert 1024 < widths[0] <= 1280 < widths[1] <= 1920


# --- tables, bars, chart ---


def test_the_bars_say_every_distance():
    text = pieces.apart(np.array([3, 900, 12], np.int32), 1000, 2)
    assert re.findall(r"<span>([\d,]+)</span></div>", text) == ["3", "900", "12"]
    assert 'class="nearest"><span>0<' in text
    assert 'class="own"><span>2<' in text
    widths = [float(width) for width in re.findall(r"width:([\d.]+)%", text)]
    assert max(widths) == 100
    assert widths[0] / widths[1] == pytest.approx(3 / 900, rel=0.2)
    assert "2: 12" in text  # for a screen reader


def test_the_table_of_distances():
    distances = np.array([[100.4, 300, 200], [300, 110, float("nan")], [200, float("nan"), 125.6]])
    text = pieces.matrix(distances, marked=1)
    assert re.findall(r"<td[^>]*>([^<]+)</td>", text) == [
        "100",
        "300",
        "200",
        "300",
        "110",
        "–",
        "200",
        "–",
        "126",
    ]
    assert len(re.findall(r'<th scope="\w+" class="own">1<', text)) == 2
    shade = dict(zip(["100", "300", "200"], re.findall(r"--near:(\d+)%", text), strict=False))
    assert shade == {"100": "100", "300": "0", "200": "100"}
    assert ">3.2</td>" in pieces.matrix(np.array([[3.25, 5], [5, 4]]), marked=None)


def test_a_row_a_layer_with_its_exact_counts(known):
    text = pieces.use(known.layers, marked=1)
    rows = text.split("<tr")[2:-1]
    assert len(rows) == 3
    for number, (row, layer) in enumerate(zip(rows, known.layers, strict=True)):
        assert layer_name(number) in row
        assert (' class="own"' in row.split(">")[0]) == (number == 1)
        assert re.findall(r"<td>(\d+)</td>", row) == [str(layer.never), str(layer.always)]
        assert f"{layer.entropy.mean():.2f}</td>" in row
        heights = [int(h) for h in re.findall(r'class="o[nf]f?" style="height:(\d+)%"', row)]
        assert len(heights) == BINS
        assert max(heights) == 100


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_the_chart_shows_both_means_in_per_cent(known, palette):
    figure = parting(known.layers, palette, 1)
    between, within = (list(line.y) for line in figure.data)
    for layer, two, one in zip(known.layers, between, within, strict=True):
        assert two == pytest.approx(100 * layer.between / layer.units)
        assert one == pytest.approx(100 * layer.within / layer.units)
    assert figure.layout.xaxis.ticktext[1] == f"<b>Hidden 1</b><br>{words.parted(known.layers[1].parted)}"
    low, high = figure.layout.yaxis.range
    assert low <= min(within) < max(between) <= high


def test_the_chart_s_names_do_not_meet_where_its_lines_do():
    layers = [some_layer(seed) for seed in range(9)]
    figure = parting(layers, LIGHT, 8)
    upper, lower = (note for note in figure.layout.annotations if note.xanchor == "left")
    low, high = figure.layout.yaxis.range
    pixels = (upper.y - lower.y) / (high - low) * (figure.layout.height - 52)
    assert pixels + upper.yshift - lower.yshift >= 44
    assert list(figure.layout.xaxis.ticktext)[1:3] == ["1", "2"]


# --- maps ---


def random_codes(seed: int, digits: int, units: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2, (digits, units), dtype=np.uint8)


def distances_of(codes: np.ndarray) -> np.ndarray:
    words = pack(codes)
    return hamming(words, words)


def test_the_flat_map_is_that_of_principal_components():
    codes = random_codes(0, 50, 40)
    made = maps.plane(distances_of(codes), "flat")
    model = PCA(2).fit(codes.astype(float))
    expected = model.transform(codes.astype(float))
    for axis in (0, 1):
        sign = np.sign(made.points[0, axis] * expected[0, axis])
        assert np.allclose(made.points[:, axis], sign * expected[:, axis], atol=1e-6)
    assert made.shown == pytest.approx(model.explained_variance_ratio_.sum())
    # Another digit lands where the components put it.
    new = random_codes(1, 1, 40)
    there = made.locate(hamming(pack(codes), pack(new))[:, 0])
    x, y = model.transform(new.astype(float))[0]
    assert abs(there[0]) == pytest.approx(abs(x), abs=1e-6)
    assert abs(there[1]) == pytest.approx(abs(y), abs=1e-6)


@pytest.mark.parametrize("kind", ["near", "flat"])
def test_a_digit_of_the_map_is_located_where_it_lies(known, kind):
    distances = hamming(known.layers[2].words[:120], known.layers[2].words[:120])
    made = maps.plane(distances, kind)
    for row in (0, 17, 119):
        assert made.locate(distances[row]) == pytest.approx(tuple(made.points[row]), abs=1e-3)


def test_near_codes_lie_near_on_the_map(known, digits):
    """In the trained network's last layer, most neighbours on the map are of one class."""
    labels = digits.test_labels[:300]
    distances = hamming(known.layers[2].words[:300], known.layers[2].words[:300])
    points = maps.plane(distances, "near").points
    apart = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    same = labels[np.argsort(apart, axis=1)[:, :5]] == labels[:, None]
    assert same.mean() > 0.6  # at random 0.1


def test_turning_keeps_distances_and_lays_maps_alike():
    first = maps.plane(distances_of(random_codes(0, 40, 30)), "flat")
    turn = np.array([[0.0, -1], [1, 0]])
    second = maps.plane(distances_of(random_codes(0, 40, 30)), "flat")
    tilted = maps.Plane(second.points @ turn, None, second._basis @ turn, second._column_means, None)
    back = tilted.turned(first)
    assert np.allclose(back.points, first.points)
    distances = distances_of(random_codes(0, 40, 30))
    assert back.locate(distances[3]) == pytest.approx(first.locate(distances[3]))


@pytest.mark.parametrize("kind", ["near", "flat"])
@pytest.mark.parametrize("different", [1, 2, 3, 5, 40])
def test_poor_codes_break_nothing(kind, different):
    """As early in training: many digits share one code, and groups have no neighbours in common."""
    codes = np.repeat(random_codes(2, different, 64), 40 // different, axis=0)
    distances = distances_of(codes)
    made = maps.planes([distances, distances], kind)
    for plane in made:
        assert np.isfinite(plane.points).all()
        points, there = maps.in_square(plane.points, plane.locate(distances[0]))
        assert np.isfinite(points).all()
        assert np.abs(points).max() <= 1 + 1e-9
        assert there == pytest.approx(tuple(points[0]), abs=1e-3)
    same = (distances[0] == 0).nonzero()[0]
    assert np.allclose(made[0].points[same], made[0].points[0], atol=1e-3)


def test_a_map_keeps_its_shape_in_the_square():
    points = np.array([[0.0, 0], [10, 0], [10, 4]])
    placed, there = maps.in_square(points, (20, 0))
    assert placed.tolist() == [[-1, -0.4], [1, -0.4], [1, 0.4]]
    assert there == (3, -0.4)


def test_the_sample_takes_the_first_of_each_class():
    labels = np.array([1, 0, 1, 1, 0, 2])
    assert maps.sample(labels, 3, 2).tolist() == [0, 1, 2, 4, 5]


# --- the browser part's data ---


def a_panel(count: int, **values) -> digit_map.Panel:
    points = np.linspace(-1, 1, 2 * count).reshape(count, 2)
    given = {"title": "Hidden 1", "note": "2×", "long_note": "two", "points": points, "chosen": (0.5, -9)}
    return digit_map.Panel(**(given | {"pick": 1} | values))


def some_digits(count: int) -> digit_map.Digits:
    images = np.random.default_rng(0).integers(0, 256, (count, 28, 28), dtype=np.uint8)
    return digit_map.Digits(
        numbers=np.arange(count) * 10,
        labels=np.arange(count) % 10,
        wrong=np.arange(count) % 3 == 0,
        names=[f"digit {n}" for n in range(count)],
        sheet=digit_map.sheet(images),
        side=28,
    )


OPTIONS = {
    "large": 0,
    "chosen_image": np.full((28, 28), 7, np.uint8),
    "chosen_number": None,
    "chosen_name": "drawn here",
    "strong": 3,
    "label": "map",
    "caption": ["one"],
}


def test_a_map_travels_as_points_labels_and_pictures():
    digits, panels = some_digits(33), [a_panel(33), a_panel(33, pick=None)]
    data = digit_map.encode(panels, digits, **OPTIONS)
    length = struct.unpack("<I", data[:4])[0]
    header = json.loads(data[4 : 4 + length])
    assert (header["count"], header["strong"], header["chosen_number"]) == (33, 3, None)
    assert [panel["pick"] for panel in header["panels"]] == [1, None]
    assert header["numbers"][2] == 20
    at = 4 + length
    assert at % 4 == 0
    for panel in panels:
        points = np.frombuffer(data[at : at + 4 * 34], "<i2").reshape(34, 2) / header["steps"]
        assert np.allclose(points[:-1], panel.points, atol=1e-4)
        assert points[-1].tolist() == pytest.approx([0.5, -1], abs=1e-4)  # kept inside the map
        at += 4 * 34
    assert list(data[at : at + 33]) == digits.labels.tolist()
    assert list(data[at + 33 : at + 66]) == digits.wrong.astype(int).tolist()
    assert set(data[at + 66 : at + 66 + 784]) == {7}
    assert data[at + 66 + 784 :] == digits.sheet


def test_the_sheet_holds_every_picture():
    import io

    from PIL import Image

    images = np.random.default_rng(0).integers(0, 256, (65, 28, 28), dtype=np.uint8)
    sheet = np.asarray(Image.open(io.BytesIO(digit_map.sheet(images))))
    assert sheet.shape == (3 * 28, 30 * 28)
    for number in (0, 29, 30, 64):
        row, column = divmod(number, 30)
        assert (sheet[28 * row : 28 * row + 28, 28 * column : 28 * column + 28] == images[number]).all()


def test_a_map_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match="points in Hidden 1"):
        digit_map.encode([a_panel(32)], some_digits(33), **OPTIONS)


@pytest.mark.parametrize("value", [None, "3", 2.5, True, [1]])
def test_the_map_takes_only_whole_numbers_back(value):
    assert digit_map._whole(value) is None
    assert digit_map._whole(12) == 12


# --- what is made behind the page ---


def test_what_is_made_is_kept_and_made_once():
    maker, made = cache.Maker(), []
    assert maker.ask("a", lambda: made.append(1) or "A", 10) == "A"
    assert maker.ask("a", lambda: made.append(2) or "B", 10) == "A"
    assert made == [1]


@pytest.fixture
def wishes():
    """Wishes to a busy maker: `wish(name)`, and `made()` once it is free, in the order of making."""
    maker, order = cache.Maker(waiting=3), []
    started, allowed, three = threading.Event(), threading.Event(), threading.Event()

    def busy():
        started.set()
        assert allowed.wait(30)

    def wish(name, **options):
        def make():
            order.append(name)
            if len(order) == 3:
                three.set()

        assert maker.ask(name, make, **options) is None

    def made():
        allowed.set()
        assert three.wait(30)
        return order

    assert maker.ask("busy", busy) is None
    assert started.wait(30)
    yield wish, made
    allowed.set()


def test_the_newest_wish_comes_first_and_what_lies_ahead_last(wishes):
    wish, made = wishes
    wish("old")
    wish("new")
    wish("ahead", ahead=True)
    assert made() == ["new", "old", "ahead"]


def test_wishes_that_nobody_waits_for_any_more_are_dropped(wishes):
    wish, made = wishes
    for name in ("dropped", "b", "c", "d"):
        wish(name)
    assert made() == ["d", "c", "b"]


def test_only_the_last_few_are_kept():
    maker = cache.Maker(kept=2)
    for name in "abc":
        assert maker.ask(name, lambda name=name: name, 30) == name
    assert maker.ask("c", lambda: "again", 30) == "c"
    assert maker.ask("a", lambda: "again", 30) == "again"


def test_a_failure_is_raised_for_everyone_who_asks():
    maker = cache.Maker()

    def fail():
        raise ValueError("no map")

    for _ in range(2):
        with pytest.raises(ValueError, match="no map"):
            maker.ask("a", fail, 30)
    assert maker.ask("b", lambda: "well", 30) == "well"


# --- words ---


def test_captions_mark_the_nearest_class_and_the_own_one():
    assert words.class_caption(3, 3, 3) == "3 nearest"
    assert words.class_caption(5, 3, 5) == "5 its class"
    assert words.class_caption(4, 3, None) == "4"


def test_a_near_digit_of_another_class_carries_a_cross():
    assert words.nearest_caption(8, 1041, 5) == "✕ 8 · 1,041"
    assert words.nearest_caption(5, 41, 5) == "5 · 41"
    assert words.nearest_caption(8, 41, None) == "8 · 41"
    assert words.nearest_summary(8, 7, 12, 5) == "7 of 12 are 8s; it is a 5."
    assert words.nearest_summary(5, 12, 12, 5) == "12 of 12 are 5s."
