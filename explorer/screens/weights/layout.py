"""How the Weights page lays pictures out: templates in digit columns, matrices as texture and lens. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bnn_core.measures.order import band_edges
from explorer.shared.fields import Bits, Field
from explorer.shared.planes import Order, Planes

RANKS = 8
"""Units of each digit on a page of templates."""
WIDE_RANKS = 5
"""The same where a template is twice as wide, and digits run down instead of across."""
ROWS, COLUMNS, WIDE_COLUMNS = 6, 10, 5
"""A page of templates in another order: rows, and templates a row."""

TEXTURE = 256
"""Dots across a texture, at most."""
LENS = 42
"""Rows and columns of true bits beside it."""
EVERY = 1024
"""Pixels across the matrix that shows every bit, if it is that small."""


@dataclass(frozen=True, eq=False)
class TemplatePage:
    """First-layer units on one page.

    Attributes:
        units: (tiles,) int64, row by row; -1 where a place stays empty.
        columns: tiles a row.
        labels: what the columns (or the rows, if `down`) hold; empty for a plain grid.
        number, pages: which page, from 1, of how many.
    """

    units: NDArray[np.int64]
    columns: int
    labels: list[str]
    down: bool
    number: int
    pages: int

    @property
    def blank(self) -> list[int]:
        """Places without a unit."""
        return [int(tile) for tile in np.flatnonzero(self.units < 0)]


def template_page(order: Order, *, classes: int | None, wide: bool, number: int) -> TemplatePage:
    """One page of templates.

    Args:
        order: position -> unit.
        classes: units by digit: so many bands of the order, side by side; None: a plain grid.
        wide: a template is two pictures side by side: digits run down, with fewer units each.
        number: from 1; numbers beyond the last page give the last.
    """
    if classes is None:
        columns = WIDE_COLUMNS if wide else COLUMNS
        pages = -(-len(order) // (ROWS * columns))
        number = min(max(1, number), pages)
        units = order[(number - 1) * ROWS * columns : number * ROWS * columns]
        if pages > 1:  # the last page is as high as the others, so that the controls below it stay
            units = np.pad(units, (0, ROWS * columns - len(units)), constant_values=-1)
        return TemplatePage(units, columns, [], False, number, pages)
    ranks = WIDE_RANKS if wide else RANKS
    edges = band_edges(classes, len(order))
    longest = int(np.diff(edges).max())
    pages = -(-longest // ranks)
    number = min(max(1, number), pages)
    units = np.full((classes, min(ranks, longest)), -1)
    for label in range(classes):
        start = edges[label] + (number - 1) * ranks
        band = order[start : min(start + ranks, edges[label + 1])]
        units[label, : len(band)] = band
    if not wide:
        units = units.T
    labels = [str(label) for label in range(classes)]
    return TemplatePage(units.ravel(), units.shape[1], labels, wide, number, pages)


def page_of(order: Order, unit: int, *, classes: int | None, wide: bool) -> int:
    """The page that holds a unit."""
    position = int(np.flatnonzero(order == unit)[0])
    if classes is None:
        return 1 + position // (ROWS * (WIDE_COLUMNS if wide else COLUMNS))
    edges = band_edges(classes, len(order))
    band = int(np.searchsorted(edges, position, side="right")) - 1
    return 1 + (position - int(edges[band])) // (WIDE_RANKS if wide else RANKS)


def template_tiles(layer: Planes, page: TemplatePage, field: Field) -> Planes:
    """The pictures of a page, (tiles, rows, columns); where there is no unit they hold nothing of meaning."""

    def tiles(plane: Bits) -> Bits:
        pictures = plane[page.units].reshape(len(page.units), -1, field.rows, field.rows)
        return np.concatenate(list(pictures.swapaxes(0, 1)), axis=2)

    return layer.each(tiles)


@dataclass(frozen=True)
class Scale:
    """How a matrix is drawn: a dot for dots x dots weights (1: cells), `pitch` pixels apart."""

    dots: int
    pitch: int


def texture_scale(rows: int, columns: int) -> Scale | None:
    """Dots for a matrix too large for cells; None where a lens holds it (nearly) whole."""
    largest = max(rows, columns)
    if largest <= 2 * LENS:
        return None
    dots = 2 if largest <= TEXTURE else max(4, -(-largest // TEXTURE))  # less would be noise to the eye
    return Scale(dots, TEXTURE // -(-largest // dots))


def every_scale(rows: int, columns: int) -> Scale:
    """Every weight of a matrix: at least a pixel each."""
    return Scale(1, min(24, max(1, EVERY // max(rows, columns))))


def span(centre: int, size: int, total: int) -> slice:
    """So many of `total` rows (or columns) about a centre, inside the matrix; as the frame in the browser."""
    length = min(size, total)
    start = min(max(0, centre - length // 2), total - length)
    return slice(start, start + length)


def bands(classes: int, units: int) -> list[tuple[int, int]]:
    """For each digit the positions, from and to, of the units that answer most to it."""
    return list(pairwise(int(edge) for edge in band_edges(classes, units)))
