"""The Weights page's unit in detail, and what all layers hold."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from bnn_core import BitwiseNetwork
from bnn_core.measures.weights import flips, reader_counts, sign_counts
from explorer.components.bit_matrix import Label, bit_matrix
from explorer.screens.weights import cache, words
from explorer.screens.weights import html as pieces
from explorer.screens.weights.matrix import digit_labels
from explorer.screens.weights.subject import Subject
from explorer.shared import html
from explorer.shared import view as state
from explorer.shared.fields import FIELD_ROWS, hidden_field
from explorer.shared.pages import go_to
from explorer.shared.planes import Planes, Total


def show_unit(shown: Subject) -> None:
    """The chosen unit: its weights large, its counts, when it is on, and who reads it."""
    layer, unit = shown.layer, shown.unit
    row = shown.planes(layer).at(unit)
    name = words.unit_name(layer, unit, shown.hidden)
    st.html(html.head(name, words.detail_note(layer)))
    with st.container(key="weights-unit", horizontal=True, gap=None):
        with st.container(key="weights-unit-bits"):
            show_unit_bits(shown, row, name)
        with st.container(key="weights-unit-facts"):
            habits = st.container(key="weights-habits")
            st.html(pieces.unit_counts(row.total))
            st.html(pieces.readers(readers_of(shown)))
            if st.button(words.AT_WORK, key="at_work", type="tertiary"):
                go_to("xnor", state.address(state.now().changed(layer=layer, unit=unit)))
    # Last, because after a move of the scrubber it takes the longest: the rest is painted by then.
    with habits:
        show_habits(shown)


def show_unit_bits(shown: Subject, row: Planes, name: str) -> None:
    """Its weights as the picture, or as the field of the layer before."""
    labels: list[Label] = []
    names = None
    if shown.layer == 1:
        field, order, scale = shown.first, None, shown.first.scale
    else:
        before = shown.layer - 1
        order = shown.order(before)
        field = hidden_field(len(order))
        scale = field.scale * 28 / FIELD_ROWS
        names = [words.column_name(shown.layer, int(number)) for number in order]
        if shown.by_digit:
            labels = digit_labels(shown.classes, len(order), field.cols)
    planes = row.laid_out(field, order)
    bit_matrix(
        planes.bits,
        key=f"weights_unit_{shown.layer}",
        label=words.DETAIL_LABEL.format(name=name),
        mask=planes.mask,
        changed=planes.changed,
        faded=shown.compared or (shown.rare if shown.layer == 1 else False),
        count=field.units,
        pitch_variable="--bx-detail",
        pitch_scale=scale,
        names=names,
        row_labels=labels,
        gutter=24 if labels else 0,
    )


def readers_of(shown: Subject) -> str:
    """How many units of the next layer read the unit as it is, inverted, or not at all."""
    if shown.layer > shown.hidden:
        return words.NO_READERS
    following = shown.network.layers[shown.layer]
    plus, minus, zero = (int(count) for count in reader_counts(following)[shown.unit])
    return words.readers(shown.layer, shown.hidden, following.units, plus, minus, zero)


def show_habits(shown: Subject) -> None:
    """How often the unit is on, by digit and over all; and its bias."""
    habits = cache.habits(shown.shown)
    output = shown.layer > shown.hidden
    on = habits.on[shown.layer - 1][:, shown.unit]
    total = int(habits.digits.sum())
    bias = int(shown.network.layers[shown.layer - 1].bias[shown.unit])
    st.html(
        pieces.bars_head(*words.BARS_HEAD[output])
        + '<div class="bx-habits">'
        + pieces.bars(on, habits.digits, output=output)
        + pieces.figures(int(on.sum()) / max(1, total), total, bias, shown.network.variant)
        + "</div>"
    )


def layer_totals(network: BitwiseNetwork, flips: list[NDArray[np.int32]] | None) -> list[Total]:
    """What each layer holds; `flips` are counts a unit (:func:`bnn_core.measures.flips`)."""
    totals = []
    for index, layer in enumerate(network.layers):
        plus, minus, zero = (int(count) for count in sign_counts(layer).sum(axis=0, dtype=np.int64))
        totals.append(Total(plus, minus, zero, None if flips is None else int(flips[index].sum())))
    return totals


def show_layers(shown: Subject) -> None:
    """What all layers hold."""
    found = None if shown.before is None else flips(shown.before.network, shown.network)
    names = [shown.name(layer) for layer in range(1, shown.hidden + 2)]
    real = cache.saturations(shown.entry) if found is None else None
    st.html(
        html.head(words.ALL_LAYERS)
        + pieces.layers(names, layer_totals(shown.network, found), real)
        + ("" if real is None else html.line(words.SATURATION_NOTE))
    )
