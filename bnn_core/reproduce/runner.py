"""Runs experiments, each in a run folder of its own: begun, resumed or only read."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from bnn_core.bench.machine import processor_name
from bnn_core.datasets.digits import Digits, split
from bnn_core.errors import InputError
from bnn_core.network.bitwise import BitwiseNetwork
from bnn_core.network.construct import constant_margin
from bnn_core.network.faults import error_under_faults
from bnn_core.reproduce.experiments import Experiment
from bnn_core.reproduce.results import Record
from bnn_core.runs.folder import RunFolder
from bnn_core.runs.writer import record_run, resume_run
from bnn_core.training.control import Control
from bnn_core.training.events import Event

INPUT_RATES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2)
WEIGHT_RATES = (*INPUT_RATES, 0.3)
"""Shares of broken bits that every network is tried with."""


def run_folder(experiment: Experiment, seed: int, root: Path) -> Path:
    """Where the run of a seed lies."""
    return root / f"reproduce-{experiment.name}-{seed}"


def run(
    experiment: Experiment,
    seed: int,
    root: Path,
    data: Digits,
    *,
    control: Control | None = None,
    threads: int | None = None,
    device: str = "cpu",
) -> Iterator[Event]:
    """Train a seed of an experiment, or go on where it was stopped; nothing if it has finished.

    Raises:
        InputError: the folder holds another run, or cannot be used.
    """
    config = experiment.config.updated({"seed": seed})
    folder = run_folder(experiment, seed, root)
    command = f"python -m bnn_core reproduce --only {experiment.name} --seeds {seed + 1}"
    if not folder.exists():
        yield from record_run(
            config, data, folder, control=control, command=command, threads=threads, device=device
        )
        return
    known = RunFolder(folder)
    if known.config != config:
        raise InputError(
            f"{folder} holds a run of another configuration: move it away, or give another --out."
        )
    if known.state() != "finished":
        yield from resume_run(folder, data, control=control, command=command, device=device)


def best_device() -> str:
    """A CUDA device if there is one."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def record(experiment: Experiment, seed: int, root: Path, data: Digits) -> Record:
    """What a finished run gave, with what is measured on its network afterwards."""
    found = RunFolder(run_folder(experiment, seed, root))
    events = found.events()
    card = found.card()
    assert card is not None
    network = BitwiseNetwork.load(found.path)
    epochs = [r for r in events if r["event"] == "epoch_ended"]
    before = [r for r in epochs if r["phase"] == 1]
    started = next(r for r in events if r["event"] == "run_started")
    constants = found.config.network.constant_units
    error_under = partial(error_under_faults, network, data.test_images, data.test_labels)
    train_images = split(data, found.config.data.train_digits).train_images
    return {
        "experiment": experiment.name,
        "seed": seed,
        "config": found.config.to_dict(),
        "test_error": card["error_percent"],
        "test_errors": card["errors"],
        "ties": card["ties"],
        "real_error": card["real_error_percent"],
        "naive_error": before[-1]["validation_error_bitwise"] if before else None,
        "validation_error": epochs[-1]["validation_error_bitwise"],
        "seconds": card["seconds"],
        "threads": started["threads"],
        "date": card["date"],
        "machine": f"{processor_name()}, {card['machine']}",
        "constant_margin": constant_margin(network, constants, train_images) if constants else None,
        "faults": {
            "inputs": [[rate, round(error_under(inputs=rate), 3)] for rate in INPUT_RATES],
            "weights": [[rate, round(error_under(weights=rate), 3)] for rate in WEIGHT_RATES],
        },
    }
