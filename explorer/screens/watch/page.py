"""Watch: one digit on its way through the bits, from 784 input bits to ten sums and the answer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st

from bnn_core import BitwiseNetwork
from bnn_core.bench import cost
from explorer.components.bit_matrix import bit_matrix
from explorer.screens.watch import html as pieces
from explorer.screens.watch import words
from explorer.screens.watch.gallery import show_gallery
from explorer.screens.watch.layout import pitch_rules
from explorer.server import live
from explorer.shared import html
from explorer.shared import view as state
from explorer.shared import words as common
from explorer.shared.controls import choose_scene
from explorer.shared.digit import digit_name, search_digit, show_pad
from explorer.shared.fields import Bits, Field, place_inputs, unit_sum
from explorer.shared.numbers import grouped
from explorer.shared.pages import Page
from explorer.shared.scene import Scene
from explorer.shared.unit_field import brackets, unit_field

CLOSE_SIZE = 112
CLOSE_GAP = 40
"""Pixels across, and between, the three pictures of the unit up close."""
SPEED_SECONDS = 1.0
"""How often the page looks whether the time was measured."""


def show(scene: Scene) -> None:
    """Place everything."""
    with st.container(key="watch-top", horizontal=True, gap=None):
        with st.container(key="watch-digit"):
            show_digit(scene)
        with st.container(key="watch-close"):
            show_close(scene)
        with st.container(key="watch-answer"):
            st.html(html.head(common.READ_AS) + pieces.answer(scene.read, scene.true, scene.real))
    with st.container(key="watch-flow", horizontal=True, gap=None):
        with st.container(key="watch-input"):
            show_input(scene)
        for layer in range(1, len(scene.fields) + 1):
            with st.container(key=f"watch-hidden-{layer}"):
                show_hidden(scene, layer)
        with st.container(key="watch-sums"):
            show_sums(scene)
    st.html(html.line(common.order_caption(scene.view.order, scene.read.label, scene.true)))
    show_strip(scene)
    show_gallery(scene)


def show_strip(scene: Scene) -> None:
    """What a digit costs in bits and in float32; its time comes when it is measured."""
    if live.speeds().of(scene.network, scene.moment.file.path) is None:
        # Only the strip is drawn again, not the page: on its first seconds the browser is busy enough.
        st.fragment(_draw_strip, run_every=SPEED_SECONDS, key="strip")(scene.network, scene.moment.file.path)
    else:
        _draw_strip(scene.network, scene.moment.file.path)


def _draw_strip(network: BitwiseNetwork, path: str) -> None:
    speed = live.speeds().of(network, path)
    busy = live.manager().jobs().current is not None
    st.html(f"{html.RULE}{pieces.strip(cost(network), speed, busy=busy)}{html.RULE}")


def show_digit(scene: Scene) -> None:
    """The digit, and the pad to draw another."""
    st.html(html.head(words.DIGIT, digit_name(scene)))
    if show_pad(scene, key="digit_pad", width=168, more=True):
        search_digit(scene)


def show_close(scene: Scene) -> None:
    """The arithmetic of the unit up close: input bits, its weights, where they agree, and the sum."""
    trace = scene.traces[scene.layer - 1]
    ledger = unit_sum(trace, scene.unit)
    st.html(html.head(words.UP_CLOSE, words.UNIT_NOTE.format(unit=scene.unit, layer=scene.layer)))
    field, place = _inputs_of(scene, scene.layer)
    weights = trace.weights[scene.unit]
    agree = (trace.inputs == weights).astype(np.uint8)
    tiles = np.stack([place(trace.inputs), place(weights), place(agree)])
    mask = None
    if (used := trace.used(scene.unit)) is not None:
        there = trace.inputs if trace.zero_one else np.ones_like(used)
        connected = np.ones_like(used) if trace.mask is None else trace.mask[scene.unit]
        mask = np.stack([place(there), place(connected), place(used)])
    pitch = max(2, min(int(4 * field.scale), CLOSE_SIZE // field.cols))
    width = 3 * field.cols * pitch + 2 * CLOSE_GAP
    with st.container(key="watch-close-row", horizontal=True, gap=None):
        with st.container(key="watch-close-bits", width=width):
            bit_matrix(
                tiles,
                key="unit_close",
                label=words.CLOSE_LABEL.format(unit=scene.unit, layer=scene.layer, agree=ledger.agree),
                mask=mask,
                count=field.units,
                pitch=pitch,
                tile_columns=3,
                tile_gap=CLOSE_GAP,
                between=["XNOR", "=", ""],
                captions=words.close_captions(len(trace.inputs), scene.layer),
            )
        st.html(pieces.arithmetic(ledger, scene.network.variant, absent=trace.zero_one))


def _inputs_of(scene: Scene, layer: int) -> tuple[Field, Callable[[Bits], Bits]]:
    """How a layer's inputs lie in the page, and what puts them there: the picture, or the layer before."""
    if layer == 1:
        return scene.first, lambda bits: place_inputs(scene.first, bits)
    field, order = scene.fields[layer - 2], scene.orders[layer - 2]
    return field, lambda bits: field.place(bits, order)


def show_input(scene: Scene) -> None:
    """The input bits."""
    bits = scene.traces[0].inputs
    on = int(bits.sum())
    note = words.features_note(scene.network.features, scene.network.input_threshold)
    st.html(html.head(f"{len(bits)} input bits", note))
    cells = place_inputs(scene.first, bits)
    absent = scene.traces[0].zero_one
    bit_matrix(
        cells,
        key="field_input",
        label=f"{len(bits)} input bits, {on} are +1",
        mask=cells if absent else None,
        pitch_variable="--bx-field",
        pitch_scale=scene.first.scale,
    )
    legend = html.legend(zero=scene.network.sparse, absent=absent)
    st.html(html.caption(*words.input_caption(on, len(bits))) + legend)


def show_hidden(scene: Scene, layer: int) -> None:
    """The bits of a hidden layer; a click brings a unit up close."""
    bits = scene.traces[layer - 1].bits
    on, name = int(bits.sum()), common.layer_name(layer)
    st.html(html.head(name, f"{len(bits)} bits"))
    unit_field(
        scene,
        layer,
        lambda unit: state.change(layer=layer, unit=unit),
        key=f"field_hidden_{layer}",
        label=common.FIELD_LABEL.format(name=name, on=on, units=len(bits)),
        names=[words.UNIT_NAME.format(unit=int(unit)) for unit in scene.orders[layer - 1]],
        brackets=brackets(scene, layer),
    )
    st.html(html.caption(grouped(on), "are +1"))


def show_sums(scene: Scene) -> None:
    """Ten signed bars."""
    sums = scene.traces[-1].sums
    st.html(html.head(words.SUMS, f"of {grouped(scene.network.sizes[-2])} votes"))
    bars = html.sum_bars(sums.tolist(), limit=scene.known.largest, read=scene.read.label, true=scene.true)
    st.html(bars)
    st.html(html.line(words.MOST_VOTES))


def main() -> None:
    """The page."""
    scene = choose_scene("watch-controls")
    if scene is not None:
        st.html(f"<style>{pitch_rules(scene.first, scene.fields)}</style>")
        with st.container(key="watch-page", gap=None):
            show(scene)


PAGE = Page("Watch", 1, main)
