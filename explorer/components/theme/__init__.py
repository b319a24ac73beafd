"""The theme watch: runs the page again when the theme is changed, so that charts follow it; shows nothing."""

from __future__ import annotations

import streamlit as st

from explorer.components import component

_mount = component("theme")


def watch_theme() -> None:
    """Mount it, once a run of the app; afterwards `st.context.theme.type` is the theme that is shown."""
    drawn = "dark" if st.context.theme.type == "dark" else "light"
    _mount(key="theme_watch", data={"drawn": drawn}, on_changed_change=lambda: None)
