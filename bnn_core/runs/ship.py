"""Making a finished run one of the networks that come with the project."""

from __future__ import annotations

import json
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np

from bnn_core.errors import InputError
from bnn_core.files import write_atomically
from bnn_core.models import MODELS_FOLDER
from bnn_core.names import CARD_FILE, CONFIG_FILE, EVENTS_FILE, MODEL_FILE, REAL_FILE, SNAPSHOTS, is_run_id
from bnn_core.runs.folder import RunFolder
from bnn_core.training.events import Progress


def ship(
    run: RunFolder, name: str, *, snapshots: int = 12, real: bool = True, root: Path = MODELS_FOLDER
) -> Path:
    """Copy what a reader needs of a finished run: no checkpoints, no progress, few moments.

    Args:
        name: of the network, [a-z0-9-]; its folder must not be there yet.
        snapshots: how many of its moments to keep, spread over the run; the ends of its phases are always
            kept.
        real: whether phase 1's network goes with it.

    Returns:
        the folder.

    Raises:
        InputError: the run has not finished, or the name is taken or no plain id.
    """
    folder = root / name
    if not is_run_id(name) or folder.exists():
        raise InputError(f"The name {name!r} is taken or is no plain id: allowed is a new one of [a-z0-9-].")
    card = run.card()
    if card is None or run.model_path is None:
        raise InputError(f"Run {run.id} has not finished: only a finished run can be shipped.")
    (folder / SNAPSHOTS).mkdir(parents=True)
    for file in (CONFIG_FILE, MODEL_FILE, *([REAL_FILE] if real and run.real_path else [])):
        shutil.copyfile(run.path / file, folder / file)
    kept = [record for record in run.events() if record["event"] != Progress.name]
    lines = "".join(json.dumps(record) + "\n" for record in kept)
    write_atomically(folder / EVENTS_FILE, lines.encode())
    write_atomically(folder / CARD_FILE, (json.dumps(card | {"name": name}, indent=2) + "\n").encode())
    shots = run.snapshots()
    kept_shots = {shots[round(place)] for place in np.linspace(len(shots) - 1, 0, max(1, snapshots))}
    kept_shots |= {a for a, b in pairwise(shots) if a.name.phase != b.name.phase}
    for shot in kept_shots:
        shutil.copyfile(shot.path, folder / SNAPSHOTS / shot.name.file)
    return folder
