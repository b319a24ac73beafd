"""The Train page's pictures: the error chart, and below it weights, flips, templates and a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from bnn_core import InputError
from bnn_core.datasets.features import INPUT_THRESHOLD
from bnn_core.names import SnapshotName
from bnn_core.runs.folder import RunFolder
from explorer.components.bit_matrix import bit_matrix
from explorer.palette import palette
from explorer.screens.train import html as pieces
from explorer.screens.train import words
from explorer.screens.train.address import NEW
from explorer.screens.train.branch import moment_of
from explorer.screens.train.error_chart import error_chart
from explorer.screens.train.flips_chart import flips_chart
from explorer.screens.train.happening import happening
from explorer.screens.train.scrubber import scrubber
from explorer.screens.train.session import Session, Shown, look_again
from explorer.screens.train.templates import templates
from explorer.screens.train.weights_chart import weights_chart
from explorer.server import catalogue
from explorer.server.history import History, history
from explorer.server.replay import newest_snapshot, until_snapshot
from explorer.shared.planes import Planes
from explorer.shared.widgets import show_chart
from explorer.shared.words import layer_name, moment_name


@dataclass(frozen=True, eq=False)
class Figures:
    """A run's pictures at one version of it."""

    errors: Any
    weights: Any
    flips: Any
    templates: Planes | None
    since: str | None


@st.cache_resource(show_spinner=False, max_entries=96)
def figures(
    run: str,
    version: tuple[int, int],
    planned: tuple[int, int],
    theme: str,
    running: bool,
    at: str,
    note: str,
    lit: bool,
    _folder: Path | None,
    _history: History,
    _then: History,
) -> Figures:
    """Built once a version of the run, for all viewers.

    Args:
        at: the snapshot shown; "" is the newest.
        note: what to call that moment on the error chart; "" marks none.
        lit: whether what flipped since the snapshot before is lit.
        _then: the history up to that snapshot.
    """
    colours = palette(theme)
    cursor = _history.cursor(*SnapshotName.parse(at)) if at and note else None
    errors = error_chart(_history, colours, running=running, cursor=cursor, cursor_note=note)
    tiles, since = _templates(_folder, at, lit)
    if not _then.epochs:
        return Figures(errors, None, None, tiles, since)
    return Figures(
        errors, weights_chart(_then, colours), flips_chart(_then, colours, whole=_history), tiles, since
    )


def _templates(folder: Path | None, at: str, lit: bool) -> tuple[Planes | None, str | None]:
    """The bits of the first layer then, and since when flips are lit."""
    try:
        shots = RunFolder(folder).snapshots() if folder is not None else []
        if at:
            shots = [shot for shot in shots if shot.name.text <= at]
        if not shots:
            return None, None
        last = catalogue.load_network(catalogue.File.of(shots[-1].path))
        if len(shots) < 2 or not lit:
            return templates(last), None
        before = shots[-2]
        found = templates(last, catalogue.load_network(catalogue.File.of(before.path)))
        same_phase = before.name.phase == shots[-1].name.phase
        when = words.moment(before.name.epoch, before.name.step)
        return found, when if same_phase else words.PHASE_HEADS[1][0].lower()
    except (InputError, OSError):
        return None, None  # thinned out or replaced while we looked; the next look finds others


def charts(held: Session, turn: tuple[object, ...]) -> None:
    """The error chart, the scrubber, and below them weights, flips, templates and a sentence."""
    shown, told = look_again(held, turn)
    theme = st.context.theme.type or "light"
    then, at, note, lit = told, "", "", shown.active
    if shown.mode == "replay":
        at = newest_snapshot(shown.seen.records)
    elif shown.at and shown.run is not None:
        at, lit = shown.at, True
        then = history(until_snapshot(shown.records, at))
        note = words.BRANCHES_HERE if shown.mode == "branch" else moment_name(*SnapshotName.parse(at)).lower()
    version = shown.seen.version if shown.run is not None else (0, 0)
    drawn = figures(
        shown.run or NEW, version, told.planned, theme, shown.active, at, note, lit, shown.folder, told, then
    )
    head = words.ERROR_HEAD[told.validated]
    with st.container(key="train_charts"):
        alt = words.error_alt(head, told.real, told.latest_error, told.phase)
        show_chart(drawn.errors, "train_errors", alt)
        scrubber(held, shown)
        with st.container(key="train_lower", horizontal=True, gap=None):
            lower(drawn, then, shown, earlier=bool(note))


def lower(drawn: Figures, told: History, shown: Shown, *, earlier: bool) -> None:
    """Weights, flips, templates, and what is happening."""
    if told.epochs and drawn.weights is not None:
        epoch = told.epochs[-1]
        names = [layer_name(i + 1, len(epoch.flips)) for i in range(len(epoch.flips))]
        with st.container(key="train_weights"):
            outlined = bool(told.of_phase(1) and told.of_phase(2))
            st.html(pieces.title(words.WEIGHTS, words.WEIGHTS_NOTE[outlined]))
            show_chart(drawn.weights, "train_histograms", words.weights_alt(names, epoch.zeros))
        with st.container(key="train_flips"):
            st.html(pieces.title(words.FLIPS, words.FLIPS_NOTE[any(epoch.zeros)]))
            show_chart(drawn.flips, "train_flip_lines", words.flips_alt(names, epoch.flips))
    with st.container(key="train_right"):
        if drawn.templates is not None:
            tiles(drawn.templates, drawn.since)
        st.html(pieces.happening(sentence(told, shown, earlier), then=earlier and shown.mode != "branch"))


def sentence(told: History, shown: Shown, earlier: bool) -> str:
    """What is happening, or was at the moment shown; for a branch, what Start would do."""
    moment = moment_of(shown)
    if shown.mode == "branch" and moment is not None:
        return words.BRANCH_READY.format(moment=moment)
    if earlier or (shown.mode == "replay" and shown.status == "paused"):
        return happening(told, "running")
    return happening(told, shown.status, shown.job.reason if shown.job is not None else None)


def tiles(shown: Planes, since: str | None) -> None:
    """Ten units of the first layer; what flipped is lit."""
    totals = [shown.at(unit).total for unit in range(len(shown.bits))]
    head = words.TEMPLATES_HEAD.format(last=len(totals) - 1)
    note = words.templates_note(since, totals[0].weights)
    st.html(pieces.title(head, note, lit=since is not None))
    bit_matrix(
        shown.bits,
        key="train_templates",
        label=head,
        mask=shown.mask,
        changed=shown.changed,
        faded=shown.changed is not None or rare_pixels(shown.bits.shape),
        pitch=2,
        pitch_variable="--bx-tile",
        gap=0,
        tile_columns=5,
        tile_gap=4,
        captions=[str(total.plus if total.flips is None else total.flips) for total in totals],
        tones=[""] * len(totals),
    )


def rare_pixels(shape: tuple[int, ...]) -> Any:
    """Like the tiles, 1 where pixels are ink in under 1 % of the digits; False for other pictures."""
    side = catalogue.digits().side
    if shape[1:] != (side, side):
        return False
    rare = catalogue.rare_inputs("bipolar", INPUT_THRESHOLD)
    return np.broadcast_to(rare.reshape(side, side), shape)
