"""Writing a run folder: one writer, small appends, files replaced whole."""

from __future__ import annotations

import contextlib
import json
import os
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from filelock import FileLock, Timeout

from bnn_core import names
from bnn_core.config import RunConfig
from bnn_core.datasets.digits import Digits, split
from bnn_core.errors import InputError
from bnn_core.files import write_atomically
from bnn_core.names import SnapshotName
from bnn_core.runs.checkpoints import checkpoint_bytes, load_checkpoint, save_checkpoint
from bnn_core.runs.folder import RunFolder
from bnn_core.runs.past import Moment, change_of, lineage, own_changes, parent_of
from bnn_core.runs.recompute import recompute
from bnn_core.training.control import Control
from bnn_core.training.events import (
    Branched,
    Checkpoint,
    Event,
    PhaseEnded,
    RunEnded,
    RunStarted,
    SettingsChanged,
    Snapshot,
)
from bnn_core.training.schedule import check_batches

SNAPSHOT_BUDGET = 64 << 20
"""Bytes of snapshots that a run keeps; beyond it every second one goes, but for the first and the latest."""

_LOCK_SECONDS = 2.0  # a reader that looks whether the run is locked holds it for a moment


def record_run(
    config: RunConfig,
    data: Digits,
    folder: Path,
    *,
    control: Control | None = None,
    command: str = "",
    threads: int | None = None,
    device: str = "cpu",
) -> Iterator[Event]:
    """Train into a new run folder, yielding every event once it is on disk.

    Args:
        folder: a folder that is empty or not there yet.
        command: what the user typed, for the card.

    Raises:
        InputError: the digits do not fit, or the folder is not empty, is being written, or cannot be written.
    """
    folder = folder.absolute()
    train = torch_train()
    check_fits(config, data)
    make_folder(folder)
    with locked(folder):
        write_config(config, folder)
        yield from record_events(
            train(config, data, control=control, threads=threads, device=device),
            config,
            data,
            folder,
            command,
        )


def resume_run(
    folder: Path,
    data: Digits,
    *,
    control: Control | None = None,
    command: str = "",
    device: str = "cpu",
) -> Iterator[Event]:
    """Go on with a stopped, interrupted or failed run, bit for bit as if nothing had happened.

    Raises:
        InputError: the run has finished, is being written, has no checkpoint, or is of other data.
    """
    train = torch_train()
    run = RunFolder(folder)
    folder = run.path
    with locked(folder):
        records = run.events()
        if run.state(records) == "finished":
            raise InputError(f"Run {run.id} has finished: there is nothing to resume.")
        if run.resumable:
            checkpoint = load_checkpoint(folder / names.CHECKPOINT_FILE)
            if checkpoint.state["data_sha256"] != data.sha256:
                raise InputError(f"Run {run.id} was trained on other digits: resume it with the same --data.")
            if RunConfig.from_dict(checkpoint.state["config"]) != run.config:
                raise InputError(f"{folder / names.CONFIG_FILE} has changed since run {run.id} was started.")
            check_fits(run.config, data)
            _rewind(folder, checkpoint)
            events = train(run.config, data, control=control, checkpoint=checkpoint, device=device)
        elif parent_of(records) is not None:
            # Killed on the way to where it branched.
            _rewind_to_branching(folder, records)
            events = branch_events(run, data, control)
        else:
            # Killed before the first step: there is nothing to lose by starting over.
            write_atomically(folder / names.EVENTS_FILE, b"")
            events = train(run.config, data, control=control, device=device)
        (folder / names.SNAPSHOTS).mkdir(exist_ok=True)
        for path in folder.rglob(".*.part"):  # what a kill in mid-write left
            path.unlink(missing_ok=True)
        yield from record_events(events, run.config, data, folder, command)


def branch_events(run: RunFolder, data: Digits, control: Control | None) -> Iterator[Event]:
    """Back to the moment at which the run left its parent, and on from there."""
    control = control or Control()
    parent = parent_of(run.events())
    assert parent is not None
    checkpoint = yield from recompute(run, Moment(parent["phase"], parent["epoch"]), data, control)
    if checkpoint is not None:
        yield checkpoint  # from here on the run can be resumed
        yield from torch_train()(run.config, data, control=control, checkpoint=checkpoint)


def check_fits(config: RunConfig, data: Digits) -> None:
    """Raises InputError if a configuration cannot train on these digits, before anything is written."""
    check_batches(config, len(split(data, config.data.train_digits).train_labels))


def make_folder(folder: Path) -> None:
    """An empty run folder; raises InputError if it is not empty or cannot be written."""
    try:
        if folder.exists() and not folder.is_dir():
            raise InputError(f"{folder} is a file: a run needs a folder of its own.")
        if folder.exists() and any(folder.iterdir()):
            raise InputError(f"{folder} is not empty: a new run needs a folder of its own.")
        (folder / names.SNAPSHOTS).mkdir(parents=True)
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error.strerror}.") from None


def write_config(config: RunConfig, folder: Path) -> None:
    """The file that makes a folder a run."""
    write_atomically(folder / names.CONFIG_FILE, (json.dumps(config.to_dict(), indent=2) + "\n").encode())


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Be the folder's one writer; raises InputError if another process is."""
    try:
        lock = FileLock(folder / names.LOCK_FILE, timeout=_LOCK_SECONDS)
        lock.acquire()
    except Timeout:
        raise InputError(f"{folder} is being written by another process: a run has one writer.") from None
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error.strerror}.") from None
    try:
        yield
    finally:
        lock.release()


def record_events(
    events: Iterator[Event], config: RunConfig, data: Digits, folder: Path, command: str
) -> Iterator[Event]:
    """Put events on disk one by one, and pass each on once it is there; the folder is locked."""
    t = 0.0
    with (folder / names.EVENTS_FILE).open("ab") as log:
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


def torch_train() -> Callable[..., Iterator[Event]]:
    """``train()``, whose torch is imported only now; raises InputError where there is none."""
    try:
        from bnn_core.training.start import train
    except ImportError as error:
        raise InputError(
            f"Training needs torch, which cannot be imported ({error}): install it as requirements.txt says."
        ) from None
    return train


def _append(log: BinaryIO, event: Event) -> None:
    log.write(record_lines([event.record()]))
    log.flush()


def record_lines(records: Iterable[Mapping[str, Any]]) -> bytes:
    """Records as they stand in events.jsonl; raises InputError for a number that is none."""
    try:
        lines = [json.dumps(record, separators=(",", ":"), allow_nan=False) for record in records]
    except ValueError:
        raise InputError("A record holds a number that is not finite: allowed is what JSON has.") from None
    return "".join(line + "\n" for line in lines).encode()


def _keep(event: Event, config: RunConfig, data: Digits, folder: Path, log: BinaryIO) -> None:
    """Put one event on disk: its files first, then its record, so that a record never lacks its file."""
    if isinstance(event, Checkpoint):
        log.flush()
        os.fsync(log.fileno())
        save_checkpoint(event, folder, log.tell())
        return
    if isinstance(event, Snapshot):
        write_atomically(folder / names.SNAPSHOTS / event.taken.file, event.network.to_bytes())
        _thin(folder / names.SNAPSHOTS)
    elif isinstance(event, PhaseEnded) and event.real is not None:
        event.real.save(folder / names.REAL_FILE)
    elif isinstance(event, RunEnded) and event.network is not None:
        _save_model(event, config, data, folder)
    _append(log, event)


def _save_model(event: RunEnded, config: RunConfig, data: Digits, folder: Path) -> None:
    """The finished network, and its card: what it is, how it was made, how well it reads.

    ``confusion[i][j]`` of the card counts test digits of class i read as j.
    """
    assert event.network is not None
    records = RunFolder(folder).events()
    parent = lineage(records)
    family = {} if parent is None else {"parent": parent}
    provenance = {
        "config": config.to_dict(),
        "changes": own_changes(records),
        **family,
        "seed": config.seed,
        "data_sha256": data.sha256,
        "test_error_percent": event.test_error,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    network = replace(event.network, provenance=provenance)
    content = network.to_bytes()
    write_atomically(folder / names.MODEL_FILE, content)
    # A run that was resumed is still made by the command that started it.
    began = next((r for r in reversed(records) if r["event"] == Branched.name), records[0])
    confusion = np.zeros((network.sizes[-1],) * 2, np.int64)
    np.add.at(confusion, (data.test_labels, network.predict(data.test_images)), 1)
    card = {
        "name": folder.name,
        "what": f"{'-'.join(map(str, network.sizes))}, {network.variant}, {network.features} input bits",
        "command": began.get("command", ""),
        **{key: provenance[key] for key in ("seed", "config", "changes")},
        "error_percent": event.test_error,
        "errors": event.test_errors,
        "n": len(data.test_labels),
        "ties": event.test_ties,
        "real_error_percent": event.test_error_real,
        "confusion": confusion.tolist(),
        "bytes": len(content),
        "seconds": event.seconds,
        "date": provenance["date"],
        "machine": f"{platform.system()} {platform.machine()}",
        **family,
    }
    write_atomically(folder / names.CARD_FILE, (json.dumps(card, indent=2) + "\n").encode())


def _thin(folder: Path) -> None:
    """Keep the snapshots within the budget."""
    files = sorted(folder.glob("*.safetensors"))
    while len(files) > 3 and sum(f.stat().st_size for f in files) > SNAPSHOT_BUDGET:
        for path in files[1:-1:2]:
            path.unlink(missing_ok=True)
            files.remove(path)


def _rewind(folder: Path, checkpoint: Checkpoint) -> None:
    """Cut events.jsonl back to the checkpoint, which takes up the settings that changed after it."""
    path = folder / names.EVENTS_FILE
    length = checkpoint.state["events_length"]
    content = path.read_bytes() if path.is_file() else b""
    if len(content) < length:
        raise InputError(f"{path} is missing or was cut short: the run cannot be resumed.")
    replay = checkpoint.state["replay"]
    replay += [change for change in _changes(content[length:]) if change not in replay]
    # First the checkpoint: a second kill must not lose what the first one left to be changed again.
    write_atomically(folder / names.CHECKPOINT_FILE, checkpoint_bytes(checkpoint, checkpoint.state))
    # A new file, so that readers notice.
    write_atomically(path, content[:length])
    run = RunFolder(folder)
    taken = {SnapshotName.of(record) for record in run.events()}
    for shot in run.snapshots():
        if shot.name not in taken:
            shot.path.unlink(missing_ok=True)


def _rewind_to_branching(folder: Path, records: list[dict[str, Any]]) -> None:
    """Cut events.jsonl back to where the run left its parent."""
    last = max(i for i, record in enumerate(records) if record["event"] == Branched.name)
    write_atomically(folder / names.EVENTS_FILE, record_lines(records[: last + 1]))


def _changes(lines: bytes) -> list[dict[str, Any]]:
    """The changed settings among records, in order, without their times."""
    records = [json.loads(line) for line in lines.split(b"\n")[:-1] if line.startswith(b"{")]
    return [change_of(record) for record in records if record["event"] == SettingsChanged.name]
