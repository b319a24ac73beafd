"""Markdown tables made from the results."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean

from bnn_core.reproduce.experiments import EXPERIMENTS, Experiment
from bnn_core.reproduce.results import Record, Results

FOOTNOTE = (
    "Test errors in %; with several seeds the mean, and each. * As commonly cited; 1.33 is confirmed by a"
    " later paper's table."
)


def markdown(results: Results, group: str) -> str:
    """The table of a group that is no curve; experiments without a result are left out."""
    rows = [(e, results.of(e.name)) for e in EXPERIMENTS.values() if e.group == group]
    found = [(e, records) for e, records in rows if records]
    return _paper(found) if group == "table" else _plain(found)


def spread(values: Sequence[float]) -> str:
    """The mean, and all values if there are several: 1.31 (1.28, 1.31, 1.34)."""
    text = f"{mean(values):.2f}"
    return text if len(values) == 1 else f"{text} ({', '.join(f'{v:.2f}' for v in values)})"


def _paper(rows: Sequence[tuple[Experiment, list[Record]]]) -> str:
    lines = [
        "| inputs | network | paper: float | float, phase 1 | paper: bitwise | **bitwise** | epochs | time |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for experiment, records in rows:
        config = experiment.config
        assert experiment.paper is not None
        cited, confirmed = experiment.paper
        real = [r["real_error"] for r in records if r["real_error"] is not None]
        mark = "" if config.data.features == "bipolar" else "*"
        lines.append(
            f"| {config.data.features} | {experiment.title} | {cited:.2f}* | {spread(real) if real else '–'}"
            f" | {confirmed:.2f}{mark} | **{spread([r['test_error'] for r in records])}**"
            f" | {config.phase1.epochs} + {config.phase2.epochs} | {_time(records)} |"
        )
    return "\n".join(lines)


def _plain(rows: Sequence[tuple[Experiment, list[Record]]]) -> str:
    lines = ["| change | float, phase 1 | **bitwise** | time |", "|---|---|---|---|"]
    for experiment, records in rows:
        real = [r["real_error"] for r in records if r["real_error"] is not None]
        lines.append(
            f"| {experiment.title} | {spread(real) if real else '–'}"
            f" | **{spread([r['test_error'] for r in records])}** | {_time(records)} |"
        )
    return "\n".join(lines)


def _time(records: Sequence[Record]) -> str:
    """Mean training time of a seed."""
    seconds = mean(r["seconds"] for r in records)
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
