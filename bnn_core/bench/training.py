"""How long training takes, beside the same torch network without compression and without bits."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from bnn_core.bench.contest import clock, race
from bnn_core.bench.machine import machine
from bnn_core.bench.measure import SIZES
from bnn_core.config import RunConfig
from bnn_core.datasets.digits import Digits, load_mnist
from bnn_core.datasets.features import input_bits, input_values
from bnn_core.training.start import steps_of

SECONDS = 20.0
BATCH = 200
EPOCH = 60_000
"""Digits of an epoch."""


def training_report(
    *,
    sizes: Sequence[int] = SIZES,
    threads: int = 1,
    seconds: float = SECONDS,
    tell: Callable[[str, float], None] = lambda _what, _share: None,
) -> dict[str, Any]:
    """Time training steps of both phases, in turns with a plain network's.

    Returns:
        ``epoch_s``: seconds that an epoch of 60,000 digits takes, by contestant, from the median step of a
        batch; ``ratio``: that time divided by the plain network's; machine, threads, clock, batch.
    """
    torch.set_num_threads(threads)
    data = load_mnist()
    common = {"network.hidden": list(sizes[1:-1]), "phase1.batch": BATCH, "phase2.batch": BATCH}
    strict = RunConfig().updated(common)
    contestants: dict[str, Callable[[], object]] = {
        "plain": _plain_steps(sizes, data),
        "phase1": steps_of(strict, data, 1),
        "phase2": steps_of(strict, data, 2),
        "phase2_threshold": steps_of(strict.updated({"network.variant": "threshold"}), data, 2),
        "phase2_constant": steps_of(
            strict.updated({"network.constant_units": min(sizes[1:-1]) // 16}), data, 2
        ),
    }
    watch = clock(threads)
    timings = race(contestants, seconds=seconds, clock=watch, tell=lambda share: tell("training", share))
    steps = EPOCH / BATCH
    return {
        "machine": machine(),
        "sizes": list(sizes),
        "batch": BATCH,
        "threads": threads,
        "clock": watch.name,
        "epoch_s": {name: round(timing.median * steps / 1e6, 2) for name, timing in timings.items()},
        "ratio": {
            name: round(timing.median / timings["plain"].median, 3)
            for name, timing in timings.items()
            if name != "plain"
        },
        "rounds": timings["plain"].rounds,
    }


def _plain_steps(sizes: Sequence[int], data: Digits) -> Callable[[], float]:
    """Steps of tanh layers with plain weights, cross-entropy and fused Adam, on the same digits."""
    layers: list[torch.nn.Module] = []
    for inputs, units in itertools.pairwise(sizes):
        layers += [torch.nn.Linear(inputs, units), torch.nn.Tanh()]
    network = torch.nn.Sequential(*layers[:-1])
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)
    values = torch.from_numpy(input_values(input_bits(data.train_images)))
    labels = torch.from_numpy(data.train_labels.astype(np.int64))
    place = 0

    def step() -> float:
        nonlocal place
        batch = slice(place, place + BATCH)
        place = (place + BATCH) % EPOCH
        loss = F.cross_entropy(network(values[batch].float()), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    return step
