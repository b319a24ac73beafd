"""Controls that every page shares: which network, which moment of its training, which order of units."""

from __future__ import annotations

import streamlit as st

from bnn_core import InputError
from explorer.server import catalogue
from explorer.shared import html, words
from explorer.shared import view as state

NEWS_SECONDS = 1.0
"""How often a page that shows a run under way looks for new bits."""


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
    return words.entry_name(entry.name, entry.sizes, entry.variant, entry.features, entry.test_error)


def _chosen(names: list[str]) -> None:
    name = st.session_state["model_choice"]
    state.change(model="" if name == names[0] else name, at="", layer=1, unit=None)


def choose_moment(view: state.View, entry: catalogue.Entry) -> catalogue.KeptMoment:
    """The epoch scrubber, where the run has snapshots; else its one network.

    While the run is being trained the newest moment is shown as it comes, unless another was chosen.
    """
    found = {moment.name: moment for moment in catalogue.moments(entry)}
    last = list(found)[-1]
    at = view.at
    if at and at not in found:
        if catalogue.is_last(entry, at):
            state.change(at="")  # its run has finished since
        else:
            state.correct(words.no_such_moment(at), at="")
    at = at if at in found else last
    live = catalogue.is_live(entry)
    if live:
        st.fragment(_look_for_news, run_every=NEWS_SECONDS, key="moment_news")(entry, tuple(found))
    if len(found) < 2:
        return found[at]
    st.session_state["moment_choice"] = at
    chosen = st.select_slider(
        words.MOMENT,
        list(found),
        value=at,
        key="moment_choice",
        format_func=lambda name: words.moment_name(
            found[name].phase, found[name].epoch, found[name].step, last=name == last, live=live
        ),
        label_visibility="collapsed",
        on_change=lambda: _moved(last),
        width=400,
    )
    return found[chosen]


def _look_for_news(entry: catalogue.Entry, known: tuple[str, ...]) -> None:
    """Run the page again when the run has other moments than the page knows."""
    if tuple(moment.name for moment in catalogue.moments(entry)) != known or not catalogue.is_live(entry):
        st.rerun()


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


def refuse(error: InputError) -> None:
    """Say why a network cannot be shown."""
    show_notes()
    st.html(html.note(words.BROKEN_NETWORK.format(reason=error)))


def apply(correction: state.Correction | None) -> None:
    """Let the address say what is shown instead, with the reason."""
    if correction is not None:
        state.correct(correction.note, **correction.values)


def show_notes() -> None:
    """What to tell the person about the address."""
    for text in state.notes():
        st.html(html.note(text))
