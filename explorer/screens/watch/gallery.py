"""Digits to choose from on Watch: one of each class, the hardest, the misread."""

from __future__ import annotations

import streamlit as st

from explorer.screens.watch import words
from explorer.server.answers import hardest, misread, one_of_each
from explorer.shared import html
from explorer.shared.digit import search_digit
from explorer.shared.numbers import grouped
from explorer.shared.scene import Scene
from explorer.shared.thumbs import show_digits

SHOWN = 12
"""Digits of a group, if there is room for so many in one row."""


def show_gallery(scene: Scene) -> None:
    """One of each class, the hardest, the misread, and a way to all the others."""
    answers = scene.known.answers
    classes = scene.network.sizes[-1]
    groups = [
        ("each", words.ONE_OF_EACH, "", one_of_each(answers, classes)),
        ("hardest", words.HARDEST, words.HARDEST_NOTE, hardest(answers)[:SHOWN]),
        (
            "misread",
            words.MISREAD,
            f"{grouped(answers.errors)} of {grouped(len(answers.labels))}",
            misread(answers)[:SHOWN],
        ),
    ]
    with st.container(key="watch-gallery", horizontal=True, gap=None):
        for name, title, note, chosen in groups:
            with st.container(key=f"watch-gallery-{name}"):
                if name == "misread":
                    with st.container(key="watch-gallery-head", horizontal=True, gap=None):
                        st.html(html.head(title, note))
                        total = words.SEARCH_TITLE.format(total=len(answers.labels))
                        if st.button(total, key="digit_search", type="tertiary"):
                            search_digit(scene)
                else:
                    st.html(html.head(title, note))
                if len(chosen):
                    show_digits(scene, chosen, key=f"gallery_{name}", title=title, tile_rows=1)
                else:
                    st.html(html.line(words.NONE_MISREAD))
