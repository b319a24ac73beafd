"""The digit map: digits as points on one large map and several small ones; hover shows a digit's picture.

Every map shows the same digits, so that one under the pointer is marked on all of them: it can be followed
from layer to layer. A click on a digit, or on a small map, comes back.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from explorer.components import component, pack

_mount = component("digit_map")

_ACROSS = 30
"""Pictures in a row of the sheet that the browser gets."""

_STEPS = 32767
"""Coordinates from -1 to 1 travel as whole numbers of this many steps."""


@dataclass(frozen=True, eq=False)
class Panel:
    """One map.

    Attributes:
        title: above it. note: beside that, in small grey, of a small map. long_note: of the large one.
        points: (n, 2) from -1 to 1, x to the right and y upwards: where the digits lie.
        chosen: where the chosen digit lies, in the same terms.
        pick: what comes back when the small map is clicked; None: it cannot be chosen.
    """

    title: str
    note: str
    long_note: str
    points: NDArray[np.float64]
    chosen: tuple[float, float]
    pick: int | None


@dataclass(frozen=True, eq=False)
class Digits:
    """The digits on the maps.

    Attributes:
        numbers: (n,) what comes back when one is clicked.
        labels: (n,) their classes, drawn as characters.
        wrong: (n,) bool, whether each is misread.
        names: n texts for the pointer and the screen reader.
        sheet: their pictures, from `sheet`.
        side: pixels of a picture.
    """

    numbers: NDArray[np.integer]
    labels: NDArray[np.integer]
    wrong: NDArray[np.bool_]
    names: Sequence[str]
    sheet: bytes
    side: int


def sheet(images: NDArray[np.uint8]) -> bytes:
    """Pictures (n, side, side), 0 the background, as one PNG, `_ACROSS` in a row."""
    count, side = images.shape[:2]
    rows = -(-count // _ACROSS)
    cells = np.zeros((rows * _ACROSS, side, side), np.uint8)
    cells[:count] = images
    whole = cells.reshape(rows, _ACROSS, side, side).swapaxes(1, 2).reshape(rows * side, _ACROSS * side)
    stream = io.BytesIO()
    Image.fromarray(whole).save(stream, "PNG")
    return stream.getvalue()


def encode(
    panels: Sequence[Panel],
    digits: Digits,
    *,
    large: int,
    chosen_image: NDArray[np.uint8],
    chosen_number: int | None,
    chosen_name: str,
    strong: int,
    label: str,
    caption: Sequence[str],
) -> bytes:
    """The bytes that the browser part reads; the arguments are those of `digit_map`.

    Its planes: for each panel n + 1 points (the last is the chosen digit) as pairs of int16; n labels and n
    marks of misread digits as bytes, the chosen picture as bytes, and the PNG sheet.

    Raises:
        ValueError: a panel, or a list, has not one entry a digit.
    """
    count = len(digits.numbers)
    for name, length in [
        ("labels", len(digits.labels)),
        ("marks", len(digits.wrong)),
        ("names", len(digits.names)),
        *((f"points in {panel.title}", len(panel.points)) for panel in panels),
    ]:
        if length != count:
            raise ValueError(f"{length} {name} for {count} digits")
    header = {
        "count": count,
        "side": digits.side,
        "across": _ACROSS,
        "steps": _STEPS,
        "sheet": f"{crc32(digits.sheet):08x}",
        "numbers": [int(number) for number in digits.numbers],
        "names": list(digits.names),
        "panels": [
            {"title": p.title, "note": p.note, "long_note": p.long_note, "pick": p.pick} for p in panels
        ],
        "large": large,
        "chosen_number": chosen_number,
        "chosen_name": chosen_name,
        "strong": strong,
        "label": label,
        "caption": list(caption),
    }
    points = (np.clip(np.vstack([p.points, [p.chosen]]), -1, 1) * _STEPS for p in panels)
    return pack(
        header,
        *(np.rint(each).astype("<i2").tobytes() for each in points),
        digits.labels.astype(np.uint8).tobytes(),
        digits.wrong.astype(np.uint8).tobytes(),
        np.ascontiguousarray(chosen_image, dtype=np.uint8).tobytes(),
        digits.sheet,
    )


def digit_map(
    panels: Sequence[Panel],
    digits: Digits,
    *,
    key: str,
    on_digit: Callable[[int], None],
    on_panel: Callable[[int], None],
    **options: Any,
) -> None:
    """Draw one large map and all of them small.

    Args:
        panels: the maps, in order.
        digits: the digits that all of them show.
        key: Streamlit's key; `.st-key-<key>` in the page.
        on_digit: called with a clicked digit's number. on_panel: called with the `pick` of a small map.
        **options: passed to `encode`:
            large: which panel is the large one.
            chosen_image, chosen_number, chosen_name: the digit of the page: its picture, its number if it is
                one of a set, what it is called. It is framed.
            strong: the class whose characters are in ink.
            label: what a screen reader says of the large map.
            caption: lines of text; they stand in a free place among the small maps, or below all of them.
    """

    def picked(name: str, act: Callable[[int], None]) -> None:
        value = _whole((st.session_state.get(key) or {}).get(name))
        if value is not None:
            act(value)

    _mount(
        key=key,
        data=encode(panels, digits, **options),
        on_digit_change=lambda: picked("digit", on_digit),
        on_panel_change=lambda: picked("panel", on_panel),
    )


def _whole(value: Any) -> int | None:
    """A whole number from the browser (which may send anything), else None."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None
