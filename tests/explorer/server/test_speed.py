"""The time on the Watch page: asked of the worker, or measured here when there is none."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bnn_core import BitwiseNetwork
from bnn_core.bench import cost, random_network
from explorer.screens.watch import html, words
from explorer.server.speed import Speed, Speeds

PATH = Path("model.safetensors")


class Manager:
    """A manager whose worker answers when the test says so."""

    def __init__(self, *, available: bool = True) -> None:
        self.available = available
        self.asked: list[tuple[str, Path]] = []
        self.answer: tuple[bool, Mapping[str, Any] | None] = (False, None)

    def measure(self, key: str, model: Path) -> None:
        self.asked.append((key, model))

    def figures(self, _key: str) -> tuple[bool, Mapping[str, Any] | None]:
        return self.answer


@pytest.fixture(scope="module")
def network() -> BitwiseNetwork:
    return random_network((784, 32, 10))


def settle(speeds: Speeds, network: BitwiseNetwork) -> Speed:
    """Wait until what is measured here is known."""
    speed = speeds.of(network, PATH)
    for thread in [t for t in threading.enumerate() if t.name == "speed"]:
        thread.join(60)
    speed = speed or speeds.of(network, PATH)
    assert speed is not None
    return speed


def test_the_worker_s_figures_are_taken(network: BitwiseNetwork) -> None:
    manager = Manager()
    speeds = Speeds(manager)  # type: ignore[arg-type]
    assert speeds.of(network, PATH) is None
    manager.answer = (True, {"bitwise_us": 2.0, "baseline_us": 50.0, "baseline": "torch_float32"})
    speed = speeds.of(network, PATH)
    assert speed == Speed(2.0, 50.0, "torch_float32")
    asked = len(manager.asked)
    assert speeds.of(random_network((784, 32, 10), seed=1), PATH) is speed  # of the same kind
    assert len(manager.asked) == asked
    manager.answer = (False, None)
    assert speeds.of(random_network((784, 33, 10)), PATH) is None


@pytest.mark.parametrize("answer", [(True, None), (True, {"bitwise_us": 2.0, "baseline_us": None})])
def test_what_the_worker_cannot_measure_is_measured_here(
    network: BitwiseNetwork, answer: tuple[bool, Mapping[str, Any] | None]
) -> None:
    manager = Manager()
    manager.answer = answer
    speed = settle(Speeds(manager), network)  # type: ignore[arg-type]
    assert speed.baseline == "numpy_float32"


def test_without_a_worker_it_is_measured_here(network: BitwiseNetwork) -> None:
    manager = Manager(available=False)
    speed = settle(Speeds(manager), network)  # type: ignore[arg-type]
    assert speed.baseline == "numpy_float32"
    assert speed.bit_us > 0
    assert speed.float_us > 0
    assert manager.asked == []


def test_the_strip_says_what_was_measured_and_what_is_not_yet_known(network: BitwiseNetwork) -> None:
    amount = cost(network)
    known = html.strip(amount, Speed(12.14, 310.4, "torch_float32"))
    assert "26×</span> faster" in known
    assert "12.1 µs" in known
    assert "310 µs in float32, PyTorch" in known
    assert words.MEASURING not in known
    waiting = html.strip(amount, None)
    assert words.MEASURING in waiting
    assert "faster" not in waiting
    assert words.AFTER_TRAINING in html.strip(amount, None, busy=True)
    for text in (known, waiting):
        assert f"{amount.float_bytes / amount.bit_bytes:.0f}× smaller".replace("× ", "×</span> ") in text
        assert f"{amount.float_picojoules / amount.bit_picojoules:.0f}×" in text
