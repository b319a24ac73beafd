"""Train: start a run, watch both phases live, change settings while it runs, look at earlier runs again."""

from __future__ import annotations

import time
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import streamlit as st

from bnn_core import InputError, RunConfig
from bnn_core.config import FieldSpec, field_spec, field_specs
from bnn_core.presets import PRESETS
from bnn_core.runs import RunFolder, list_runs, runs_root
from explorer import catalogue, plan, state
from explorer import words_train as words
from explorer.components.bit_matrix import bit_matrix
from explorer.follow import Seen, Status
from explorer.jobs import Job
from explorer.live import followers, manager
from explorer.palette import palette
from explorer.views import html, train_charts
from explorer.views import train_html as pieces
from explorer.views.happening import happening
from explorer.views.history import History, planned_only
from explorer.views.templates import Templates, templates
from explorer.words import run_name as run_title

REFRESH_SECONDS = 0.5
FIRST_SECONDS = 0.2  # until the first point is there
LISTED_RUNS = 60
ECHO_SECONDS = 3.0
INK = 128
RARE = 0.01
_SESSION = "train_session"
Value = TypeVar("Value")
_ACTIVE = ("starting", "running", "paused")
_CSS = Path(__file__).resolve().parent.parent / "static" / "train.css"

# The knobs always in sight, by group; learning's are made for a phase, the rest of the schema folds away.
GROUPS: dict[str, tuple[str, ...]] = {
    "compression": ("compression.gain_end",),
    "noise": (
        "noise.sparsity",
        "noise.window",
        "noise.input_flips",
        "noise.hidden_flips",
        "noise.weight_flips",
    ),
}

LEARNING = ("learning_rate", "dropout_input", "dropout_hidden")


@dataclass
class Session:
    """What one browser session plans and looks at.

    Attributes:
        run: the run shown: its id, "new", or None until one is chosen.
        written: what was written to the URL lately, the newest last, and until when it stood there.
        loaded: the run whose settings the plan was last made from.
        changes_seen: how many changed settings of that run are in the plan.
        sent: changes that this session asked the run for and that are not in its records yet.
        note: a sentence about what was just asked for and could not be done.
    """

    plan: plan.Plan
    run: str | None = None
    written: deque[tuple[dict[str, str], float]] = field(default_factory=lambda: deque(maxlen=50))
    notes: list[str] = field(default_factory=list)
    loaded: str | None = None
    changes_seen: int = 0
    sent: list[tuple[str, Any]] = field(default_factory=list)
    note: str = ""


@dataclass(frozen=True)
class Shown:
    """What is on the page, computed at the start of its run.

    Attributes:
        folder: the run's folder; None for a new run.
        elsewhere: whether another program writes it.
        current: the run that the worker has.
    """

    run: str | None
    folder: Path | None
    job: Job | None
    seen: Seen
    status: Status
    elsewhere: bool
    current: Job | None

    @property
    def active(self) -> bool:
        """Whether it is being trained now."""
        return self.status in _ACTIVE

    @property
    def steered(self) -> bool:
        """Whether this app trains it, so that it takes commands."""
        return self.active and not self.elsewhere

    @property
    def turn(self) -> tuple[object, ...]:
        """What, when it changes, needs the whole page anew."""
        history = self.seen.history
        current = self.current and self.current.id
        return self.run, self.status, history.phase, len(history.changes), bool(history.epochs), current


# State: the session, the URL


def session() -> Session:
    """The session's plan and run; the URL is read when it came or changed from outside, and written else.

    Fragments and callbacks hold on to the session, so it is changed in place.
    """
    found = plan.params(st.query_params.to_dict())
    held: Session | None = st.session_state.get(_SESSION)
    fresh = held is None
    if held is None:
        held = st.session_state[_SESSION] = Session(plan.Plan())
    if fresh or (found and not _own(held, found)):
        planned, run, notes = plan.parse(found)
        held.plan, held.run, held.notes, held.note = planned or held.plan, run, notes, ""
        # The URL's settings win over the run's.
        held.loaded, held.changes_seen = (run if planned is not None else None), 0
    return held


def _own(held: Session, found: dict[str, str]) -> bool:
    """Whether this page wrote that URL; the browser may ask with one that it is about to replace."""
    since = time.monotonic() - ECHO_SECONDS
    return any(
        found == params for params, when in held.written if params is held.written[-1][0] or when > since
    )


def write_url(held: Session) -> None:
    """Make the URL say what is planned and shown."""
    wanted = plan.to_params(held.plan, held.run)
    present = plan.params(st.query_params.to_dict())
    if present != wanted:
        others = {key: value for key, value in st.query_params.to_dict().items() if key not in present}
        st.query_params.from_dict(others | wanted)  # at once: half an address must not be read back
    now = time.monotonic()
    if held.written:
        held.written[-1] = (held.written[-1][0], now)  # it stood there until now
    if not held.written or held.written[-1][0] != wanted:
        held.written.append((wanted, now))


def look(held: Session) -> Shown:
    """What the session's run is like now."""
    jobs = manager().jobs()
    run = None if held.run in (None, plan.NEW) else held.run
    if run is None:
        return Shown(None, None, None, Seen(History(), (0, 0), False), "new", False, jobs.current)
    folder = runs_root() / run
    follower = followers().of(folder)
    job = jobs.find(run)
    seen = follower.poll()
    status, elsewhere = follower.status(seen, job)
    if status in _ACTIVE and seen.history.end is not None:
        seen = replace(seen, history=replace(seen.history, end=None))  # resumed: its old end is history
    return Shown(run, folder, job, seen, status, elsewhere, jobs.current)


def look_again(held: Session, turn: tuple[object, ...]) -> tuple[Shown, History]:
    """A fragment's look: run and history; the whole page anew if more than the fragment has to change."""
    shown = look(held)
    if shown.turn != turn:
        st.rerun()
    history = shown.seen.history
    if shown.run is None or not any(history.planned):
        history = planned_only(held.plan.config)
    return shown, history


def settle(held: Session) -> Shown:
    """Choose the run to show, and take its settings for the knobs."""
    if held.run is None:
        current = manager().jobs().current
        if current is not None:
            held.run = current.id
    shown = look(held)
    if shown.status == "gone":
        held.notes.append(words.no_run(shown.run or ""))
        held.run = None
        shown = look(held)
    if shown.run is not None and shown.folder is not None:
        history = shown.seen.history
        config = history.in_force or _config(shown)
        if config is not None and held.loaded != shown.run:
            held.plan = plan.nearest_plan(config)
            held.loaded, held.changes_seen = shown.run, len(history.changes)
        elif len(history.changes) > held.changes_seen:
            for change in history.changes[held.changes_seen :]:
                if (change.field, change.value) in held.sent:
                    held.sent.remove((change.field, change.value))  # our own, back from the run
                else:
                    held.plan = held.plan.with_value(change.field, change.value)
            held.changes_seen = len(history.changes)
    return shown


def _config(shown: Shown) -> RunConfig | None:
    """The configuration of a run that has written none yet, or no record."""
    if shown.job is not None and "config" in shown.job.request:
        return RunConfig.from_dict(shown.job.request["config"])
    try:
        return RunFolder(shown.folder).config if shown.folder else None
    except InputError:
        return None


def attempt(held: Session, action: Callable[[], object]) -> None:
    """Do what was asked for; what cannot be done becomes a sentence. Then the whole page anew."""
    held.note = ""
    try:
        action()
    except InputError as error:
        held.note = str(error)
    st.rerun()


def start(held: Session, *, one_epoch: bool = False) -> None:
    """Start what is planned."""
    run = manager().start(held.plan.config, label=held.plan.command, name=held.plan.preset)
    if one_epoch:
        manager().step(run)
    show_run(held, run, loaded=True)


def show_run(held: Session, run: str | None, *, loaded: bool = False) -> None:
    """Show another run."""
    held.run, held.note, held.notes = run, "", []
    held.loaded, held.changes_seen, held.sent = (run if loaded else None), 0, []


# Transport


def transport(held: Session, turn: tuple[object, ...]) -> None:
    """Buttons, progress, speed and time left; looks again twice a second while a run is under way."""
    shown, history = look_again(held, turn)
    with st.container(key="train_transport", horizontal=True, gap=None):
        with st.container(key="train_buttons", horizontal=True, gap="small", width="content"):
            buttons(held, shown)
        st.html(pieces.progress(history, active=shown.active), width="stretch")
        st.html(pieces.stats(history, shown.status), width="content")
    queue(held, shown)


def buttons(held: Session, shown: Shown) -> None:
    """What can be done with the run shown."""
    jobs = manager()
    run = shown.run or ""
    able = jobs.available
    if shown.steered:
        if shown.status == "paused":
            if st.button(words.RESUME, key="train_go_on", type="primary", icon=":material/play_arrow:"):
                attempt(held, lambda: jobs.resume(run))
        elif st.button(words.PAUSE, key="train_pause", type="primary", icon=":material/pause:"):
            attempt(held, lambda: jobs.pause(run))
        if st.button(words.ONE_EPOCH, key="train_step", help=words.ONE_EPOCH_HELP):
            attempt(held, lambda: jobs.step(run))
        if st.button(words.STOP, key="train_stop", help=words.STOP_HELP):
            attempt(held, lambda: jobs.stop(run))
        return
    if shown.status == "waiting":
        if st.button(words.CANCEL, key="train_cancel"):
            attempt(held, lambda: take_out(held, run))
        return
    resumable = (
        shown.status in ("stopped", "interrupted", "failed")
        and shown.folder is not None
        and shown.seen.exists
    )
    if resumable and st.button(
        words.RESUME, key="train_resume", type="primary", icon=":material/play_arrow:", disabled=not able
    ):
        folder = shown.folder
        assert folder is not None
        attempt(held, lambda: jobs.resume_run(folder, label=f"python -m bnn_core resume {run}"))
    waits = shown.current is not None
    if st.button(
        words.START,
        key="train_start",
        type="secondary" if resumable else "primary",
        disabled=not able,
        icon=None if resumable else ":material/play_arrow:",
        help=words.START_WAITS_HELP if waits else None,
    ):
        attempt(held, lambda: start(held))
    if not resumable and st.button(words.ONE_EPOCH, key="train_step", disabled=not able or waits):
        attempt(held, lambda: start(held, one_epoch=True))
    if shown.status == "finished" and st.button(words.OPEN_IN_WATCH, key="train_watch"):
        open_in_watch(run)


def take_out(held: Session, run: str) -> None:
    """Take the waiting run that is shown out of the queue."""
    manager().cancel(run)
    show_run(held, None)


def open_in_watch(run: str) -> None:
    """The finished network on the Watch page, with the digit that was shown there."""
    held: Any = st.session_state.get("explorer_view")
    view = replace(held.view if held is not None else state.View(), model=run, at="", layer=1, unit=None)
    st.switch_page("screens/watch.py", query_params=state.to_params(view))


def queue(held: Session, shown: Shown) -> None:
    """Who waits, and a way to the run under way."""
    jobs = manager().jobs()
    elsewhere = shown.current is not None and shown.current.id != shown.run
    if not jobs.queue and not elsewhere:
        return
    with st.container(key="train_queue", horizontal=True, vertical_alignment="center", gap="medium"):
        if elsewhere and st.button(words.GO_TO_CURRENT, key="train_show_current", type="tertiary"):
            show_run(held, shown.current.id if shown.current else None)
            st.rerun()
        for place, job in enumerate(jobs.queue, start=1):
            st.html(pieces.waiting(run_title(job.id), place), width="content")
            if job.id != shown.run and st.button(words.CANCEL, key=f"train_cancel_{job.id}", type="tertiary"):
                attempt(held, lambda job=job: manager().cancel(job.id))  # type: ignore[misc]


# Knobs


def knobs(held: Session, shown: Shown) -> None:
    """The presets and every setting; those that cannot change now are greyed."""
    active = shown.active
    phase = shown.seen.history.phase
    st.selectbox(
        words.PRESET,
        list(PRESETS),
        index=list(PRESETS).index(put("train_preset", held.plan.preset)),
        key="train_preset",
        format_func=lambda name: PRESETS[name].title,
        label_visibility="collapsed",
        disabled=active,
        on_change=lambda: choose_preset(held),
    )
    same = held.plan.config == shown.seen.history.in_force
    st.html(pieces.plan_note(held.plan, shown.seen.history.started if same else None))
    for group, paths in GROUPS.items():
        over = group == "compression" and active and phase == 2
        note = words.PHASE_OVER[1] if over else _group_note(shown, paths)
        st.html(pieces.group(words.GROUPS[group], note, words.EQUATIONS[group]))
        for path in paths:
            knob(held, shown, field_spec(path))
    learning(held, shown)
    with st.expander(words.MORE, key="train_more"):
        shown_already = {p for paths in GROUPS.values() for p in paths}
        shown_already |= {f"phase{n}.{name}" for n in (1, 2) for name in (*LEARNING, "epochs")}
        for spec in field_specs():
            if spec.path not in shown_already and not (spec.kind == "choice" and len(spec.choices) < 2):
                knob(held, shown, spec)


def _group_note(shown: Shown, paths: tuple[str, ...]) -> str:
    if not shown.active:
        return ""
    if shown.elsewhere:
        return words.FIXED
    return words.MAY_CHANGE if any(live(shown, field_spec(p)) for p in paths) else words.FIXED


def live(shown: Shown, spec: FieldSpec) -> bool:
    """Whether a setting of the run shown can change now."""
    if not shown.active:
        return True
    first = spec.path.startswith(("phase1.", "compression."))
    return shown.steered and spec.live and not (first and shown.seen.history.phase == 2)


def learning(held: Session, shown: Shown) -> None:
    """Rate and dropout of one phase at a time, and the epochs of both."""
    phase = shown.seen.history.phase if shown.active else 2
    if st.session_state.get("train_learning_of") != (shown.run, phase):
        st.session_state["train_learning_of"] = (shown.run, phase)
        st.session_state["train_phase"] = phase
    chosen = st.session_state.get("train_phase") or phase
    paths = tuple(f"phase{chosen}.{name}" for name in LEARNING)
    over = shown.active and chosen < shown.seen.history.phase
    note = words.PHASE_OVER[1] if over else _group_note(shown, paths)
    decay = words.DECAY[held.plan.config.get(f"phase{chosen}.decay")]
    st.html(pieces.group(words.GROUPS["learning"], note, decay))
    st.segmented_control(
        "Phase",
        [1, 2],
        default=put("train_phase", chosen),
        key="train_phase",
        format_func=lambda n: f"Phase {n}",
        label_visibility="collapsed",
        required=True,
        width="stretch",
    )
    for path in paths:
        knob(held, shown, field_spec(path))
    st.html(pieces.knob_label(words.EPOCHS, pieces.epochs_text(held.plan.config), dead=shown.active))
    with st.container(key="train_epochs", horizontal=True, gap="small"):
        for number in (1, 2):
            knob(held, shown, field_spec(f"phase{number}.epochs"), labelled=False)


def knob(held: Session, shown: Shown, spec: FieldSpec, *, labelled: bool = True) -> None:
    """One setting, made from its field of the schema."""
    key = "knob_" + spec.path.replace(".", "_")
    value = held.plan.config.get(spec.path)
    dead = not live(shown, spec)
    label = pieces.field_label(spec)
    common: dict[str, Any] = {
        "key": key,
        "disabled": dead,
        "label_visibility": "collapsed",
        "on_change": lambda: turned(held, spec, key),
    }
    if labelled and spec.kind != "bool":
        sliding = spec.kind == "float"
        st.html(pieces.knob_label(label, pieces.value_text(spec, value) if sliding else "", dead, spec.help))
    # Each value is given twice, see put().
    if spec.kind == "float" and spec.log:
        now = put(key, float(value))
        st.select_slider(label, plan.stops(spec, now), value=now, format_func=words.number, **common)
    elif spec.kind == "float":
        now = put(key, float(value))
        least, most = float(spec.minimum or 0), float(spec.maximum or 1)
        st.slider(label, least, most, now, step=spec.step or 0.01, format="%.3g", **common)
    elif spec.kind == "int":
        put(key, value)
        st.number_input(
            label,
            int(spec.minimum or 0),
            int(spec.maximum or 0),
            value=value,
            placeholder="all" if spec.optional else None,
            **common,
        )
    elif spec.kind == "choice":
        put(key, value)
        st.selectbox(label, list(spec.choices), index=spec.choices.index(value), **common)
    elif spec.kind == "bool":
        st.toggle(label, put(key, bool(value)), **{**common, "label_visibility": "visible"})
    else:
        st.text_input(label, put(key, ", ".join(map(str, value))), **common)


def put(key: str, value: Value) -> Value:
    """Set a widget, at every run; returns the value, to be given as the widget's default too.

    When the browser builds a widget anew (a row above it came or went), it starts from the default and
    reports that as a wish; the first of the options would then replace what was chosen.
    """
    st.session_state[key] = value
    return value


def turned(held: Session, spec: FieldSpec, key: str) -> None:
    """A knob was turned: the plan follows, and the run under way where it takes the setting."""
    value = st.session_state[key]
    held.note = ""
    try:
        value = spec.parse(value) if isinstance(value, str) else value
        shown = look(held)
        if shown.steered and spec.live:
            manager().set(shown.run or "", spec.path, value)
            held.sent.append((spec.path, value))
        held.plan = held.plan.with_value(spec.path, value)
    except InputError as error:
        held.note = str(error)


def choose_preset(held: Session) -> None:
    """Another preset: its settings replace the changed ones."""
    held.plan = plan.Plan(st.session_state["train_preset"])
    held.note, held.notes = "", []


# Charts


@dataclass(frozen=True, eq=False)
class Figures:
    """A run's pictures at one version of it."""

    errors: Any
    weights: Any
    flips: Any
    templates: Templates | None
    since: str | None


@st.cache_resource(show_spinner=False, max_entries=48)
def figures(
    run: str, version: tuple[int, int], theme: str, running: bool, _folder: Path | None, _history: History
) -> Figures:
    """Built once a version of the run, for all viewers."""
    colours = palette(theme)
    errors = train_charts.error_chart(_history, colours, running=running)
    if not _history.epochs:
        tiles, since = _templates(_folder, running)
        return Figures(errors, None, None, tiles, since)
    tiles, since = _templates(_folder, running)
    return Figures(
        errors,
        train_charts.weights_chart(_history, colours),
        train_charts.flips_chart(_history, colours),
        tiles,
        since,
    )


def _templates(folder: Path | None, running: bool) -> tuple[Templates | None, str | None]:
    """The newest bits of the first layer, and since when flips are lit."""
    try:
        shots = RunFolder(folder).snapshots() if folder is not None else []
        if not shots:
            return None, None
        last = catalogue.load_network(str(shots[-1].path), catalogue.version(shots[-1].path))
        if len(shots) < 2 or not running:
            return templates(last), None
        before = shots[-2]
        found = templates(last, catalogue.load_network(str(before.path), catalogue.version(before.path)))
        same_phase = before.phase == shots[-1].phase
        when = words.moment(before.phase, before.epoch, before.step, before.epoch == 0)
        return found, when if same_phase else words.PHASE_HEADS[1][0].lower()
    except (InputError, OSError):
        return None, None  # thinned out or replaced while we looked; the next look finds others


def charts(held: Session, turn: tuple[object, ...]) -> None:
    """The error chart, and below it weights, flips, templates and a sentence."""
    shown, history = look_again(held, turn)
    theme = st.context.theme.type or "light"
    if shown.run is None:
        version = (0, hash(history.planned))
    else:
        version = shown.seen.version
    drawn = figures(shown.run or "new", version, theme, shown.active, shown.folder, history)
    head = words.validation_head(history.validated)
    last = (history.errors(2) or history.errors(1) or (None,))[-1]
    with st.container(key="train_charts"):
        st.plotly_chart(
            drawn.errors,
            key="train_errors",
            theme=None,
            config={"displayModeBar": False},
            alt=words.error_alt(head, history.real, last.bitwise if last else None, history.phase),
        )
        with st.container(key="train_lower", horizontal=True, gap=None):
            lower(drawn, history, shown)


def lower(drawn: Figures, history: History, shown: Shown) -> None:
    """Weights, flips, templates, and what is happening."""
    reason = shown.job.reason if shown.job is not None else None
    sentence = happening(history, shown.status, reason)
    if history.epochs and drawn.weights is not None:
        epoch = history.epochs[-1]
        names = [words.layer_name(i + 1, len(epoch.flips)) for i in range(len(epoch.flips))]
        with st.container(key="train_weights"):
            outlined = bool(history.of_phase(1) and history.of_phase(2))
            st.html(pieces.title(words.WEIGHTS, words.WEIGHTS_NOTE[outlined]))
            st.plotly_chart(
                drawn.weights,
                key="train_histograms",
                theme=None,
                config={"displayModeBar": False},
                alt=words.weights_alt(names, epoch.zeros),
            )
        with st.container(key="train_flips"):
            st.html(pieces.title(words.FLIPS, words.FLIPS_NOTE[any(epoch.zeros)]))
            st.plotly_chart(
                drawn.flips,
                key="train_flip_lines",
                theme=None,
                config={"displayModeBar": False},
                alt=words.flips_alt(names, epoch.flips),
            )
    with st.container(key="train_right"):
        if drawn.templates is not None:
            tiles(drawn.templates, drawn.since)
        st.html(pieces.happening(sentence))


def tiles(shown: Templates, since: str | None) -> None:
    """Ten units of the first layer; what flipped is lit."""
    units = len(shown.bits)
    st.html(
        pieces.title(
            words.templates_head(units), words.templates_note(since, shown.inputs), lit=since is not None
        )
    )
    captions = [str(count) for count in (shown.on if shown.flips is None else shown.flips)]
    bit_matrix(
        shown.bits,
        key="train_templates",
        label=words.templates_head(units),
        mask=shown.mask,
        changed=shown.changed,
        faded=shown.changed is not None or rare_pixels(shown.bits.shape),
        pitch=2,
        pitch_variable="--bx-tile",
        gap=0,
        tile_columns=5,
        tile_gap=4,
        captions=captions,
        tones=[""] * units,
    )


@st.cache_resource(show_spinner=False)
def rare_pixels(shape: tuple[int, ...]) -> Any:
    """Like the tiles, 1 where pixels are ink in under 1 % of the digits; False for other pictures."""
    images = catalogue.digits().train_images
    if images.shape[1:] != shape[1:]:
        return False
    rare = (images >= INK).mean(axis=0) < RARE
    return np.broadcast_to(rare.astype(np.uint8), shape)


# Runs


@st.cache_data(show_spinner=False, max_entries=512)
def _result(card: str, version: tuple[int, int]) -> float | None:
    found = (RunFolder(Path(card).parent).card() or {}).get("error_percent")
    return float(found) if isinstance(found, int | float) else None


def run_label(run: str) -> str:
    """A run in the list: its name and result."""
    if run == plan.NEW:
        return words.NEW_RUN
    card = runs_root() / run / "card.json"
    try:
        error = _result(str(card), catalogue.version(card))
    except (OSError, ValueError):
        error = None
    job = manager().jobs().find(run)
    tail = (
        words.percent(error) if error is not None else words.run_state(job.state) if job is not None else ""
    )
    return ", ".join(filter(None, [run_title(run), tail]))


def choose_run(held: Session, shown: Shown) -> None:
    """Any run can be looked at again."""
    jobs = manager().jobs()
    known = [job.id for job in (jobs.current, *jobs.queue) if job is not None]
    known += [run.id for run in list_runs()[:LISTED_RUNS] if run.id not in known]
    if shown.run is not None and shown.run not in known:
        known.append(shown.run)
    options = [plan.NEW, *known]
    labels = {run: run_label(run) for run in options}
    # The browser names an option by its label, and labels change when runs end: a new list is a new widget.
    key = f"train_run_{zlib.crc32(repr(labels).encode()):08x}"
    st.selectbox(
        words.RUNS,
        options,
        index=options.index(put(key, shown.run or plan.NEW)),
        key=key,
        format_func=lambda run: labels.get(run, run),
        label_visibility="collapsed",
        on_change=lambda: chosen_run(held, st.session_state[key]),
    )


def chosen_run(held: Session, run: str) -> None:
    """Another run was chosen in the list (the browser also reports what the page itself put there)."""
    if run != (held.run or plan.NEW):
        show_run(held, run)


def main() -> None:
    """The page."""
    st.html(f"<style>{_CSS.read_text('utf-8')}</style>")
    jobs = manager()
    jobs.warm_up()
    held = session()
    shown = settle(held)
    write_url(held)
    moving = shown.active or shown.status == "waiting" or shown.current is not None
    eager = shown.active and not shown.seen.history.epochs
    every = (FIRST_SECONDS if eager else REFRESH_SECONDS) if moving else None
    with st.container(key="train"):
        for note in filter(
            None, [jobs.unavailable, held.note, *held.notes, words.ELSEWHERE if shown.elsewhere else ""]
        ):
            st.html(html.note(note))
        st.fragment(transport, run_every=every, key="train_transport_fragment")(held, shown.turn)
        with st.container(key="train_body", horizontal=True, gap=None):
            with st.container(key="train_knobs", width=248):
                knobs(held, shown)
            with st.container(key="train_charts_box"):
                with st.container(key="train_head", horizontal=True, gap=None):
                    head = words.validation_head(shown.seen.history.validated)
                    st.html(
                        pieces.title(head, words.split_note(shown.seen.history.validated)), width="stretch"
                    )
                    with st.container(key="train_runs", width=320):
                        choose_run(held, shown)
                st.fragment(charts, run_every=every, key="train_charts_fragment")(held, shown.turn)


main()
