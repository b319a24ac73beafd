"""Whether this machine can train, and write the runs; why not is one sentence. No Streamlit inside."""

from __future__ import annotations

import importlib.util
import os
import tempfile
from pathlib import Path

from bnn_core.errors import InputError

VARIABLE = "BNN_TRAINING"
SWITCH = {True: ("on", "1", "yes", "true"), False: ("off", "0", "no", "false")}
OFF = "Training is switched off on this machine (BNN_TRAINING=off); the trained networks can be looked at."
NO_TORCH = (
    "Training needs PyTorch, which is not installed here: python -m pip install torch, then open this page"
    " again. The trained networks can be looked at without it."
)


def unavailable() -> str | None:
    """Why nothing can be trained here, one sentence that says how to change it; None if it can."""
    text = os.environ.get(VARIABLE, "").strip()
    if text.lower() in SWITCH[False]:
        return OFF
    if text and text.lower() not in SWITCH[True]:  # a mistake in it must not open a public host
        *allowed, last = (*SWITCH[True], *SWITCH[False])
        return (
            f"{VARIABLE} is {text[:40]!r}: allowed is {', '.join(allowed)} or {last}, so nothing can be"
            " trained here; the trained networks can be looked at."
        )
    if importlib.util.find_spec("torch") is None:
        return NO_TORCH
    return None


def check_available() -> None:
    """Raises InputError if nothing can be trained here."""
    if (reason := unavailable()) is not None:
        raise InputError(reason)


def check_writable(folder: Path) -> None:
    """Make the folder if need be; raises InputError, one sentence, if nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(
            f"Runs are kept in {folder}, which cannot be written ({error.strerror or error});"
            " the environment variable BNN_RUNS names another folder."
        ) from None
