"""train(): start a run, or go on with one; and what else is asked of training from outside (torch)."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator

import torch

from bnn_core.config import RunConfig
from bnn_core.datasets.digits import Digits
from bnn_core.training.control import Control
from bnn_core.training.events import Checkpoint, Event
from bnn_core.training.run import Run


def train(
    config: RunConfig,
    data: Digits,
    *,
    control: Control | None = None,
    checkpoint: Checkpoint | None = None,
    threads: int | None = None,
    device: str = "cpu",
) -> Iterator[Event]:
    """Train a bitwise network.

    Sets torch's number of threads for the whole process.

    Args:
        config: the run's configuration.
        data: the digits; the last 10,000 training digits validate, the test digits are looked at once,
            at the end.
        control: pause, step, stop and live settings, from another thread.
        checkpoint: go on from here; with the same config, data, threads and machine the events that
            follow are, bit for bit, those of an unharmed run (times and progress excepted). Settings that
            changed after it (its ``state["replay"]``) change again at the same steps.
        threads: torch's threads; by default all cores but one. A checkpoint's own count wins.
        device: torch's name of the device to train on. The promise of equal bits holds for the processor.

    Yields:
        events, see :mod:`bnn_core.training.events`; the last is ``RunEnded``.

    Raises:
        InputError: the data does not fit the configuration, or the loss is no number any more.
    """
    if checkpoint is not None:
        threads = int(checkpoint.state["threads"])
    torch.set_num_threads(threads or max(1, (os.cpu_count() or 2) - 1))  # one core is left to the pages
    yield from Run(config, data, control or Control(), checkpoint, device).events()


def warm_up() -> None:
    """Pay ahead what torch loads when an optimiser is made and stepped for the first time."""
    parameter = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.Adam([parameter], fused=True)
    parameter.sum().backward()
    optimizer.step()


def steps_of(config: RunConfig, data: Digits, phase: int) -> Callable[[], float]:
    """Training steps on their own, to be timed: one a call, each on the next batch of the training digits.

    Args:
        phase: 1 or 2; phase 2 starts from weights that phase 1 has not touched.
    """
    run = Run(config, data, Control())
    if phase == 2:
        run.next_phase()
    batches = run.batches(torch.arange(len(run.material.labels)))
    turns = itertools.cycle(batches)
    return lambda: run.step(next(turns))
