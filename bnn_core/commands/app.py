"""The command line: ``python -m bnn_core COMMAND``.

Results go to standard output (``--json``: one JSON document and nothing else), progress and errors to
standard error. Bad input is one sentence and exit code 2; a run stopped by Ctrl-C or SIGTERM saves its
checkpoint and exits with 130 or 143.
"""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from typer.exceptions import TyperException

from bnn_core.commands import keep as cli_keep
from bnn_core.commands import terminal
from bnn_core.commands.options import Data, Json, Threads, digits_of
from bnn_core.commands.reproduce import reproduce
from bnn_core.config import LIVE_FIELDS, RunConfig, field_specs, parse_assignments
from bnn_core.datasets import load_image
from bnn_core.errors import InputError
from bnn_core.models import MODEL_FILE, shipped_models
from bnn_core.network.bitwise import BitwiseNetwork
from bnn_core.presets import PRESETS, preset
from bnn_core.runs.branch import branch_config, branch_run
from bnn_core.runs.events import Event
from bnn_core.runs.find import find_model
from bnn_core.runs.folder import RunFolder, find_run, list_runs, new_branch_id, new_run_id, runs_root
from bnn_core.runs.past import parent_of, parse_moment
from bnn_core.runs.recompute import cost
from bnn_core.training.control import Control

app = typer.Typer(
    name="bnn_core",
    help="Train bitwise neural networks, and run them on packed bits.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

app.command()(reproduce)
for keeping in (cli_keep.ship, cli_keep.readme):
    app.command(hidden=True)(keeping)


def main() -> None:
    """Run the command line and exit."""
    try:
        code = app(sys.argv[1:] or ["--help"], standalone_mode=False)
    except (InputError, TyperException) as error:
        message = error.format_message() if isinstance(error, TyperException) else str(error)
        print(f"Error: {message}", file=sys.stderr)
        code = 2
    except OSError as error:
        where = error.filename or "standard output"
        print(f"Error: {where} cannot be used: {error.strerror or error}.", file=sys.stderr)
        code = 2
    except (KeyboardInterrupt, typer.Abort):
        code = 130
    sys.exit(code if isinstance(code, int) else 0)


@app.command()
def train(
    preset_name: Annotated[
        str, typer.Option("--preset", metavar="NAME", help=f"One of {', '.join(PRESETS)}.")
    ] = "quick",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Change a field; may be repeated. See: fields."),
    ] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="The same seed gives the same bits.")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The run folder; a new one under the root if left out.")
    ] = None,
    data: Data = None,
    threads: Threads = None,
    as_json: Json = False,
) -> int:
    """Train a bitwise network in both phases, into a run folder."""
    from bnn_core.runs.writer import record_run

    config = preset(preset_name).updated(parse_assignments(settings or []))
    if seed is not None:
        config = config.updated({"seed": seed})
    folder = out or runs_root() / new_run_id(preset_name)
    control = Control()
    events = record_run(
        config, digits_of(data), folder, control=control, command=_command_line(), threads=threads
    )
    return _watch(events, control, folder, config, as_json)


@app.command()
def resume(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's id or folder.")],
    data: Data = None,
    as_json: Json = False,
) -> int:
    """Go on with a stopped or interrupted run, bit for bit as if nothing had happened."""
    from bnn_core.runs.writer import resume_run

    folder = find_run(run)
    control = Control()
    events = resume_run(folder.path, digits_of(data), control=control, command=_command_line())
    return _watch(events, control, folder.path, folder.config, as_json)


@app.command()
def branch(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's id or folder, or a shipped name.")],
    at: Annotated[str, typer.Option(metavar="MOMENT", help="Where to leave it: phase2:3 is after epoch 3.")],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Change a field from there on; may be repeated."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The run folder; a new one under the root if left out.")
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> int:
    """Leave a run at a moment of it, and train on with other settings, as a run of its own."""
    parent, moment = find_run(run), parse_moment(at)
    changes = parse_assignments(settings or [])
    records = parent.events()
    config, _ = branch_config(records, moment, changes)
    price = cost(parent, records, moment)
    if price.epochs:
        print(terminal.recomputing(parent.id, moment, price), file=sys.stderr)
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
    else:
        print(terminal.outcome(end, folder))
    return code


@app.command()
def evaluate(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A shipped name, a file or a run.")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Measure a network on the test digits, with the bitwise kernels."""
    network = BitwiseNetwork.load(model)
    digits = digits_of(data)
    started = time.perf_counter()
    scores = network.scores(digits.test_images)
    seconds = time.perf_counter() - started
    best = scores.max(axis=1, keepdims=True)
    errors = int((scores.argmax(axis=1) != digits.test_labels).sum())
    result = {
        "name": _model_name(model),
        "error_percent": round(100 * errors / len(scores), 4),
        "errors": errors,
        "n": len(scores),
        "ties": int(((scores == best).sum(axis=1) > 1).sum()),
        "seconds": round(seconds, 4),
    }
    if as_json:
        terminal.print_json(result)
        return
    print(
        f"{result['name']}: {result['error_percent']:.2f} % test error,"
        f" {errors} of {len(scores):,} digits, {result['ties']} ties, {seconds:.2f} s"
    )


def _model_name(model: str) -> str:
    path = find_model(model).absolute()
    return path.parent.name if path.name == MODEL_FILE else path.stem


@app.command()
def bench(
    model: Annotated[
        str | None,
        typer.Argument(metavar="[MODEL]", help="A shipped name, a file or a run; else random bits."),
    ] = None,
    threads: Annotated[
        int, typer.Option(min=1, max=256, metavar="N", help="Threads of the network and of each baseline.")
    ] = 1,
    training: Annotated[
        bool, typer.Option("--training", help="Measure training steps instead, beside a plain torch network.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Measure speed and memory against float32, and check every integer, in one run."""
    from bnn_core import bench as measuring

    if training:
        return _bench_training(threads, as_json)
    network = measuring.random_network() if model is None else BitwiseNetwork.load(model)
    with terminal.measuring() as tell:
        result = measuring.report(network, threads=threads, tell=tell)
    if as_json:
        terminal.print_json(result)
    else:
        terminal.print_bench(result)
    return 0 if result["correct"] else 1


def _bench_training(threads: int, as_json: bool) -> int:
    from bnn_core.bench.training import training_report

    with terminal.measuring() as tell:
        result = training_report(threads=threads, tell=tell)
    if as_json:
        terminal.print_json(result)
    else:
        terminal.print_training_bench(result)
    return 0


@app.command()
def predict(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A shipped name, a file or a run.")],
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE...", help="PNG or JPEG files, a digit each.")
    ],
    as_json: Json = False,
) -> None:
    """Read digits from pictures, dark on light or light on dark."""
    network = BitwiseNetwork.load(model)
    results = []
    for image in images:
        scores = network.scores(load_image(image, network.side)[None])[0]
        results.append({"image": str(image), "label": int(scores.argmax()), "scores": scores.tolist()})
    if as_json:
        terminal.print_json(results)
        return
    for result in results:
        second, first = sorted(result["scores"])[-2:]
        print(f"{result['image']}: {result['label']}, ahead by {first - second}")


@app.command()
def models(as_json: Json = False) -> None:
    """List the networks that come with the project."""
    rows = []
    for model in shipped_models():
        network = BitwiseNetwork.load(model.path)
        rows.append(
            {
                "name": model.name,
                "path": str(model.path / MODEL_FILE),
                "error_percent": model.card["error_percent"],
                "variant": network.variant,
                "features": network.features,
                "sizes": list(network.sizes),
                "bytes": (model.path / MODEL_FILE).stat().st_size,
            }
        )
    if as_json:
        terminal.print_json(rows)
        return
    table = Table("name", "test error", "network", "variant", "bytes", box=None)
    for row in rows:
        table.add_row(
            row["name"],
            f"{row['error_percent']:.2f} %",
            "-".join(map(str, row["sizes"])),
            row["variant"],
            f"{row['bytes']:,}",
        )
    Console().print(table)


@app.command()
def runs(as_json: Json = False) -> None:
    """List the runs under the root (``runs/``, or the folder that BNN_RUNS names)."""
    rows = [_run_row(run) for run in list_runs()]
    if as_json:
        terminal.print_json(rows)
        return
    if not rows:
        print(f"No run yet in {runs_root()}.")
        return
    table = Table("id", "state", "epochs", "error", box=None)
    for row in rows:
        table.add_row(
            row["id"], row["state"], f"{row['epochs']} of {row['epochs_planned'] or '?'}", _error_text(row)
        )
    Console().print(table)


def _run_row(run: RunFolder) -> dict[str, Any]:
    records = run.events()
    epochs = [r for r in records if r["event"] == "epoch_ended"]
    card = run.card()
    try:
        planned, state = run.config.phase1.epochs + run.config.phase2.epochs, run.state(records)
    except InputError:  # one damaged run must not hide the others
        planned, state = None, "damaged"
    return {
        "id": run.id,
        "path": str(run.path),
        "state": state,
        "epochs": len(epochs),
        "epochs_planned": planned,
        "parent": parent_of(records),
        "validation_error_percent": epochs[-1].get("validation_error_bitwise") if epochs else None,
        "error_percent": card["error_percent"] if card else None,
    }


def _error_text(row: dict[str, Any]) -> str:
    if row["error_percent"] is not None:
        return f"{row['error_percent']:.2f} % test"
    if row["validation_error_percent"] is not None:
        return f"{row['validation_error_percent']:.2f} % validation"
    return ""


@app.command()
def fields(as_json: Json = False) -> None:
    """List every field of a run's configuration: range, default, help and equation."""
    if as_json:
        terminal.print_json(
            [
                {
                    "field": s.path,
                    "allowed": s.allowed,
                    "default": s.default,
                    "unit": s.unit,
                    "help": s.help,
                    "equation": s.equation,
                    "live": s.path in LIVE_FIELDS,
                }
                for s in field_specs()
            ]
        )
        return
    table = Table("field", "default", "allowed", "help", box=None)
    for spec in field_specs():
        table.add_row(spec.path, str(spec.default), spec.allowed, spec.help)
    Console().print(table)


@app.command()
def worker() -> None:
    """Serve training runs to a program: JSON lines in, JSON lines out."""
    from bnn_core.commands.worker import main as serve

    serve()
