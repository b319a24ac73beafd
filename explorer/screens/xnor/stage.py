"""The unit that is told: which one, and its words, step by step."""

from __future__ import annotations

from zlib import crc32

import streamlit as st

from explorer.components.word_stepper import word_stepper
from explorer.screens.xnor import words
from explorer.screens.xnor.address import WORD
from explorer.screens.xnor.steps import stepper
from explorer.screens.xnor.unit import LayerCheck, Unit
from explorer.shared import view as state
from explorer.shared.controls import choose_layer
from explorer.shared.fields import typical_unit
from explorer.shared.numbers import plural
from explorer.shared.scene import Scene
from explorer.shared.widgets import put


def choose_unit(scene: Scene) -> None:
    """Which layer, and which of its units."""
    with st.container(key="xnor-unit-controls", horizontal=True, gap=None):
        choose_layer(
            scene.layer,
            len(scene.fields),
            lambda layer: to_unit(scene, layer, unit_to_show(scene, layer)),
            output=True,
        )
        units = len(scene.traces[scene.layer - 1].sums)
        with st.container(key="xnor-unit", horizontal=True, gap=None, width="content"):
            st.html(f'<div class="bx bx-unit">{words.UNIT}</div>')
            st.number_input(
                words.UNIT,
                0,
                units - 1,
                put("unit_choice", scene.unit),
                key="unit_choice",
                label_visibility="collapsed",
                on_change=lambda: to_unit(scene, scene.layer, st.session_state["unit_choice"]),
                width=136,
            )
            st.html(f'<div class="bx bx-unit muted">{words.OF_UNITS.format(units=units)}</div>')


def unit_to_show(scene: Scene, layer: int) -> int:
    """The output of the digit that is read, or the first hidden unit that answers to it."""
    if layer == len(scene.traces):
        return scene.read.label
    order, classes = scene.by_digit[layer - 1], scene.network.sizes[-1]
    return typical_unit(scene.traces[layer - 1], order, classes, scene.read.label)


def to_unit(scene: Scene, layer: int, unit: int) -> None:
    """Another unit; in the same layer the word stays, so that two units' words can be compared."""
    state.change(layer=layer, unit=unit, word=scene.view[WORD] if layer == scene.layer else None)


def show_unit(scene: Scene, unit: Unit, check: LayerCheck, word: int | None) -> None:
    """The unit, word by word."""
    if word is not None and word > len(unit.words):
        state.correct(words.NO_SUCH_WORD.format(word=word, words=plural(len(unit.words), "word")), word=None)
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
