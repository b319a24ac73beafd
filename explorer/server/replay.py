"""Replay: a kept run plays back as if it were live. Records and a clock give the records seen by now. Pure.

Every record carries `t`, seconds of training since the start; a replay shows those whose time has come.
What it shows is made from them by the very functions that show a live run.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

from bnn_core.names import SnapshotName
from explorer.server.history import SPEEDS

Record = Mapping[str, Any]

PACES = ("1", "4", "16", "max")
"""How fast: as it was, 4 times, 16 times, or the whole run in `FASTEST_SECONDS`."""

FASTEST_SECONDS = 6.0

_TICK = 1e-6
"""Seconds between records that say they were written at the same moment."""


@dataclass(frozen=True)
class Clock:
    """Where a replay stands.

    Attributes:
        position: seconds of the run...
        since: ...when the wall clock said this (any clock that only goes forward).
        speed: seconds of the run a second.
        running: whether it plays; else it stands at `position`.
    """

    position: float = 0.0
    since: float = 0.0
    speed: float = 1.0
    running: bool = True

    def at(self, now: float) -> float:
        """Seconds of the run that have been played by now."""
        return self.position + max(0.0, now - self.since) * self.speed if self.running else self.position

    def paused(self, now: float) -> Clock:
        """The same, held."""
        return replace(self, position=self.at(now), since=now, running=False)

    def going(self, now: float) -> Clock:
        """The same, playing."""
        return replace(self, position=self.at(now), since=now, running=True)

    def at_speed(self, speed: float, now: float) -> Clock:
        """The same place, from now on at another speed."""
        return replace(self, position=self.at(now), since=now, speed=speed)

    def moved(self, position: float, now: float) -> Clock:
        """Another place; it plays or stands as before."""
        return replace(self, position=position, since=now)


@dataclass(frozen=True, eq=False)
class Tape:
    """A run's records, ready to be played.

    Attributes:
        records: all of them, in order.
        times: when each is due; always rising, whatever the records say, so that any one can be sought.
    """

    records: Sequence[Record]
    times: tuple[float, ...]

    @property
    def length(self) -> float:
        """Seconds until the last record."""
        return self.times[-1] if self.times else 0.0

    def ended(self, position: float) -> bool:
        """Whether everything has been played."""
        return position >= self.length

    def seen(self, position: float) -> list[Record]:
        """The records that are due; of those that only tell the progress, the last few."""
        due = self.records[: bisect_right(self.times, position)]
        running = [i for i, record in enumerate(due) if record.get("event") == "progress"]
        dropped = set(running[:-SPEEDS])
        return [record for i, record in enumerate(due) if i not in dropped]

    def next_epoch(self, position: float) -> float:
        """When the next epoch has ended, its snapshot taken; the end of the tape after the last one."""
        due = bisect_right(self.times, position)
        ended = (i for i in range(due, len(self.records)) if self.records[i].get("event") == "epoch_ended")
        index = next(ended, None)
        if index is None:
            return self.length
        after = self.records[index + 1 : index + 2]
        return self.times[index + 1 if after and after[0].get("event") == "snapshot" else index]

    def time_of(self, name: str) -> float | None:
        """When a snapshot was taken, by the name of its file without its ending."""
        for record, time in zip(self.records, self.times, strict=True):
            if _text(record) == name:
                return time
        return None

    def speed(self, pace: str) -> float:
        """Seconds of the run a second, for one of `PACES`."""
        if pace == "max":
            return max(16.0, self.length / FASTEST_SECONDS)
        return float(pace)


def tape(records: Sequence[Record]) -> Tape:
    """The tape of a run."""
    told = (float(t) if isinstance(t := record.get("t"), int | float) else 0.0 for record in records)
    return Tape(records, tuple(accumulate(told, lambda before, t: max(before + _TICK, t))))


def _text(record: Record) -> str | None:
    """The name of the snapshot that a record tells of, as `at` in the URL; None for other records."""
    name = SnapshotName.of(record)
    return name and name.text


def until_snapshot(records: Sequence[Record], name: str) -> list[Record]:
    """The records up to a snapshot; all of them if there is no such one."""
    for index, record in enumerate(records):
        if _text(record) == name:
            return list(records[: index + 1])
    return list(records)


def newest_snapshot(records: Sequence[Record]) -> str:
    """The name of the last snapshot; empty if there is none."""
    return next(filter(None, map(_text, reversed(records))), "")
