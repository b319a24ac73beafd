"""Trained networks that come with the project, and where any packed network lies.

Each lies in ``bnn_core/models/NAME/``: the run folder that made it (configuration, events, snapshots)
with ``model.safetensors`` and its ``card.json``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bnn_core.errors import InputError
from bnn_core.names import CARD_FILE, MODEL_FILE, is_run_id, runs_root

MODELS_FOLDER = Path(__file__).parent


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
    path = Path(source)
    is_id = isinstance(source, str) and is_run_id(source)
    named = [root / source for root in (MODELS_FOLDER, runs_root())] if is_id else []
    for candidate in (*(folder / MODEL_FILE for folder in named), path, path / MODEL_FILE):
        if candidate.is_file():
            return candidate
    if str(source) and (named[-1] if named else path).is_dir():
        raise InputError(f"{source} holds no {MODEL_FILE}: the run has not finished, or it is no run folder.")
    names = ", ".join(model.name for model in shipped_models()) or "none yet"
    raise InputError(
        f"There is no model {str(source)!r}: allowed are a shipped name ({names}), a file or a run."
    )
