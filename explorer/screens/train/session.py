"""What one browser session plans and looks at on the Train page, and how the address bar says it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import streamlit as st

from bnn_core import InputError, RunConfig
from bnn_core.models import MODELS_FOLDER
from bnn_core.names import CONFIG_FILE, runs_root
from bnn_core.presets import PRESETS
from bnn_core.runs.folder import RunFolder
from bnn_core.runs.past import Moment
from explorer.screens.train import plan, words
from explorer.screens.train.address import NEW, TABLE, Mode, parse, to_params
from explorer.server import replay
from explorer.server.follow import Seen, Status
from explorer.server.history import History, history
from explorer.server.jobs import Job
from explorer.server.live import followers, manager
from explorer.shared.address_bar import AddressBar
from explorer.shared.words import run_name

ECHO_SECONDS = 3.0
"""As in the view, and longer: a page that refreshes itself has more messages on their way."""
_SESSION = "train_session"
_ACTIVE = ("starting", "running", "paused")


@dataclass
class Session:
    """What one browser session plans and looks at.

    Attributes:
        run: the run shown: its id, "new", or None until one is chosen.
        at: the snapshot shown, by its file's name without the ending; "" follows the newest.
        clock: where a replay of that run stands; None when it is not played back.
        pace: how fast replays go, one of `replay.PACES`.
        branching: whether the knobs plan a branch of that run.
        drawn: the keys of the widgets that come and go, as they were drawn last, by what they are for.
        put: the moments that the page last moved the scrubber to, and when.
        bar: the address of this page.
        loaded: the run whose settings the plan was last made from.
        left_at: the moment that a branch would begin at, as the plan knows it...
        based: ...and what was in force then.
        changes_seen: how many changed settings of that run are in the plan.
        sent: changes that this session asked the run for and that are not in its records yet.
        acted: counts what was asked for, so that the page is made anew.
        note: a sentence about what was just asked for and could not be done.
    """

    plan: plan.Plan
    run: str | None = None
    at: str = ""
    clock: replay.Clock | None = None
    pace: str = replay.PACES[0]
    branching: bool = False
    drawn: dict[str, set[str]] = field(default_factory=dict)
    put: deque[tuple[str, float]] = field(default_factory=lambda: deque(maxlen=3))
    bar: AddressBar = field(default_factory=lambda: AddressBar(TABLE, ECHO_SECONDS))
    notes: list[str] = field(default_factory=list)
    loaded: str | None = None
    left_at: Moment | None = None
    based: RunConfig | None = None
    changes_seen: int = 0
    sent: list[tuple[str, Any]] = field(default_factory=list)
    acted: int = 0
    note: str = ""

    def says(self, kind: str, key: str) -> bool:
        """Whether what a widget reports is to be heard.

        A request on its way when a widget went still reports it, and Streamlit takes that for a change.
        """
        return key in self.drawn.get(kind, ())

    @property
    def mode(self) -> Mode:
        """What is done with the run shown."""
        return "replay" if self.clock is not None else "branch" if self.branching else ""


@dataclass(frozen=True)
class Shown:
    """What is on the page, computed at the start of its run.

    Attributes:
        folder: the run's folder; None for a new run.
        seen: the run as it stands; in a replay, as it stood.
        elsewhere: whether another program writes it.
        current: the run that the worker has.
        mode: what is done with the run.
        records: all its records, also those that a replay has not come to.
        position: seconds of the run that a replay has played.
        acted: as the session counts it.
    """

    run: str | None
    folder: Path | None
    job: Job | None
    seen: Seen
    status: Status
    elsewhere: bool
    current: Job | None
    mode: Mode = ""
    at: str = ""
    records: Sequence[Mapping[str, Any]] = ()
    position: float = 0.0
    acted: int = 0

    @property
    def active(self) -> bool:
        """Whether it is being trained now, or plays back as if it were."""
        return self.status in _ACTIVE and self.mode != "branch"

    @property
    def steered(self) -> bool:
        """Whether this app trains it, so that it takes commands."""
        return self.active and not self.elsewhere and not self.mode

    @property
    def kept(self) -> bool:
        """Whether it has ended, one way or another, with something to play back or to branch from."""
        return not self.active and bool(self.seen.history.epochs)

    @property
    def turn(self) -> tuple[object, ...]:
        """What, when it changes, needs the whole page anew."""
        seen = self.seen.history
        place = self.position if self.status == "paused" else None
        planned = (self.mode, self.at if self.mode == "branch" else place if self.mode == "replay" else None)
        current = self.current and self.current.id
        steps = (seen.phase, len(seen.changes), bool(seen.epochs))
        return self.run, self.status, *steps, current, planned, self.acted


# State: the session, the URL


def session() -> Session:
    """The session's plan and run; the URL is read when it came or changed from outside, and written else.

    Fragments and callbacks hold on to the session, so it is changed in place.
    """
    held: Session | None = st.session_state.get(_SESSION)
    if held is None:
        held = st.session_state[_SESSION] = Session(plan.Plan())
    if found := held.bar.asked():  # an empty one, as the menu leaves it, asks for nothing
        asked = parse(found)
        show_run(held, asked.run)
        held.plan, held.notes, held.at = asked.plan or held.plan, list(asked.complaints), asked.at
        held.branching = asked.mode == "branch"
        if asked.mode == "replay":
            held.clock = replay.Clock(since=time.monotonic())
        # The URL's settings win over the run's.
        held.loaded = asked.run if asked.plan is not None else None
    return held


def write_url(held: Session) -> None:
    """Make the URL say what is planned and shown."""
    at = "" if held.mode == "replay" else held.at
    held.bar.write(to_params(held.plan, held.run, at, held.mode))


def title(run: str) -> str:
    """What to call a run: a shipped one by its preset, others by preset and time."""
    return PRESETS[run].title if run in PRESETS else run_name(run)


def run_folder(run: str) -> Path:
    """Where a run lies; those that come with the project have plain names."""
    shipped = MODELS_FOLDER / run
    return shipped if (shipped / CONFIG_FILE).is_file() else runs_root() / run


def look(held: Session) -> Shown:
    """What the session's run is like now."""
    jobs = manager().jobs()
    run = None if held.run in (None, NEW) else held.run
    if run is None:
        nothing = Seen(History(), (0, 0), False)
        return Shown(None, None, None, nothing, "new", False, jobs.current, acted=held.acted)
    folder = run_folder(run)
    follower = followers().of(folder)
    job = jobs.find(run)
    seen = follower.poll()
    status, elsewhere = follower.status(seen, job)
    if status in _ACTIVE and seen.history.end is not None:
        seen = replace(seen, history=replace(seen.history, end=None))  # resumed: its old end is history
    shown = Shown(
        run,
        folder,
        job,
        seen,
        status,
        elsewhere,
        jobs.current,
        held.mode,
        held.at,
        seen.records,
        acted=held.acted,
    )
    if held.clock is not None and seen.exists:
        return _played(shown, held.clock)
    if held.branching and seen.exists:
        return _left(shown, held.plan.config)
    return shown


def _played(shown: Shown, clock: replay.Clock) -> Shown:
    """The run as it stood where a replay is."""
    tape = replay.tape(shown.records)
    position = min(clock.at(time.monotonic()), tape.length)
    ended = tape.ended(position)
    records = tape.seen(position)
    told = history(records)
    seen = Seen(told, (shown.seen.version[0], told.facts), True, records)
    status: Status = shown.status if ended else "running" if clock.running else "paused"
    if status in _ACTIVE and ended:
        status = "paused"  # the run itself is under way: its replay waits at what there is
    return replace(shown, seen=seen, status=status, position=position)


def _left(shown: Shown, config: RunConfig) -> Shown:
    """The run up to the moment that a branch would leave it at, with what that branch is planned to do."""
    records = replay.until_snapshot(shown.records, shown.at) if shown.at else shown.records
    told = replace(history(records), config=config, end=None, progress=None)
    return replace(shown, seen=Seen(told, (shown.seen.version[0], told.facts), True, records))


def look_again(held: Session, turn: tuple[object, ...]) -> tuple[Shown, History]:
    """A fragment's look: run and history; the whole page anew if more than the fragment has to change."""
    shown = look(held)
    if shown.turn != turn:
        st.rerun()
    told = shown.seen.history
    if shown.run is None or not any(told.planned):
        told = History(config=held.plan.config)  # it has not begun
    return shown, told


def settle(held: Session) -> Shown:
    """Choose the run to show, and take its settings for the knobs."""
    if held.run is None:
        current = manager().jobs().current
        if current is not None:
            held.run = current.id
    shown = look(held)
    if shown.status == "gone":
        held.notes.append(words.NO_RUN.format(run=shown.run))
        show_run(held, None, notes=held.notes)
        shown = look(held)
    if held.at and shown.folder is not None and held.at not in snapshots(shown):
        held.notes.append(words.NO_MOMENT.format(at=held.at))
        held.at = ""
        shown = look(held)
    if shown.run is not None and shown.folder is not None and not held.branching:
        told = shown.seen.history
        config = told.in_force or _config(shown)
        again = held.loaded != shown.run or len(told.changes) < held.changes_seen  # a replay went back
        if config is not None and again:
            held.plan = plan.nearest_plan(config)
            held.loaded, held.changes_seen = shown.run, len(told.changes)
        elif len(told.changes) > held.changes_seen:
            for change in told.changes[held.changes_seen :]:
                if (change.field, change.value) in held.sent:
                    held.sent.remove((change.field, change.value))  # our own, back from the run
                else:
                    held.plan = held.plan.with_value(change.field, change.value)
            held.changes_seen = len(told.changes)
    return shown


def snapshots(shown: Shown) -> list[str]:
    """The run's kept snapshots in time, by their files' names without the ending."""
    try:
        return [shot.name.text for shot in RunFolder(shown.folder).snapshots()] if shown.folder else []
    except InputError:
        return []


def _config(shown: Shown) -> RunConfig | None:
    """The configuration of a run that has written none yet, or no record."""
    if shown.job is not None and "config" in shown.job.request:
        return RunConfig.from_dict(shown.job.request["config"])
    try:
        return RunFolder(shown.folder).config if shown.folder else None
    except InputError:
        return None


def attempt(held: Session, action: Callable[[], object]) -> None:
    """Do what was asked for; what cannot be done becomes a sentence. Then the whole page is made anew.

    For callbacks: a click that a fragment only sees in its body is lost if the fragment first asks for the
    whole page.
    """
    held.note = ""
    held.acted += 1
    try:
        action()
    except InputError as error:
        held.note = str(error)


def start(held: Session, *, one_epoch: bool = False) -> None:
    """Start what is planned."""
    run = manager().start(held.plan.config, label=held.plan.command, name=held.plan.preset)
    if one_epoch:
        manager().one_epoch(run)
    show_run(held, run, loaded=True)


def show_run(held: Session, run: str | None, *, loaded: bool = False, notes: Sequence[str] = ()) -> None:
    """Show another run, as it stands."""
    held.run, held.note, held.notes = run, "", list(notes)
    held.at, held.clock, held.branching = "", None, False
    held.left_at, held.based = None, None
    held.loaded, held.changes_seen, held.sent = (run if loaded else None), 0, []
