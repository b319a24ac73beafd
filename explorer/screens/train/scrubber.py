"""The Train page's epoch scrubber: any kept moment of the run, and a branch from it."""

from __future__ import annotations

import time
import zlib

import streamlit as st

from bnn_core.names import SnapshotName
from explorer.screens.train import html as pieces
from explorer.screens.train import words
from explorer.screens.train.branch import begin, moment_of
from explorer.screens.train.session import Session, Shown, attempt, snapshots, write_url
from explorer.server import replay
from explorer.shared.widgets import keep
from explorer.shared.words import moment_name

NEWEST = ""
"""The last stop of a run that is only looked at: whatever is newest, so that the slider need not be moved."""

_ECHO_SECONDS = 3.0


def scrubber(held: Session, shown: Shown) -> None:
    """A slider over the run's snapshots; while it trains it follows the newest one until it is moved."""
    held.drawn["moment"] = set()
    names = snapshots(shown)
    if shown.mode == "branch":
        # A branch begins where an epoch ends.
        names = [name for name in names if SnapshotName.parse(name).epoch]
    if len(names) < 2:
        return
    stops = names if shown.mode else [*names[:-1], NEWEST]
    at = replay.newest_snapshot(shown.seen.records) if shown.mode == "replay" else shown.at
    at = at if at in stops else stops[0] if shown.mode == "replay" else stops[-1]
    with st.container(key="train_scrub", horizontal=True, gap=None, vertical_alignment="center"):
        name = _name(at or names[-1])
        st.html(pieces.moment(f"{name}, {words.NOW}" if at == NEWEST and shown.active else name))
        # The browser holds a place in the list, and reports what stands there: a new list is a new widget.
        key = f"train_moment_{zlib.crc32(repr(stops).encode()):08x}"
        held.drawn["moment"] = {key}
        if not held.put or held.put[-1][0] != at:
            held.put.append((at, time.monotonic()))
        st.select_slider(
            words.MOMENT,
            stops,
            value=keep(key, at),
            key=key,
            format_func=_name,
            label_visibility="collapsed",
            on_change=lambda: _moved(held, shown, key),
        )
        _ways_on(held, shown)


def _ways_on(held: Session, shown: Shown) -> None:
    """Back to now, and a branch from the moment shown; always there, so that the slider keeps its length."""
    if shown.mode:
        return
    back = words.BACK_TO_NOW if shown.active else words.TO_THE_END
    st.button(
        back,
        key="train_to_now",
        type="tertiary",
        disabled=not shown.at,
        on_click=lambda: _show_at(held, NEWEST),
    )
    moment = moment_of(shown)
    st.button(
        words.BRANCH,
        key="train_branch",
        icon=":material/call_split:",
        type="tertiary",
        disabled=moment is None,
        help=words.NO_BRANCH_HELP if moment is None else words.BRANCH_HELP,
        on_click=lambda: attempt(held, lambda: begin(held, shown)),
    )


def _name(name: str) -> str:
    return moment_name(*SnapshotName.parse(name)) if name else words.NOW


def _show_at(held: Session, at: str) -> None:
    held.at = at
    write_url(held)


def _moved(held: Session, shown: Shown, key: str) -> None:
    """The slider was moved: a replay goes on from there, else that moment is shown."""
    at = st.session_state[key]
    if not held.says("moment", key):
        return
    if held.clock is None:
        _show_at(held, at)
        return
    # The page moves it as the replay goes; a request on its way then still tells the place before.
    since = time.monotonic() - _ECHO_SECONDS
    if any(name == at and when > since for name, when in list(held.put)[:-1]):
        return
    position = replay.tape(shown.records).time_of(at)
    if position is not None:
        held.clock = held.clock.moved(position, time.monotonic())
