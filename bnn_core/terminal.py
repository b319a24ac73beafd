"""What a run looks like in a terminal: a progress bar, a line an epoch, the outcome."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from bnn_core import events
from bnn_core.config import RunConfig
from bnn_core.past import Moment
from bnn_core.recompute import Cost


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
                    console.print(OTHER_BITS, highlight=False, soft_wrap=True)
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


OTHER_BITS = (
    "This machine computes other bits than those that the parent's snapshot holds: the branch begins close to"
    " that moment, not at it."
)


def recomputing(run: str, moment: Moment, cost: Cost) -> str:
    """What has to happen before a branch begins."""
    epochs = "1 epoch is" if cost.epochs == 1 else f"{cost.epochs} epochs are"
    return (
        f"Run {run} keeps no checkpoint of {moment}: {epochs} trained again first"
        f" (that took {cost.seconds:.0f} s)."
    )


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


def outcome(end: events.RunEnded, folder: Path) -> str:
    """One line: how the run ended and where it lies."""
    if end.status != "finished":
        return f"Stopped after {end.seconds:.0f} s, resumable: {folder}"
    real = "" if end.test_error_real is None else f" (real network {end.test_error_real:.2f} %)"
    return f"{end.test_error:.2f} % test error, bitwise{real}, {end.seconds:.0f} s: {folder}"
