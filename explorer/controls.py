"""Controls that every page shares: which network, which moment of its training, which order of units."""

from __future__ import annotations

import streamlit as st

from explorer import catalogue, state, words
from explorer.views import html


def choose_network(view: state.View, entries: dict[str, catalogue.Entry]) -> catalogue.Entry:
    """The choice of a network; it holds for every page. `entries` is not empty; its first is the default."""
    names = list(entries)
    # A value is given twice: a widget that the browser builds anew starts from its default.
    st.session_state["model_choice"] = view.model or names[0]
    chosen = st.selectbox(
        words.MODEL,
        names,
        index=names.index(view.model or names[0]),
        key="model_choice",
        format_func=lambda name: _entry_name(entries[name]),
        label_visibility="collapsed",
        on_change=lambda: _chosen(names),
        width=360,
    )
    return entries[chosen]


def _entry_name(entry: catalogue.Entry) -> str:
    return words.entry_name(entry.name, entry.sizes, entry.variant, entry.test_error)


def _chosen(names: list[str]) -> None:
    name = st.session_state["model_choice"]
    state.change(model="" if name == names[0] else name, at="", layer=1, unit=None)


def choose_moment(view: state.View, entry: catalogue.Entry) -> catalogue.Moment:
    """The epoch scrubber, where the run has snapshots; else its one network."""
    found = {moment.name: moment for moment in catalogue.moments(entry)}
    last = list(found)[-1]
    if view.at and view.at not in found:
        state.correct(words.no_such_moment(view.at), at="")
    at = view.at if view.at in found else last
    if len(found) < 2:
        return found[at]
    st.session_state["moment_choice"] = at
    chosen = st.select_slider(
        words.MOMENT,
        list(found),
        value=at,
        key="moment_choice",
        format_func=lambda name: words.moment_name(
            found[name].phase, found[name].epoch, found[name].step, last=name == last
        ),
        label_visibility="collapsed",
        on_change=lambda: _moved(last),
        width=400,
    )
    return found[chosen]


def _moved(last: str) -> None:
    at = st.session_state["moment_choice"]
    state.change(at="" if at == last else at)


def choose_order(view: state.View) -> None:
    """Units by digit, or as trained."""
    st.session_state["order_choice"] = view.order
    st.segmented_control(
        words.ORDER,
        list(words.ORDER_NAMES),
        default=view.order,
        key="order_choice",
        format_func=words.ORDER_NAMES.__getitem__,
        required=True,
        help=words.ORDER_HELP,
        on_change=lambda: state.change(order=st.session_state["order_choice"]),
    )


def show_notes() -> None:
    """What to tell the person about the address."""
    for text in state.notes():
        st.html(html.note(text))
