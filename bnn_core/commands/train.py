"""``train``, ``resume`` and ``branch``: what makes a run, watched to its end."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from bnn_core.commands import terminal
from bnn_core.commands.options import Data, Json, Out, Threads, digits_of
from bnn_core.config import RunConfig, parse_assignments
from bnn_core.names import new_branch_id, new_run_id, runs_root
from bnn_core.presets import PRESETS, preset
from bnn_core.runs.branch import branch_config, branch_run
from bnn_core.runs.find import find_run
from bnn_core.runs.past import parse_moment
from bnn_core.runs.recompute import way_back
from bnn_core.runs.writer import record_run, resume_run
from bnn_core.training.control import Control
from bnn_core.training.events import Event


def train(
    preset_name: Annotated[
        str, typer.Option("--preset", metavar="NAME", help=f"One of {', '.join(PRESETS)}.")
    ] = "quick",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Change a field; may be repeated. See: fields."),
    ] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="The same seed gives the same bits.")] = None,
    out: Out = None,
    data: Data = None,
    threads: Threads = None,
    as_json: Json = False,
) -> int:
    """Train a bitwise network in both phases, into a run folder."""
    config = preset(preset_name).updated(parse_assignments(settings or []))
    if seed is not None:
        config = config.updated({"seed": seed})
    folder = out or runs_root() / new_run_id(preset_name)
    control = Control()
    events = record_run(
        config, digits_of(data), folder, control=control, command=_command_line(), threads=threads
    )
    return _watch(events, control, folder, config, as_json)


def resume(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's id or folder.")],
    data: Data = None,
    as_json: Json = False,
) -> int:
    """Go on with a stopped or interrupted run, bit for bit as if nothing had happened."""
    folder = find_run(run)
    control = Control()
    events = resume_run(folder.path, digits_of(data), control=control, command=_command_line())
    return _watch(events, control, folder.path, folder.config, as_json)


def branch(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's id or folder, or a shipped name.")],
    at: Annotated[str, typer.Option(metavar="MOMENT", help="Where to leave it: phase2:3 is after epoch 3.")],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Change a field from there on; may be repeated."),
    ] = None,
    out: Out = None,
    data: Data = None,
    as_json: Json = False,
) -> int:
    """Leave a run at a moment of it, and train on with other settings, as a run of its own."""
    parent, moment = find_run(run), parse_moment(at)
    changes = parse_assignments(settings or [])
    records = parent.events()
    config, _ = branch_config(records, moment, changes)
    way = way_back(parent, records, moment)
    if way.epochs:
        epochs = "1 epoch is" if way.epochs == 1 else f"{way.epochs} epochs are"
        print(
            f"Run {parent.id} keeps no checkpoint of {moment}: {epochs} trained again first"
            f" (that took {way.seconds:.0f} s).",
            file=sys.stderr,
        )
    folder = out or runs_root() / new_branch_id(parent.id)
    control = Control()
    events = branch_run(
        parent.path, folder, moment, changes, digits_of(data), control=control, command=_command_line()
    )
    return _watch(events, control, folder, config, as_json)


def _command_line() -> str:
    """What was typed, as it can be typed again."""
    return "python -m bnn_core " + shlex.join(sys.argv[1:])


def _watch(events: Iterator[Event], control: Control, folder: Path, config: RunConfig, as_json: bool) -> int:
    """Follow a run to its end and say how it ended; the exit code."""
    end, code = terminal.run_to_end(events, control, config)
    assert end is not None
    if as_json:
        record = end.record()
        del record["event"], record["t"]
        terminal.print_json({"id": folder.absolute().name, "path": str(folder.absolute()), **record})
    elif end.status == "finished":
        real = "" if end.test_error_real is None else f" (real network {end.test_error_real:.2f} %)"
        print(f"{end.test_error:.2f} % test error, bitwise{real}, {end.seconds:.0f} s: {folder}")
    else:
        print(f"Stopped after {end.seconds:.0f} s, resumable: {folder}")
    return code
