"""What a run may take on a machine that strangers use."""

from __future__ import annotations

from pathlib import Path

import pytest

from bnn_core import InputError, RunConfig
from bnn_core.presets import PRESETS
from bnn_core.runs.past import Moment
from explorer.server import budget


def test_the_estimate_is_near_the_presets_times() -> None:
    for preset in PRESETS.values():
        assert budget.expected_seconds(preset.config) == pytest.approx(preset.seconds, rel=0.35), preset.name


def test_it_grows_with_everything_that_costs_time() -> None:
    base = PRESETS["quick"].config
    seconds = budget.expected_seconds(base)
    for change in (
        {"phase2.epochs": 20},
        {"network.hidden": [512, 512]},
        {"data.features": "two-bit"},
        {"data.train_digits": 60_000},
        {"phase1.batch": 50},
        {"phase2.nudge": 0.1},
    ):
        assert budget.expected_seconds(base.updated(change)) > seconds, change


def test_a_run_over_the_budget_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BNN_BUDGET", raising=False)
    budget.check(RunConfig().updated({"phase2.epochs": 2000}))
    monkeypatch.setenv("BNN_BUDGET", "60")
    budget.check(PRESETS["quick"].config)
    with pytest.raises(InputError, match=r"would take about .*min.*60.*s a run \(BNN_BUDGET\): fewer epochs"):
        budget.check(RunConfig().updated({"phase2.epochs": 2000}))


@pytest.mark.parametrize("text", ["0", "-1", "nan", "none", "an hour"])
def test_a_limit_that_is_none_allows_nothing(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """A mistake in it must not open a public host."""
    monkeypatch.setenv("BNN_BUDGET", text)
    with pytest.raises(InputError, match="BNN_BUDGET"):
        budget.check(PRESETS["quick"].config)


def test_only_what_is_left_counts() -> None:
    config = PRESETS["quick"].config
    first, second = (config.updated({f"phase{3 - phase}.epochs": 0}) for phase in (1, 2))
    whole = budget.expected_seconds(config)
    assert whole == pytest.approx(budget.expected_seconds(first) + budget.expected_seconds(second))
    assert budget.expected_seconds(config, (2, 0, 0)) == pytest.approx(budget.expected_seconds(second))
    last = config.updated({"phase2.epochs": 1})
    nearly = (2, config.phase2.epochs - 1, 0)
    assert budget.expected_seconds(config, nearly) == budget.expected_seconds(last, (2, 0, 0))
    places = [(1, 0, 0), (1, 0, 9), (1, 1, 0), (2, 0, 0), (2, 1, 0), (2, 1, 9), nearly]
    left = [budget.expected_seconds(config, place) for place in places]
    assert left == sorted(left, reverse=True)
    assert len(set(left)) == len(left)


def test_a_branch_counts_from_the_checkpoint_that_it_starts_from(monkeypatch: pytest.MonkeyPatch) -> None:
    config = PRESETS["quick"].config
    kept = (Path("checkpoint"), (2, 3, 0))
    monkeypatch.setenv("BNN_BUDGET", f"{budget.expected_seconds(config, (2, 3, 0)) + 0.1}")
    monkeypatch.setattr(budget, "nearest", lambda _parent, _moment: kept)
    budget.check_branch(config, Path("parent"), Moment(2, 4))
    with pytest.raises(InputError, match=r"^What is left of this run would take about .*BNN_BUDGET"):
        budget.check_branch(config.updated({"phase2.epochs": 60}), Path("parent"), Moment(2, 4))
    monkeypatch.setattr(budget, "nearest", lambda _parent, _moment: None)
    with pytest.raises(InputError, match=r"^This run would take about .*BNN_BUDGET"):
        budget.check_branch(config, Path("parent"), Moment(2, 4))
