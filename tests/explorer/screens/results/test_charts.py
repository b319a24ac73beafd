"""The Results page's tables, charts and sentences against the records that they tell of."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_core.reproduce import EXPERIMENTS, Results
from bnn_core.reproduce.experiments import CURVES
from explorer.palette import DARK, LIGHT
from explorer.screens.results import html as pieces
from explorer.screens.results import words
from explorer.screens.results.charts import curve_chart, damage_chart
from explorer.screens.results.rows import at, curve, damages, table_rows
from explorer.shared.numbers import MINUS


def record(name: str, seed: int, error: float, **more: Any) -> dict[str, Any]:
    rates = (0.0, 0.05, 0.1)
    faults = {what: [[rate, error * (1 + 10 * rate)] for rate in rates] for what in ("inputs", "weights")}
    found: dict[str, Any] = {
        "experiment": name,
        "seed": seed,
        "config": EXPERIMENTS[name].config.updated({"seed": seed}).to_dict(),
        "test_error": error,
        "real_error": error - 0.5,
        "naive_error": 20.0,
        "faults": faults,
        "seconds": 30,
    }
    return found | more


@pytest.fixture
def results(tmp_path: Path) -> Results:
    """Two seeds of everything that is on a curve, and a part of the table."""
    made = Results(tmp_path / "results.json")
    for experiment in EXPERIMENTS.values():
        if experiment.value is not None:
            made.records += [record(experiment.name, s, 3 + experiment.value / 100 + 0.1 * s) for s in (0, 1)]
    made.records += [record("constant", s, 1.2 + 0.1 * s) for s in (0, 1, 2)]
    made.records.append(record("threshold-scratch", 0, 1.4, real_error=None))
    made.records.append(record("zero-one", 0, 1.3))
    return made


def test_the_table_has_what_was_run_beside_the_paper(results: Results) -> None:
    rows = table_rows(results)
    assert [row.experiment.name for row in rows] == ["threshold-scratch", "constant", "zero-one"]
    assert rows[1].bitwise == pytest.approx((1.2, 1.3, 1.4))
    assert rows[1].experiment.paper == (1.17, 1.33)
    assert rows[0].real == ()
    text = pieces.table(rows)
    assert text.count("ours bit") == 5 + 1  # a dot a seed, and the legend's
    assert text.count("ours float") == 4 + 1
    assert "<b>1.30\N{NARROW NO-BREAK SPACE}%</b>" in text
    # Every mark lies on the axis, and larger errors further right.
    places = [float(place) for place in re.findall(r"left:([\d.]+)%", text)]
    assert all(0 <= place <= 100 for place in places)
    dots = [float(p) for p in re.findall(r'class="ours bit" style="left:([\d.]+)%', text)]
    assert dots[1] < dots[2] < dots[3]
    # Only what is confirmed stands without a mark.
    assert "1.33\N{NARROW NO-BREAK SPACE}%</td>" in text
    assert "1.36\N{NARROW NO-BREAK SPACE}%*</td>" in text


def test_the_changes_are_told_against_the_plain_network(results: Results) -> None:
    for name, errors in {
        "plain-512": (2.4, 2.6),
        "plain-512-nudge": (2.1, 2.1),
        "plain-512-tanh": (2.7,),
    }.items():
        results.records += [record(name, seed, error) for seed, error in enumerate(errors)]
    rows = table_rows(results, "ablation")
    assert [row.experiment.title for row in rows] == ["plain", "tanh' as pseudo-gradient", "nudged inputs"]
    text = pieces.changes(rows)
    assert re.findall(r'<td class="number">([^<]*)</td></tr>', text) == [
        "\N{EN DASH}",
        "+0.20",
        f"{MINUS}0.40",
    ]
    assert text.count("ours bit") == 5 + 1
    assert "tanh&#x27;" in text


@given(st.lists(st.floats(0.5, 100), min_size=1, max_size=6))
def test_the_axis_has_room_for_every_mark_and_few_numbers(errors: list[float]) -> None:
    made = Results(Path("none.json"))
    made.records = [record("plain-512", seed, error) for seed, error in enumerate(errors)]
    text = pieces.changes(table_rows(made, "ablation"))
    places = [float(place) for place in re.findall(r'class="ours \w+" style="left:([\d.]+)%', text)]
    assert len(places) > len(errors)
    # A mark of 12 px, on the narrowest axis of 240 px, is half of 5 % wide.
    assert all(2.5 <= place <= 97.5 for place in places)
    assert 2 <= text.count("<span style=") <= 12


@pytest.mark.parametrize("group", list(CURVES))
@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_a_curve_shows_every_seed_and_their_mean(results: Results, group: str, colours: Any) -> None:
    points = curve(results, group)
    assert [point.value for point in points] == sorted(CURVES[group][1])
    figure = curve_chart(points, colours, group)
    solid = figure.data[-1]
    assert list(solid.y) == pytest.approx([sum(p.bitwise) / 2 for p in points])
    dots = figure.data[-2]
    assert len(dots.y) == 2 * len(points)
    assert solid.line.color == colours.ink
    names = [a.text for a in figure.layout.annotations]
    assert any(words.BITWISE in name for name in names)
    assert (words.NAIVE in " ".join(names)) == (group == "gain")
    # No two names upon each other.
    places = sorted(a.y for a in figure.layout.annotations)
    low, high = figure.layout.yaxis.range
    assert all(b - a >= 0.08 * (high - low) for a, b in itertools.pairwise(places))


def test_errors_under_broken_bits_are_means_over_seeds(results: Results) -> None:
    lines = damages(results, "weight-flips", "weights")
    assert [line.value for line in lines] == list(CURVES["weight-flips"][1])
    assert lines[0].rates == (0.0, 0.05, 0.1)
    assert lines[0].errors == pytest.approx([3.05, 3.05 * 1.5, 3.05 * 2])
    figure = damage_chart(lines, LIGHT, "weight-flips")
    assert len(figure.data) == 3
    assert figure.data[0].line.color == LIGHT.float
    assert "no noise" in [a.text for a in figure.layout.annotations]


def test_what_was_not_run_is_not_shown(tmp_path: Path) -> None:
    empty = Results(tmp_path / "none.json")
    assert table_rows(empty) == []
    assert curve(empty, "gain") == []
    assert damages(empty, "weight-flips", "weights") == []
    assert at([], 0.5) is None


def test_sentences_say_what_the_numbers_say() -> None:
    assert words.sparsity_said(3.1, 3.2, 8.0, 0.97).startswith("Half of the weights are free")
    assert words.sparsity_said(3.1, 4.2, 8.0, 0.97).startswith("Half of the weights cost")
    assert "next to nothing" in words.noise_said("weight bits", 3.1, 3.2, 0.1)
    assert "it costs" in words.noise_said("weight bits", 3.1, 4.2, 0.1)
    assert "one trained at 10" in words.damage_said(0.1, 20.0, 8.0, 0.1, "weight bits")
    assert "does not help" in words.damage_said(0.1, 8.0, 9.0, 0.1, "weight bits")
    assert words.trained_with(0.0) == "no noise"
