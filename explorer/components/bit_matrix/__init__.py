"""The bit matrix: many bits, or grey values, as cells of whole pixels; a click comes back as row and column.

One component draws the bits of a layer, weight templates, whole weight matrices and rows of small digits. The
browser gets packed bits (1024 x 1024 of them are 128 KiB) and paints them in a few milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from explorer.components import component, pack

_mount = component("bit_matrix")


@dataclass(frozen=True)
class Bracket:
    """A mark at the left of rows [start, stop); the bounds may be fractions of a row."""

    start: float
    stop: float
    label: str
    muted: bool = False


@dataclass(frozen=True)
class Label:
    """A word beside rows, or above columns, [start, stop): of cells, or of tiles where there are many."""

    start: float
    stop: float
    text: str


@dataclass(frozen=True)
class Cell:
    """A cell of a bit matrix, counted from 0 at the top left; `tile` is 0 where there is one matrix only."""

    row: int
    col: int
    tile: int = 0


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """How a matrix is drawn; `bit_matrix` tells what each is. The browser part knows them by these names."""

    label: str
    grey: bool = False
    pitch: float = 8
    pitch_variable: str | None = None
    pitch_scale: float = 1
    gap: int | None = None
    dots: int = 1
    tile_columns: int = 0
    tile_rows: int = 0
    tile_gap: int = 8
    even: bool = False
    between: Sequence[str] | None = None
    captions: Sequence[str] | None = None
    tones: Sequence[str] | None = None
    names: Sequence[str] | None = None
    row_names: Sequence[str] | None = None
    column_names: Sequence[str] | None = None
    blank: Sequence[int] = ()
    brackets: Sequence[Bracket] = ()
    row_labels: Sequence[Label] = ()
    column_labels: Sequence[Label] = ()
    gutter: int = 0
    window: tuple[int, int] | None = None
    pick: Literal["none", "cell", "tile"] = "none"


def encode(
    bits: NDArray[np.uint8],
    *,
    mask: NDArray[np.uint8] | None = None,
    changed: NDArray[np.uint8] | None = None,
    faded: NDArray[np.uint8] | bool = False,
    count: int | None = None,
    selected: Cell | None = None,
    **options: Any,
) -> bytes:
    """The bytes that the browser part reads; the arguments are those of `bit_matrix`.

    Its planes: `bits`, `mask`, `changed`, `faded` (those present), each packed with bitorder="little"; or one
    byte a cell if `grey`.

    Raises:
        ValueError: the planes differ in shape, or a list has not one entry a tile.
    """
    drawing = Drawing(**options)
    cells = bits if bits.ndim == 3 else bits[np.newaxis]
    if cells.ndim != 3:
        raise ValueError(f"bits must be (rows, cols) or (tiles, rows, cols), not {bits.shape}")
    tiles, rows, cols = cells.shape
    planes: dict[str, NDArray[np.uint8]] = {"bits": cells}
    for name, plane in (("mask", mask), ("changed", changed), ("faded", faded)):
        if plane is None or isinstance(plane, bool):
            continue
        if plane.shape != bits.shape:
            raise ValueError(f"{name} is {plane.shape}, but the bits are {bits.shape}")
        planes[name] = plane
    for name, texts in (("captions", drawing.captions), ("tones", drawing.tones), ("signs", drawing.between)):
        if texts is not None and len(texts) != tiles:
            raise ValueError(f"{len(texts)} {name} for {tiles} tiles")
    header = {
        "tiles": tiles,
        "rows": rows,
        "cols": cols,
        "count": rows * cols if count is None else count,
        "planes": list(planes),
        "all_faded": faded is True,
        "selected": None if selected is None else [selected.tile, selected.row, selected.col],
        **vars(drawing),
    }
    if drawing.grey:
        return pack(header, np.ascontiguousarray(cells, dtype=np.uint8).tobytes())
    return pack(header, *(np.packbits(plane, bitorder="little").tobytes() for plane in planes.values()))


def bit_matrix(
    bits: NDArray[np.uint8],
    *,
    key: str,
    label: str,
    on_pick: Callable[[Cell], None] | None = None,
    pick: Literal["cell", "tile"] = "cell",
    **options: Any,
) -> Cell | None:
    """Draw a matrix of bits, or many small ones, and return the cell that was just clicked.

    Args:
        bits: (rows, cols) uint8 in {0, 1}, or (tiles, rows, cols) for many of one size; with `grey=True`
            uint8 in 0..255, 0 the background.
        key: Streamlit's key; `.st-key-<key>` in the page.
        label: what a screen reader says of the picture.
        on_pick: called with the clicked cell before the page runs again. None: nothing can be clicked.
        pick: with `on_pick`: single cells, or whole tiles (each then a button).
        **options: passed to `encode`:
            grey: cells are grey values instead of bits.
            mask: like `bits`; 0 is a switched-off cell (flat third colour, a hollow square from 5 pixels).
            changed: like `bits`; 1 is lit in the colour of flips.
            faded: True for all cells, or like `bits` with 1 for faded cells; lit flips are never faded.
            count: cells in use, row by row; the rest of the last rows stays empty.
            pitch: CSS pixels from one cell to the next.
            pitch_variable: a CSS custom property that holds the pitch instead (it may follow the window's
                width), times `pitch_scale`.
            gap: pixels between cells; None is 1 from a pitch of 4 on, 0 below and between the cells of tiles.
            dots: draw one dot for each dots x dots cells: their mean, page to bit colour; then, where cells
                changed, their share, to the colour of flips.
            tile_columns: tiles a row; 0 fits the width. tile_rows: rows of tiles at most; 0 is all of them.
            even: where the width decides, rows of equal length as far as that goes.
            tile_gap: pixels between tiles. between: a sign at the right of each tile, in that gap.
            captions: a line under each tile. tones: "", "strong" or "wrong" for each.
            names: what the pointer and the screen reader say of each tile (pick="tile") or each cell.
            row_names, column_names: the same for cells, as two parts: of each row and of each column.
            blank: tiles that stay empty and cannot be picked.
            brackets: marks at the left, in rows; they need a `gutter` of 24 pixels or so.
            row_labels: words at the left, in that gutter. column_labels: words above.
            selected: the framed cell or tile.
            window: rows and columns that the frame holds, about the selected cell and inside the matrix; None
                is the cell alone.

    Returns:
        The cell clicked in this run of the page, else None.
    """

    def picked() -> None:
        cell = _cell(st.session_state.get(key))
        if cell is not None and on_pick is not None:
            on_pick(cell)

    data = encode(bits, label=label, pick=pick if on_pick else "none", **options)
    result = _mount(key=key, data=data, on_picked_change=picked)
    return _cell(result)


def _cell(result: Any) -> Cell | None:
    """The picked cell in a component's result; None if there is none (the browser may send anything)."""
    picked: Any = result.get("picked") if result else None
    try:
        return Cell(int(picked["row"]), int(picked["col"]), int(picked["tile"]))
    except (TypeError, KeyError, ValueError):
        return None
