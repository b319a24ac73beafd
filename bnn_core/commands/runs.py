"""``runs``: what lies under the root of runs."""

from __future__ import annotations

from typing import Any

from bnn_core.commands.options import Json
from bnn_core.commands.terminal import print_rows
from bnn_core.errors import InputError
from bnn_core.names import runs_root
from bnn_core.runs.find import list_runs
from bnn_core.runs.folder import RunFolder
from bnn_core.runs.past import parent_of


def runs(as_json: Json = False) -> None:
    """List the runs under the root (``runs/``, or the folder that BNN_RUNS names)."""
    rows = [_run_row(run) for run in list_runs()]
    if not rows and not as_json:
        print(f"No run yet in {runs_root()}.")
        return
    print_rows(
        rows,
        as_json,
        {
            "id": "{id}".format_map,
            "state": "{state}".format_map,
            "epochs": lambda row: f"{row['epochs']} of {row['epochs_planned'] or '?'}",
            "error": _error_text,
        },
    )


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
