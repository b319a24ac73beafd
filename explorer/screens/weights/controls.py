"""The Weights page's own controls: what to compare with, and the order of units."""

from __future__ import annotations

import streamlit as st

from bnn_core import InputError
from explorer.screens.weights import words
from explorer.screens.weights.address import SORT, VERSUS, VERSUS_AT
from explorer.screens.weights.subject import Subject, Versus, typical_unit
from explorer.server import catalogue
from explorer.shared import view as state
from explorer.shared import words as common
from explorer.shared.controls import entry_name, slide_to_moment
from explorer.shared.widgets import choose_one, put


def choose_versus(
    view: state.View,
    entries: dict[str, catalogue.Entry],
    entry: catalogue.Entry,
    moment: catalogue.KeptMoment,
) -> tuple[Versus | None, str]:
    """What to compare with, and a sentence where that needs one."""
    own = entry.name
    if view[VERSUS] and view[VERSUS] not in entries:
        state.correct(words.VERSUS_GONE.format(name=common.run_name(view[VERSUS])), versus="", versus_at="")
        view = state.now()
    options = ["", *([own] if len(catalogue.moments(entry)) > 1 or view[VERSUS] == own else [])]
    options += [
        name
        for name, other in entries.items()
        if name != own and (other.sizes == entry.sizes or name == view[VERSUS])
    ]

    def name_of(name: str) -> str:
        if name in ("", own):
            return words.OWN_VERSUS if name else words.NO_VERSUS
        return entry_name(entries[name])

    with st.container(key="weights-versus", horizontal=True, gap=None):
        chosen = st.selectbox(
            words.VERSUS,
            options,
            index=options.index(put("versus_choice", view[VERSUS])),
            key="versus_choice",
            format_func=name_of,
            on_change=lambda: versus_chosen(entry, moment),
            width=280,
        )
        if not chosen:
            return None, ""
        other = entries[chosen]
        then = choose_versus_moment(view, other)
    run = common.run_name(chosen)
    if other.sizes != entry.sizes:
        return None, words.other_shape(run, other.sizes, entry.sizes)
    try:
        network = catalogue.load_network(then.file)
    except InputError as error:
        return None, words.BROKEN_VERSUS.format(name=run, reason=error)
    name = common.moment_name(then.phase, then.epoch, then.step, last=then.name == "")
    versus = Versus(words.moment_of(run, name, same=chosen == own), network, then.file)
    if then.file == moment.file:
        return versus, words.SAME_NETWORK
    if other.features != entry.features:
        return versus, words.OTHER_FEATURES.format(name=run, features=other.features, shown=entry.features)
    return versus, ""


def versus_chosen(entry: catalogue.Entry, moment: catalogue.KeptMoment) -> None:
    """Of this run the moment before is compared first; of another one the last."""
    name = st.session_state["versus_choice"]
    names = [each.name for each in catalogue.moments(entry)]
    place = names.index(moment.name)
    then = names[place - 1 if place else 1] if name == entry.name and len(names) > 1 else ""
    state.change(versus=name, versus_at=then)


def choose_versus_moment(view: state.View, other: catalogue.Entry) -> catalogue.KeptMoment:
    """The moment of the other run; as its own scrubber where there are several."""

    def lost(at: str) -> None:
        if not catalogue.is_last(other, at):
            note = words.NO_VERSUS_MOMENT.format(name=common.run_name(other.name), at=at)
            state.correct(note, versus_at="")

    return slide_to_moment(
        catalogue.moments(other),
        view[VERSUS_AT],
        label=words.VERSUS_MOMENT,
        key="versus_moment",
        moved=lambda at: state.change(versus_at=at),
        lost=lost,
    )


def go_to_layer(shown: Subject, layer: int) -> None:
    """Another layer; its unit comes with it, so that the address says what is seen."""
    if layer != shown.layer:
        state.change(layer=layer, unit=typical_unit(shown.last, layer, shown.view.digit))


def choose_sort(view: state.View) -> None:
    """The order of units."""
    choose_one(
        words.SORT,
        words.SORT_NAMES,
        view[SORT],
        key="sort_choice",
        chosen=lambda sort: state.change(sort=sort),
        help=words.SORT_HELP,
    )
