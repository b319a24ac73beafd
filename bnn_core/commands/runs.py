"""``runs``: what lies under the root of runs."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from bnn_core.commands.options import Json
from bnn_core.commands.terminal import print_json
from bnn_core.errors import InputError
from bnn_core.names import runs_root
from bnn_core.runs.find import list_runs
from bnn_core.runs.folder import RunFolder
from bnn_core.runs.past import parent_of


def runs(as_json: Json = False) -> None:
    """List the runs under the root (``runs/``, or the folder that BNN_RUNS names)."""
    rows = [_run_row(run) for run in list_runs()]
    if as_json:
        print_json(rows)
        return
    if not rows:
        print(f"No run yet in {runs_root()}.")
        return
    table = Table("id", "state", "epochs", "error", box=None)
    for row in rows:
        table.add_row(
            row["id"], row["state"], f"{row['epochs']} of {row['epochs_planned'] or '?'}", _error_text(row)
        )
    Console().print(table)


def _run_row(run: RunFolder) -> dict[str, Any]:
    records = run.events()
    epochs = [r for r in records if r["event"] == "epoch_ended"]
    card = run.card()
    try:
        planned, state = run.config.phase1.epochs + run.config.phase2.epochs, run.state(records)
    except InputError:  # one damaged run must not hide the others
        planned, state = None, "damaged"
    return {
        "id": run.id,
        "path": str(run.path),
        "state": state,
        "epochs": len(epochs),
        "epochs_planned": planned,
        "parent": parent_of(records),
        "validation_error_percent": epochs[-1].get("validation_error_bitwise") if epochs else None,
        "error_percent": card["error_percent"] if card else None,
    }


def _error_text(row: dict[str, Any]) -> str:
    if row["error_percent"] is not None:
        return f"{row['error_percent']:.2f} % test"
    if row["validation_error_percent"] is not None:
        return f"{row['validation_error_percent']:.2f} % validation"
    return ""
