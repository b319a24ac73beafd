"""How long the network on the page takes for a digit on this machine, and the same network in float32.

Time depends on a network's kind, not on its bits: it is measured once for each kind. The worker measures,
with PyTorch as the baseline; where there is no worker, a thread here does, with NumPy.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from bnn_core import BitwiseNetwork
from bnn_core.bench import one_digit
from explorer.server.jobs import JobManager
from explorer.server.worker_process import Answer


@dataclass(frozen=True)
class Speed:
    """Medians of one thread, in microseconds.

    Attributes:
        bit_us: the bitwise network, from pixels to the label.
        float_us: the same network in float32, from floats to the sums.
        baseline: what computed that: "torch_float32" or "numpy_float32".
    """

    bit_us: float
    float_us: float
    baseline: str


class Speeds:
    """What was measured so far; safe to ask from any thread."""

    def __init__(self, manager: JobManager) -> None:
        self._manager = manager
        self._lock = threading.Lock()
        self._known: dict[str, Speed] = {}
        self._asked: dict[str, Future[Answer]] = {}
        self._under_way: set[str] = set()

    def of(self, network: BitwiseNetwork, path: str) -> Speed | None:
        """The network's speed; None while it is being measured.

        Args:
            path: the network's file, for the worker.
        """
        key = _kind(network)
        with self._lock:
            if key in self._known:
                return self._known[key]
            if self._manager.available:
                question = {"command": "measure", "key": key, "model": path}
                asked = self._asked.get(key) or self._manager.ask(question)
                if asked is not None:  # else there is no worker yet
                    self._asked[key] = asked
                if asked is None or not asked.done():
                    return None
                figures = (asked.result() or {}).get("figures")
                if figures is not None and figures["baseline_us"] is not None:
                    return self._keep(key, figures)
            if key not in self._under_way:
                self._under_way.add(key)
                threading.Thread(target=self._measure, args=(key, network), name="speed", daemon=True).start()
        return None

    def _measure(self, key: str, network: BitwiseNetwork) -> None:
        self._keep(key, one_digit(network, baseline="numpy_float32"))

    def _keep(self, key: str, figures: Mapping[str, Any]) -> Speed:
        speed = Speed(figures["bitwise_us"], figures["baseline_us"], figures["baseline"])
        self._known[key] = speed
        return speed


def _kind(network: BitwiseNetwork) -> str:
    """What time depends on."""
    sizes = "-".join(map(str, network.sizes))
    return f"{sizes} {network.features} {'sparse' if network.sparse else 'dense'}"
