"""Checkpoint files: the latest place of a run, and the few that are kept for branching.

``checkpoint.safetensors`` is replaced at each epoch. ``checkpoints/`` keeps the ends of phases, the start
of a branch, and as many in between as fit a budget, spread evenly over the run.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from bnn_core.config import RunConfig
from bnn_core.errors import InputError
from bnn_core.files import read_tensors, write_atomically
from bnn_core.names import CHECKPOINT_FILE, CHECKPOINTS
from bnn_core.runs.past import Moment
from bnn_core.training.events import Checkpoint

KEPT_IN_BETWEEN = 4
KEPT_BYTES = 256 << 20
"""What the kept checkpoints may take, all together; those in between give way first."""

_STATE = {"t", "events_length", "place", "edges", "threads", "real_error", "data_sha256", "config", "replay"}
_FORMAT = "bitwise-checkpoint/1"

Position = tuple[int, int, int]
"""(phase, epochs of it that are over, steps of the next one that are over)."""


def save_checkpoint(checkpoint: Checkpoint, folder: Path, events_length: int) -> None:
    """Make it the run's latest one, and keep it for branching where that is due."""
    content = checkpoint_bytes(
        checkpoint, {**checkpoint.state, "events_length": events_length, "t": checkpoint.t}
    )
    phase, epoch, step = position_of(checkpoint.state)
    due = step == 0 and (phase, epoch) in kept_moments(checkpoint.state["config"], len(content))
    write_atomically(folder / CHECKPOINT_FILE, content)
    if checkpoint.keep or due:
        # A kill before this costs a later branch some epochs, nothing else.
        (folder / CHECKPOINTS).mkdir(exist_ok=True)
        write_atomically(folder / CHECKPOINTS / kept_name((phase, epoch, step)), content)


def checkpoint_bytes(checkpoint: Checkpoint, state: dict[str, Any]) -> bytes:
    """The file's content; ``state`` is what it says besides the tensors."""
    metadata = {"format": json.dumps(_FORMAT), "state": json.dumps(state)}
    return save({name: np.ascontiguousarray(v) for name, v in checkpoint.tensors.items()}, metadata)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint; raises InputError if it is damaged or is none."""
    try:
        tensors, metadata = read_tensors(path)
        state = _state(metadata, path)
        return Checkpoint(t=state["t"], tensors=tensors, state=state)
    except InputError:
        raise
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is no checkpoint, or is damaged: {error}.") from None


def _state(metadata: dict[str, str] | None, path: Path) -> dict[str, Any]:
    metadata = metadata or {}
    if metadata.get("format") != json.dumps(_FORMAT):
        raise InputError(f"{path} is no checkpoint of a run.")
    state: dict[str, Any] = json.loads(metadata["state"])
    if not state.keys() >= _STATE:
        raise InputError(f"{path} is no checkpoint of a run.")
    return state


def position_of(state: dict[str, Any]) -> Position:
    """Where a checkpoint stands."""
    place = state["place"]
    return place["phase"], place["epoch"], place["step"]


def kept_name(position: Position) -> str:
    """The name of a kept checkpoint; phase1-end is where phase 2 begins."""
    phase, epoch, step = position
    if (epoch, step) == (0, 0) and phase == 2:
        return "phase1-end.safetensors"
    return f"phase{phase}-epoch{epoch:04}" + (f"-step{step:07}" if step else "") + ".safetensors"


def kept_moments(config: dict[str, Any], size: int) -> set[Moment]:
    """The epochs whose checkpoints of ``size`` bytes are kept between the ends of the phases."""
    planned = RunConfig.from_dict(config)
    phases = ((1, planned.phase1.epochs), (2, planned.phase2.epochs))
    inner = [Moment(phase, epoch) for phase, epochs in phases for epoch in range(1, epochs)]
    ends = sum(epochs > 0 for _, epochs in phases)
    count = max(0, min(KEPT_IN_BETWEEN, KEPT_BYTES // max(1, size) - ends, len(inner)))
    step = (len(inner) + 1) / (count + 1)
    return {inner[round(i * step) - 1] for i in range(1, count + 1)}


def nearest(folder: Path, moment: Moment) -> tuple[Path, Position] | None:
    """The run's last checkpoint that is not after that moment; those that cannot be read are passed over."""
    best: tuple[Path, Position] | None = None
    for path in (folder / CHECKPOINT_FILE, *sorted((folder / CHECKPOINTS).glob("*.safetensors"))):
        try:
            with safe_open(path, framework="np") as file:
                position = position_of(_state(file.metadata(), path))
        except (InputError, OSError, SafetensorError, ValueError, KeyError, TypeError):
            continue
        if position <= (*moment, 0) and (best is None or position > best[1]):
            best = path, position
    return best
