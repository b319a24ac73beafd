"""What a run may take on a machine that strangers use."""

from __future__ import annotations

import pytest

from bnn_core import InputError, RunConfig
from bnn_core.presets import PRESETS
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
