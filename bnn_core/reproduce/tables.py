"""Markdown tables made from the results and the networks' cards, also where the README has its marks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from statistics import mean
from typing import Any

from bnn_core.config import RunConfig
from bnn_core.models import ShippedModel
from bnn_core.reproduce.experiments import EXPERIMENTS, Experiment
from bnn_core.reproduce.results import Record, Results

_BLOCK = re.compile(r"(<!-- made: (?P<name>[a-z]+) -->\n).*?(\n<!-- end -->)", re.DOTALL)
FOOTNOTE = (
    "Test errors in %; with several seeds the mean, and each. * As commonly cited; 1.33 is confirmed by a"
    " later paper's table."
)


def markdown(results: Results, group: str) -> str:
    """The table of a group that is no curve; experiments without a result are left out."""
    rows = [(e, results.of(e.name)) for e in EXPERIMENTS.values() if e.group == group]
    found = [(e, records) for e, records in rows if records]
    return _paper(found) if group == "table" else _plain(found)


def written(text: str, results: Results, models: Sequence[ShippedModel]) -> str:
    """The text with every table between ``<!-- made: NAME -->`` and ``<!-- end -->`` made anew.

    NAME is ``networks``, or a group of experiments that is no curve.
    """

    def block(match: re.Match[str]) -> str:
        name = match["name"]
        table = networks(models) if name == "networks" else markdown(results, name)
        return match[1] + table + match[3]

    return _BLOCK.sub(block, text)


def networks(models: Sequence[ShippedModel]) -> str:
    """The networks that come with the project, from their cards."""
    lines = [
        "| network | what it is | test error | float, phase 1 | file | made by |",
        "|---|---|---|---|---|---|",
    ]
    for model in sorted(models, key=lambda m: float(m.card["error_percent"]), reverse=True):
        card = model.card
        real = card["real_error_percent"]
        command = str(card["command"]).split(" --out")[0].removeprefix("python -m bnn_core ")
        lines.append(
            f"| `{model.name}` | {_what(card)} | **{card['error_percent']:.2f} %**"
            f" | {f'{real:.2f} %' if real is not None else '–'} | {card['bytes'] / 1000:.0f} kB"
            f" | `{command}` |"
        )
    return "\n".join(lines)


def _what(card: dict[str, Any]) -> str:
    """784-512-512-10, strict, bipolar input bits; with what else its configuration says."""
    config = RunConfig.from_dict(card["config"])
    more = [f"{config.network.constant_units} constant units"] if config.network.constant_units else []
    if config.noise.sparsity:
        more.append(f"{config.noise.sparsity:.0%} of the hidden weights off".replace("%", " %"))
    return ", ".join([str(card["what"]), *more])


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
        mark = "" if config.data.features == "bipolar" else "*"
        lines.append(
            f"| {config.data.features} | {experiment.title} | {cited:.2f}* | {_real(records)}"
            f" | {confirmed:.2f}{mark} | **{spread([r['test_error'] for r in records])}**"
            f" | {config.phase1.epochs} + {config.phase2.epochs} | {_time(records)} |"
        )
    return "\n".join(lines)


def _plain(rows: Sequence[tuple[Experiment, list[Record]]]) -> str:
    lines = ["| change | float, phase 1 | **bitwise** | time |", "|---|---|---|---|"]
    for experiment, records in rows:
        lines.append(
            f"| {experiment.title} | {_real(records)}"
            f" | **{spread([r['test_error'] for r in records])}** | {_time(records)} |"
        )
    return "\n".join(lines)


def _real(records: Sequence[Record]) -> str:
    """Of phase 1's networks, as far as there was a phase 1."""
    errors = [r["real_error"] for r in records if r["real_error"] is not None]
    return spread(errors) if errors else "–"


def _time(records: Sequence[Record]) -> str:
    """Mean training time of a seed."""
    seconds = mean(r["seconds"] for r in records)
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
