"""The Train page's list of runs: any of them can be looked at again."""

from __future__ import annotations

import zlib
from pathlib import Path

import streamlit as st

from bnn_core.models import MODELS_FOLDER
from bnn_core.runs.find import list_runs
from bnn_core.runs.folder import RunFolder
from explorer.screens.train import words
from explorer.screens.train.address import NEW
from explorer.screens.train.session import Session, Shown, run_folder, show_run, title
from explorer.server import catalogue
from explorer.server.live import manager
from explorer.shared.widgets import put

LISTED_RUNS = 60


@st.cache_data(show_spinner=False, max_entries=512)
def _result(card: catalogue.File) -> float | None:
    found = (RunFolder(Path(card.path).parent).card() or {}).get("error_percent")
    return float(found) if isinstance(found, int | float) else None


def run_label(run: str) -> str:
    """A run in the list: its name and result."""
    if run == NEW:
        return words.NEW_RUN
    card = run_folder(run) / "card.json"
    try:
        error = _result(catalogue.File.of(card))
    except (OSError, ValueError):
        error = None
    job = manager().jobs().find(run)
    name = title(run)
    if run_folder(run).parent == MODELS_FOLDER:
        name = words.SHIPPED.format(title=name)
    state = words.RUN_STATES.get(job.state, job.state) if job is not None else ""
    tail = words.percent(error) if error is not None else state
    return ", ".join(filter(None, [name, tail]))


def choose_run(held: Session, shown: Shown) -> None:
    """Any run can be looked at again."""
    jobs = manager().jobs()
    known = [job.id for job in (jobs.current, *jobs.queue) if job is not None]
    known += [run.id for run in list_runs()[:LISTED_RUNS] if run.id not in known]
    known += [model.name for model in catalogue.preferred_models() if model.name not in known]
    if shown.run is not None and shown.run not in known:
        known.append(shown.run)
    options = [NEW, *known]
    labels = {run: run_label(run) for run in options}
    # The browser names an option by its label, and labels change when runs end: a new list is a new widget.
    key = f"train_run_{zlib.crc32(repr(labels).encode()):08x}"
    held.drawn["run"] = {key}
    st.selectbox(
        words.RUNS,
        options,
        index=options.index(put(key, shown.run or NEW)),
        key=key,
        format_func=lambda run: labels.get(run, run),
        label_visibility="collapsed",
        on_change=lambda: chosen_run(held, key),
    )


def chosen_run(held: Session, key: str) -> None:
    """Another run was chosen in the list (the browser also reports what the page itself put there)."""
    run = st.session_state[key]
    if held.says("run", key) and run != (held.run or NEW):
        show_run(held, run)
