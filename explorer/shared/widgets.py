"""What widgets need to keep their values."""

from __future__ import annotations

from typing import TypeVar

import streamlit as st

Value = TypeVar("Value")


def put(key: str, value: Value) -> Value:
    """Set a widget, at every run; returns the value, to be given as the widget's default too.

    When the browser builds a widget anew (a row above it came or went), it starts from the default and
    reports that as a wish; the first of the options would then replace what was chosen.
    """
    st.session_state[key] = value
    return value


def keep(key: str, value: Value) -> Value:
    """As `put`, for widgets that are made anew while the page refreshes itself: only if they have to change.

    Setting one at every look would pull a slider out of the hand that drags it, and could undo a click that
    is on its way.
    """
    if st.session_state.get(key) != value:
        st.session_state[key] = value
    return value
