"""Activations: codes of a digit and of each class, how far they lie apart, and a map of digits by them."""

from __future__ import annotations

import streamlit as st

from explorer.screens.activations import cache
from explorer.screens.activations.address import MAP
from explorer.screens.activations.classes import go_to_layer, show_apart, show_classes, show_code, show_unit
from explorer.screens.activations.codes import pitch_rules
from explorer.screens.activations.counts import show_matrix, show_parting, show_use
from explorer.screens.activations.nearby import show_map, show_nearest
from explorer.shared import html
from explorer.shared.controls import choose_layer, choose_scene
from explorer.shared.digit import choose_digit
from explorer.shared.pages import Page
from explorer.shared.scene import Scene


def show(scene: Scene) -> None:
    """Place everything."""
    known = cache.codes(scene.moment.file)
    with st.container(key="act-second", horizontal=True, gap=None):
        choose_digit(scene)
        choose_layer(
            scene.layer, len(scene.fields), lambda layer: go_to_layer(scene, known, layer), output=False
        )
    st.html(f"<style>{pitch_rules(scene.fields[scene.layer - 1])}</style>")
    with st.container(key="act-page", gap=None):
        with st.container(key="act-codes", horizontal=True, gap=None):
            for key, part in (("code", show_code), ("classes", show_classes), ("apart", show_apart)):
                with st.container(key=f"act-{key}"):
                    part(scene, known)
        show_unit(scene, known)
        st.html(html.RULE)
        show_nearest(scene, known)
        st.html(html.RULE)
        map_place = st.container(key="act-map", gap=None)
        st.html(html.RULE)
        with st.container(key="act-counts", horizontal=True, gap=None):
            for key, part in (("matrix", show_matrix), ("parting", show_parting), ("use", show_use)):
                with st.container(key=f"act-{key}"):
                    part(scene, known)
        with map_place:  # the last to be filled: it may have to be waited for
            show_map(scene, known)


def main() -> None:
    """The page."""
    scene = choose_scene("act-controls")
    if scene is not None:
        show(scene)


PAGE = Page("Activations", 4, main, keys=(MAP,))
