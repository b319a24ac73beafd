"""What the experiments gave, as data: one record for each experiment and seed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from filelock import FileLock

from bnn_core.config import RunConfig
from bnn_core.errors import InputError
from bnn_core.files import write_atomically
from bnn_core.reproduce.experiments import EXPERIMENTS, Experiment

RESULTS_FILE = Path(__file__).with_name("results.json")
"""The results that come with the project."""

Record = dict[str, Any]


class Results:
    """A file of records; a file that is not there yet is empty.

    A record holds: experiment, seed, config, test_error (%), test_errors, ties, real_error (% of phase 1's
    network, None without phase 1), naive_error and validation_error (% on the validation digits of phase
    1's network binarised as it stood, and of the last epoch; None without validation digits), seconds,
    threads, date, machine, constant_margin (None without constant units), and faults: for ``inputs`` and
    ``weights`` the test error in % at each rate of broken bits, ``[[rate, error], ...]``.
    """

    def __init__(self, path: Path = RESULTS_FILE) -> None:
        """Read the file; raises InputError if it is none."""
        self.path = path
        self.records = _read(path)

    def find(self, experiment: Experiment, seed: int) -> Record | None:
        """The record of that seed, if it was run with the experiment's configuration as it is now."""
        config = experiment.config.updated({"seed": seed})
        for record in self.of(experiment.name):
            if record["seed"] == seed and RunConfig.from_dict(record["config"]) == config:
                return record
        return None

    def of(self, name: str) -> list[Record]:
        """The records of an experiment, by seed."""
        return sorted((r for r in self.records if r["experiment"] == name), key=lambda r: r["seed"])

    def add(self, record: Record) -> None:
        """Keep a record, in place of an older one of the same experiment and seed, and write the file.

        Others may be adding theirs: the file is read again first, under a lock.
        """
        key = (record["experiment"], record["seed"])
        order = {name: place for place, name in enumerate(EXPERIMENTS)}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self.path.with_name(f".{self.path.name}.lock")):
            others = [r for r in _read(self.path) if (r["experiment"], r["seed"]) != key]
            self.records = sorted(
                [*others, record], key=lambda r: (order.get(r["experiment"], len(order)), r["seed"])
            )
            # A record a line, so that a difference of two files can be read.
            lines = ",\n".join(json.dumps(record) for record in self.records)
            write_atomically(self.path, f'{{"records": [\n{lines}\n]}}\n'.encode())


def _read(path: Path) -> list[Record]:
    """The file's records; none if it is not there. Raises InputError if it is no file of results."""
    try:
        records = [dict(record) for record in json.loads(path.read_text("utf-8"))["records"]]
        for record in records:
            _ = str(record["experiment"]), int(record["seed"]), float(record["test_error"])
    except FileNotFoundError:
        return []
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{path} is not a file of results: {error}.") from None
    return records
