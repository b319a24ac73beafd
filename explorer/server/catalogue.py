"""The networks that the pages can show, and what is kept of them between two clicks.

Shipped models and runs are both run folders. Everything that takes longer than a few milliseconds is computed
once per file and version (its time of change and size), for all sessions.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from bnn_core import BitwiseNetwork, Digits, InputError, RealNetwork, load_mnist
from bnn_core.datasets.features import input_bits
from bnn_core.measures import class_codes, order_by_digit
from bnn_core.models import ShippedModel, shipped_models
from bnn_core.runs.folder import RunFolder, list_runs
from explorer.server.answers import Answers, answers
from explorer.server.live import followers

CODE_DIGITS = 5_000
"""Training digits that decide the order of the units."""

RARE = 0.01
"""Input bits that are on in a smaller share of the training digits are faded: they are noise to the eye."""

PREFERRED = ("talk", "quick")
"""The shipped model that opens first, the first of these that is there."""


Version = tuple[int, int]
"""What tells two states of a file apart: time of change in nanoseconds, and size."""


@dataclass(frozen=True)
class Entry:
    """A network that can be chosen.

    Attributes:
        name: in the URL: a shipped name or a run's id.
        folder: its run folder.
        shipped: whether it comes with the project.
        sizes: inputs, hidden units of each layer, classes.
        variant: "strict" or "threshold".
        features: how pixels become bits.
        constants: units of each hidden layer that are always on.
        test_error: in per cent, of the finished network; None while it is not known.
    """

    name: str
    folder: Path
    shipped: bool
    sizes: tuple[int, ...]
    variant: str
    features: str
    constants: int
    test_error: float | None


@dataclass(frozen=True)
class Moment:
    """A network file of a run: one of its snapshots, or the finished network.

    Attributes:
        name: in the URL: the file's name without its ending; "" for the finished network.
        phase, epoch, step: when it was taken; 0 for the finished network.
    """

    name: str
    path: Path
    phase: int
    epoch: int
    step: int


@dataclass(frozen=True, eq=False)
class Known:
    """What is known of one network file besides its bits.

    Attributes:
        answers: to the test digits.
        largest: the largest size of an output sum among them.
    """

    answers: Answers
    largest: int


def preferred_models() -> list[ShippedModel]:
    """The networks that come with the project, those that are made to be watched first."""
    order = {name: place for place, name in enumerate(PREFERRED)}
    return sorted(shipped_models(), key=lambda model: (order.get(model.name, len(order)), model.name))


def entries() -> dict[str, Entry]:
    """What can be chosen, by name: shipped models (the preferred one first), then runs, the newest first."""
    shipped = {model.name: model.path for model in preferred_models()}
    folders = [(path, True) for path in shipped.values()]
    folders += [(run.path, False) for run in list_runs() if run.id not in shipped]
    found = {}
    for folder, is_shipped in folders:
        try:
            entry = _entry(RunFolder(folder), is_shipped)
        except (InputError, OSError, ValueError):
            continue  # a folder that cannot be read has nothing to show; the command line says why
        if entry is not None:
            found[entry.name] = entry
    return found


def _entry(run: RunFolder, shipped: bool) -> Entry | None:
    """A run that has a network to show; None if it has none yet."""
    path = run.latest_network
    if path is None:
        return None
    # Every network of a run has the same shape, so the configuration's version is key enough.
    shape = _shape(str(run.path), version(run.path / "config.json"), str(path))
    card = run.card() if run.model_path else None
    error = (card or {}).get("error_percent")
    return Entry(run.id, run.path, shipped, *shape, None if error is None else float(error))


@st.cache_data(show_spinner=False, max_entries=1000)
def _shape(folder: str, version: Version, _path: str) -> tuple[tuple[int, ...], str, str, int]:
    """Sizes, variant and features of a run's networks, from one of them; constant units, as configured."""
    network = BitwiseNetwork.load(Path(_path))
    return network.sizes, network.variant, network.features, RunFolder(folder).config.network.constant_units


def moments(entry: Entry) -> list[Moment]:
    """A run's snapshots in time; the finished network stands for the last one, which is equal to it."""
    run = RunFolder(entry.folder)
    found = [Moment(shot.path.stem, shot.path, shot.phase, shot.epoch, shot.step) for shot in run.snapshots()]
    if run.model_path is not None:
        last = found.pop() if found else Moment("", run.model_path, 0, 0, 0)
        found.append(Moment("", run.model_path, last.phase, last.epoch, last.step))
    return found


def is_live(entry: Entry) -> bool:
    """Whether the run is being trained now."""
    run = RunFolder(entry.folder)
    return not entry.shipped and run.model_path is None and followers().of(entry.folder).locked()


def is_last(entry: Entry, at: str) -> bool:
    """Whether `at` names the snapshot that the finished network stands for."""
    run = RunFolder(entry.folder)
    shots = run.snapshots() if run.model_path is not None else []
    return bool(shots) and shots[-1].path.stem == at


def real_path(entry: Entry) -> Path | None:
    """The file of the run's real-valued network; None while there is none."""
    return RunFolder(entry.folder).real_path


def version(path: Path) -> Version:
    """The version of a file now."""
    stat = path.stat()
    return stat.st_mtime_ns, stat.st_size


@st.cache_resource(show_spinner=False)
def digits() -> Digits:
    """The MNIST digits; read-only, one copy for all sessions."""
    return load_mnist()


@st.cache_resource(show_spinner=False, max_entries=8)
def rare_inputs(features: str, threshold: int) -> NDArray[np.uint8]:
    """(inputs,) uint8: 1 where an input bit is on in fewer than 1 % of the training digits."""
    images = digits().train_images
    on = np.zeros(input_bits(images[:1], features, threshold).shape[1], np.int64)
    for start in range(0, len(images), 10_000):  # 60,000 digits' bits at once would be 50 MB
        on += input_bits(images[start : start + 10_000], features, threshold).sum(axis=0, dtype=np.int64)
    return (on < RARE * len(images)).astype(np.uint8)


@st.cache_resource(show_spinner=False, max_entries=64)
def load_network(path: str, version: Version) -> BitwiseNetwork:
    """A network file; `version` is part of the key, so that a file that changed is read again."""
    return BitwiseNetwork.load(Path(path))


@st.cache_resource(show_spinner=False, max_entries=8)
def load_real(path: str, version: Version) -> RealNetwork:
    """Phase 1's real network."""
    return RealNetwork.load(path)


@st.cache_resource(show_spinner="Reading 10,000 test digits", max_entries=64)
def known(path: str, version: Version) -> Known:
    """Run a network over the test digits, once a file and version."""
    network = load_network(path, version)
    data = digits()
    scores = network.scores(data.test_images)
    return Known(
        answers=answers(scores, data.test_labels),
        largest=int(np.abs(scores).max()),
    )


@st.cache_resource(show_spinner="Finding what each unit answers to", max_entries=16)
def orders(path: str, version: Version) -> list[NDArray[np.int64]]:
    """For each hidden layer (units,) int64: the units placed by the digit that they answer to most."""
    data = digits()
    codes = class_codes(
        load_network(path, version), data.train_images[:CODE_DIGITS], data.train_labels[:CODE_DIGITS]
    )
    return [order_by_digit(code) for code in codes]
