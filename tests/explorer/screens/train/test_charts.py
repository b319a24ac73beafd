"""History -> figures: what is drawn, where, and in which colour."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bnn_core import BitwiseNetwork, RunConfig
from bnn_core.bits import pack
from bnn_core.kernels import PackedLayer
from explorer.palette import DARK, LIGHT, Palette
from explorer.screens.train.error_chart import error_chart
from explorer.screens.train.flips_chart import flips_chart, spread
from explorer.screens.train.templates import templates
from explorer.screens.train.weights_chart import bin_colours, weights_chart
from explorer.server.history import Cursor, History, history
from explorer.shared.planes import Planes
from tests.explorer import records as R


def traces(figure: Any) -> dict[str, Any]:
    return {trace.name: trace for trace in figure.data if trace.name}


def texts(figure: Any) -> list[str]:
    return [a.text for a in figure.layout.annotations]


def plain(figure: Any) -> str:
    return " | ".join(texts(figure)).replace("\N{NARROW NO-BREAK SPACE}", " ")


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_the_story_of_both_phases(palette: Palette) -> None:
    figure = error_chart(history(R.PHASE2), palette, running=True)
    lines = traces(figure)
    assert list(lines["real network"].y) == [6.0, 4.0, 2.7]
    assert lines["real network"].line.color == palette.float
    naive = lines["the same network, binarised now"]
    assert naive.line.dash is not None
    assert naive.marker.color == palette.page, "hollow points"
    bitwise = lines["bitwise"]
    # The dashed line becomes the solid one at the boundary between the phases.
    assert list(bitwise.x) == [3, 4, 5]
    assert list(bitwise.y) == [8.0, 3.2, 3.0]
    assert bitwise.line.color == palette.ink
    assert "8.0 % → 3.2 % in one epoch" in plain(figure)
    assert "3.00 %" in plain(figure)
    assert "real network 2.70 %" in plain(figure)
    assert figure.layout.yaxis.type == "log"


def test_phase_1_names_its_lines_at_their_ends() -> None:
    text = plain(error_chart(history(R.PHASE1[:4]), LIGHT, running=True))
    assert "25.0 %" in text
    assert "4.00 %" in text
    assert "binarised now" in text
    assert "in one epoch" not in text


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"phase1.epochs": 0},
        {"phase2.epochs": 0},
        {"phase1.epochs": 1, "phase2.epochs": 1},
        {"phase1.epochs": 40, "phase2.epochs": 500},
    ],
)
def test_an_empty_chart_shows_what_is_planned(config: dict[str, int]) -> None:
    seen = History(config=RunConfig().updated(config))
    figure = error_chart(seen, LIGHT)
    assert not figure.data
    assert figure.layout.xaxis.range == (0.5, sum(seen.planned) + 0.5)
    assert 1 <= len(figure.layout.xaxis.tickvals) <= 24
    assert len(figure.layout.xaxis.tickvals) == len(figure.layout.xaxis.ticktext)


def random_history(rng: np.random.Generator) -> History:
    first, second = int(rng.integers(0, 12)), int(rng.integers(0, 12))
    if first + second == 0:
        first = 1
    records = [R.started(**{"phase1.epochs": first, "phase2.epochs": second})]
    for number, planned in ((1, first), (2, second)):
        records.append(R.phase(number))
        for count in range(1, planned + 1):
            bitwise = float(rng.choice([0.0, 0.3, 3.0, 30.0, 90.0]))
            real = float(rng.choice([0.0, 0.5, 5.0, 90.0])) if number == 1 else None
            extra = {"boundary": list(rng.uniform(0, 1, 3)), "zeros": list(rng.uniform(0, 1, 3))}
            records.append(R.epoch(number, count, bitwise, real, flips=float(rng.uniform(0, 0.6)), **extra))
            if rng.random() < 0.1:
                return history(records)
    return history(records)


def test_any_course_of_errors_can_be_drawn() -> None:
    rng = np.random.default_rng(0)
    for _ in range(60):
        seen = random_history(rng)
        for figure in (
            error_chart(seen, LIGHT, running=bool(rng.integers(2))),
            *([weights_chart(seen, DARK), flips_chart(seen, DARK)] if seen.epochs else []),
        ):
            for annotation in figure.layout.annotations:
                assert np.isfinite(annotation.y)
            assert figure.to_json()


def test_only_bits_and_flips_have_hue() -> None:
    seen = history(R.PHASE2)
    allowed = {getattr(LIGHT, name) for name in LIGHT.__dataclass_fields__} | {"rgba(0,0,0,0)"}
    for make in (error_chart, weights_chart, flips_chart):
        for trace in make(seen, LIGHT).data:
            colours = trace.marker.color if isinstance(trace.marker.color, tuple) else [trace.marker.color]
            assert {c for c in colours if c} <= allowed
    assert {t.line.color for t in flips_chart(seen, LIGHT).data} == {LIGHT.changed}


def test_bins_wear_the_colour_of_the_bit_that_they_become() -> None:
    colours = bin_colours(0.5, LIGHT)
    assert colours == [LIGHT.off_cell] * 10 + [LIGHT.zero] * 20 + [LIGHT.on_cell] * 10
    assert bin_colours(0.0, LIGHT) == [LIGHT.off_cell] * 20 + [LIGHT.on_cell] * 20


def test_the_boundary_and_the_share_of_zeros_are_written() -> None:
    sparse = R.epoch(2, 1, 3.0, boundary=[0.46, 0.1, 0.0], zeros=[0.5, 0.3, 0.0])
    figure = weights_chart(history([*R.PHASE1, R.phase(2), sparse]), LIGHT)
    text = plain(figure)
    assert "+β 0.46" in text
    assert "half are 0" in text
    assert "±β 0.10" in text
    assert "30 % are 0" in text
    assert "boundary β = 0" in text
    bars = [t for t in figure.data if t.type == "bar"]
    outlines = [t for t in figure.data if t.type == "scatter"]
    assert len(bars) == len(outlines) == 3
    assert outlines[0].line.color == LIGHT.float
    for name in ("Hidden 1", "Hidden 2", "Output"):
        assert f"<b>{name}</b>" in text


def test_a_phase_1_histogram_has_no_outline() -> None:
    assert {t.type for t in weights_chart(history(R.PHASE1), LIGHT).data} == {"bar"}


def test_flips_are_of_the_phase_under_way_and_labels_do_not_meet() -> None:
    figure = flips_chart(history(R.PHASE2), LIGHT)
    assert [list(t.x) for t in figure.data] == [[1, 2]] * 3
    assert list(figure.data[0].y) == pytest.approx([6.0, 4.0])
    places = sorted(a.y for a in figure.layout.annotations)
    assert min(np.diff(places)) > 0.2
    assert "Output 4.0 %" in plain(figure)
    assert [line.name for line in figure.data] == ["Hidden 1", "Hidden 2", "Output"]
    assert all(line.hovertemplate.endswith(f"<extra>{line.name}</extra>") for line in figure.data)
    assert spread([1.0, 1.0, 1.0], 0.5, 10) == [1.0, 1.5, 2.0]
    assert max(spread([10.0, 10.0], 1.0, 10)) == 10


# Templates


def network(weights: np.ndarray, mask: np.ndarray | None = None) -> BitwiseNetwork:
    layer = PackedLayer(
        weights.shape[1], pack(weights), None if mask is None else pack(mask), np.ones(len(weights), np.int32)
    )
    last = PackedLayer(len(weights), pack(np.ones((10, len(weights)), np.uint8)), None, np.ones(10, np.int32))
    return BitwiseNetwork((layer, last))


def flips(shown: Planes) -> list[int | None]:
    return [shown.at(unit).total.flips for unit in range(len(shown.bits))]


def test_templates_are_the_first_units_and_their_flips() -> None:
    rng = np.random.default_rng(1)
    before = rng.integers(0, 2, (16, 784)).astype(np.uint8)
    after = before.copy()
    after[3, :5] ^= 1
    shown = templates(network(after), network(before))
    assert shown is not None
    assert shown.bits.shape == (10, 28, 28)
    assert flips(shown) == [0, 0, 0, 5, 0, 0, 0, 0, 0, 0]
    assert np.array_equal(shown.bits[3].ravel(), after[3])
    assert [shown.at(unit).total.plus for unit in range(10)] == [int(row.sum()) for row in after[:10]]
    alone = templates(network(after))
    assert alone is not None
    assert alone.changed is None


def test_a_weight_that_is_switched_off_or_on_has_flipped() -> None:
    bits = np.ones((8, 64), np.uint8)
    mask = np.ones((8, 64), np.uint8)
    mask[0, :3] = 0
    shown = templates(network(bits, mask), network(bits))
    assert shown is not None
    assert flips(shown) == [3, 0, 0, 0, 0, 0, 0, 0]
    # Under the mask a bit has no value: its changes are none.
    other = bits.copy()
    other[0, :3] = 0
    again = templates(network(other, mask), network(bits, mask))
    assert again is not None
    assert flips(again) == [0] * 8


def test_inputs_that_are_no_picture_have_no_templates() -> None:
    assert templates(network(np.ones((8, 63), np.uint8))) is None


# First looks, moments, branches


def _with_first_looks() -> list[dict[str, Any]]:
    first = [R.snapshot(1, 0, 25, 42.0), R.snapshot(1, 0, 125, 20.0)]
    second = [R.snapshot(2, 0, 25, 9.0), R.snapshot(2, 0, 125, 5.0)]
    return [*R.PHASE1[:2], *first, *R.PHASE1[2:], R.phase(2), *second, R.epoch(2, 1, 3.2)]


def test_first_looks_lie_between_a_phases_edge_and_the_end_of_its_first_epoch() -> None:
    lines = traces(error_chart(history(_with_first_looks()), LIGHT))
    naive, bitwise = lines["the same network, binarised now"], lines["bitwise"]
    assert list(naive.x) == pytest.approx([0.55, 0.75, 1, 2, 3])
    assert list(naive.y) == [42.0, 20.0, 14.0, 25.0, 8.0]
    # The solid line grows out of phase 1's last point, past the edge at 3.5.
    assert list(bitwise.x) == pytest.approx([3, 3.55, 3.75, 4])
    assert list(bitwise.y) == [8.0, 9.0, 5.0, 3.2]
    assert "10" in naive.customdata[0]
    assert naive.customdata[0].endswith("of epoch 1")
    assert max(naive.marker.size[:2]) < min(naive.marker.size[2:])


def test_the_first_look_alone_is_a_chart_with_its_number() -> None:
    figure = error_chart(history(_with_first_looks()[:3]), LIGHT, running=True)
    assert list(traces(figure)) == ["the same network, binarised now"]
    assert "42.0 %" in plain(figure)
    assert figure.layout.yaxis.range[1] > np.log10(42)


def test_a_first_look_far_above_the_epochs_does_not_flatten_them() -> None:
    records = [*R.PHASE1[:2], R.snapshot(1, 0, 25, 88.0), *R.PHASE1[2:]]
    figure = error_chart(history(records), LIGHT)
    assert 88.0 not in list(traces(figure)["the same network, binarised now"].y)
    without = error_chart(history(R.PHASE1), LIGHT)
    assert figure.layout.yaxis.range == without.layout.yaxis.range


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_a_moment_is_marked_with_its_own_number(palette: Palette) -> None:
    whole = history(_with_first_looks())
    figure = error_chart(whole, palette, cursor=whole.cursor(1, 2, 500), cursor_note="phase 1, epoch 2")
    assert "25.0 %" in plain(figure)
    assert "phase 1, epoch 2" in plain(figure)
    assert "3.20 %" not in plain(figure), "the large number is that moment's"
    (line,) = [s for s in figure.layout.shapes if s.type == "line" and s.x0 == s.x1 == 2]
    assert line.line.color == palette.ink
    assert any(list(trace.x) == [2] and list(trace.y) == [25.0] for trace in figure.data)
    # A moment without a number has a line and a name.
    silent = error_chart(whole, palette, cursor=Cursor(2, 3, 0.0, None), cursor_note="then")
    assert "then" in plain(silent)


def test_a_label_beside_a_moment_stays_inside_the_chart() -> None:
    whole = history(_with_first_looks())
    total = sum(whole.planned)
    for cursor in (Cursor(1, 0, 0.1, 42.0), Cursor(1, 3, 0.0, 8.0), Cursor(2, 4, 0.0, 3.0)):
        figure = error_chart(whole, LIGHT, cursor=cursor, cursor_note="phase 2, epoch 4")
        (label,) = [a for a in figure.layout.annotations if "phase 2, epoch 4" in a.text]
        x = cursor.epoch + (3 if cursor.phase == 2 else 0) or 0.55
        assert label.x == pytest.approx(x)
        assert label.xanchor == ("right" if x > total - 1 else "left")
        assert label.y < figure.layout.yaxis.range[1]


def test_a_branch_shows_where_it_left_its_parent() -> None:
    records = [*R.PHASE1, R.phase(2), R.epoch(2, 1, 3.2), R.BRANCHED]
    figure = error_chart(history(records), LIGHT)
    (line,) = [s for s in figure.layout.shapes if s.type == "line" and s.x0 == s.x1 == 4]
    assert line.line.dash is not None
    assert "branched here" in plain(figure)
    assert figure.layout.xaxis.range == (0.5, 9.5), "its own epochs"
    assert "branched here" not in plain(error_chart(history(records[:-1]), LIGHT))


def test_going_back_in_time_moves_no_axis_of_the_flips() -> None:
    whole = history([*R.PHASE2, R.epoch(2, 3, 3.0, flips=0.5)])
    now = flips_chart(whole, LIGHT)
    then = flips_chart(history(R.PHASE2), LIGHT, whole=whole)
    assert then.layout.yaxis.range == now.layout.yaxis.range
    assert then.layout.xaxis.range == now.layout.xaxis.range
    assert len(then.data[0].x) == 2
