"""What a run looks like in a terminal: a progress bar, a line an epoch, the outcome."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from bnn_core.config import RunConfig
from bnn_core.runs import events
from bnn_core.runs.past import Moment
from bnn_core.runs.recompute import Cost
from bnn_core.training.control import Control


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    print(json.dumps(value, indent=2))


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


@contextmanager
def measuring() -> Iterator[Callable[[str, float], None]]:
    """A bar on standard error for what is measured: (what, share of it that is over)."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda what, share: bar.update(task, description=what, completed=share)


BENCH_NAMES = {
    "torch_float32": "PyTorch, float32",
    "numpy_float32": "NumPy, float32",
    "onnx_float32": "ONNX Runtime, float32",
    "onnx_int8": "ONNX Runtime, int8",
    "bnn_lab": "bnn-lab, one bit",
}


def print_bench(result: dict[str, Any]) -> None:
    """The bench's report as two tables; times are medians for the whole batch."""
    machine, batches = result["machine"], result["batches"]
    sizes = "-".join(map(str, result["network"]["sizes"]))
    threads = "1 thread" if result["threads"] == 1 else f"{result['threads']} threads"
    print(
        f"{sizes}, {result['network']['variant']}, {result['network']['features']}, on {machine['processor']}"
        f" ({machine['cores']} cores, {machine['system']}), {threads}, {result['clock']}"
    )
    checked = result["checked"]
    if result["correct"]:
        print(
            f"Every kernel gives the oracle's integers on {checked['oracle_digits']} digits,"
            f" and the same ones as the others on {checked['digits']:,}."
        )
    else:
        print(f"WRONG INTEGERS from: {', '.join(result['wrong_kernels'])}.")
    table = Table("", *(f"batch {int(size):,}" for size in batches), box=None)
    for place in range(1, len(table.columns)):
        table.columns[place].justify = "right"
    each = list(batches.values())
    table.add_row(f"bitwise ({result['kernel']})", *(_time(batch["bitwise_us"]) for batch in each))
    table.add_row("from pixels to label", *(_time(batch["from_pixels_us"]) for batch in each))
    if "one_thread_us" in each[0]:
        table.add_row(
            "one thread",
            *(f"{_time(b['one_thread_us'])}  {b['threads_ratio']:.2f} x" for b in each),
        )
    for name in each[0]["kernels"]:
        if name != result["kernel"]:
            table.add_row(f"kernel {name}", *(_time(batch["kernels"][name]) for batch in each))
    for name in each[0]["ratio"]:
        table.add_row(
            BENCH_NAMES[name],
            *(f"{_time(b[f'{name}_us'])}  {b['ratio'][name]:.1f} x" for b in each),
        )
    Console(width=200).print(table)
    memory, operations, energy = result["memory"], result["operations"], result["energy"]
    print(
        f"Memory: {memory['bitwise_bytes']:,} bytes, {memory['float32_bytes']:,} in float32,"
        f" {memory['ratio']:.1f} x less."
    )
    print(
        f"A digit: {operations['word_operations']:,} words of 64 bits XNORed and counted,"
        f" {operations['multiply_accumulates']:,} multiply-accumulates, {operations['ratio']:.1f} x fewer;"
        f" arithmetic {energy['ratio']:.0f} x less energy."
    )
    print(f"Energy by: {energy['source']}")
    if result["start"] is not None:
        start = result["start"]
        print(
            f"From the import to the first answer: {start['cached_s']:.2f} s,"
            f" {start['compiling_s']:.2f} s when the kernels are compiled first."
        )


def print_training_bench(result: dict[str, Any]) -> None:
    """How long an epoch takes, beside the plain network."""
    sizes = "-".join(map(str, result["sizes"]))
    print(
        f"{sizes}, an epoch of 60,000 digits in batches of {result['batch']},"
        f" on {result['machine']['processor']}, {result['threads']} thread(s), {result['clock']},"
        f" torch {result['machine']['torch']}"
    )
    for name, seconds in result["epoch_s"].items():
        ratio = f"  {result['ratio'][name]:.2f} x" if name in result["ratio"] else ""
        print(f"{name:18} {seconds:6.1f} s{ratio}")


def _time(microseconds: float) -> str:
    if microseconds < 1000:
        return f"{microseconds:.1f} us"
    return f"{microseconds / 1000:,.2f} ms"
