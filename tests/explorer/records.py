"""Records of a run of 3 + 4 epochs, as training writes them."""

from __future__ import annotations

from typing import Any

from bnn_core import RunConfig
from bnn_core.training import events

LAYERS = 3


def started(**changes: Any) -> dict[str, Any]:
    config = RunConfig().updated({"phase1.epochs": 3, "phase2.epochs": 4, **changes})
    values: dict[str, Any] = {
        "sizes": [784, 256, 256, 10],
        "train_digits": 50_000,
        "validation_digits": 10_000,
    }
    values |= {"data_sha256": "", "threads": 1, "date": ""}
    return events.RunStarted(t=0.0, config=config.to_dict(), **values).record()


def phase(number: int, epochs: int | None = None, steps: int = 250) -> dict[str, Any]:
    planned = epochs or (3 if number == 1 else 4)
    return events.PhaseStarted(t=0.0, phase=number, epochs=planned, steps=steps).record()


def epoch(
    number: int, count: int, bitwise: float, real: float | None = None, flips: float = 0.05, **more: Any
) -> dict[str, Any]:
    values: dict[str, Any] = {
        "train_error_real": real and real / 2,
        "validation_error_real": real,
        "train_error_bitwise": bitwise / 2,
        "validation_error_bitwise": bitwise,
        "flips": [flips] * LAYERS,
        "zeros": [0.0] * LAYERS,
        "saturation": [0.5] * LAYERS,
        "histogram": [[1 / events.HISTOGRAM_BINS] * events.HISTOGRAM_BINS] * LAYERS,
        "boundary": [0.0] * LAYERS,
        "gain": 1.0 if number == 1 else None,
    }
    values |= {"loss": 0.1, "ties": 3, "learning_rate": 0.004, "seconds": 2.0}
    return events.EpochEnded(t=1.0 * count, phase=number, epoch=count, **{**values, **more}).record()


def progress(number: int, count: int, step: int, **more: Any) -> dict[str, Any]:
    values = {"steps": 250, "speed": 10_000.0, "loss": 0.2, "learning_rate": 0.001, "gain": None, **more}
    return events.Progress(t=1.0, phase=number, epoch=count, step=step, **values).record()


def changed(number: int, count: int, field: str, value: float) -> dict[str, Any]:
    return events.SettingsChanged(t=3.0, phase=number, epoch=count, step=7, field=field, value=value).record()


def snapshot(number: int, count: int, step: int, error: float, **more: Any) -> dict[str, Any]:
    values = {"validation_error_bitwise": error, "network": None, **more}
    return events.Snapshot(t=1.0, phase=number, epoch=count, step=step, **values).record()


def branched(
    parent: str, number: int, count: int, config: dict[str, Any], changes: dict[str, Any]
) -> dict[str, Any]:
    return events.Branched(
        t=2.0, phase=number, epoch=count, parent=parent, config=config, changes=changes, date=""
    ).record()


def recomputing(done: float, epochs: int) -> dict[str, Any]:
    return events.Recomputing(t=2.0, done=done, epochs=epochs).record()


PHASE1 = [started(), phase(1), epoch(1, 1, 14.0, 6.0), epoch(1, 2, 25.0, 4.0), epoch(1, 3, 8.0, 2.7)]
PHASE2 = [*PHASE1, phase(2), epoch(2, 1, 3.2, flips=0.06), epoch(2, 2, 3.0, flips=0.04)]
BRANCHED = branched(
    "20261123-101502-quick-3f2a",
    2,
    1,
    RunConfig().updated({"phase1.epochs": 3, "phase2.epochs": 6, "noise.sparsity": 0.5}).to_dict(),
    {"noise.sparsity": 0.5},
)
_TEST = {"test_error": 3.21, "test_errors": 321, "test_ties": 4, "test_error_real": 2.71}
END = events.RunEnded(t=9.0, status="finished", seconds=9.0, **_TEST).record()
STOPPED = events.RunEnded(t=9.0, status="stopped", seconds=9.0).record()
