"""The digit pad: shows one digit as cells, and takes a drawn one when a stroke ends."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from explorer.components import component

#: Side of the drawing that comes back, in pixels: five for each pixel of a 28 x 28 digit.
RASTER = 140

_mount = component("digit_pad")


def digit_pad(
    digit: NDArray[np.uint8],
    *,
    source: str,
    key: str,
    label: str,
    words: dict[str, str],
    on_drawn: Callable[[NDArray[np.uint8]], None],
    on_cleared: Callable[[], None],
    width: int = 168,
) -> bool:
    """Show a digit; draw another one over it with the pointer.

    Args:
        digit: (side, side) uint8, 0 the background: shown while nothing is drawn.
        source: names that digit. As long as it stays, strokes survive every rerun of the page. "drawn" means
            that the page shows what was drawn here, and keeps them too; any other new name wipes them.
            "drawn-..." is such a one that can be cleared: a picture from elsewhere.
        key: Streamlit's key; `.st-key-<key>` in the page.
        label: what a screen reader says of the pad.
        words: the texts of the buttons and the empty sheet: "draw", "clear", "hint"; "more" makes a third
            button.
        on_drawn: called at the end of each stroke with the whole drawing, (RASTER, RASTER) uint8, 0 the paper
            and 255 the ink in either theme.
        on_cleared: called when the drawing that the page shows is cleared.
        width: the side in CSS pixels.

    Returns:
        Whether the third button was pressed in this run of the page.
    """

    def drawn() -> None:
        raster = decode((st.session_state.get(key) or {}).get("drawn"))
        if raster is not None:
            on_drawn(raster)

    def cleared() -> None:
        if (st.session_state.get(key) or {}).get("cleared"):
            on_cleared()

    data = {
        "source": source,
        "grey": base64.b64encode(np.ascontiguousarray(digit, dtype=np.uint8).tobytes()).decode(),
        "side": digit.shape[1],
        "raster": RASTER,
        "size": width,
        "label": label,
        "words": words,
    }
    result: Any = _mount(
        key=key, data=data, on_drawn_change=drawn, on_cleared_change=cleared, on_more_change=lambda: None
    )
    return bool(result and result.get("more"))


def decode(message: Any) -> NDArray[np.uint8] | None:
    """What the browser sent as (RASTER, RASTER) uint8; None if it is no drawing."""
    try:
        ink = base64.b64decode(message["ink"], validate=True)
    except (TypeError, KeyError, ValueError, binascii.Error):
        return None
    if len(ink) != RASTER * RASTER:
        return None
    raster = np.frombuffer(ink, dtype=np.uint8).reshape(RASTER, RASTER)
    return raster if raster.any() else None
