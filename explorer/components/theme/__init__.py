"""The theme watch: runs the page again when the theme is changed, so that charts follow it; shows nothing."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_mount = st.components.v2.component(
    "bitwise_theme", js=(Path(__file__).parent / "theme.js").read_text("utf-8")
)


def watch_theme() -> None:
    """Mount it, once a run of the app; afterwards `st.context.theme.type` is the theme that is shown."""
    drawn = "dark" if st.context.theme.type == "dark" else "light"
    _mount(key="theme_watch", data={"drawn": drawn}, on_changed_change=lambda: None)
