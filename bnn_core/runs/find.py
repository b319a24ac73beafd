"""Where a model or a run lies, by shipped name, id, folder or file."""

from __future__ import annotations

from pathlib import Path

from bnn_core.errors import InputError
from bnn_core.models import CARD_FILE, MODEL_FILE, MODELS_FOLDER, shipped_models


def find_model(source: str | Path) -> Path:
    """The model file behind a shipped name, a run folder, a run's id or a file.

    Raises:
        InputError: nothing of the kind is there; names what would be.
    """
    # A shipped name is found without looking for runs, which loads the schema of their configuration.
    if source in {card.parent.name for card in MODELS_FOLDER.glob(f"*/{CARD_FILE}")}:
        return MODELS_FOLDER / source / MODEL_FILE
    from bnn_core.runs.folder import is_run_id, runs_root

    path = Path(source)
    candidates = [path, path / MODEL_FILE]
    if isinstance(source, str) and is_run_id(source):
        candidates = [
            MODELS_FOLDER / source / MODEL_FILE,
            runs_root() / source / MODEL_FILE,
            *candidates,
        ]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    run = runs_root() / source if isinstance(source, str) and is_run_id(source) else path
    names = ", ".join(model.name for model in shipped_models()) or "none yet"
    if str(source) and run.is_dir():
        raise InputError(f"{source} holds no {MODEL_FILE}: the run has not finished, or it is no run folder.")
    raise InputError(
        f"There is no model {str(source)!r}: allowed are a shipped name ({names}), a file or a run."
    )
