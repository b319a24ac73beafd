"""The Train page's knobs: the presets and every setting, made from the schema."""

from __future__ import annotations

from typing import Any

import streamlit as st

from bnn_core import InputError
from bnn_core.config import FieldSpec, field_specs
from bnn_core.presets import PRESETS
from explorer.screens.train import html as pieces
from explorer.screens.train import plan, words
from explorer.screens.train.branch import may_change, moment_of
from explorer.screens.train.session import Session, Shown, look, title
from explorer.server.live import manager
from explorer.shared.widgets import put


def _section(name: str) -> list[FieldSpec]:
    """The settings of a section of the knobs, in the schema's order."""
    return [spec for spec in field_specs() if spec.section == name]


def knobs(held: Session, shown: Shown) -> None:
    """The presets and every setting; those that cannot change now are greyed."""
    held.drawn["knob"] = set()
    st.selectbox(
        words.PRESET,
        list(PRESETS),
        index=list(PRESETS).index(put("train_preset", held.plan.preset)),
        key="train_preset",
        format_func=lambda name: PRESETS[name].title,
        label_visibility="collapsed",
        disabled=shown.active or shown.mode == "branch",
        on_change=lambda: choose_preset(held),
    )
    same = held.plan.config == shown.seen.history.in_force and shown.mode != "branch"
    st.html(pieces.plan_note(held.plan, shown.seen.history.started if same else None, _leaving(held, shown)))
    for group, equation in words.EQUATIONS.items():
        specs = _section(group)
        st.html(pieces.group(words.GROUPS[group], _group_note(shown, specs), equation))
        for spec in specs:
            knob(held, shown, spec)
    learning(held, shown)
    with st.expander(words.MORE, key="train_more"):
        for spec in _section(""):
            knob(held, shown, spec)


def _group_note(shown: Shown, specs: list[FieldSpec]) -> str:
    may = any(live(shown, spec) for spec in specs)
    branching = shown.mode == "branch"
    past = shown.seen.history.phase == 2 and all(spec.acts == "phase 1" for spec in specs)
    if past and (shown.active or branching):
        return words.PHASE_1_OVER
    if branching:
        return words.ACTS_FROM_THERE if may else words.PAST
    if not shown.active:
        return ""
    return words.MAY_CHANGE if may else words.FIXED


def _leaving(held: Session, shown: Shown) -> str:
    """Which moment of which run a branch would leave, and with how many changes."""
    moment = moment_of(shown)
    if shown.mode != "branch" or moment is None or held.based is None:
        return ""
    changed = sum(held.plan.config.get(s.path) != held.based.get(s.path) for s in field_specs())
    return words.leaving(title(shown.run or ""), str(moment), changed)


def live(shown: Shown, spec: FieldSpec) -> bool:
    """Whether a setting of the run shown can change now."""
    if shown.mode == "branch":
        return may_change(shown, spec)
    if not shown.active:
        return True
    past = shown.seen.history.phase == 2 and spec.acts == "phase 1"
    return shown.steered and spec.live and not past


def learning(held: Session, shown: Shown) -> None:
    """Rate and dropout of one phase at a time, and the epochs of both."""
    running = shown.active or shown.mode == "branch"
    phase = shown.seen.history.phase if running else 2
    if st.session_state.get("train_learning_of") != (shown.run, phase):
        st.session_state["train_learning_of"] = (shown.run, phase)
        st.session_state["train_phase"] = phase
    chosen = st.session_state.get("train_phase") or phase
    specs = [spec for spec in _section("learning") if spec.group != f"phase{3 - chosen}"]
    decay = words.DECAY[held.plan.config.get(f"phase{chosen}.decay")]
    st.html(pieces.group(words.GROUPS["learning"], _group_note(shown, specs), decay))
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
    for spec in specs:
        knob(held, shown, spec)
    epochs = _section("epochs")
    dead = not live(shown, epochs[-1])
    both = " + ".join(str(held.plan.config.get(spec.path)) for spec in epochs)
    st.html(pieces.knob_label(epochs[0].label, both, dead=dead))
    with st.container(key="train_epochs", horizontal=True, gap="small"):
        for spec in epochs:
            knob(held, shown, spec, labelled=False)


def knob(held: Session, shown: Shown, spec: FieldSpec, *, labelled: bool = True) -> None:
    """One setting, made from its field of the schema."""
    key = "knob_" + spec.path.replace(".", "_")
    held.drawn["knob"].add(key)
    value = held.plan.config.get(spec.path)
    dead = not live(shown, spec)
    common: dict[str, Any] = {
        "key": key,
        "disabled": dead,
        "label_visibility": "collapsed",
        "on_change": lambda: turned(held, spec, key),
    }
    if labelled and spec.kind != "bool":
        sliding = spec.kind == "float"
        st.html(
            pieces.knob_label(spec.label, pieces.value_text(spec, value) if sliding else "", dead, spec.help)
        )
    # Each value is given twice, see put().
    if spec.kind == "float":
        now = put(key, float(value))
        if spec.scale == "even":
            least, most = spec.minimum or 0.0, spec.maximum or 1.0
            st.slider(spec.label, least, most, now, step=spec.step, format="%.3g", **common)
        else:
            stops = sorted({*spec.stops, now})
            st.select_slider(spec.label, stops, value=now, format_func=words.number, **common)
    elif spec.kind == "int":
        put(key, value)
        st.number_input(
            spec.label,
            int(spec.minimum or 0),
            int(spec.maximum or 0),
            value=value,
            placeholder="all" if spec.optional else None,
            **common,
        )
    elif spec.kind == "choice":
        put(key, value)
        choices = list(spec.choices)
        st.selectbox(spec.label, choices, index=choices.index(value), format_func=words.choice, **common)
    elif spec.kind == "bool":
        st.toggle(spec.label, put(key, bool(value)), **{**common, "label_visibility": "visible"})
    else:
        st.text_input(spec.label, put(key, ", ".join(map(str, value))), **common)


def turned(held: Session, spec: FieldSpec, key: str) -> None:
    """A knob was turned: the plan follows, and the run under way where it takes the setting."""
    value = st.session_state[key]
    if not held.says("knob", key):
        return
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
