"""The records of a run as one value: how far it is, how fast, what is in force, how it stands. Pure."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from bnn_core.config import RunConfig
from bnn_core.errors import InputError
from bnn_core.training.events import (
    Branched,
    EpochEnded,
    Event,
    PhaseStarted,
    Progress,
    Recomputed,
    Recomputing,
    RunEnded,
    RunStarted,
    SettingsChanged,
)

_KINDS = {kind.name: kind for kind in Event.__subclasses__()}
"""The events by the name in their records."""

SPEEDS = 12
"""Progress records, four a second, that the speed is taken from."""


@dataclass(frozen=True)
class Errors:
    """An epoch's errors in %, on one split for the whole run."""

    epoch: int
    real: float | None
    bitwise: float


@dataclass(frozen=True)
class Glance:
    """A first look at the bits within a phase's first epoch; errors in %, None where not measured.

    Attributes:
        share: how much of the epoch was over, 0 to 1.
    """

    phase: int
    share: float
    train_error: float | None
    validation_error: float | None


@dataclass(frozen=True)
class Cursor:
    """A moment on the charts.

    Attributes:
        epoch: epochs of the phase that were over.
        share: how much of the next one was.
        error: of the bits then, in %; None if it was not measured.
    """

    phase: int
    epoch: int
    share: float
    error: float | None


@dataclass(frozen=True)
class History:
    """What a run's records say so far.

    Attributes:
        config: the configuration that it started with, or left its parent with; None before its first
            record.
        started: the first record.
        epochs: the finished epochs of both phases.
        glances: looks at the bits within the first epoch of each phase; older runs have none.
        progress: the latest progress record of the epoch under way; None between two epochs.
        phase: the phase under way, or the last one.
        steps: steps of an epoch in phase 1 and in phase 2; 0 for a phase that has not begun.
        changes: settings that were changed while it ran (a branch: since it left its parent), in order.
        parent: where it left another run; None for a run that is no branch.
        recomputing: how far the way back to that moment is, until it is there.
        same_bits: whether the bits of that moment came out as the parent's, as far as that is known.
        end: the last record of a run that has ended.
        paused: whether it was told to wait, as far as the records know.
        speeds: the latest digits a second.
        facts: how many records there are besides progress: the version of everything but numbers that run on.
    """

    config: RunConfig | None = None
    started: RunStarted | None = None
    epochs: tuple[EpochEnded, ...] = ()
    glances: tuple[Glance, ...] = ()
    progress: Progress | None = None
    phase: int = 1
    steps: tuple[int, int] = (0, 0)
    changes: tuple[SettingsChanged, ...] = ()
    parent: Branched | None = None
    recomputing: Recomputing | None = None
    same_bits: bool | None = None
    end: RunEnded | None = None
    paused: bool = False
    speeds: tuple[float, ...] = ()
    facts: int = 0

    @property
    def planned(self) -> tuple[int, int]:
        """Epochs of phase 1 and of phase 2; those that are there where no configuration says."""
        if self.config is None:
            return len(self.of_phase(1)), len(self.of_phase(2))
        return self.config.phase1.epochs, self.config.phase2.epochs

    def of_phase(self, phase: int) -> tuple[EpochEnded, ...]:
        """The finished epochs of a phase."""
        return tuple(e for e in self.epochs if e.phase == phase)

    @property
    def validated(self) -> bool:
        """Whether the errors are the validation set's; else those of the training digits' sample."""
        if self.epochs:
            return all(e.validation_error_bitwise is not None for e in self.epochs)
        return self.started is None or self.started.validation_digits > 0

    def errors(self, phase: int) -> tuple[Errors, ...]:
        """The errors of a phase, epoch by epoch, all on the same split."""
        if self.validated:
            return tuple(
                Errors(e.epoch, e.validation_error_real, e.validation_error_bitwise)
                for e in self.of_phase(phase)
                if e.validation_error_bitwise is not None
            )
        return tuple(Errors(e.epoch, e.train_error_real, e.train_error_bitwise) for e in self.of_phase(phase))

    def first_points(self, phase: int) -> tuple[tuple[float, float], ...]:
        """(share of the first epoch, error of the bits) within the phase's first epoch, on that split."""
        points = (
            (g.share, g.validation_error if self.validated else g.train_error)
            for g in self.glances
            if g.phase == phase
        )
        return tuple((share, error) for share, error in points if error is not None)

    def cursor(self, phase: int, epoch: int, step: int) -> Cursor:
        """Where a snapshot stands on the charts."""
        steps = self.steps[phase - 1]
        if epoch or not steps:
            error = next((e.bitwise for e in self.errors(phase) if e.epoch == epoch), None)
            return Cursor(phase, epoch, 0.0, error)
        share = min(1.0, step / steps)
        return Cursor(phase, 0, share, dict(self.first_points(phase)).get(share))

    @property
    def latest_error(self) -> float | None:
        """The newest error of the bits; None before the first."""
        for phase in (2, 1):
            if errors := self.errors(phase):
                return errors[-1].bitwise
            if points := self.first_points(phase):
                return points[-1][1]
        return None

    @property
    def naive(self) -> float | None:
        """The error of phase 1's network, binarised as it stood at its end; None before."""
        errors = self.errors(1)
        return errors[-1].bitwise if errors and len(errors) >= self.planned[0] else None

    @property
    def real(self) -> float | None:
        """The real network's error at the end of phase 1, or so far."""
        errors = self.errors(1)
        return errors[-1].real if errors else None

    @property
    def settings(self) -> dict[str, Any]:
        """Settings that were changed while it ran, each with its latest value."""
        return {change.field: change.value for change in self.changes}

    @property
    def in_force(self) -> RunConfig | None:
        """The configuration with those changes."""
        try:
            return self.config and self.config.updated(self.settings)
        except InputError:
            return self.config

    @property
    def learning_rate(self) -> float | None:
        """The rate now."""
        if self.progress is not None:
            return self.progress.learning_rate
        last = self.of_phase(self.phase)
        return last[-1].learning_rate if last else None

    @property
    def loss(self) -> float | None:
        """The running loss, or the last epoch's."""
        if self.progress is not None and self.progress.loss is not None:
            return self.progress.loss
        return self.epochs[-1].loss if self.epochs else None

    @property
    def speed(self) -> float | None:
        """Digits a second, over the last few seconds."""
        return median(self.speeds) if self.speeds else None

    def done(self, phase: int) -> float:
        """Epochs of a phase that are over, with the part of the one under way."""
        whole = len(self.of_phase(phase))
        now = self.progress
        if now is None or now.phase != phase or whole >= self.planned[phase - 1]:
            return float(whole)
        return whole + (now.step / now.steps if now.steps and now.epoch == whole + 1 else 0.0)

    @property
    def seconds_left(self) -> float | None:
        """How long it will take yet, from the epochs so far and the speed now; None if nothing is known."""
        if self.end is not None:
            return 0.0
        known = {phase: self._epoch_seconds(phase) for phase in (1, 2)}
        total = 0.0
        if self.recomputing is not None:
            total += (self.recomputing.epochs - self.recomputing.done) * (known[1] or known[2] or 0.0)
        for phase in (1, 2):
            left = self.planned[phase - 1] - self.done(phase)
            if left <= 0:
                continue
            # An epoch of phase 2 takes about as long as one of phase 1.
            seconds = known[phase] or known[3 - phase]
            if seconds is None:
                return None
            total += left * seconds
        return total

    def _epoch_seconds(self, phase: int) -> float | None:
        times = [e.seconds for e in self.of_phase(phase)[-3:] if e.seconds > 0]
        if times:
            return median(times)
        if self.progress is not None and self.progress.phase == phase and self.speed and self.started:
            return self.started.train_digits / self.speed
        return None


def history(records: Sequence[Mapping[str, Any]]) -> History:
    """Read a run's records; those that cannot be read are passed over."""
    started: RunStarted | None = None
    parent: Branched | None = None
    recomputing: Recomputing | None = None
    same_bits: bool | None = None
    glances: list[Glance] = []
    steps = [0, 0]
    config: RunConfig | None = None
    epochs: list[EpochEnded] = []
    changes: list[SettingsChanged] = []
    progress: Progress | None = None
    end: RunEnded | None = None
    phase, paused, facts = 1, False, 0
    speeds: deque[float] = deque(maxlen=SPEEDS)
    for record in records:
        name = record.get("event")
        facts += name not in ("progress", "recomputing")
        if "config" in record:
            config = _config(record["config"]) or config
        if name == "snapshot" and (glance := _glance(record, steps[phase - 1])) is not None:
            glances.append(glance)
        match _typed(record):
            case Progress() as progress:
                paused, phase = progress.paused, progress.phase
                if progress.speed:
                    speeds.append(progress.speed)
            case Recomputing() as recomputing:
                pass
            case RunStarted() as started:
                pass
            case PhaseStarted() as begun:
                phase, progress = begun.phase, None
                steps[phase - 1] = begun.steps
            case EpochEnded() as epoch:
                epochs.append(epoch)
                progress, paused = None, False
            case SettingsChanged() as change:
                changes.append(change)
            case Branched() as parent:
                phase, progress, paused, changes = parent.phase, None, False, []
            case Recomputed(same_bits=same_bits):
                recomputing = None
            case RunEnded() as end:
                progress = None if end.status == "finished" else progress
                paused = False
    return History(
        config=config,
        started=started,
        epochs=tuple(epochs),
        glances=tuple(glances),
        progress=progress,
        phase=phase,
        steps=(steps[0], steps[1]),
        changes=tuple(changes),
        parent=parent,
        recomputing=recomputing if end is None else None,
        same_bits=same_bits,
        end=end,
        paused=paused,
        speeds=tuple(speeds),
        facts=facts,
    )


def _glance(record: Mapping[str, Any], steps: int) -> Glance | None:
    """A snapshot within a phase's first epoch; older ones say nothing of errors."""
    phase, epoch, step = (record.get(key) for key in ("phase", "epoch", "step"))
    if not (isinstance(phase, int) and isinstance(step, int) and epoch == 0 and 0 < step <= steps):
        return None
    errors = (record.get("train_error_bitwise"), record.get("validation_error_bitwise"))
    return None if errors == (None, None) else Glance(phase, step / steps, *errors)


def _typed(record: Mapping[str, Any]) -> Event | None:
    """The record as the event that it is; None if it lacks something, as a snapshot's its network."""
    kind = _KINDS.get(str(record.get("event")), Event)
    known = {f.name for f in dataclasses.fields(kind)}
    try:
        return kind(**{key: value for key, value in record.items() if key in known})
    except TypeError:
        return None


def _config(values: Any) -> RunConfig | None:
    try:
        return RunConfig.from_dict(values)
    except (InputError, TypeError, ValueError):
        return None
