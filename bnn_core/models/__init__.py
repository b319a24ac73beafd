"""Trained networks that come with the project.

Each lies in ``bnn_core/models/NAME/``: the run folder that made it (configuration, events, snapshots)
with ``model.safetensors`` and its ``card.json``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
