"""A hidden layer as a field of bits, as a digit switches them on: a click chooses a unit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from explorer.components.bit_matrix import Bracket, Cell, bit_matrix
from explorer.shared.fields import band
from explorer.shared.scene import Scene


def unit_field(
    scene: Scene,
    layer: int,
    chosen: Callable[[int], None],
    *,
    key: str,
    label: str,
    names: Sequence[str],
    pitch_variable: str = "--bx-field",
    **options: Any,
) -> None:
    """The bits of a hidden layer, each where the page's order of units puts it; the unit up close is framed.

    Args:
        layer: from 1.
        chosen: called with the clicked unit before the page runs again.
        names: what the pointer says of each place, by position.
        **options: as for `bit_matrix`.
    """
    field, order = scene.fields[layer - 1], scene.orders[layer - 1]
    selected = None
    if scene.layer == layer:
        selected = Cell(*divmod(int(np.flatnonzero(order == scene.unit)[0]), field.cols))

    def picked(cell: Cell) -> None:
        position = cell.row * field.cols + cell.col
        if 0 <= position < field.units:
            chosen(int(order[position]))

    bit_matrix(
        field.place(scene.traces[layer - 1].bits, order),
        key=key,
        label=label,
        on_pick=picked,
        count=field.units,
        pitch_variable=pitch_variable,
        pitch_scale=field.scale,
        names=names,
        selected=selected,
        **options,
    )


def brackets(scene: Scene, layer: int) -> list[Bracket]:
    """The bands of the answer and, in grey, of the true class; none where places mean nothing."""
    if scene.view.order != "digit":
        return []
    field, classes = scene.fields[layer - 1], scene.network.sizes[-1]
    marks = [Bracket(*band(field, classes, scene.read.label), str(scene.read.label))]
    if scene.true is not None and scene.true != scene.read.label:
        marks.append(Bracket(*band(field, classes, scene.true), str(scene.true), muted=True))
    return marks
