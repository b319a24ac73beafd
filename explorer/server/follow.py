"""Followers: the records of runs, read as they grow, once for all viewers. No Streamlit inside."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bnn_core.errors import InputError
from bnn_core.names import EVENTS_FILE
from bnn_core.runs.folder import EventLog, RunFolder
from explorer.server.history import History, history
from explorer.server.jobs import Job

Status = Literal[
    "new", "waiting", "starting", "running", "paused", "finished", "stopped", "failed", "interrupted", "gone"
]

LOCK_SECONDS = 1.0
"""How long an answer to "is someone writing this run?" holds: asking takes the lock for a moment."""

_KEPT = 32


@dataclass(frozen=True)
class Seen:
    """A run as its records show it now.

    Attributes:
        version: (generation, facts): changes whenever anything but progress was written.
        exists: whether the folder is there.
        records: what the history was made from.
    """

    history: History
    version: tuple[int, int]
    exists: bool
    records: Sequence[Mapping[str, Any]] = ()


class Follower:
    """Reads one run's records as they grow; safe to call from any thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._run: RunFolder | None = None
        self._log = EventLog(folder / EVENTS_FILE)
        self._seen = Seen(History(), (0, 0), False)
        self._locked = False
        self._locked_at = -LOCK_SECONDS

    def _find(self) -> RunFolder | None:
        if self._run is None:
            try:
                self._run = RunFolder(self.folder)
            except InputError:
                return None
        return self._run

    def poll(self) -> Seen:
        """Read what is new."""
        with self._lock:
            if self._find() is None:
                return self._seen
            self._log.poll()
            now, seen = (self._log.generation, len(self._log.records)), self._seen
            if not seen.exists or now != (seen.version[0], len(seen.records)):
                found = history(self._log.records)
                self._seen = Seen(found, (self._log.generation, found.facts), True, self._log.records)
            return self._seen

    def locked(self) -> bool:
        """Whether any process is writing the run."""
        with self._lock:
            now = time.monotonic()
            if now - self._locked_at >= LOCK_SECONDS:
                run = self._find()
                self._locked = run is not None and run.locked
                self._locked_at = now
            return self._locked

    def status(self, seen: Seen, job: Job | None) -> tuple[Status, bool]:
        """(how the run stands, whether another program writes it)."""
        state = None if job is None else job.state
        going: Status = "paused" if seen.history.paused else "running"
        if state == "waiting":
            return "waiting", False
        if job is not None and job.active:
            began = seen.history.started is not None and state == "running"
            return going if began else "starting", False
        if seen.exists:
            end = seen.history.end
            if end is not None and end.status in ("finished", "stopped", "failed"):
                return end.status, False  # type: ignore[return-value]
            if self.locked():
                return going, True
        return "failed" if state == "failed" else "interrupted" if seen.exists else "gone", False


class Followers:
    """One follower a run, for all sessions; the least used ones are dropped."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[Path, Follower] = OrderedDict()

    def of(self, folder: Path) -> Follower:
        """The run's follower."""
        with self._lock:
            follower = self._known.setdefault(folder, Follower(folder))
            self._known.move_to_end(folder)
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
            return follower
