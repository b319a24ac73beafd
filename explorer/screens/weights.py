"""Weights: the first layer as templates, deeper ones as matrices, one unit, and what flipped."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from bnn_core import InputError
from explorer import catalogue, state, words
from explorer import words_weights as here
from explorer.controls import choose_moment, choose_network, refuse, show_notes
from explorer.views import html
from explorer.weights_controls import choose_layer, choose_sort, choose_versus
from explorer.weights_matrix import show_deeper, show_every
from explorer.weights_shown import Shown, compose
from explorer.weights_templates import show_templates
from explorer.weights_unit import show_layers, show_unit

_CSS = Path(__file__).resolve().parent.parent / "static" / "weights.css"


def show(shown: Shown, every: bool) -> None:
    """Place everything."""
    with st.container(key="weights-main", horizontal=True, gap=None):
        with st.container(key="weights-whole" if every else "weights-left"):
            if every:
                show_every(shown)
            else:
                show_templates(shown)
            st.html('<hr class="bx-rule">')
            show_layers(shown)
        with st.container(key="weights-right"):
            if not every:
                show_deeper(shown)
                st.html('<hr class="bx-rule">')
            show_unit(shown)


def main() -> None:
    """The page."""
    st.html(f"<style>{_CSS.read_text('utf-8')}</style>")
    entries = catalogue.entries()
    view = state.current(entries)
    if not entries:
        st.html(html.note(words.NO_NETWORK))
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
        with st.container(key="weights-controls-units", horizontal=True, gap=None):
            choose_layer(shown)
            choose_sort(view)
            every = st.toggle(here.EVERY, key="weights_every", help=here.EVERY_HELP)
        show_notes()
        if note:
            st.html(html.note(note))
        show(shown, every)


main()
