"""The Train page's transport: what can be done with the run shown, how far it is, who waits."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from explorer.screens.train import html as pieces
from explorer.screens.train import words
from explorer.screens.train.branch import leave, price, start_branch
from explorer.screens.train.session import Session, Shown, attempt, look_again, show_run, start, title
from explorer.server import replay
from explorer.server.live import manager
from explorer.shared import view as state
from explorer.shared.pages import go_to
from explorer.shared.widgets import keep

PLAY, PAUSE = ":material/play_arrow:", ":material/pause:"


def transport(held: Session, turn: tuple[object, ...]) -> None:
    """Buttons, progress, speed and time left; looks again twice a second while a run is under way."""
    shown, history = look_again(held, turn)
    with st.container(key="train_transport", horizontal=True, gap=None):
        with st.container(key="train_buttons", horizontal=True, gap="small", width="content"):
            _BUTTONS[shown.mode](held, shown)
        st.html(pieces.progress(history, active=shown.active), width="stretch")
        if shown.mode == "branch":
            st.html(pieces.price(price(shown)), width="content")
        else:
            st.html(pieces.stats(history, shown.status), width="content")
    queue(held, shown)


def act(held: Session, label: str, key: str, action: Callable[[], object], **options: Any) -> None:
    """A button."""
    st.button(label, key=f"train_{key}", on_click=lambda: attempt(held, action), **options)


def buttons(held: Session, shown: Shown) -> None:
    """What can be done with the run shown."""
    jobs = manager()
    run = shown.run or ""
    able = jobs.available
    if shown.steered:
        if shown.status == "paused":
            act(held, words.RESUME, "go_on", lambda: jobs.resume(run), type="primary", icon=PLAY)
        else:
            act(held, words.PAUSE, "pause", lambda: jobs.pause(run), type="primary", icon=PAUSE)
        act(held, words.ONE_EPOCH, "step", lambda: jobs.one_epoch(run), help=words.ONE_EPOCH_HELP)
        act(held, words.STOP, "stop", lambda: jobs.stop(run), help=words.STOP_HELP)
        return
    if shown.status == "waiting":
        act(held, words.CANCEL, "cancel", lambda: take_out(held, run))
        return
    resumable = shown.status in ("stopped", "interrupted", "failed") and shown.seen.exists
    if resumable:
        primary = {"type": "primary", "icon": PLAY, "disabled": not able}
        act(held, words.RESUME, "resume", lambda: resume(shown), **primary)
    waits = shown.current is not None
    act(
        held,
        words.START,
        "start",
        lambda: start(held),
        type="secondary" if resumable else "primary",
        disabled=not able,
        icon=None if resumable else PLAY,
        help=words.START_WAITS_HELP if waits else None,
    )
    if shown.kept:
        act(held, words.REPLAY, "replay", lambda: start_replay(held), help=words.REPLAY_HELP)
    else:
        act(held, words.ONE_EPOCH, "step", lambda: start(held, one_epoch=True), disabled=not able or waits)
    if shown.status == "finished" and st.button(words.OPEN_IN_WATCH, key="train_watch"):
        # The digit that was shown there stays.
        go_to("watch", state.address(state.now().changed(model=run, at="", layer=1, unit=None)))


def resume(shown: Shown) -> None:
    """Go on with the run shown."""
    if shown.folder is not None:
        manager().resume_run(shown.folder, label=f"python -m bnn_core resume {shown.run}")


def branch_buttons(held: Session, shown: Shown) -> None:
    """Leave the run at the moment shown, or leave it be."""
    act(
        held,
        words.START_BRANCH,
        "start_branch",
        lambda: start_branch(held, shown),
        type="primary",
        icon=":material/call_split:",
        disabled=not manager().available,
        help=words.START_WAITS_HELP if shown.current is not None else None,
    )
    act(held, words.LEAVE_BRANCH, "leave_branch", lambda: leave(held))


def take_out(held: Session, run: str) -> None:
    """Take the waiting run that is shown out of the queue."""
    manager().cancel(run)
    show_run(held, None)


# Replay


def start_replay(held: Session) -> None:
    """Play the run shown from its start."""
    show_run(held, held.run)
    held.pace = replay.PACES[0]
    held.clock = replay.Clock(since=time.monotonic())


def replay_buttons(held: Session, shown: Shown) -> None:
    """Play, pause, one epoch, pace: nothing is trained, so nothing can go wrong."""
    tape = replay.tape(shown.records)
    primary: dict[str, Any] = {"type": "primary"}
    if tape.ended(shown.position):
        again = _winding(held, lambda clock, now: clock.moved(0.0, now).going(now))
        act(held, words.AGAIN, "again", again, icon=":material/replay:", **primary)
    elif held.clock is not None and held.clock.running:
        act(held, words.PAUSE, "hold", _winding(held, replay.Clock.paused), icon=PAUSE, **primary)
    else:
        act(held, words.PLAY, "play", _winding(held, replay.Clock.going), icon=PLAY, **primary)
    on = _winding(held, lambda clock, now: clock.paused(now).moved(tape.next_epoch(clock.at(now)), now))
    act(held, words.ONE_EPOCH, "next_epoch", on, help=words.NEXT_EPOCH_HELP)
    act(held, words.STOP, "leave_replay", lambda: show_run(held, held.run), help=words.LEAVE_REPLAY_HELP)
    st.segmented_control(
        words.PACE,
        list(replay.PACES),
        default=keep("train_pace", held.pace),
        key="train_pace",
        format_func=words.PACES.__getitem__,
        label_visibility="collapsed",
        required=True,
        on_change=lambda: choose_pace(held, tape),
    )


def _winding(held: Session, turned: Callable[[replay.Clock, float], replay.Clock]) -> Callable[[], None]:
    """An action that turns the replay's clock, as it stands when the action is taken."""

    def wind() -> None:
        if held.clock is not None:
            held.clock = turned(held.clock, time.monotonic())

    return wind


def choose_pace(held: Session, tape: replay.Tape) -> None:
    """Another pace, from where the replay is."""
    held.pace = st.session_state["train_pace"]
    if held.clock is not None:
        held.clock = held.clock.at_speed(tape.speed(held.pace), time.monotonic())


_BUTTONS: dict[str, Callable[[Session, Shown], None]] = {
    "": buttons,
    "replay": replay_buttons,
    "branch": branch_buttons,
}


# The queue


def queue(held: Session, shown: Shown) -> None:
    """Who waits, and a way to the run under way."""
    jobs = manager().jobs()
    elsewhere = shown.current is not None and shown.current.id != shown.run
    if not jobs.queue and not elsewhere:
        return
    with st.container(key="train_queue", horizontal=True, vertical_alignment="center", gap="medium"):
        if elsewhere:
            current = shown.current.id if shown.current else None
            act(held, words.GO_TO_CURRENT, "show_current", lambda: show_run(held, current), type="tertiary")
        for place, job in enumerate(jobs.queue, start=1):
            st.html(pieces.waiting(title(job.id), place), width="content")
            if job.id != shown.run:
                cancel = partial(manager().cancel, job.id)
                act(held, words.CANCEL, f"cancel_{job.id}", cancel, type="tertiary")
