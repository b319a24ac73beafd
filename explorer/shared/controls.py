"""Controls that several pages share: which network, which moment of its training, which layer and order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import streamlit as st

from bnn_core import InputError
from explorer.server import catalogue
from explorer.shared import html, words
from explorer.shared import view as state
from explorer.shared.scene import Scene, compose
from explorer.shared.widgets import choose_one, put

NEWS_SECONDS = 1.0
"""How often a page that shows a run under way looks for new bits."""


def choose_scene(key: str) -> Scene | None:
    """Draw the controls; say what there is to say about the address.

    Args:
        key: of the row.

    Returns:
        the digit's way through the network; None if none can be shown, which the page then has told.
    """
    entries = catalogue.entries()
    view = state.current(entries)
    if not entries:
        st.html(html.note(words.NO_NETWORK))
        return None
    with st.container(key=key, horizontal=True, gap=None):
        entry = choose_network(view, entries)
        moment = choose_moment(view, entry)
        choose_order(view)
    try:
        scene = compose(view, entry, moment)
    except InputError as error:
        refuse(error)
        return None
    apply(scene.correction)
    show_notes()
    return scene


def choose_network(view: state.View, entries: dict[str, catalogue.Entry]) -> catalogue.Entry:
    """The choice of a network; it holds for every page. `entries` is not empty; its first is the default."""
    names = list(entries)
    chosen = st.selectbox(
        words.MODEL,
        names,
        index=names.index(put("model_choice", view.model or names[0])),
        key="model_choice",
        format_func=lambda name: entry_name(entries[name]),
        label_visibility="collapsed",
        on_change=lambda: _chosen(names),
        width=360,
    )
    return entries[chosen]


def entry_name(entry: catalogue.Entry) -> str:
    """What to call a network that can be chosen."""
    return words.entry_name(entry.name, entry.sizes, entry.variant, entry.features, entry.test_error)


def _chosen(names: list[str]) -> None:
    name = st.session_state["model_choice"]
    state.change(model="" if name == names[0] else name, at="", layer=1, unit=None)


def choose_moment(view: state.View, entry: catalogue.Entry) -> catalogue.KeptMoment:
    """The epoch scrubber, where the run has snapshots; else its one network.

    While the run is being trained the newest moment is shown as it comes, unless another was chosen.
    """
    moments = catalogue.moments(entry)
    live = catalogue.is_live(entry)

    def lost(at: str) -> None:
        if catalogue.is_last(entry, at):
            state.change(at="")  # its run has finished since
        else:
            state.correct(words.NO_SUCH_MOMENT.format(at=at), at="")

    if live:
        known = tuple(moment.name for moment in moments)
        st.fragment(_look_for_news, run_every=NEWS_SECONDS, key="moment_news")(entry, known)
    return slide_to_moment(
        moments,
        view.at,
        label=words.MOMENT,
        key="moment_choice",
        moved=lambda at: state.change(at=at),
        lost=lost,
        live=live,
        width=400,
    )


def _look_for_news(entry: catalogue.Entry, known: tuple[str, ...]) -> None:
    """Run the page again when the run has other moments than the page knows."""
    if tuple(moment.name for moment in catalogue.moments(entry)) != known or not catalogue.is_live(entry):
        st.rerun()


def slide_to_moment(
    moments: Sequence[catalogue.KeptMoment],
    at: str,
    *,
    label: str,
    key: str,
    moved: Callable[[str], None],
    lost: Callable[[str], None],
    live: bool = False,
    width: int | Literal["stretch"] = "stretch",
) -> catalogue.KeptMoment:
    """One of a run's moments; a slider where there are several.

    Args:
        at: the name of one, "" for the last.
        moved: called with another one's name, "" for the last.
        lost: called where there is none of that name; the last one is shown then.
        live: whether there will be more.
    """
    found = {moment.name: moment for moment in moments}
    last = moments[-1].name
    if at and at not in found:
        lost(at)
    at = at if at in found else last
    if len(found) < 2:
        return found[at]

    def name(at: str) -> str:
        moment = found[at]
        return words.moment_name(moment.phase, moment.epoch, moment.step, last=at == last, live=live)

    def told() -> None:
        chosen = st.session_state[key]
        moved("" if chosen == last else chosen)

    chosen = st.select_slider(
        label,
        list(found),
        value=put(key, at),
        key=key,
        format_func=name,
        label_visibility="collapsed",
        on_change=told,
        width=width,
    )
    return found[chosen]


def choose_layer(at: int, hidden: int, chosen: Callable[[int], None], *, output: bool) -> None:
    """One of the hidden layers, or the output layer where a page has a place for it."""
    names = words.layer_choices(hidden, output=output)
    choose_one(words.LAYER, names, at, key="layer_choice", chosen=chosen, bare=True)


def choose_order(view: state.View) -> None:
    """Units by digit, or as trained."""
    choose_one(
        words.ORDER,
        words.ORDER_NAMES,
        view.order,
        key="order_choice",
        chosen=lambda order: state.change(order=order),
        help=words.ORDER_HELP,
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
