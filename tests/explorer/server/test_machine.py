"""Whether this machine trains: what the switch may say."""

from __future__ import annotations

import pytest

from bnn_core import InputError
from explorer.server import machine


@pytest.mark.parametrize("text", [None, "", "  ", "on", "1", "yes", "true", "ON ", " True"])
def test_training_is_on(monkeypatch: pytest.MonkeyPatch, text: str | None) -> None:
    monkeypatch.delenv("BNN_TRAINING", raising=False)
    if text is not None:
        monkeypatch.setenv("BNN_TRAINING", text)
    assert machine.unavailable() is None


@pytest.mark.parametrize("text", ["off", "0", "no", "false", "off ", " OFF", "No\t"])
def test_training_is_off(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("BNN_TRAINING", text)
    assert machine.unavailable() == machine.OFF


@pytest.mark.parametrize("text", ["disabled", "n", "nein", "of", "2", "-1", "off!", "on,off", "x" * 500])
def test_an_odd_value_trains_nothing_and_says_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("BNN_TRAINING", text)
    says = r"^BNN_TRAINING is '.*': allowed is on, 1, .*, no or false, so nothing can be trained here"
    with pytest.raises(InputError, match=says) as told:
        machine.check_available()
    assert text[:40] in str(told.value)
    assert len(str(told.value)) < 250
