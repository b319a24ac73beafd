"""The Weights page's deeper layers: texture and lens, the ten sums, and every bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from explorer.components.bit_matrix import Cell, Label, bit_matrix
from explorer.screens.weights import html as pieces
from explorer.screens.weights import words
from explorer.screens.weights.layout import LENS, Scale, bands, every_scale, span, texture_scale
from explorer.screens.weights.subject import TYPICAL, Subject
from explorer.shared import html
from explorer.shared import view as state
from explorer.shared.fields import hidden_field
from explorer.shared.planes import Order, Planes, stack

_LENS = "weights_lens"
LABEL_WIDTH = 14
"""Pixels that a digit needs beside a matrix."""
LEAST_LENS = 5
"""Pixels from one bit of the lens to the next, at least: style.css has more for wider windows."""


def show_deeper(shown: Subject) -> None:
    """The matrix of the chosen layer, or of the one after the first; the output layer as ten fields."""
    layer = max(2, shown.layer)
    if layer == shown.hidden + 1:
        show_output(shown, layer)
        return
    planes = shown.matrix(layer)
    rows, columns = planes.bits.shape
    show_head(shown, layer, planes, words.matrix_note(layer, shown.sort))
    scale = texture_scale(rows, columns)
    if scale is None:
        show_bits(shown, layer, planes, slice(0, rows), slice(0, columns), LENS / max(rows, columns))
        show_foot(shown, planes)
        return
    centre = lens_centre(shown, layer, rows, columns)
    part = (span(centre[0], LENS, rows), span(centre[1], LENS, columns))
    with st.container(key="weights-matrix", horizontal=True, gap=None):
        with st.container(key="weights-texture"):
            show_texture(shown, layer, planes, scale, centre)
        with st.container(key="weights-lens"):
            show_bits(shown, layer, planes, *part, 1)
            inside = planes.at(*part)
            rows, columns = inside.bits.shape
            st.html(pieces.counts(inside.total, words.FRAME_NOTE.format(rows=rows, columns=columns)))


def show_head(shown: Subject, layer: int, planes: Planes, note: str) -> None:
    """Which matrix it is, of how many weights, and what its places mean."""
    head = words.MATRIX_HEAD.format(layer=shown.name(layer), weights=planes.bits.size)
    st.html(html.head(head) + html.line(note))


def show_foot(shown: Subject, planes: Planes) -> None:
    """What all of it holds, and what the colours are."""
    legend = html.legend(zero=planes.mask is not None, flips=shown.compared)
    st.html(pieces.counts(planes.total, words.CELLS_NOTE) + legend)


def lens_centre(shown: Subject, layer: int, rows: int, columns: int) -> tuple[int, int]:
    """Where the lens stands: where it was put, else on the block that a 3's units read from each other."""
    held: dict[int, tuple[int, int]] = st.session_state.setdefault(_LENS, {})
    row, column = held.get(layer) or (
        sum(bands(shown.classes, size)[TYPICAL]) // 2 for size in (rows, columns)
    )
    return min(row, rows - 1), min(column, columns - 1)


def show_texture(shown: Subject, layer: int, planes: Planes, scale: Scale, centre: tuple[int, int]) -> None:
    """The whole matrix, a dot for some weights; a click moves the lens."""
    rows, columns = planes.bits.shape

    def picked(cell: Cell) -> None:
        if 0 <= cell.row < rows and 0 <= cell.col < columns:
            st.session_state.setdefault(_LENS, {})[layer] = (cell.row, cell.col)

    bit_matrix(
        planes.bits,
        key=f"weights_texture_{layer}",
        label=words.MATRIX_LABEL.format(layer=shown.name(layer), rows=rows, columns=columns),
        on_pick=picked,
        mask=planes.mask,
        changed=planes.changed,
        faded=shown.compared,
        dots=scale.dots,
        pitch=scale.pitch,
        pitch_variable="--bx-dot",
        pitch_scale=scale.pitch,
        gap=0,
        row_labels=band_labels(shown, rows, scale),
        column_labels=band_labels(shown, columns, scale) or [Label(0, columns, words.AXES[shown.sort])],
        gutter=24,
        selected=Cell(*centre),
        window=(LENS, LENS),
    )
    said = html.line(words.dots_note(scale.dots, shown.compared))
    if shown.entry.constants:
        said += html.line(words.CONSTANTS_NOTE.format(units=shown.entry.constants))
    st.html(said + html.legend(zero=planes.mask is not None, flips=shown.compared))


def show_bits(shown: Subject, layer: int, planes: Planes, rows: slice, columns: slice, scale: float) -> None:
    """True bits of a part of a matrix; a click chooses the unit of its row."""
    part = planes.at(rows, columns)
    units, inputs = shown.order(layer)[rows], shown.order(layer - 1)[columns]
    row_labels: list[Label] = []
    column_labels: list[Label] = []
    if part.bits.shape == planes.bits.shape:  # all of it: its bands are those of the layers
        least = Scale(1, int(LEAST_LENS * scale))
        row_labels, column_labels = (band_labels(shown, size, least) for size in part.bits.shape)
    show_rows(
        shown,
        layer,
        part,
        units,
        inputs,
        key=f"weights_lens_{layer}",
        label=words.LENS_LABEL.format(rows=len(units), columns=len(inputs)),
        pitch_variable="--bx-lens",
        pitch_scale=min(3.0, scale),
        row_labels=row_labels,
        column_labels=column_labels,
        gutter=24 if row_labels else 0,
    )


def show_rows(
    shown: Subject, layer: int, planes: Planes, units: Order, inputs: Order, **options: Any
) -> None:
    """Weights, a cell each; a click chooses the unit of its row, which is framed.

    Args:
        units, inputs: what the rows and the columns are.
        **options: as for `bit_matrix`.
    """

    def picked(cell: Cell) -> None:
        if 0 <= cell.row < len(units):
            state.change(layer=layer, unit=int(units[cell.row]))

    bit_matrix(
        planes.bits,
        on_pick=picked,
        mask=planes.mask,
        changed=planes.changed,
        faded=shown.compared,
        row_names=[words.row_name(layer, int(unit), shown.hidden) for unit in units],
        column_names=[words.column_name(layer, int(number)) for number in inputs],
        selected=row_of(shown, layer, units),
        window=(1, len(inputs)),
        **options,
    )


def row_of(shown: Subject, layer: int, units: Order) -> Cell | None:
    """The chosen unit's row among these units."""
    places = np.flatnonzero(units == shown.unit)
    return Cell(int(places[0]), 0) if shown.layer == layer and len(places) else None


def show_output(shown: Subject, layer: int) -> None:
    """Each digit's sum: its weights, laid out as the field of the layer before."""
    before = shown.network.sizes[layer - 1]
    field, order = hidden_field(before), shown.order(layer - 1)
    planes = shown.planes(layer)
    classes = range(shown.classes)
    fields = [planes.at(label).laid_out(field, order) for label in classes]
    tiles = stack(fields)
    show_head(shown, layer, planes, words.output_note(layer, shown.sort))

    def picked(cell: Cell) -> None:
        if 0 <= cell.tile < shown.classes:
            state.change(layer=layer, unit=cell.tile)

    bit_matrix(
        tiles.bits,
        key="weights_output",
        label=words.OUTPUT_LABEL.format(classes=shown.classes),
        on_pick=picked,
        pick="tile",
        mask=tiles.mask,
        changed=tiles.changed,
        faded=shown.compared,
        pitch_variable="--bx-output",
        pitch_scale=field.scale,
        gap=0,
        even=True,
        captions=[str(label) for label in classes],
        tones=["strong" if shown.layer == layer and label == shown.unit else "" for label in classes],
        names=[words.unit_name(layer, label, shown.hidden) for label in classes],
        selected=Cell(0, 0, shown.unit) if shown.layer == layer else None,
    )
    show_foot(shown, planes)


def show_every(shown: Subject) -> None:
    """Every weight of the chosen layer, a pixel or more each; a click chooses the unit."""
    layer = shown.layer
    planes = shown.matrix(layer)
    rows, columns = planes.bits.shape
    scale = every_scale(rows, columns)
    units = shown.order(layer)
    inputs = np.arange(columns) if layer == 1 else shown.order(layer - 1)
    show_head(shown, layer, planes, words.every_note(layer, scale.pitch, shown.sort))
    name = words.unit_name(layer, shown.unit, shown.hidden)
    st.html(pieces.counts(shown.planes(layer).at(shown.unit).total, words.FRAMED.format(name=name)))
    show_rows(
        shown,
        layer,
        planes,
        units,
        inputs,
        key=f"weights_every_{layer}",
        label=words.EVERY_LABEL.format(layer=shown.name(layer), rows=rows, columns=columns),
        pitch=scale.pitch,
        row_labels=band_labels(shown, rows, scale),
        column_labels=[] if layer == 1 else band_labels(shown, columns, scale),
        gutter=24,
    )
    show_foot(shown, planes)


def band_labels(shown: Subject, units: int, scale: Scale) -> list[Label]:
    """The digits beside rows or columns that are placed by digit, if there is room for them."""
    if not shown.by_digit or units * scale.pitch < shown.classes * LABEL_WIDTH * scale.dots:
        return []
    return digit_labels(shown.classes, units)


def digit_labels(classes: int, units: int, row: int = 1) -> list[Label]:
    """The digits beside their bands, `row` units to a row; bands without a unit have none."""
    return [
        Label(start / row, stop / row, str(label))
        for label, (start, stop) in enumerate(bands(classes, units))
        if stop > start
    ]
