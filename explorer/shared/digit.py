"""The digit that a page shows, small, and a way to another: a test digit, a drawing, or a picture."""

from __future__ import annotations

from zlib import crc32

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from bnn_core import InputError
from bnn_core.datasets.image import MAX_FILE_BYTES, decode_image, from_raster
from explorer.components.bit_matrix import bit_matrix
from explorer.components.digit_pad import digit_pad
from explorer.server.answers import search
from explorer.shared import html, words
from explorer.shared import view as state
from explorer.shared.scene import Scene
from explorer.shared.thumbs import show_digits

PER_PAGE = 57
"""Digits on a page of the search: three rows of a wide dialogue."""

UPLOAD_MB = MAX_FILE_BYTES // 1_000_000
"""The largest picture that is taken, in megabytes."""

_UPLOADED = "explorer_uploaded"


def choose_digit(scene: Scene) -> None:
    """A thumbnail of the digit, and a button that opens the choice of another."""
    with st.container(key="digit-choice", horizontal=True, gap=None, width="content"):
        bit_matrix(scene.image, key="digit_thumb", label=digit_name(scene), grey=True, pitch=1, gap=0)
        if st.button(digit_name(scene), key="digit_choice", icon=":material/expand_more:"):
            search_digit(scene)


def digit_name(scene: Scene) -> str:
    """Test digit 90, a 3; or what else it is."""
    if scene.true is None:
        return words.UPLOADED if uploaded(scene.view) else words.DRAWN
    return words.digit_note(scene.index, scene.true)


def uploaded(view: state.View) -> bool:
    """Whether the digit came as a picture in this session (the address cannot tell)."""
    return view.drawn is not None and st.session_state.get(_UPLOADED) == view.drawn


def show_pad(scene: Scene, *, key: str, width: int, more: bool = False) -> bool:
    """The digit, and the pad to draw another over it; with `more`, whether other digits were asked for."""
    view = state.now()
    if view.drawn is None:
        source = f"test-{scene.index}"
    else:
        # A picture wipes what was drawn before; the pad keeps its own strokes.
        source = f"drawn-{crc32(view.drawn):08x}" if uploaded(view) else "drawn"
    image = scene.image if view.drawn_digit is None else view.drawn_digit
    return digit_pad(
        image,
        source=source,
        key=key,
        label=f"{words.PAD_LABEL} ({digit_name(scene)})",
        words=words.PAD | (words.PAD_MORE if more else {}),
        on_drawn=_drawn,
        on_cleared=lambda: state.change(drawn=None),
        width=width,
    )


def _drawn(raster: NDArray[np.uint8]) -> None:
    """Centre a drawing as MNIST's digits were, and show it."""
    try:
        state.change(drawn=from_raster(raster, ink_is_light=True).tobytes())
    except InputError:
        state.correct(words.BLANK)


@st.dialog(words.CHOOSE, width="large", on_dismiss="rerun")
def search_digit(scene: Scene) -> None:
    """Look through all test digits, draw one, or bring a picture."""
    way = st.segmented_control(
        words.CHOOSE,
        list(words.WAYS),
        default="set",
        key="search_way",
        format_func=words.WAYS.__getitem__,
        label_visibility="collapsed",
        required=True,
    )
    if way == "draw":
        _draw(scene)
    elif way == "upload":
        _upload()
    else:
        _search(scene)


def _search(scene: Scene) -> None:
    """By class, by hardest, by misread, or by number."""
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
        found = search(answers, kind=kind, label=label)
        pages = max(1, -(-len(found) // PER_PAGE))
        page = st.number_input(
            words.SEARCH_PAGE.format(pages=pages), 1, pages, 1, key=f"search_page_{kind}_{label}", width=140
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
    if show_digits(scene, chosen, key="search_digits", title=words.CHOOSE) is not None:
        st.rerun()


def _draw(scene: Scene) -> None:
    """A pad, and what the drawing is read as; the page follows when the dialogue is closed."""
    drawn = state.now().drawn_digit
    with st.container(key="search-draw", horizontal=True, vertical_alignment="center", gap="large"):
        show_pad(scene, key="search_pad", width=224)
        if drawn is None:
            st.html(html.line(words.DRAW_HINT), width=320)
            return
        read = int(scene.network.predict(drawn[None])[0])
        st.html(
            f'<div class="bx bx-read"><div>{words.READ_AS}</div><div class="digit">{read}</div></div>',
            width="content",
        )
        if st.button(words.SHOW_IT, key="search_show", type="primary"):
            st.rerun()


def _upload() -> None:
    """A PNG or JPEG from outside, centred as MNIST's digits were."""
    given = st.file_uploader(
        words.UPLOAD_LABEL, type=["png", "jpg", "jpeg"], key="search_upload", max_upload_size=UPLOAD_MB
    )
    if given is None:
        st.html(html.line(words.UPLOAD_NOTE))
        return
    try:
        digit = decode_image(given.getvalue(), name=given.name).tobytes()
    except InputError as error:
        st.html(html.note(str(error)))
        return
    st.session_state[_UPLOADED] = digit
    if state.now().drawn != digit:
        state.change(drawn=digit)
        st.rerun()
