"""``bench``: how fast and how small, measured here and now, as two tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from bnn_core import bench as measuring
from bnn_core.commands.options import Json
from bnn_core.commands.terminal import print_json
from bnn_core.network.bitwise import BitwiseNetwork


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
    if training:
        from bnn_core.bench.training import training_report as report
    else:
        network = measuring.random_network() if model is None else BitwiseNetwork.load(model)
        report = partial(measuring.report, network)
    with _bar() as tell:
        result = report(threads=threads, tell=tell)
    (print_json if as_json else print_training_bench if training else print_bench)(result)
    return 0 if result.get("correct", True) else 1


@contextmanager
def _bar() -> Iterator[Callable[[str, float], None]]:
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
    table = Table("", *(Column(f"batch {int(size):,}", justify="right") for size in batches), box=None)
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
    if start := result["start"]:
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
