"""The Weights page's own controls: what to compare with, the layer, the order of units."""

from __future__ import annotations

import streamlit as st

from bnn_core import InputError
from explorer.screens.weights import words as here
from explorer.screens.weights.address import SORT, VERSUS, VERSUS_AT
from explorer.screens.weights.shown import Shown, Versus, typical_unit
from explorer.server import catalogue
from explorer.shared import view as state
from explorer.shared import words


def choose_versus(
    view: state.View,
    entries: dict[str, catalogue.Entry],
    entry: catalogue.Entry,
    moment: catalogue.KeptMoment,
) -> tuple[Versus | None, str]:
    """What to compare with, and a sentence where that needs one."""
    own = entry.name
    if view[VERSUS] and view[VERSUS] not in entries:
        state.correct(here.versus_gone(words.run_name(view[VERSUS])), versus="", versus_at="")
        view = state.now()
    options = ["", *([own] if len(catalogue.moments(entry)) > 1 or view[VERSUS] == own else [])]
    options += [
        name
        for name, other in entries.items()
        if name != own and (other.sizes == entry.sizes or name == view[VERSUS])
    ]

    def name_of(name: str) -> str:
        if name in ("", own):
            return here.OWN_VERSUS if name else here.NO_VERSUS
        other = entries[name]
        return words.entry_name(name, other.sizes, other.variant, other.features, other.test_error)

    # A value is given twice: a widget that the browser builds anew starts from its default.
    st.session_state["versus_choice"] = view[VERSUS]
    with st.container(key="weights-versus", horizontal=True, gap=None):
        chosen = st.selectbox(
            here.VERSUS,
            options,
            index=options.index(view[VERSUS]),
            key="versus_choice",
            format_func=name_of,
            on_change=lambda: versus_chosen(entry, moment),
            width=280,
        )
        if not chosen:
            return None, ""
        other = entries[chosen]
        then = choose_versus_moment(view, other)
    if other.sizes != entry.sizes:
        return None, here.other_shape(words.run_name(chosen), other.sizes, entry.sizes)
    try:
        network = catalogue.load_network(then.file)
    except InputError as error:
        return None, here.broken_versus(words.run_name(chosen), str(error))
    name = words.moment_name(then.phase, then.epoch, then.step, last=then.name == "")
    versus = Versus(here.moment_of(words.run_name(chosen), name, same=chosen == own), network, then.file)
    if then.file == moment.file:
        return versus, here.SAME_NETWORK
    if other.features != entry.features:
        return versus, here.other_features(words.run_name(chosen), other.features, entry.features)
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
    found = {moment.name: moment for moment in catalogue.moments(other)}
    last = list(found)[-1]
    at = view[VERSUS_AT] or last
    if at not in found:
        if not catalogue.is_last(other, at):
            state.correct(here.no_versus_moment(words.run_name(other.name), at), versus_at="")
        at = last
    if len(found) < 2:
        return found[at]

    def moved() -> None:
        then = st.session_state["versus_moment"]
        state.change(versus_at="" if then == last else then)

    st.session_state["versus_moment"] = at
    chosen = st.select_slider(
        here.VERSUS_MOMENT,
        list(found),
        value=at,
        key="versus_moment",
        format_func=lambda name: words.moment_name(
            found[name].phase, found[name].epoch, found[name].step, last=name == last
        ),
        label_visibility="collapsed",
        on_change=moved,
    )
    return found[chosen]


def choose_layer(shown: Shown) -> None:
    """The layer; its unit comes with it, so that the address says what is seen."""
    layers = list(range(1, shown.hidden + 2))

    def chosen() -> None:
        layer = st.session_state["layer_choice"]
        if layer != shown.layer:
            state.change(layer=layer, unit=typical_unit(shown.last, layer, shown.view.digit))

    st.session_state["layer_choice"] = shown.layer
    st.segmented_control(
        here.LAYER,
        layers,
        default=shown.layer,
        key="layer_choice",
        format_func=lambda layer: here.layer_choice(layer, shown.hidden),
        required=True,
        label_visibility="collapsed",
        on_change=chosen,
    )


def choose_sort(view: state.View) -> None:
    """The order of units."""
    st.session_state["sort_choice"] = view[SORT]
    st.segmented_control(
        here.SORT,
        list(here.SORT_NAMES),
        default=view[SORT],
        key="sort_choice",
        format_func=here.SORT_NAMES.__getitem__,
        required=True,
        help=here.SORT_HELP,
        on_change=lambda: state.change(sort=st.session_state["sort_choice"]),
    )
