"""XNOR: one unit at work, word by word, then the whole network; every kernel's integers beside each other."""

from __future__ import annotations

from zlib import crc32

import numpy as np
import streamlit as st

from bnn_core import InputError
from bnn_core.kernels import KERNELS
from bnn_core.measures import band_edges
from explorer.components.bit_matrix import Cell, bit_matrix
from explorer.components.word_stepper import word_stepper
from explorer.screens.xnor import html as pieces
from explorer.screens.xnor import words as say
from explorer.screens.xnor.address import WORD
from explorer.screens.xnor.steps import stepper
from explorer.screens.xnor.unit import LayerCheck, Unit, all_agree, check_layer, near_zero, tell
from explorer.server import catalogue
from explorer.shared import html, words
from explorer.shared import view as state
from explorer.shared.controls import apply, choose_moment, choose_network, choose_order, refuse, show_notes
from explorer.shared.digit import choose_digit
from explorer.shared.fields import FIELD_ROWS, typical_unit
from explorer.shared.pages import Page
from explorer.shared.scene import Scene, compose


@st.cache_resource(show_spinner=False, max_entries=32)
def run_kernels(
    file: catalogue.File, digit: bytes, kernels: tuple[str, ...], _scene: Scene
) -> list[LayerCheck]:
    """Every layer of a network for one digit, by every kernel; once for all the words and units looked at."""
    return [
        check_layer(layer, trace.inputs, [KERNELS[name] for name in kernels])
        for layer, trace in zip(_scene.network.layers, _scene.traces, strict=True)
    ]


def choose_unit(scene: Scene) -> None:
    """Which layer, and which of its units."""
    names = say.layer_choices(len(scene.traces))
    with st.container(key="xnor-unit-controls", horizontal=True, gap=None):
        st.session_state["layer_choice"] = scene.layer
        st.segmented_control(
            say.LAYER,
            list(names),
            default=scene.layer,
            key="layer_choice",
            format_func=names.__getitem__,
            label_visibility="collapsed",
            required=True,
            on_change=lambda: _to_layer(scene, st.session_state["layer_choice"]),
        )
        units = len(scene.traces[scene.layer - 1].sums)
        st.session_state["unit_choice"] = scene.unit
        with st.container(key="xnor-unit", horizontal=True, gap=None, width="content"):
            st.html(f'<div class="bx bx-unit">{say.UNIT}</div>')
            st.number_input(
                say.UNIT,
                0,
                units - 1,
                scene.unit,
                key="unit_choice",
                label_visibility="collapsed",
                on_change=lambda: to_unit(scene, scene.layer, st.session_state["unit_choice"]),
                width=136,
            )
            st.html(f'<div class="bx bx-unit muted">{say.of_units(units)}</div>')


def _to_layer(scene: Scene, layer: int) -> None:
    """Another layer: one of its units that says something about this digit."""
    to_unit(scene, layer, unit_to_show(scene, layer))


def unit_to_show(scene: Scene, layer: int) -> int:
    """The output of the digit that is read, or the first hidden unit that answers to it."""
    if layer == len(scene.traces):
        return scene.read.label
    order = catalogue.orders(catalogue.moments(scene.entry)[-1].file)[layer - 1]
    edges = band_edges(scene.network.sizes[-1], len(order))
    return typical_unit(scene.traces[layer - 1], order[edges[scene.read.label] : edges[scene.read.label + 1]])


def show_unit(scene: Scene, unit: Unit, check: LayerCheck, word: int | None) -> None:
    """The unit, word by word."""
    if word is not None and word > len(unit.words):
        state.correct(say.no_such_word(word, len(unit.words)), word=None)
        word = None
    digit = crc32(scene.image.tobytes())
    identity = f"{scene.entry.name} {scene.moment.name} {digit} {scene.layer} {scene.unit}"
    standing = state.now().changed(word=None)

    def stepped(to: int | None) -> None:
        # What was chosen together with the step goes first: the step was another unit's.
        if state.now().changed(word=None) == standing:
            state.change(layer=scene.layer, unit=scene.unit, word=to)

    word_stepper(
        stepper(unit, scene.traces[scene.layer - 1], check, identity=identity, word=word or 0),
        key="word_stepper",
        on_step=stepped,
    )


def alarms(unit: Unit, checks: list[LayerCheck]) -> list[str]:
    """What to say if integers differ that must be the same: among the kernels, or from this page."""
    found = [
        say.disagree(say.layer_name(layer, len(checks)), check.wrong, check.units)
        for layer, check in enumerate(checks, start=1)
        if check.wrong
    ]
    check = checks[unit.layer - 1]
    if not check.wrong and not all_agree(unit, check):
        told = {unit.kernel.total, *(int(sums[unit.unit]) for sums in check.sums.values())}
        found.append(say.told_wrong(unit.ledger.total, sorted(told)))
    return found


def show_network(scene: Scene, checks: list[LayerCheck]) -> None:
    """Every unit's sum, layer by layer, to the ten sums and the label."""
    with st.container(key="xnor-network-head", horizontal=True, gap=None):
        st.html(html.head(say.NETWORK) + pieces.summary(checks))
        choose_order(scene.view)
    with st.container(key="xnor-flow", horizontal=True, gap=None):
        for layer in range(1, len(checks)):
            with st.container(key=f"xnor-layer-{layer}"):
                show_hidden(scene, layer, checks[layer - 1])
        with st.container(key="xnor-output"):
            show_output(scene, checks[-1])
        st.html(pieces.read_as(scene.read))
    st.html(f'<div class="bx muted">{say.NETWORK_HELP}</div>')


def show_hidden(scene: Scene, layer: int, check: LayerCheck) -> None:
    """A hidden layer's sums; a click brings a unit up above."""
    field, order = scene.fields[layer - 1], scene.orders[layer - 1]
    trace = scene.traces[layer - 1]
    sums = trace.sums
    st.html(html.head(say.layer_name(layer, len(scene.traces)), say.sums_note(len(sums))))
    selected = None
    if scene.layer == layer:
        row, col = divmod(int(np.flatnonzero(order == scene.unit)[0]), field.cols)
        selected = Cell(row, col)

    def picked(cell: Cell) -> None:
        position = cell.row * field.cols + cell.col
        if position < field.units:
            to_unit(scene, layer, int(order[position]))

    bit_matrix(
        field.place(trace.bits, order),
        key=f"sums_hidden_{layer}",
        label=say.field_label(say.layer_name(layer, len(scene.traces)), int(trace.bits.sum()), len(sums)),
        on_pick=picked,
        faded=field.place(near_zero(sums), order),
        count=field.units,
        pitch_variable="--bx-field",
        pitch_scale=field.scale,
        names=[say.unit_name(int(unit), int(sums[unit])) for unit in order],
        selected=selected,
    )
    st.html(pieces.layer_caption(check, scene.network.layers[layer - 1].words))


def show_output(scene: Scene, check: LayerCheck) -> None:
    """The sums of the output layer: squares to click, and signed bars."""
    trace = scene.traces[-1]
    sums = trace.sums
    st.html(html.head(say.OUTPUT, say.sums_note(len(sums))))
    with st.container(key="xnor-output-row", horizontal=True, gap=None):
        bit_matrix(
            trace.bits[:, None],
            key="sums_output",
            label=say.field_label(say.OUTPUT, int(trace.bits.sum()), len(sums)),
            on_pick=lambda cell: to_unit(scene, len(scene.traces), cell.row),
            pitch_variable="--bx-field",
            pitch_scale=FIELD_ROWS / len(sums),
            names=[say.output_name(unit, int(total)) for unit, total in enumerate(sums)],
            selected=Cell(scene.unit, 0) if scene.layer == len(scene.traces) else None,
        )
        with st.container(key="xnor-bars", gap=None):
            st.html(
                html.sum_bars(
                    sums.tolist(), limit=scene.known.largest, read=scene.read.label, true=scene.true
                )
            )
    st.html(pieces.layer_caption(check, scene.network.layers[-1].words))


def to_unit(scene: Scene, layer: int, unit: int) -> None:
    """Another unit; in the same layer the word stays, so that two units' words can be compared."""
    state.change(layer=layer, unit=unit, word=scene.view[WORD] if layer == scene.layer else None)


def main() -> None:
    """The page."""
    entries = catalogue.entries()
    view = state.current(entries)
    if not entries:
        st.html(html.note(words.NO_NETWORK))
        return
    with st.container(key="xnor-controls", horizontal=True, gap=None):
        entry = choose_network(view, entries)
        moment = choose_moment(view, entry)
        digit = st.container(key="xnor-digit", width="content")
    try:
        scene = compose(view, entry, moment, outputs=True)
    except InputError as error:
        refuse(error)
        return
    apply(scene.correction)
    with digit:
        choose_digit(scene)
    notes = st.container(key="xnor-notes")
    checks = run_kernels(moment.file, scene.image.tobytes(), tuple(KERNELS), scene)
    unit = tell(scene.network, scene.traces, scene.layer, scene.unit)
    st.html(f"<style>{pieces.flow_rules(scene.fields)}</style>")
    with st.container(key="xnor-page", gap=None):
        choose_unit(scene)
        show_unit(scene, unit, checks[scene.layer - 1], view[WORD])
        st.html('<hr class="bx-rule">')
        show_network(scene, checks)
    with notes:
        for text in alarms(unit, checks):
            st.html(pieces.alarm(text))
        show_notes()


PAGE = Page("XNOR", 5, main, keys=(WORD,))
