"""Which runs there are, and where one lies, by id, shipped name or folder."""

from __future__ import annotations

from pathlib import Path

from bnn_core.errors import InputError
from bnn_core.models import MODELS_FOLDER
from bnn_core.names import CONFIG_FILE, is_run_id, runs_root
from bnn_core.runs.folder import RunFolder


def find_run(source: str | Path) -> RunFolder:
    """A run by id, by shipped name or by folder; raises InputError if there is none."""
    if isinstance(source, str) and is_run_id(source):
        for folder in (MODELS_FOLDER / source, runs_root() / source):
            if (folder / CONFIG_FILE).is_file():
                return RunFolder(folder)
    if (Path(source) / CONFIG_FILE).is_file():
        return RunFolder(source)
    raise InputError(
        f"There is no run {str(source)!r}: allowed is a run's id in {runs_root()} or its folder."
    )


def list_runs() -> list[RunFolder]:
    """Every run under the root, newest first; folders that are no runs are passed over."""
    root = runs_root()
    configs = [p / CONFIG_FILE for p in root.iterdir() if is_run_id(p.name)] if root.is_dir() else []
    found = sorted(filter(Path.is_file, configs), key=lambda path: path.stat().st_mtime, reverse=True)
    return [RunFolder(path.parent) for path in found]
