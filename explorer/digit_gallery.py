"""Digits to choose from: one of each class, the hardest, the misread, and a search through all of them."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from explorer import catalogue, state, words
from explorer.components.bit_matrix import Cell, bit_matrix
from explorer.scene import Scene
from explorer.views import gallery, html
from explorer.views.numbers import grouped

PER_PAGE = 57
"""Digits on a page of the search: three rows of a wide dialogue."""

SHOWN = 12
"""Digits of a group, if there is room for so many in one row."""


def show_gallery(scene: Scene) -> None:
    """Digits to choose from: one of each class, the hardest, the misread, and a search through all."""
    answers = scene.known.answers
    classes = scene.network.sizes[-1]
    groups = [
        ("each", words.ONE_OF_EACH, "", gallery.one_of_each(answers, classes)),
        ("hardest", words.HARDEST, words.HARDEST_NOTE, gallery.hardest(answers)[:SHOWN]),
        (
            "misread",
            words.MISREAD,
            f"{grouped(answers.errors)} of {grouped(len(answers.labels))}",
            gallery.misread(answers)[:SHOWN],
        ),
    ]
    with st.container(key="watch-gallery", horizontal=True, gap=None):
        for name, title, note, chosen in groups:
            with st.container(key=f"watch-gallery-{name}"):
                if name == "misread":
                    with st.container(key="watch-gallery-head", horizontal=True, gap=None):
                        st.html(html.head(title, note))
                        total = words.search_title(len(answers.labels))
                        if st.button(total, key="digit_search", type="tertiary"):
                            search(scene)
                else:
                    st.html(html.head(title, note))
                if len(chosen):
                    show_digits(scene, chosen, key=f"gallery_{name}", title=title, tile_rows=1)
                else:
                    st.html(f'<div class="bx muted">{words.NONE_MISREAD}</div>')


def show_digits(
    scene: Scene, chosen: NDArray[np.int64], *, key: str, title: str, tile_rows: int = 0
) -> Cell | None:
    """Small digits, each a button; the one that was just clicked."""
    answers = scene.known.answers
    captions, tones, names = [], [], []
    for index in chosen:
        label, read, margin = int(answers.labels[index]), int(answers.read[index]), int(answers.margin[index])
        captions.append(words.thumb_caption(key, label, read, margin))
        tones.append("wrong" if read != label else "")
        names.append(words.thumb_name(int(index), label, read, margin))
    return bit_matrix(
        catalogue.digits().test_images[chosen],
        key=key,
        label=title,
        grey=True,
        on_pick=lambda cell: _pick_digit(chosen, cell),
        pick="tile",
        pitch=2,
        tile_gap=8,
        tile_rows=tile_rows,
        captions=captions,
        tones=tones,
        names=names,
        selected=_selected(scene, chosen),
    )


def _selected(scene: Scene, chosen: NDArray[np.int64]) -> Cell | None:
    """Where the digit of the page lies among the chosen ones."""
    places = np.flatnonzero(chosen == scene.index)
    return Cell(0, 0, int(places[0])) if len(places) and scene.view.drawn is None else None


def _pick_digit(chosen: NDArray[np.int64], cell: Cell) -> None:
    """Show a small digit large."""
    if 0 <= cell.tile < len(chosen):
        state.change(digit=int(chosen[cell.tile]), drawn=None)


@st.dialog(words.SEARCH, width="large")
def search(scene: Scene) -> None:
    """Look through all test digits by class, by hardest, by misread, or by number."""
    answers = scene.known.answers
    with st.container(horizontal=True):
        label = st.selectbox(
            words.SEARCH_CLASS,
            [None, *range(scene.network.sizes[-1])],
            key="search_class",
            format_func=lambda value: words.ANY_CLASS if value is None else str(value),
            width=100,
        )
        kind = st.selectbox(
            words.SEARCH_KIND,
            list(words.SEARCH_KINDS),
            key="search_kind",
            format_func=words.SEARCH_KINDS.__getitem__,
            width=200,
        )
        found = gallery.search(answers, kind=kind, label=label)
        pages = max(1, -(-len(found) // PER_PAGE))
        page = st.number_input(
            words.search_page(pages), 1, pages, 1, key=f"search_page_{kind}_{label}", width=140
        )
        last = len(answers.labels) - 1
        key = f"search_index_{scene.index}"
        index = st.number_input(words.SEARCH_INDEX, 0, last, scene.index, key=key, width=160)
    if index != scene.index:
        state.change(digit=int(index), drawn=None)
        st.rerun()
    if not len(found):
        st.html(html.note(words.NO_MATCH))
        return
    chosen = found[(page - 1) * PER_PAGE : page * PER_PAGE]
    if show_digits(scene, chosen, key="search_digits", title=words.SEARCH) is not None:
        st.rerun()
