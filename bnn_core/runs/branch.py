"""Branching: a new run that leaves another one at some moment of it, with other settings from there on.

The branch's folder begins with what the parent had seen by then: its records, its snapshots, the
checkpoint nearest before that moment. From these the state of that moment is made again (see
:mod:`bnn_core.runs.recompute`), and trained on. Such a folder needs its parent no longer: it is resumed like
any run, and can be branched from itself.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bnn_core.config import FieldSpec, RunConfig, field_specs
from bnn_core.datasets.digits import Digits
from bnn_core.errors import InputError
from bnn_core.files import write_atomically
from bnn_core.names import CHECKPOINTS, EVENTS_FILE, REAL_FILE, SNAPSHOTS, SnapshotName
from bnn_core.runs.checkpoints import kept_name, nearest
from bnn_core.runs.folder import RunFolder
from bnn_core.runs.past import Moment, Record, config_at, until
from bnn_core.runs.writer import (
    branch_events,
    check_fits,
    locked,
    make_folder,
    record_events,
    record_lines,
    torch_train,
    write_config,
)
from bnn_core.training.control import Control
from bnn_core.training.events import Branched, Event


def refusal(spec: FieldSpec, moment: Moment) -> str | None:
    """Why a field cannot change in a branch from that moment, the end of a sentence; None if it can.

    What is read at the start of a run only, or in a phase that is over, is past. All else acts later; the
    seed too, on the randomness that is yet to be drawn.
    """
    if spec.acts == "start":
        return "it acts at the start of a run"
    if moment.phase == 1:
        return None
    return {"phase 1": "phase 1 is over", "phase 2's start": "phase 2 has begun"}.get(spec.acts)


def branch_config(
    records: Sequence[Record], moment: Moment, changes: Mapping[str, Any]
) -> tuple[RunConfig, dict[str, Any]]:
    """What a branch would be trained with.

    Args:
        records: the parent's.
        changes: dotted fields, typed or as text, see :meth:`RunConfig.updated`.

    Returns:
        the configuration, and those changes that differ from what was in force.

    Raises:
        InputError: there is no such moment, or a change is not allowed (any more).
    """
    before = config_at(records, moment)
    config = before.updated(changes)
    differing = {}
    for spec in field_specs():
        value = config.get(spec.path)
        if value == before.get(spec.path):
            continue
        reason = refusal(spec, moment)
        if reason is not None:
            raise InputError(f"{spec.path} cannot change in a branch from {moment}: {reason}.")
        differing[spec.path] = list(value) if isinstance(value, tuple) else value
    planned = config.get(f"phase{moment.phase}.epochs")
    if planned < moment.epoch:
        raise InputError(
            f"phase{moment.phase}.epochs is {planned}, but {moment.epoch} epochs are over at that moment:"
            " allowed is at least that."
        )
    return config, differing


def branch_run(
    parent: Path,
    folder: Path,
    moment: Moment,
    changes: Mapping[str, Any],
    data: Digits,
    *,
    control: Control | None = None,
    command: str = "",
) -> Iterator[Event]:
    """Leave a run at a moment of it, into a new run folder, yielding every event once it is on disk.

    Without changes the branch is the parent over again from there on, bit for bit (on the same machine; the
    parent's thread count is taken). Settings that the parent changed after that moment are not inherited.

    Args:
        parent: the run's folder; it may be under way.
        folder: a folder that is empty or not there yet.
        changes: dotted fields, see :func:`branch_config`.
        command: what the user typed, for the card.

    Raises:
        InputError: there is no such moment, a change is not allowed, the data is not the parent's, or the
            folder is not empty, is being written, or cannot be written.
    """
    folder = folder.absolute()
    torch_train()
    run = RunFolder(parent)
    records = run.events()
    config, differing = branch_config(records, moment, changes)
    past = until(records, moment)
    if any(r["event"] == "run_started" and r["data_sha256"] != data.sha256 for r in past):
        raise InputError(f"Run {run.id} was trained on other digits: branch with the same --data.")
    branched = Branched(
        t=past[-1]["t"],
        phase=moment.phase,
        epoch=moment.epoch,
        parent=run.id,
        config=config.to_dict(),
        changes=differing,
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        command=command,
    )
    check_fits(config, data)
    make_folder(folder)
    with locked(folder):
        try:
            _copy_past(run, past, moment, folder)
        except OSError as error:
            raise InputError(f"{error.filename or folder} cannot be copied: {error.strerror}.") from None
        write_atomically(folder / EVENTS_FILE, record_lines([*past, branched.record()]))
        write_config(config, folder)  # last: a kill before this leaves no run
        yield branched
        child = RunFolder(folder)
        yield from record_events(branch_events(child, data, control), config, data, folder, "")


def _copy_past(run: RunFolder, past: Sequence[Record], moment: Moment, folder: Path) -> None:
    """The files that the parent had written by then, as far as they are kept."""
    taken = {SnapshotName.of(record) for record in past}
    for shot in run.snapshots():
        if shot.name in taken:
            shutil.copyfile(shot.path, folder / SNAPSHOTS / shot.name.file)
    if run.real_path is not None and moment.phase == 2:
        shutil.copyfile(run.real_path, folder / REAL_FILE)
    found = nearest(run.path, moment)
    if found is not None:
        path, position = found
        (folder / CHECKPOINTS).mkdir()
        # A parent under way may have replaced it since; what is too late is passed over later.
        shutil.copyfile(path, folder / CHECKPOINTS / kept_name(position))
