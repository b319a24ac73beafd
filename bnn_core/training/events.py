"""The typed records of a run: what ``train()`` yields and ``events.jsonl`` keeps.

A record is one JSON object a line, ``{"event": NAME, "t": seconds since start, ...}``. How a run
goes:

    run_started
      phase_started                      once a phase that has epochs
        snapshot, progress, settings_changed    within an epoch
        epoch_ended, snapshot            after each epoch
      phase_ended
    run_ended                            finished, stopped or failed: always the last

A branch begins with the records of the run that it left, up to that moment; then come

    branched                             from here on it is a run of its own
      recomputing                      while the state of that moment is made again
    recomputed

and what every run goes on with. Times (``t``, ``seconds``, ``date``), ``command``, ``progress`` and
``recomputing`` records differ between two runs of one seed; all else is the same, bit for bit. Errors are
in %.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from numpy.typing import NDArray

from bnn_core.names import SnapshotName

if TYPE_CHECKING:
    from bnn_core.network.bitwise import BitwiseNetwork
    from bnn_core.network.real import RealNetwork

HISTOGRAM_BINS = 40
"""Equal bins over [-1, 1] of the compressed weights' histogram."""

_PAYLOAD = {"payload": True}
"""Marks a field that travels with the event but is kept in a file of its own, not in ``events.jsonl``."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """What all records have: their name and ``t``, seconds of training since the start, pauses excluded."""

    name: ClassVar[str]
    t: float

    def __init_subclass__(cls, name: str) -> None:
        cls.name = name

    def record(self) -> dict[str, Any]:
        """The JSON record."""
        values = {
            f.name: getattr(self, f.name)
            for f in dataclasses.fields(self)
            if not f.metadata.get("payload") and f.name != "t"
        }
        return {"event": self.name, "t": round(self.t, 3), **values}


@dataclass(frozen=True, kw_only=True)
class RunStarted(Event, name="run_started"):
    """The run begins; ``config`` is the whole configuration, ``command`` what the user typed, if known."""

    config: dict[str, Any]
    sizes: list[int]
    train_digits: int
    validation_digits: int
    data_sha256: str
    threads: int
    date: str
    command: str = ""


@dataclass(frozen=True, kw_only=True)
class PhaseStarted(Event, name="phase_started"):
    """Phase 1 (real, compressed) or 2 (noisy) begins; ``steps`` are steps an epoch."""

    phase: int
    epochs: int
    steps: int


@dataclass(frozen=True, kw_only=True)
class Progress(Event, name="progress"):
    """About four a second, for eyes only. ``epoch`` counts from 1, ``step`` within it.

    ``loss`` is the mean cross-entropy over the epoch so far; ``speed`` is in digits a second.
    """

    phase: int
    epoch: int
    step: int
    steps: int
    speed: float
    loss: float | None
    learning_rate: float
    gain: float | None
    paused: bool = False


@dataclass(frozen=True, kw_only=True)
class SettingsChanged(Event, name="settings_changed"):
    """A live setting changed; it acts from ``step`` of ``epoch`` (from 1) of ``phase`` on."""

    phase: int
    epoch: int
    step: int
    field: str
    value: float


@dataclass(frozen=True, kw_only=True)
class EpochEnded(Event, name="epoch_ended"):
    """How the network stands after an epoch; lists have one entry a layer.

    Attributes:
        loss: mean cross-entropy over the epoch's training steps.
        train_error_real, validation_error_real: the real network of phase 1; None in phase 2.
        train_error_bitwise, validation_error_bitwise: the network binarised as it stands now.
            Validation errors are None when the training digits reach into the validation set.
        flips: share of weights that changed value since the last epoch.
        zeros: share of weights that are switched off.
        saturation: mean |tanh(k w_bar)| (phase 1) or mean |w_bar| (phase 2).
        histogram: share of compressed weights in each of 40 bins over [-1, 1].
        boundary: beta; 0 where nothing is switched off.
        ties: validation (else training) digits whose two largest sums are equal.
        gain: compression gain k; None in phase 2.
    """

    phase: int
    epoch: int
    loss: float
    train_error_real: float | None
    validation_error_real: float | None
    train_error_bitwise: float
    validation_error_bitwise: float | None
    flips: list[float]
    zeros: list[float]
    saturation: list[float]
    histogram: list[list[float]]
    boundary: list[float]
    ties: int
    learning_rate: float
    gain: float | None
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Snapshot(Event, name="snapshot"):
    """All bits as they stand, kept as a model file; ``step`` counts within the phase.

    The errors are those of :class:`EpochEnded`. Within a phase's first epoch only one is measured, that on
    the validation set if there is one, so that a first point comes long before the first epoch is over.
    """

    phase: int
    epoch: int
    step: int
    train_error_bitwise: float | None = None
    validation_error_bitwise: float | None = None
    network: BitwiseNetwork = field(repr=False, compare=False, metadata=_PAYLOAD)

    @property
    def taken(self) -> SnapshotName:
        """When it was taken, which names its file."""
        return SnapshotName(self.phase, self.epoch, self.step)


@dataclass(frozen=True, kw_only=True)
class Branched(Event, name="branched"):
    """The run leaves its parent after ``epoch`` epochs of ``phase``; what came before is the parent's past.

    Attributes:
        parent: the parent's id.
        config: the whole configuration from here on; settings that the parent had changed are in it.
        changes: dotted field -> value, where it differs from what was in force.
    """

    phase: int
    epoch: int
    parent: str
    config: dict[str, Any]
    changes: dict[str, Any]
    date: str
    command: str = ""


@dataclass(frozen=True, kw_only=True)
class Recomputing(Event, name="recomputing"):
    """About four a second, for eyes only: ``done`` of ``epochs`` epochs on the way to the branching point."""

    done: float
    epochs: int


@dataclass(frozen=True, kw_only=True)
class Recomputed(Event, name="recomputed"):
    """The state of the branching point is there again, after ``epochs`` epochs (0: it had been kept).

    ``same_bits`` says whether these are the bits of the parent's snapshot (another machine may well compute
    others); None where nothing was recomputed or the snapshot is not kept.
    """

    epochs: int
    same_bits: bool | None


@dataclass(frozen=True, kw_only=True)
class PhaseEnded(Event, name="phase_ended"):
    """A phase is over; phase 1 carries the real network as it then stands."""

    phase: int
    seconds: float
    real: RealNetwork | None = field(default=None, repr=False, compare=False, metadata=_PAYLOAD)


@dataclass(frozen=True, kw_only=True)
class RunEnded(Event, name="run_ended"):
    """The last record. ``status`` is ``finished``, ``stopped`` or ``failed``.

    ``test_error``, ``test_errors`` and ``test_ties`` only if finished; ``reason`` only if failed.
    """

    status: str
    test_error: float | None = None
    test_errors: int | None = None
    test_ties: int | None = None
    test_error_real: float | None = None
    reason: str | None = None
    seconds: float = 0.0
    network: BitwiseNetwork | None = field(default=None, repr=False, compare=False, metadata=_PAYLOAD)


@dataclass(frozen=True, kw_only=True)
class Checkpoint(Event, name="checkpoint"):
    """All that a run needs to go on bit for bit; a file of its own, no record.

    Attributes:
        tensors: by name; latent weights and biases, Adam's moments, the bits of the last epoch.
        state: JSON values: place in the run, running sums, changed settings, boundaries, threads.
        keep: whether it is kept for branching in any case: where a phase has ended, or a branch begins.
    """

    tensors: dict[str, NDArray[Any]] = field(repr=False, compare=False, metadata=_PAYLOAD)
    state: dict[str, Any] = field(repr=False, metadata=_PAYLOAD)
    keep: bool = False
