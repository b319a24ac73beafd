"""What is counted over all digits: bits between classes, how they part by layer, and how units are used."""

from __future__ import annotations

import numpy as np
import streamlit as st

from explorer.palette import palette
from explorer.screens.activations import html as pieces
from explorer.screens.activations import words
from explorer.screens.activations.cache import Codes
from explorer.screens.activations.charts import parting
from explorer.screens.activations.codes import nearest_pair
from explorer.shared import html
from explorer.shared.scene import Scene
from explorer.shared.widgets import show_chart
from explorer.shared.words import layer_name


def show_matrix(scene: Scene, known: Codes) -> None:
    """Mean distances between classes in this layer."""
    layer = known.layers[scene.layer]
    a, b = nearest_pair(layer.distances)
    st.html(
        html.head(words.MATRIX, words.MATRIX_NOTE.format(units=layer.units))
        + pieces.matrix(layer.distances, scene.true if scene.true is not None else scene.read.label)
        + html.line(words.MATRIX_CAPTION)
        + html.fact(words.pair_line(a, b, float(layer.distances[a, b]), float(np.nanmax(layer.distances))))
    )


def show_parting(scene: Scene, known: Codes) -> None:
    """How the classes part, layer by layer."""
    st.html(html.head(words.PARTING, words.PARTING_NOTE))
    rows = [
        (layer_name(number), 100 * layer.within / layer.units, 100 * layer.between / layer.units)
        for number, layer in enumerate(known.layers)
    ]
    chart = parting(known.layers, palette(st.context.theme.type), scene.layer)
    show_chart(chart, "parting_chart", words.parting_label(rows))
    st.html(html.line(words.PARTING_LINE.format(first=known.layers[0].parted, last=known.layers[-1].parted)))


def show_use(scene: Scene, known: Codes) -> None:
    """Dead and always-on units, and the entropy, of every layer."""
    st.html(
        html.head(words.USE, words.USE_NOTE.format(digits=len(known.answers.labels)))
        + pieces.use(known.layers, scene.layer)
        + html.line(words.USE_CAPTION)
    )
