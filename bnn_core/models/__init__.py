"""Trained networks that come with the project, and how a model is named.

Each lies in ``bnn_core/models/NAME/``: the run folder that made it (configuration, events, snapshots)
with ``model.safetensors`` and its ``card.json``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bnn_core.errors import InputError

MODELS_FOLDER = Path(__file__).parent
MODEL_FILE = "model.safetensors"
CARD_FILE = "card.json"


@dataclass(frozen=True)
class ShippedModel:
    """A network of the project: its name, folder and card."""

    name: str
    path: Path
    card: dict[str, Any]


def shipped_models() -> list[ShippedModel]:
    """The networks that come with the project, by name."""
    return [
        ShippedModel(card.parent.name, card.parent, json.loads(card.read_text("utf-8")))
        for card in sorted(MODELS_FOLDER.glob(f"*/{CARD_FILE}"))
    ]


def find_model(source: str | Path) -> Path:
    """The model file behind a shipped name, a run folder, a run's id or a file.

    Raises:
        InputError: nothing of the kind is there; names what would be.
    """
    # A shipped name is found without looking for runs, which loads the schema of their configuration.
    if source in {card.parent.name for card in MODELS_FOLDER.glob(f"*/{CARD_FILE}")}:
        return MODELS_FOLDER / source / MODEL_FILE
    from bnn_core.runs import is_run_id, runs_root

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
