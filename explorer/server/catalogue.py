"""The networks that the pages can show, and what is kept of them between two clicks.

Shipped models and runs are both run folders. Everything that takes longer than a few milliseconds is computed
once a file and version, see `File`, for all sessions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from bnn_core import BitwiseNetwork, Digits, InputError, RealNetwork, load_mnist
from bnn_core.datasets.features import input_bits
from bnn_core.measures.codes import class_codes
from bnn_core.measures.order import order_by_digit
from bnn_core.models import ShippedModel, shipped_models
from bnn_core.names import CONFIG_FILE
from bnn_core.runs.find import list_runs
from bnn_core.runs.folder import RunFolder
from explorer.server.answers import Answers
from explorer.server.live import followers

CODE_DIGITS = 5_000
"""Training digits that decide the order of the units."""

RARE = 0.01
"""Input bits that are on in a smaller share of the training digits are faded: they are noise to the eye."""

PREFERRED = ("talk", "quick")
"""The shipped model that opens first, the first of these that is there."""


class File(NamedTuple):
    """A file as it was when it was looked at: what all that is made of it is kept under.

    A tuple of plain values, as Streamlit hashes nothing sooner.

    Attributes:
        version: what tells two states of it apart, time of change in nanoseconds and size; zeros if it is
            gone, as reading it will say.
    """

    path: str
    version: tuple[int, int]

    @classmethod
    def of(cls, path: Path) -> File:
        """A file as it is now."""
        try:
            stat = path.stat()
        except OSError:
            return cls(str(path), (0, 0))
        return cls(str(path), (stat.st_mtime_ns, stat.st_size))


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
class KeptMoment:
    """A moment of a run whose bits are kept: one of its snapshots, or the finished network.

    Attributes:
        name: in the URL: the file's name without its ending; "" for the finished network.
        phase, epoch, step: when it was taken; 0 for the finished network.
    """

    name: str
    file: File
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
    shape = _shape(File.of(run.path / CONFIG_FILE), path)
    card = run.card() if run.model_path else None
    error = (card or {}).get("error_percent")
    return Entry(run.id, run.path, shipped, *shape, None if error is None else float(error))


@st.cache_data(show_spinner=False, max_entries=1000)
def _shape(config: File, _path: Path) -> tuple[tuple[int, ...], str, str, int]:
    """Sizes, variant and features of a run's networks, from one of them; constant units, as configured."""
    network = BitwiseNetwork.load(_path)
    constants = RunFolder(Path(config.path).parent).config.network.constant_units
    return network.sizes, network.variant, network.features, constants


def moments(entry: Entry) -> list[KeptMoment]:
    """A run's snapshots in time; the finished network stands for the last one, which is equal to it."""
    run = RunFolder(entry.folder)
    found = [KeptMoment(shot.name.text, File.of(shot.path), *shot.name) for shot in run.snapshots()]
    if run.model_path is not None:
        finished = KeptMoment("", File.of(run.model_path), 0, 0, 0)
        found.append(replace(found.pop(), name="", file=finished.file) if found else finished)
    return found


def is_live(entry: Entry) -> bool:
    """Whether the run is being trained now."""
    run = RunFolder(entry.folder)
    return not entry.shipped and run.model_path is None and followers().of(entry.folder).locked()


def is_last(entry: Entry, at: str) -> bool:
    """Whether `at` names the snapshot that the finished network stands for."""
    run = RunFolder(entry.folder)
    shots = run.snapshots() if run.model_path is not None else []
    return bool(shots) and shots[-1].name.text == at


def real_file(entry: Entry) -> File | None:
    """The file of the run's real-valued network; None while there is none."""
    path = RunFolder(entry.folder).real_path
    return None if path is None else File.of(path)


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
def load_network(file: File) -> BitwiseNetwork:
    """A network file; one that has changed since is another `File`, and read again."""
    return BitwiseNetwork.load(Path(file.path))


@st.cache_resource(show_spinner=False, max_entries=8)
def load_real(file: File) -> RealNetwork:
    """Phase 1's real network."""
    return RealNetwork.load(file.path)


@st.cache_resource(show_spinner="Reading 10,000 test digits", max_entries=64)
def known(file: File) -> Known:
    """Run a network over the test digits, once a file and version."""
    data = digits()
    scores = load_network(file).scores(data.test_images)
    return Known(Answers.of(scores, data.test_labels), largest=int(np.abs(scores).max()))


@st.cache_resource(show_spinner="Finding what each unit answers to", max_entries=16)
def orders(file: File) -> list[NDArray[np.int64]]:
    """For each hidden layer (units,) int64: the units placed by the digit that they answer to most."""
    data = digits()
    codes = class_codes(load_network(file), data.train_images[:CODE_DIGITS], data.train_labels[:CODE_DIGITS])
    return [order_by_digit(code) for code in codes]
