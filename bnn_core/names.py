"""What things on disk are called, and where runs lie: a run folder's files, ids, snapshots.

At the bottom of the house, so that a network is found without the schema of a run's configuration.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, Self

from bnn_core.errors import InputError

CONFIG_FILE = "config.json"
EVENTS_FILE = "events.jsonl"
CHECKPOINT_FILE = "checkpoint.safetensors"
CHECKPOINTS = "checkpoints"
SNAPSHOTS = "snapshots"
REAL_FILE = "real.safetensors"
MODEL_FILE = "model.safetensors"
CARD_FILE = "card.json"
LOCK_FILE = "run.lock"
LOG_FILE = "worker.log"

_RUN_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_SNAPSHOT = re.compile(r"phase([12])-epoch([0-9]{4})-step([0-9]{7})")


def runs_root() -> Path:
    """The folder that holds all runs; it need not exist yet."""
    return Path(os.environ.get("BNN_RUNS") or Path(__file__).parents[1] / "runs").absolute()


def is_run_id(text: str) -> bool:
    """Whether the text is a plain id, [a-z0-9-], that can be no path."""
    return _RUN_ID.fullmatch(text) is not None


def is_snapshot_name(text: str) -> bool:
    """Whether :meth:`SnapshotName.parse` can read it."""
    return _SNAPSHOT.fullmatch(text) is not None


def new_run_id(label: str = "run") -> str:
    """A fresh id that sorts by time: ``20261123-101502-quick-3f2a``."""
    label = re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")[:24] or "run"
    return f"{datetime.now():%Y%m%d-%H%M%S}-{label}-{secrets.token_hex(2)}"


def new_branch_id(parent: str) -> str:
    """A fresh id for a branch of that run: ``20261123-101502-quick-branch-3f2a``."""
    found = re.fullmatch(r"\d{8}-\d{6}-(.+)-[0-9a-f]{4}", parent)
    label = (found[1] if found else parent).removesuffix("-branch")
    return new_run_id(f"{label[:17].rstrip('-')}-branch")


class SnapshotName(NamedTuple):
    """When a snapshot was taken, which is its name: after ``epoch`` epochs and ``step`` steps of ``phase``.

    ``step`` counts within the phase. Names sort in time, as tuples and as text.
    """

    phase: int
    epoch: int
    step: int

    @property
    def text(self) -> str:
        """As the URL writes it: ``phase1-epoch0003-step0000375``."""
        return f"phase{self.phase}-epoch{self.epoch:04}-step{self.step:07}"

    @property
    def file(self) -> str:
        """File name within ``snapshots/``."""
        return f"{self.text}.safetensors"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The inverse of :attr:`text`; raises InputError on anything else."""
        found = _SNAPSHOT.fullmatch(text)
        if found is None:
            raise InputError(
                f"{text[:40]!r} is no snapshot's name: allowed is one as phase1-epoch0003-step0000375."
            )
        return cls(*map(int, found.groups()))

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Self | None:
        """What a ``snapshot`` record tells of; None for other records, and for a damaged one."""
        values: list[Any] = [record.get(key) for key in cls._fields]
        whole = record.get("event") == "snapshot" and all(type(value) is int for value in values)
        return cls(*values) if whole else None
