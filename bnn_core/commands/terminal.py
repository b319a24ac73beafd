"""What a run looks like in a terminal: a progress bar, a line an epoch, the outcome."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from bnn_core.config import RunConfig
from bnn_core.training import events
from bnn_core.training.control import Control

_OTHER_BITS = (
    "This machine computes other bits than those that the parent's snapshot holds: the branch begins close to"
    " that moment, not at it."
)


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    print(json.dumps(value, indent=2))


def print_rows(
    rows: Sequence[dict[str, Any]], as_json: bool, columns: Mapping[str, Callable[[dict[str, Any]], Any]]
) -> None:
    """Rows as one JSON document, or as a table: under each head stands what is made of the row."""
    if as_json:
        print_json(rows)
        return
    table = Table(*columns, box=None)
    for row in rows:
        table.add_row(*(str(made(row)) for made in columns.values()))
    Console().print(table)


def follow(run: Iterator[events.Event], config: RunConfig) -> Iterator[events.Event]:
    """Pass the events on, drawing them on standard error."""
    planned = {1: config.phase1.epochs, 2: config.phase2.epochs}
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("starting", total=planned[1] + planned[2])
        for event in run:
            if isinstance(event, events.Recomputing):
                bar.update(task, total=event.epochs, completed=event.done, description="recomputing")
            elif isinstance(event, events.Recomputed):
                bar.update(task, total=planned[1] + planned[2])
                if event.same_bits is False:
                    console.print(_OTHER_BITS, highlight=False, soft_wrap=True)
            elif isinstance(event, events.Progress):
                before = event.epoch - 1 + (planned[1] if event.phase == 2 else 0)
                bar.update(
                    task,
                    completed=before + event.step / event.steps,
                    description=f"phase {event.phase}, epoch {event.epoch} of {planned[event.phase]}",
                )
            elif isinstance(event, events.EpochEnded):
                console.print(_epoch_line(event), highlight=False, soft_wrap=True)
            yield event


def run_to_end(
    run: Iterator[events.Event], control: Control, config: RunConfig
) -> tuple[events.RunEnded | None, int]:
    """Follow a run to its end; Ctrl-C and SIGTERM stop it. How it ended, and the exit code."""
    caught: list[int] = []

    def stop(number: int, _frame: Any) -> None:
        if caught:  # a second Ctrl-C: now
            raise KeyboardInterrupt
        caught.append(number)
        # Not in the handler itself: the lock may be held by the very code that it interrupts.
        import threading

        threading.Thread(target=control.stop).start()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    end: events.RunEnded | None = None
    try:
        for event in follow(run, config):
            if isinstance(event, events.RunEnded):
                end = event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return end, 128 + caught[0] if caught and (end is None or end.status == "stopped") else 0


def _epoch_line(e: events.EpochEnded) -> str:
    split = "validation"
    bitwise, real = e.validation_error_bitwise, e.validation_error_real
    if bitwise is None:
        split, bitwise, real = "training", e.train_error_bitwise, e.train_error_real
    parts = [f"phase {e.phase}  epoch {e.epoch:3}", f"loss {e.loss:.4f}"]
    if real is not None:
        parts.append(f"real {real:5.2f} %")
    parts.append(f"bitwise {bitwise:5.2f} % ({split})")
    parts.append(f"flips {100 * sum(e.flips) / len(e.flips):.2f} %")
    return "  ".join(parts)
