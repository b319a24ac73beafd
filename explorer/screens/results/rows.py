"""What the Results page shows, taken from the records of the experiments. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

from bnn_core.reproduce import EXPERIMENTS, Experiment, Results

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Row:
    """One network of a table.

    Attributes:
        experiment: what was run.
        bitwise: test error in % of each seed.
        real: the same of phase 1's networks; empty without phase 1.
    """

    experiment: Experiment
    bitwise: tuple[float, ...]
    real: tuple[float, ...]

    @property
    def features(self) -> str:
        """The input bits."""
        return self.experiment.config.data.features

    @property
    def confirmed(self) -> bool:
        """Whether a later paper's table confirms the paper's bitwise number."""
        return self.features == "bipolar"


@dataclass(frozen=True)
class Point:
    """One value of a curve's setting; errors in %, one a seed."""

    value: float
    bitwise: tuple[float, ...]
    real: tuple[float, ...]
    naive: tuple[float, ...]


@dataclass(frozen=True)
class Damage:
    """How a network fares with broken bits.

    Attributes:
        value: the noise that it was trained with.
        rates: shares of broken bits.
        errors: mean test error in % at each.
    """

    value: float
    rates: tuple[float, ...]
    errors: tuple[float, ...]


def _runs(results: Results, group: str) -> Iterator[tuple[Experiment, Sequence[Record]]]:
    """A group's experiments, as far as they were run, with a record a seed."""
    for experiment in EXPERIMENTS.values():
        records = results.of(experiment.name)
        if experiment.group == group and records:
            yield experiment, records


def _errors(records: Sequence[Record], kind: str) -> tuple[float, ...]:
    """An error of each seed that has it."""
    return tuple(r[kind] for r in records if r[kind] is not None)


def table_rows(results: Results, group: str = "table") -> list[Row]:
    """A group's networks, as far as they were run."""
    return [
        Row(experiment, _errors(records, "test_error"), _errors(records, "real_error"))
        for experiment, records in _runs(results, group)
    ]


def curve(results: Results, group: str) -> list[Point]:
    """A curve's points, by value, as far as they were run."""
    kinds = ("test_error", "real_error", "naive_error")
    points = [
        Point(experiment.value, *(_errors(records, kind) for kind in kinds))
        for experiment, records in _runs(results, group)
        if experiment.value is not None
    ]
    return sorted(points, key=lambda point: point.value)


def damages(results: Results, group: str, what: str) -> list[Damage]:
    """How the networks of a curve fare with broken bits.

    Args:
        what: "inputs" or "weights".
    """
    found = []
    for experiment, records in _runs(results, group):
        if experiment.value is None:
            continue
        rates = tuple(rate for rate, _error in records[0]["faults"][what])
        errors = [[error for _rate, error in r["faults"][what]] for r in records]
        found.append(Damage(experiment.value, rates, tuple(mean(e) for e in zip(*errors, strict=True))))
    return sorted(found, key=lambda damage: damage.value)


def at(points: Sequence[Point], value: float) -> float | None:
    """The mean bitwise error at a value; None if it was not run."""
    return next((mean(point.bitwise) for point in points if point.value == value), None)
