"""Weights: the first layer as templates, deeper ones as matrices, one unit, and what flipped."""

from __future__ import annotations

import streamlit as st

from bnn_core import InputError
from explorer.screens.weights import words
from explorer.screens.weights.address import SORT, VERSUS, VERSUS_AT
from explorer.screens.weights.controls import choose_sort, choose_versus, go_to_layer
from explorer.screens.weights.matrix import show_deeper, show_every
from explorer.screens.weights.subject import Subject, compose
from explorer.screens.weights.templates import show_templates
from explorer.screens.weights.unit import show_layers, show_unit
from explorer.server import catalogue
from explorer.shared import html
from explorer.shared import view as state
from explorer.shared import words as common
from explorer.shared.controls import apply, choose_layer, choose_moment, choose_network, refuse, show_notes
from explorer.shared.pages import Page


def show(shown: Subject, every: bool) -> None:
    """Place everything."""
    with st.container(key="weights-main", horizontal=True, gap=None):
        with st.container(key="weights-whole" if every else "weights-left"):
            if every:
                show_every(shown)
            else:
                show_templates(shown)
            st.html(html.RULE)
            show_layers(shown)
        with st.container(key="weights-right"):
            if not every:
                show_deeper(shown)
                st.html(html.RULE)
            show_unit(shown)


def main() -> None:
    """The page."""
    entries = catalogue.entries()
    view = state.current(entries)
    if not entries:
        st.html(html.note(common.NO_NETWORK))
        return
    with st.container(key="weights-page", gap=None):
        with st.container(key="weights-controls", horizontal=True, gap=None):
            entry = choose_network(view, entries)
            moment = choose_moment(view, entry)
            versus, note = choose_versus(view, entries, entry, moment)
        try:
            shown = compose(view, entry, moment, versus)
        except InputError as error:
            refuse(error)
            return
        apply(shown.correction)
        with st.container(key="weights-controls-units", horizontal=True, gap=None):
            choose_layer(shown.layer, shown.hidden, lambda layer: go_to_layer(shown, layer), output=True)
            choose_sort(view)
            every = st.toggle(words.EVERY, key="weights_every", help=words.EVERY_HELP)
        show_notes()
        if note:
            st.html(html.note(note))
        show(shown, every)


PAGE = Page("Weights", 3, main, keys=(SORT, VERSUS, VERSUS_AT))
