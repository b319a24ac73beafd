"""Train: start a run, watch both phases live, change settings while it runs; go back in any run, play it
back, and branch from it."""

from __future__ import annotations

import streamlit as st

from bnn_core.runs.past import Moment
from explorer.screens.train import html as pieces
from explorer.screens.train import words
from explorer.screens.train.address import KEYS
from explorer.screens.train.branch import plan_branch
from explorer.screens.train.knobs import knobs
from explorer.screens.train.pictures import charts
from explorer.screens.train.runs import choose_run
from explorer.screens.train.session import Session, Shown, session, settle, title, write_url
from explorer.screens.train.transport import transport
from explorer.server import machine
from explorer.server.live import manager
from explorer.shared import html
from explorer.shared.pages import Page

REFRESH_SECONDS = 0.5
FIRST_SECONDS = 0.2  # until the first epoch is over
_FAST_SECONDS = 0.25  # a replay at its fastest pace


def refresh(held: Session, shown: Shown) -> float | None:
    """How often to look again; None where nothing moves."""
    if shown.mode == "replay":
        if shown.status != "running":
            return None
        return _FAST_SECONDS if held.pace == "max" else REFRESH_SECONDS
    if not (shown.active or shown.status == "waiting" or shown.current is not None):
        return None
    return FIRST_SECONDS if shown.active and not shown.seen.history.epochs else REFRESH_SECONDS


def head_note(shown: Shown) -> str:
    """What the errors are of, and what kind of run this is."""
    told = shown.seen.history
    notes = [words.ERROR_NOTE[told.validated]]
    if shown.mode == "replay":
        notes.append(words.REPLAYED.format(run=title(shown.run or "")))
    elif told.parent is not None and not shown.mode:
        moment = Moment(told.parent.phase, told.parent.epoch)
        notes.append(words.descent(title(told.parent.parent), str(moment), told.same_bits))
    return "; ".join(filter(None, notes))


def main() -> None:
    """The page."""
    manager().warm_up()
    held = session()
    shown = settle(held)
    if held.branching:
        shown = plan_branch(held, shown)
    write_url(held)
    every = refresh(held, shown)
    notes = [machine.unavailable(), held.note, *held.notes, words.ELSEWHERE if shown.elsewhere else ""]
    with st.container(key="train"):
        for note in filter(None, notes):
            st.html(html.note(note))
        st.fragment(transport, run_every=every, key="train_transport_fragment")(held, shown.turn)
        with st.container(key="train_body", horizontal=True, gap=None):
            with st.container(key="train_knobs", width=248):
                knobs(held, shown)
            with st.container(key="train_charts_box"):
                with st.container(key="train_head", horizontal=True, gap=None):
                    head = words.ERROR_HEAD[shown.seen.history.validated]
                    st.html(pieces.title(head, head_note(shown)), width="stretch")
                    with st.container(key="train_runs", width=320):
                        choose_run(held, shown)
                st.fragment(charts, run_every=every, key="train_charts_fragment")(held, shown.turn)


PAGE = Page("Train", 2, main, keys=KEYS, apart=True)
