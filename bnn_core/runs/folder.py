"""A run is a folder of small facts: read it, follow it, list all of them.

    <root>/<id>/
      config.json              the configuration
      events.jsonl             one record a line, see bnn_core.runs.events
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
import re
import secrets
import threading
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from bnn_core.config import RunConfig, parse_config
from bnn_core.errors import InputError
from bnn_core.models import CARD_FILE, MODEL_FILE, MODELS_FOLDER

CONFIG_FILE = "config.json"
EVENTS_FILE = "events.jsonl"
CHECKPOINT_FILE = "checkpoint.safetensors"
REAL_FILE = "real.safetensors"
LOCK_FILE = "run.lock"
LOG_FILE = "worker.log"
SNAPSHOTS = "snapshots"
CHECKPOINTS = "checkpoints"

_PROBE = threading.Lock()
_RUN_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_SNAPSHOT = re.compile(r"phase([12])-epoch(\d{4})-step(\d{7})\.safetensors")


def runs_root() -> Path:
    """The folder that holds all runs; it need not exist yet."""
    return Path(os.environ.get("BNN_RUNS") or Path(__file__).parents[2] / "runs").absolute()


def is_run_id(text: str) -> bool:
    """Whether the text is a plain id, [a-z0-9-], that can be no path."""
    return _RUN_ID.fullmatch(text) is not None


def new_run_id(label: str = "run") -> str:
    """A fresh id that sorts by time: ``20261123-101502-quick-3f2a``."""
    label = re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")[:24] or "run"
    return f"{datetime.now():%Y%m%d-%H%M%S}-{label}-{secrets.token_hex(2)}"


def new_branch_id(parent: str) -> str:
    """A fresh id for a branch of that run: ``20261123-101502-quick-branch-3f2a``."""
    found = re.fullmatch(r"\d{8}-\d{6}-(.+)-[0-9a-f]{4}", parent)
    label = (found[1] if found else parent).removesuffix("-branch")
    return new_run_id(f"{label[:17].rstrip('-')}-branch")


@dataclass(frozen=True)
class SnapshotFile:
    """One kept state of all bits; ``step`` counts within the phase, ``epoch`` those that were over."""

    phase: int
    epoch: int
    step: int
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
        if not (self.path / CONFIG_FILE).is_file():
            raise InputError(f"{path} is no run folder: it holds no {CONFIG_FILE}.")

    @property
    def id(self) -> str:
        """The folder's name."""
        return self.path.name

    @cached_property
    def config(self) -> RunConfig:
        """The run's configuration; raises InputError if the file is damaged."""
        path = self.path / CONFIG_FILE
        try:
            return parse_config(path.read_text("utf-8"), str(path))
        except InputError as error:
            message = str(error)
            raise InputError(message if str(path) in message else f"{path}: {message}") from None
        except UnicodeDecodeError:
            raise InputError(f"{path} is not a run's configuration: allowed is a JSON object.") from None

    def log(self) -> EventLog:
        """A follower of the run's records, not yet polled."""
        return EventLog(self.path / EVENTS_FILE)

    def events(self) -> list[dict[str, Any]]:
        """All complete records."""
        log = self.log()
        log.poll()
        return log.records

    @property
    def locked(self) -> bool:
        """Whether a process is writing this run now."""
        lock = self.path / LOCK_FILE
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
        return (self.path / CHECKPOINT_FILE).is_file()

    @property
    def model_path(self) -> Path | None:
        """The finished run's model file."""
        path = self.path / MODEL_FILE
        return path if path.is_file() else None

    @property
    def real_path(self) -> Path | None:
        """Phase 1's real network, once that phase is over."""
        path = self.path / REAL_FILE
        return path if path.is_file() else None

    @property
    def latest_network(self) -> Path | None:
        """The model file, or else the newest snapshot."""
        snapshots = self.snapshots()
        return self.model_path or (snapshots[-1].path if snapshots else None)

    def snapshots(self) -> list[SnapshotFile]:
        """The kept states of all bits, in time."""
        folder = self.path / SNAPSHOTS
        found = [(match, path) for path in folder.glob("*") if (match := _SNAPSHOT.fullmatch(path.name))]
        return sorted(
            (SnapshotFile(int(m[1]), int(m[2]), int(m[3]), path) for m, path in found),
            key=lambda s: (s.phase, s.epoch, s.step),  # a branch with another batch counts steps otherwise
        )

    def card(self) -> dict[str, Any] | None:
        """The finished run's card, see :mod:`bnn_core.runs.card`; None if there is none that can be read."""
        path = self.path / CARD_FILE
        try:
            card = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return card if isinstance(card, dict) and "error_percent" in card else None


def find_run(source: str | Path) -> RunFolder:
    """A run by id, by shipped name or by folder; raises InputError if there is none."""
    if isinstance(source, str) and is_run_id(source):
        for folder in (MODELS_FOLDER / source, runs_root() / source):
            if (folder / CONFIG_FILE).is_file():
                return RunFolder(folder)
    if (Path(source) / CONFIG_FILE).is_file():
        return RunFolder(source)
    raise InputError(
        f"There is no run {str(source)!r}: allowed is a run's id in {runs_root()} or its folder."
    )


def list_runs(root: Path | None = None) -> list[RunFolder]:
    """Every run under the root, newest first; folders that are no runs are passed over."""
    root = root or runs_root()
    if not root.is_dir():
        return []
    folders = [p for p in root.iterdir() if is_run_id(p.name) and (p / CONFIG_FILE).is_file()]
    return [
        RunFolder(p) for p in sorted(folders, key=lambda p: (p / CONFIG_FILE).stat().st_mtime, reverse=True)
    ]
