"""The digit's code beside each class's: where they differ, in how many bits, and one unit."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from bnn_core.bits import pack
from explorer.components.bit_matrix import bit_matrix
from explorer.screens.activations import html as pieces
from explorer.screens.activations import words
from explorer.screens.activations.cache import Codes
from explorer.screens.activations.codes import (
    CLASS_COLUMNS,
    CLASS_GAP,
    SHADES,
    class_differences,
    share_tiles,
    telling_unit,
)
from explorer.shared import html
from explorer.shared import view as state
from explorer.shared import words as common
from explorer.shared.numbers import grouped, percent
from explorer.shared.scene import Scene
from explorer.shared.unit_field import brackets, unit_field


def go_to_layer(scene: Scene, known: Codes, layer: int) -> None:
    """Show a layer, and in it the unit that says most of this digit."""
    if 1 <= layer < len(known.layers):
        bits = scene.traces[layer - 1].bits
        state.change(layer=layer, unit=telling_unit(known.layers[layer], bits, scene.read.label))


def show_code(scene: Scene, known: Codes) -> None:
    """The digit's code; a click chooses a unit."""
    layer, order = known.layers[scene.layer], scene.orders[scene.layer - 1]
    on = int(scene.traces[scene.layer - 1].bits.sum())
    st.html(html.head(words.CODE, words.LAYER_NOTE.format(layer=scene.layer, units=layer.units)))
    unit_field(
        scene,
        scene.layer,
        lambda unit: state.change(layer=scene.layer, unit=unit),
        key="code_field",
        label=common.FIELD_LABEL.format(name=common.layer_name(scene.layer), on=on, units=layer.units),
        names=[words.UNIT_NAME.format(unit=unit, share=percent(100 * layer.on[unit], 0)) for unit in order],
        pitch_variable="--bx-code",
        brackets=brackets(scene, scene.layer),
        gutter=24,
    )
    st.html(html.caption(grouped(on), "are +1"))


def show_classes(scene: Scene, known: Codes) -> None:
    """How often each bit is on, one field a class."""
    layer = known.layers[scene.layer]
    field, order = scene.fields[scene.layer - 1], scene.orders[scene.layer - 1]
    bits, mask = share_tiles(field, layer.shares, order)
    nearest = int(differences(scene, known).argmin())
    classes = len(layer.shares)
    st.html(html.head(words.CLASS_CODES, words.CLASS_NOTE))
    bit_matrix(
        bits,
        mask=mask,
        key="class_fields",
        label=words.CLASSES_LABEL.format(layer=common.layer_name(scene.layer)),
        dots=SHADES,
        pitch_variable="--bx-class",
        pitch_scale=field.scale,
        tile_columns=CLASS_COLUMNS,
        tile_gap=CLASS_GAP,
        captions=[words.class_caption(label, nearest, scene.true) for label in range(classes)],
        tones=["strong" if label in (nearest, scene.true) else "" for label in range(classes)],
    )
    st.html(pieces.class_legend())


def differences(scene: Scene, known: Codes) -> NDArray[np.int32]:
    """In how many bits the digit's code differs from each class's."""
    code = pack(scene.traces[scene.layer - 1].bits)
    return class_differences(known.layers[scene.layer], code)


def show_apart(scene: Scene, known: Codes) -> None:
    """The bits in which the digit's code differs from each class's."""
    units = known.layers[scene.layer].units
    found = differences(scene, known)
    nearest = int(found.argmin())
    st.html(html.head(words.APART, words.APART_NOTE))
    st.html(pieces.apart(found, units, scene.true))
    st.html(pieces.half_line(units, found))
    st.html(html.fact(words.apart_caption(nearest, int(found[nearest]), units, scene.true)))


def show_unit(scene: Scene, known: Codes) -> None:
    """One line on the framed unit, and what places mean."""
    layer = known.layers[scene.layer]
    unit = scene.unit
    best = int(layer.shares[:, unit].argmax())
    st.html(
        html.fact(*words.unit_line(unit, best, layer.shares[best, unit], layer.on[unit], layer.entropy[unit]))
        + html.line(common.order_caption(scene.view.order, scene.read.label, scene.true))
        + html.line(words.APART_CAPTION)
    )
