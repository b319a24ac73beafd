"""A run's past, as its records tell it: which moments it has, what was in force then, what led there.

A moment is the end of an epoch, or the start of phase 2: a place from which the run can be left for
another one. Pure; no files, no torch.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from bnn_core.config import RunConfig
from bnn_core.errors import InputError

Record = Mapping[str, Any]

_MOMENT = re.compile(r"phase([12]):([0-9]{1,4})")
_CHANGE = ("phase", "epoch", "step", "field", "value")


class Moment(NamedTuple):
    """After ``epoch`` epochs of ``phase``; (2, 0) is the start of phase 2. Moments sort in time."""

    phase: int
    epoch: int

    @property
    def text(self) -> str:
        """As the command line and the URL write it: ``phase2:3``."""
        return f"phase{self.phase}:{self.epoch}"

    def __str__(self) -> str:
        if self.epoch == 0:
            return f"the start of phase {self.phase}"
        return f"phase {self.phase}, epoch {self.epoch}"


def parse_moment(text: str) -> Moment:
    """``phase2:3``; raises InputError on anything else."""
    found = _MOMENT.fullmatch(text.strip())
    if found is None:
        raise InputError(
            f"The moment is {text[:40]!r}: allowed is phase1:EPOCH or phase2:EPOCH, as in phase2:3."
        )
    return Moment(int(found[1]), int(found[2]))


def moments(records: Sequence[Record]) -> list[Moment]:
    """The moments that the run has passed, in time."""
    ended = [r for r in records if r.get("event") == "epoch_ended" and r.keys() >= {"phase", "epoch"}]
    found = [Moment(r["phase"], r["epoch"]) for r in ended]
    if any((r.get("event"), r.get("phase")) == ("phase_ended", 1) for r in records):
        found.append(Moment(2, 0))
    return sorted(found)


def until(records: Sequence[Record], moment: Moment) -> list[Record]:
    """The records up to that moment.

    Where the run itself began as a branch of just that moment, what it says of that belongs to it.

    Raises:
        InputError: the run has no such moment; names those that it has.
    """
    passed = moments(records)
    if moment not in passed:
        raise InputError(f"The run has no {moment.text}{_allowed(passed)}")
    end = ("phase_ended", 1, None) if moment == (2, 0) else ("epoch_ended", moment.phase, moment.epoch)
    last = next(i for i, r in enumerate(records) if (r.get("event"), r.get("phase"), r.get("epoch")) == end)
    trailing = itertools.takewhile(lambda r: _belongs(r, moment), records[last + 1 :])
    return [*records[: last + 1], *trailing]


def _allowed(passed: Sequence[Moment]) -> str:
    if not passed:
        return ": no epoch of it is over."
    spans = []
    for phase in (1, 2):
        epochs = [m.epoch for m in passed if m.phase == phase]
        if epochs:
            spans.append(f"phase{phase}:{epochs[0]} to phase{phase}:{epochs[-1]}")
    return f": allowed are {' and '.join(spans)}."


def _belongs(record: Record, moment: Moment) -> bool:
    """Whether a record right after the end of an epoch or phase still tells of that moment."""
    name = record.get("event")
    if name in ("snapshot", "branched"):
        return (record.get("phase"), record.get("epoch")) == moment
    return name in ("recomputing", "recomputed")


@dataclass(frozen=True)
class Segment:
    """A stretch of a run under one configuration.

    Attributes:
        config: what it began with.
        changes: settings that changed in it, in order, without their times.
        until: where it ends.
    """

    config: RunConfig
    changes: tuple[dict[str, Any], ...]
    until: Moment

    @property
    def in_force(self) -> RunConfig:
        """The configuration at its end."""
        return self.config.updated({change["field"]: change["value"] for change in self.changes})


def segments(records: Sequence[Record], moment: Moment) -> list[Segment]:
    """How a run came to that moment: a stretch until each branching, the last one until the moment.

    Raises:
        InputError: the run has no such moment, or its records are damaged.
    """
    stretches = _stretches(until(records, moment))
    if not stretches:
        raise InputError("This run's first record is missing: nothing is known of how it began.")
    ends = [Moment(began["phase"], began["epoch"]) for began, _ in stretches[1:]]
    return [
        Segment(RunConfig.from_dict(began["config"]), tuple(changes), end)
        for (began, changes), end in zip(stretches, [*ends, moment], strict=True)
    ]


def _stretches(records: Sequence[Record]) -> list[tuple[Record, list[dict[str, Any]]]]:
    """What began the run and each branch of it, with the settings that changed from then on, in order."""
    found: list[tuple[Record, list[dict[str, Any]]]] = []
    for record in records:
        if record.get("event") in ("run_started", "branched"):
            found.append((record, []))
        elif record.get("event") == "settings_changed" and found:
            found[-1][1].append(change_of(record))
    return found


def config_at(records: Sequence[Record], moment: Moment) -> RunConfig:
    """The configuration that was in force at that moment; raises InputError as :func:`segments` does."""
    return segments(records, moment)[-1].in_force


def change_of(record: Record) -> dict[str, Any]:
    """A settings_changed record without its time."""
    return {key: record[key] for key in _CHANGE}


def own_changes(records: Sequence[Record]) -> list[dict[str, Any]]:
    """The settings that changed since the run began, or since it left its parent."""
    stretches = _stretches(records)
    return stretches[-1][1] if stretches else []


def parent_of(records: Sequence[Record]) -> dict[str, Any] | None:
    """Where a branch comes from: {run, phase, epoch}; None for a run that is no branch."""
    branched = next((r for r in reversed(records) if r.get("event") == "branched"), None)
    if branched is None or not branched.keys() >= {"parent", "phase", "epoch"}:
        return None
    return _origin(branched)


def _origin(branched: Record) -> dict[str, Any]:
    return {"run": branched["parent"], "phase": branched["phase"], "epoch": branched["epoch"]}


def lineage(records: Sequence[Record]) -> dict[str, Any] | None:
    """:func:`parent_of`, with all that it takes to make that parent again up to there.

    Its ``config`` and ``changes`` are those of the parent's own stretch; ``parent`` is where that one comes
    from, if it was a branch too.
    """
    found: dict[str, Any] | None = None
    for (before, changes), (branched, _) in itertools.pairwise(_stretches(records)):
        found = {**_origin(branched), "config": before["config"], "changes": changes, "parent": found}
    return found
