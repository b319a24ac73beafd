"""The row of controls that a page about one digit begins with, and the scene that they choose."""

from __future__ import annotations

import streamlit as st

from bnn_core import InputError
from explorer.server import catalogue
from explorer.shared import html, words
from explorer.shared import view as state
from explorer.shared.controls import apply, choose_moment, choose_network, choose_order, refuse, show_notes
from explorer.shared.scene import Scene, compose


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
