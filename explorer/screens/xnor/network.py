"""The whole network: every unit's sum, layer by layer, to the ten sums and the label."""

from __future__ import annotations

import streamlit as st

from bnn_core.network.bitwise import LayerTrace
from explorer.components.bit_matrix import Cell, bit_matrix
from explorer.screens.xnor import html as pieces
from explorer.screens.xnor import words
from explorer.screens.xnor.stage import to_unit
from explorer.screens.xnor.unit import LayerCheck, near_zero
from explorer.shared import html
from explorer.shared.controls import choose_order
from explorer.shared.fields import FIELD_ROWS
from explorer.shared.numbers import plural, signed
from explorer.shared.scene import Scene
from explorer.shared.unit_field import unit_field
from explorer.shared.words import layer_name


def show_network(scene: Scene, checks: list[LayerCheck]) -> None:
    """Every unit's sum, layer by layer, to the ten sums and the label."""
    with st.container(key="xnor-network-head", horizontal=True, gap=None):
        st.html(html.head(words.NETWORK) + pieces.summary(checks))
        choose_order(scene.view)
    with st.container(key="xnor-flow", horizontal=True, gap=None):
        for layer in range(1, len(checks)):
            with st.container(key=f"xnor-layer-{layer}"):
                show_hidden(scene, layer, checks[layer - 1])
        with st.container(key="xnor-output"):
            show_output(scene, checks[-1])
        st.html(pieces.read_as(scene.read))
    st.html(html.line(words.NETWORK_HELP))


def show_head(name: str, trace: LayerTrace) -> str:
    """A layer's name, and how many sums it has; returns its field for a screen reader."""
    count = len(trace.sums)
    st.html(html.head(name, plural(count, "sum")))
    return words.FIELD_LABEL.format(name=name, units=plural(count, "unit"), on=int(trace.bits.sum()))


def show_hidden(scene: Scene, layer: int, check: LayerCheck) -> None:
    """A hidden layer's sums; a click brings a unit up above."""
    trace, order = scene.traces[layer - 1], scene.orders[layer - 1]
    sums = trace.sums
    label = show_head(layer_name(layer), trace)
    unit_field(
        scene,
        layer,
        lambda unit: to_unit(scene, layer, unit),
        key=f"sums_hidden_{layer}",
        label=label,
        names=[words.UNIT_NAME.format(unit=unit, total=signed(sums[unit])) for unit in order],
        faded=scene.fields[layer - 1].place(near_zero(sums), order),
    )
    st.html(pieces.layer_caption(check, scene.network.layers[layer - 1].words))


def show_output(scene: Scene, check: LayerCheck) -> None:
    """The sums of the output layer: squares to click, and signed bars."""
    trace, last = scene.traces[-1], len(scene.traces)
    sums = trace.sums
    label = show_head(layer_name(last, last), trace)
    with st.container(key="xnor-output-row", horizontal=True, gap=None):
        bit_matrix(
            trace.bits[:, None],
            key="sums_output",
            label=label,
            on_pick=lambda cell: to_unit(scene, last, cell.row),
            pitch_variable="--bx-field",
            pitch_scale=FIELD_ROWS / len(sums),
            names=[
                words.OUTPUT_NAME.format(unit=unit, total=signed(sums[unit])) for unit in range(len(sums))
            ],
            selected=Cell(scene.unit, 0) if scene.layer == last else None,
        )
        with st.container(key="xnor-bars", gap=None):
            st.html(
                html.sum_bars(
                    sums.tolist(), limit=scene.known.largest, read=scene.read.label, true=scene.true
                )
            )
    st.html(pieces.layer_caption(check, scene.network.layers[-1].words))
