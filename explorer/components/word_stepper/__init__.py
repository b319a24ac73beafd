"""The word stepper: one unit's sum, word by word. It steps in the browser; the page hears where it rests.

What is written and painted comes from `screens/xnor/steps.py`, all steps at once, so that no step waits for
the server.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from explorer.components import component

_mount = component("word_stepper")


def word_stepper(data: Mapping[str, Any], *, key: str, on_step: Callable[[int | None], None]) -> None:
    """Show one unit at work, and step through its words by buttons, arrow keys or a click on a row.

    Args:
        data: of `screens/xnor/steps.py`. While its `identity` stays, the browser keeps its own place.
        key: Streamlit's key; `.st-key-<key>` in the page.
        on_step: called with the word that it rests at, from 1, or None when all are counted, before the page
            runs again; not for a unit that the page has left since.
    """

    def stepped() -> None:
        found = decode(st.session_state.get(key), identity=data["identity"], count=data["count"])
        if found is not None:
            on_step(found or None)

    _mount(key=key, data=dict(data), on_stepped_change=stepped)


def decode(result: Any, *, identity: str, count: int) -> int | None:
    """The word in a component's result, 0 for all of them; None if it holds none of this unit."""
    try:
        word, of = result["stepped"]["word"], result["stepped"]["identity"]
    except (TypeError, KeyError):
        return None
    return word if of == identity and type(word) is int and 0 <= word <= count else None
