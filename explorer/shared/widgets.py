"""Widgets that keep their values, and those that several pages have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import plotly.graph_objects as go
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


def choose_one(
    label: str,
    names: Mapping[Value, str],
    value: Value,
    *,
    key: str,
    chosen: Callable[[Value], None],
    help: str | None = None,
    bare: bool = False,
) -> None:
    """A row of buttons, one of which is pressed.

    Args:
        names: what the buttons say, by value.
        chosen: called with another value before the page runs again.
        bare: whether the label is only for a screen reader.
    """
    st.segmented_control(
        label,
        list(names),
        default=put(key, value),
        key=key,
        format_func=names.__getitem__,
        required=True,
        help=help,
        label_visibility="collapsed" if bare else "visible",
        on_change=lambda: chosen(st.session_state[key]),
    )


def show_chart(figure: go.Figure, key: str, alt: str | None = None) -> None:
    """A chart that is looked at, not played with; `alt` is for a screen reader."""
    st.plotly_chart(figure, key=key, theme=None, config={"displayModeBar": False}, alt=alt)
