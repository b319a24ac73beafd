"""Writing a run folder: one writer, small appends, files replaced whole."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from filelock import FileLock, Timeout
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from bnn_core.card import make_card
from bnn_core.config import RunConfig
from bnn_core.control import Control
from bnn_core.datasets import Digits, split
from bnn_core.errors import InputError
from bnn_core.events import (
    Checkpoint,
    Event,
    PhaseEnded,
    RunEnded,
    RunStarted,
    SettingsChanged,
    Snapshot,
    snapshot_file,
)
from bnn_core.files import write_atomically
from bnn_core.model_file import network_bytes
from bnn_core.models import CARD_FILE, MODEL_FILE
from bnn_core.runs import (
    CHECKPOINT_FILE,
    CHECKPOINTS,
    CONFIG_FILE,
    EVENTS_FILE,
    LOCK_FILE,
    REAL_FILE,
    SNAPSHOTS,
    RunFolder,
)

SNAPSHOT_BUDGET = 64 << 20
"""Bytes of snapshots that a run keeps; beyond it every second one goes, but for the first and the latest."""

_CHECKPOINT_STATE = {
    "t", "events_length", "place", "edges", "threads", "real_error", "data_sha256", "config", "replay"
}  # fmt: skip
_CHECKPOINT_FORMAT = "bitwise-checkpoint/1"
_LOCK_SECONDS = 2.0  # a reader that looks whether the run is locked holds it for a moment


def record_run(
    config: RunConfig,
    data: Digits,
    folder: Path,
    *,
    control: Control | None = None,
    command: str = "",
    threads: int | None = None,
) -> Iterator[Event]:
    """Train into a new run folder, yielding every event once it is on disk.

    Args:
        folder: a folder that is empty or not there yet.
        command: what the user typed, for the card.

    Raises:
        InputError: the folder is not empty, is being written, or cannot be written.
    """
    folder = folder.absolute()
    _train()
    split(data, config.data.train_digits)  # digits that do not fit are refused before a folder is made
    try:
        if folder.exists() and not folder.is_dir():
            raise InputError(f"{folder} is a file: a run needs a folder of its own.")
        if folder.exists() and any(folder.iterdir()):
            raise InputError(f"{folder} is not empty: a new run needs a folder of its own.")
        (folder / SNAPSHOTS).mkdir(parents=True)
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error.strerror}.") from None
    with _locked(folder):
        write_atomically(folder / CONFIG_FILE, (json.dumps(config.to_dict(), indent=2) + "\n").encode())
        yield from _record(config, data, folder, control or Control(), command, threads, None)


def resume_run(
    folder: Path, data: Digits, *, control: Control | None = None, command: str = ""
) -> Iterator[Event]:
    """Go on with a stopped, interrupted or failed run, bit for bit as if nothing had happened.

    Raises:
        InputError: the run has finished, is being written, has no checkpoint, or is of other data.
    """
    _train()
    run = RunFolder(folder)
    folder = run.path
    with _locked(folder):
        records = run.events()
        if run.state(records) == "finished":
            raise InputError(f"Run {run.id} has finished: there is nothing to resume.")
        checkpoint = None
        if run.resumable:
            checkpoint = load_checkpoint(folder / CHECKPOINT_FILE)
            if checkpoint.state["data_sha256"] != data.sha256:
                raise InputError(f"Run {run.id} was trained on other digits: resume it with the same --data.")
            if checkpoint.state["config"] != run.config.to_dict():
                raise InputError(f"{folder / CONFIG_FILE} has changed since run {run.id} was started.")
            _rewind(folder, checkpoint)
        else:
            # Killed before the first step: there is nothing to lose by starting over.
            write_atomically(folder / EVENTS_FILE, b"")
        (folder / SNAPSHOTS).mkdir(exist_ok=True)
        for path in folder.rglob(".*.part"):  # what a kill in mid-write left
            path.unlink(missing_ok=True)
        yield from _record(run.config, data, folder, control or Control(), command, None, checkpoint)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    try:
        lock = FileLock(folder / LOCK_FILE, timeout=_LOCK_SECONDS)
        lock.acquire()
    except Timeout:
        raise InputError(f"{folder} is being written by another process: a run has one writer.") from None
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error.strerror}.") from None
    try:
        yield
    finally:
        lock.release()


def _record(
    config: RunConfig,
    data: Digits,
    folder: Path,
    control: Control,
    command: str,
    threads: int | None,
    checkpoint: Checkpoint | None,
) -> Iterator[Event]:
    events = _train()(config, data, control=control, checkpoint=checkpoint, threads=threads)
    t = 0.0
    with (folder / EVENTS_FILE).open("ab") as log:
        try:
            for event in events:
                t = event.t
                if isinstance(event, RunStarted):
                    event = replace(event, command=command)
                _keep(event, config, data, folder, log)
                yield event
        except GeneratorExit:
            raise
        except BaseException as error:
            reason = str(error) or type(error).__name__
            if isinstance(error, OSError):
                reason = f"{error.filename or folder} cannot be written: {error.strerror}"
            failed = RunEnded(t=t, status="failed", reason=reason, seconds=t)
            with contextlib.suppress(OSError):
                _append(log, failed)
            raise


def _train() -> Callable[..., Iterator[Event]]:
    """``train()``, whose torch is imported only now; raises InputError where there is none."""
    try:
        from bnn_core.training import train
    except ImportError as error:
        raise InputError(
            f"Training needs torch, which cannot be imported ({error}): install it as requirements.txt says."
        ) from None
    return train


def _append(log: BinaryIO, event: Event) -> None:
    log.write(json.dumps(event.record(), separators=(",", ":")).encode() + b"\n")
    log.flush()


def _keep(event: Event, config: RunConfig, data: Digits, folder: Path, log: BinaryIO) -> None:
    """Put one event on disk: its files first, then its record, so that a record never lacks its file."""
    if isinstance(event, Checkpoint):
        _save_checkpoint(event, folder, log)
        return
    if isinstance(event, Snapshot):
        write_atomically(folder / SNAPSHOTS / event.file, network_bytes(event.network))
        _thin(folder / SNAPSHOTS)
    elif isinstance(event, PhaseEnded) and event.real is not None:
        event.real.save(folder / REAL_FILE)
    elif isinstance(event, RunEnded) and event.network is not None:
        _save_model(event, config, data, folder)
    _append(log, event)


def _save_model(event: RunEnded, config: RunConfig, data: Digits, folder: Path) -> None:
    assert event.network is not None
    records = RunFolder(folder).events()
    provenance = {
        "config": config.to_dict(),
        "changes": [_change(r) for r in records if r["event"] == SettingsChanged.name],
        "seed": config.seed,
        "data_sha256": data.sha256,
        "test_error_percent": event.test_error,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    network = type(event.network)(
        event.network.layers,
        event.network.features,
        event.network.input_threshold,
        event.network.variant,
        provenance,
    )
    content = network_bytes(network)
    write_atomically(folder / MODEL_FILE, content)
    # A run that was resumed is still made by the command that started it.
    command = records[0].get("command", "")
    card = make_card(folder.name, network, event, data, command, len(content))
    write_atomically(folder / CARD_FILE, (json.dumps(card, indent=2) + "\n").encode())


def _thin(folder: Path) -> None:
    """Keep the snapshots within the budget."""
    files = sorted(folder.glob("*.safetensors"))
    while len(files) > 3 and sum(f.stat().st_size for f in files) > SNAPSHOT_BUDGET:
        for path in files[1:-1:2]:
            path.unlink(missing_ok=True)
        files = sorted(folder.glob("*.safetensors"))


# Checkpoints


def _save_checkpoint(event: Checkpoint, folder: Path, log: BinaryIO) -> None:
    log.flush()
    os.fsync(log.fileno())
    content = _checkpoint_bytes(event, {**event.state, "events_length": log.tell(), "t": event.t})
    write_atomically(folder / CHECKPOINT_FILE, content)
    if event.phase_end:
        (folder / CHECKPOINTS).mkdir(exist_ok=True)
        over = event.state["place"]["phase"] - 1
        write_atomically(folder / CHECKPOINTS / f"phase{over}-end.safetensors", content)


def _checkpoint_bytes(checkpoint: Checkpoint, state: dict[str, Any]) -> bytes:
    metadata = {"format": json.dumps(_CHECKPOINT_FORMAT), "state": json.dumps(state)}
    return save({name: np.ascontiguousarray(v) for name, v in checkpoint.tensors.items()}, metadata)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint; raises InputError if it is damaged or is none."""
    try:
        with safe_open(path, framework="np") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            metadata = file.metadata() or {}
        if metadata.get("format") != json.dumps(_CHECKPOINT_FORMAT):
            raise InputError(f"{path} is no checkpoint of a run.")
        state: dict[str, Any] = json.loads(metadata["state"])
        if not state.keys() >= _CHECKPOINT_STATE:
            raise InputError(f"{path} is no checkpoint of a run.")
        return Checkpoint(t=state["t"], tensors=tensors, state=state)
    except InputError:
        raise
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is no checkpoint, or is damaged: {error}.") from None


def _rewind(folder: Path, checkpoint: Checkpoint) -> None:
    """Cut events.jsonl back to the checkpoint, which takes up the settings that changed after it."""
    path = folder / EVENTS_FILE
    length = checkpoint.state["events_length"]
    content = path.read_bytes() if path.is_file() else b""
    if len(content) < length:
        raise InputError(f"{path} is missing or was cut short: the run cannot be resumed.")
    replay = checkpoint.state["replay"]
    replay += [change for change in _changes(content[length:]) if change not in replay]
    # First the checkpoint: a second kill must not lose what the first one left to be changed again.
    write_atomically(folder / CHECKPOINT_FILE, _checkpoint_bytes(checkpoint, checkpoint.state))
    # A new file, so that readers notice.
    write_atomically(path, content[:length])
    run = RunFolder(folder)
    kept = {
        snapshot_file(record["phase"], record["epoch"], record["step"])
        for record in run.events()
        if record["event"] == Snapshot.name and record.keys() >= {"phase", "epoch", "step"}
    }
    for snapshot in run.snapshots():
        if snapshot.path.name not in kept:
            snapshot.path.unlink(missing_ok=True)


def _changes(lines: bytes) -> list[dict[str, Any]]:
    """The changed settings among records, in order, without their times."""
    records = [json.loads(line) for line in lines.split(b"\n")[:-1] if line.startswith(b"{")]
    return [_change(record) for record in records if record["event"] == SettingsChanged.name]


def _change(record: dict[str, Any]) -> dict[str, Any]:
    """A settings_changed record without its time."""
    return {key: record[key] for key in ("phase", "epoch", "step", "field", "value")}
