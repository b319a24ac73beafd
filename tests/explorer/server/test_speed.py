"""The time on the Watch page: asked of the worker, or measured here when there is none."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

import pytest

from bnn_core import BitwiseNetwork
from bnn_core.bench import cost, random_network
from explorer.screens.watch import html, words
from explorer.server.speed import Speed, Speeds
from explorer.server.worker_process import Answer

PATH = "model.safetensors"
FIGURES = {"bitwise_us": 2.0, "baseline_us": 50.0, "baseline": "torch_float32"}


class Manager:
    """A manager whose worker answers when the test says so."""

    def __init__(self, *, available: bool = True) -> None:
        self.available = available
        self.warm = True
        self.asked: list[Mapping[str, Any]] = []
        self.answers: list[Future[Answer]] = []

    def ask(self, question: Mapping[str, Any]) -> Future[Answer] | None:
        if not self.warm:
            return None
        self.asked.append(question)
        self.answers.append(Future())
        return self.answers[-1]


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
    manager.warm = False  # there is no worker yet: it is asked as soon as there is one
    assert speeds.of(network, PATH) is None
    manager.warm = True
    assert speeds.of(network, PATH) is None
    assert speeds.of(network, PATH) is None
    assert [(question["command"], question["model"]) for question in manager.asked] == [("measure", PATH)]
    manager.answers[0].set_result({"status": "measured", "figures": FIGURES})
    speed = speeds.of(network, PATH)
    assert speed == Speed(2.0, 50.0, "torch_float32")
    assert speeds.of(random_network((784, 32, 10), seed=1), PATH) is speed  # of the same kind
    assert len(manager.asked) == 1
    assert speeds.of(random_network((784, 33, 10)), PATH) is None
    assert len(manager.asked) == 2


@pytest.mark.parametrize("answer", [None, {"figures": None}, {"figures": {**FIGURES, "baseline_us": None}}])
def test_what_the_worker_cannot_measure_is_measured_here(network: BitwiseNetwork, answer: Answer) -> None:
    manager = Manager()
    speeds = Speeds(manager)  # type: ignore[arg-type]
    assert speeds.of(network, PATH) is None
    manager.answers[0].set_result(answer)
    speed = settle(speeds, network)
    assert len(manager.asked) == 1
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
