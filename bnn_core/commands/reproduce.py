"""``python -m bnn_core reproduce``: run experiments, go on where they were stopped, report."""

from __future__ import annotations

import shutil
import sys
from operator import itemgetter
from pathlib import Path
from typing import Annotated

import typer

from bnn_core.commands import terminal
from bnn_core.commands.options import Data, Json, Threads, digits_of
from bnn_core.names import runs_root
from bnn_core.reproduce import tables
from bnn_core.reproduce.experiments import EXPERIMENTS, chosen
from bnn_core.reproduce.results import Results
from bnn_core.training.control import Control


def reproduce(
    only: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="An experiment or a group; the paper's table if left out."),
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, max=100, metavar="N", help="Seeds 0 to N - 1; else as planned.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where runs and results go; the root of runs if left out."),
    ] = None,
    results: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The results' file; reproduce.json in DIR if left out."),
    ] = None,
    listing: Annotated[bool, typer.Option("--list", help="Name the experiments, and run none.")] = False,
    keep: Annotated[bool, typer.Option(help="Keep the runs' folders once their results are noted.")] = True,
    threads: Threads = None,
    data: Data = None,
    as_json: Json = False,
) -> int:
    """Train the paper's table, or another group of experiments, and report it; go on where it was stopped."""
    wanted = chosen(only) if only or not listing else list(EXPERIMENTS.values())
    root = out or runs_root()
    noted = Results(results or root / "reproduce.json")
    if listing:
        said = ("name", "group", "title", "seeds")
        rows = [{key: getattr(e, key) for key in said} | {"config": e.config.to_dict()} for e in wanted]
        heads = {"name": "name", "group": "group", "what": "title", "seeds": "seeds"}
        terminal.print_rows(rows, as_json, {head: itemgetter(key) for head, key in heads.items()})
        return 0
    from bnn_core.reproduce import runner

    digits, device = digits_of(data), runner.best_device()
    for experiment in wanted:
        for seed in range(seeds or experiment.seeds):
            if noted.find(experiment, seed) is not None:
                continue
            print(f"{experiment.name}, seed {seed}: {experiment.title}", file=sys.stderr)
            control = Control()
            config = experiment.config.updated({"seed": seed})
            events = runner.run(
                experiment, seed, root, digits, control=control, threads=threads, device=device
            )
            _end, code = terminal.run_to_end(events, control, config)
            if code:
                print(f"Stopped; the same command goes on from here: {root}", file=sys.stderr)
                return code
            noted.add(runner.record(experiment, seed, root, digits))
            if not keep:
                shutil.rmtree(runner.run_folder(experiment, seed, root), ignore_errors=True)
    if as_json:
        names = {e.name for e in wanted}
        terminal.print_json([r for r in noted.records if r["experiment"] in names])
        return 0
    for group in dict.fromkeys(e.group for e in wanted):
        print(tables.markdown(noted, group))
    print(tables.FOOTNOTE)
    return 0
