"""A run is a folder of small facts: read it, follow it, list all of them.

    <root>/<id>/
      config.json              the configuration
      events.jsonl             one record a line, see bnn_core.training.events
      snapshots/*.safetensors  model files: all bits as they stood then
      checkpoint.safetensors   the latest place to resume from; checkpoints/: some to branch from
      real.safetensors         phase 1's real network
      model.safetensors        the packed network, when finished; card.json: what it is
      worker.log               what the process had to say

The root is ``runs/`` beside ``explorer/`` unless the environment variable ``BNN_RUNS`` names another
folder. Reading never needs torch; writing is in :mod:`bnn_core.runs.writer`.
"""

from __future__ import annotations

import json
import os
import threading
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock, Timeout

from bnn_core import names
from bnn_core.config import RunConfig, parse_config
from bnn_core.errors import InputError
from bnn_core.names import SnapshotName, is_snapshot_name

_PROBE = threading.Lock()


class SnapshotFile(NamedTuple):
    """One kept state of all bits; they sort in time."""

    name: SnapshotName
    path: Path


class EventLog:
    """Follows ``events.jsonl``: complete lines only; a run that was resumed is read anew.

    ``records`` are the JSON records so far; ``generation`` counts how often the file was replaced.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.records: list[dict[str, Any]] = []
        self.generation = 0
        self._offset = 0
        self._inode: int | None = None

    def poll(self) -> list[dict[str, Any]]:
        """Read what is new; returns the new records. A half-written last line waits for its end."""
        try:
            with self.path.open("rb") as file:
                stat = os.fstat(file.fileno())
                if self._inode != stat.st_ino or stat.st_size < self._offset:
                    # Resuming replaces the file by a shorter one: what was read after it never happened.
                    self.generation += self._inode is not None
                    self._inode, self._offset, self.records = stat.st_ino, 0, []
                file.seek(self._offset)
                content = file.read()
        except FileNotFoundError:
            return []
        end = content.rfind(b"\n") + 1
        self._offset += end
        new = [record for line in content[:end].splitlines() if (record := _record(line)) is not None]
        self.records = [*self.records, *new]
        return new


def _record(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except ValueError:
        return None  # a line that a crash left broken in the middle says nothing
    return record if isinstance(record, dict) and "event" in record else None


class RunFolder:
    """One run, as it lies on disk.

    Raises:
        InputError: the folder is no run.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).absolute()
        if not (self.path / names.CONFIG_FILE).is_file():
            raise InputError(f"{path} is no run folder: it holds no {names.CONFIG_FILE}.")

    @property
    def id(self) -> str:
        """The folder's name."""
        return self.path.name

    @cached_property
    def config(self) -> RunConfig:
        """The run's configuration; raises InputError if the file is damaged."""
        path = self.path / names.CONFIG_FILE
        return parse_config(path.read_bytes(), str(path))

    def log(self) -> EventLog:
        """A follower of the run's records, not yet polled."""
        return EventLog(self.path / names.EVENTS_FILE)

    def events(self) -> list[dict[str, Any]]:
        """All complete records."""
        log = self.log()
        log.poll()
        return log.records

    @property
    def locked(self) -> bool:
        """Whether a process is writing this run now."""
        lock = self.path / names.LOCK_FILE
        if not lock.exists():
            return False
        try:
            # Asking means taking it for a moment: readers wait for each other, a writer never lets go.
            with _PROBE, FileLock(lock, timeout=0.1, poll_interval=0.01):
                return False
        except Timeout:
            return True
        except OSError:
            return False  # a folder that cannot be written has no writer

    def state(self, records: list[dict[str, Any]] | None = None) -> str:
        """``running``, ``paused``, ``finished``, ``stopped``, ``failed`` or ``interrupted``.

        An interrupted run has neither an end nor a writer: its process was killed.
        """
        records = self.events() if records is None else records
        if records and records[-1]["event"] == "run_ended":
            return str(records[-1].get("status", "failed"))
        if self.locked:
            paused = next((r.get("paused") for r in reversed(records) if r["event"] == "progress"), False)
            return "paused" if paused else "running"
        return "interrupted"

    @property
    def resumable(self) -> bool:
        """Whether there is a checkpoint to go on from."""
        return (self.path / names.CHECKPOINT_FILE).is_file()

    @property
    def model_path(self) -> Path | None:
        """The finished run's model file."""
        return self._file(names.MODEL_FILE)

    @property
    def real_path(self) -> Path | None:
        """Phase 1's real network, once that phase is over."""
        return self._file(names.REAL_FILE)

    def _file(self, name: str) -> Path | None:
        path = self.path / name
        return path if path.is_file() else None

    @property
    def latest_network(self) -> Path | None:
        """The model file, or else the newest snapshot."""
        snapshots = self.snapshots()
        return self.model_path or (snapshots[-1].path if snapshots else None)

    def snapshots(self) -> list[SnapshotFile]:
        """The kept states of all bits, in time."""
        paths = (self.path / names.SNAPSHOTS).glob("*.safetensors")
        return sorted(SnapshotFile(SnapshotName.parse(p.stem), p) for p in paths if is_snapshot_name(p.stem))

    def card(self) -> dict[str, Any] | None:
        """The finished run's card: what it is, how well it reads; None if there is none that can be read."""
        path = self.path / names.CARD_FILE
        try:
            card = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return card if isinstance(card, dict) and "error_percent" in card else None
