"""Digits whose codes differ in few bits: the nearest ones, and the map of digits, layer by layer."""

from __future__ import annotations

import streamlit as st

from bnn_core.bits import pack
from bnn_core.measures.codes import hamming, nearest
from explorer.components.digit_map import Digits, Panel, digit_map
from explorer.screens.activations import cache, words
from explorer.screens.activations.address import MAP
from explorer.screens.activations.classes import go_to_layer
from explorer.screens.activations.codes import shared
from explorer.screens.activations.maps import Kind, Plane, in_square
from explorer.server import catalogue
from explorer.shared import html
from explorer.shared import view as state
from explorer.shared import words as common
from explorer.shared.scene import Scene
from explorer.shared.thumbs import small_digits
from explorer.shared.widgets import choose_one

NEAR = 12
"""Nearest digits in the row, where it has room for so many."""

FIRST_WAIT = 0.2
POLL_SECONDS = 0.4
"""Seconds that the page waits for a map, and between two looks whether it is there."""


def show_nearest(scene: Scene, known: cache.Codes) -> None:
    """The test digits whose codes differ least; a click chooses one."""
    layer = known.layers[scene.layer]
    code = pack(scene.traces[scene.layer - 1].bits)
    index = None if scene.true is None else scene.index
    rows, distances = nearest(layer.words, code, NEAR, leave_out=index)
    labels = known.answers.labels[rows]
    most, count = shared(labels)
    with st.container(key="act-near-head", horizontal=True, gap=None):
        note = words.NEAREST_NOTE.format(layer=scene.layer, digits=len(layer.words))
        st.html(html.head(words.NEAREST, note))
        st.html(html.fact(words.nearest_summary(most, count, len(rows), scene.true)))
    places = list(zip(rows.tolist(), labels.tolist(), distances.tolist(), strict=True))
    small_digits(
        rows,
        key="near_digits",
        label=words.NEAREST,
        pitch_variable="--bx-near",
        tile_gap=12,
        tile_rows=1,
        captions=[words.nearest_caption(label, distance, scene.true) for _, label, distance in places],
        tones=["wrong" if scene.true is not None and label != scene.true else "" for _, label, _ in places],
        names=[words.nearest_name(*place, layer.units) for place in places],
    )


def show_map(scene: Scene, known: cache.Codes) -> None:
    """The map of digits, as soon as it is there."""
    chosen, _ = cache.shown_digits()
    with st.container(key="act-map-head", horizontal=True, gap=None):
        st.html(html.head(words.MAP, words.MAP_NOTE.format(count=len(chosen), each=cache.EACH)))
        kind = scene.view[MAP]
        choose_one(
            words.MAP_KIND,
            words.MAP_KINDS,
            kind,
            key="map_kind",
            chosen=lambda other: state.change(map=other),
            help=words.MAP_KIND_HELP,
        )
    try:
        planes = cache.planes(scene.moment.file, kind, FIRST_WAIT)
    except (ValueError, ArithmeticError, RuntimeError) as error:
        st.html(html.note(words.MAP_FAILED.format(reason=error)))
        return
    cache.look_ahead(scene.entry, scene.moment, kind)
    if planes is None:
        st.fragment(_wait_for_map, run_every=POLL_SECONDS, key="map_wait")(scene.moment.file, kind)
        return
    draw_map(scene, known, planes)


def _wait_for_map(file: catalogue.File, kind: Kind) -> None:
    """A sentence in the map's place; the page runs again when the map is there, or known to fail."""
    try:
        if cache.planes(file, kind, 0.0) is not None:
            st.rerun()
    except (ValueError, ArithmeticError, RuntimeError):
        st.rerun()
    st.html(f'<div class="bx muted bx-map-wait" role="status">{words.MAP_WAIT}</div>')


def draw_map(scene: Scene, known: cache.Codes, planes: list[Plane]) -> None:
    """One large map, of this layer, and a small one of every layer."""
    chosen, pictures = cache.shown_digits()
    answers = known.answers
    panels = []
    for number, (layer, plane) in enumerate(zip(known.layers, planes, strict=True)):
        bits = scene.traces[0].inputs if number == 0 else scene.traces[number - 1].bits
        place = plane.locate(hamming(layer.words[chosen], pack(bits)[None])[:, 0])
        points, there = in_square(plane.points, place)
        panels.append(
            Panel(
                title=common.layer_name(number),
                note=words.parted(layer.parted),
                long_note=words.panel_note(layer.parted, plane.shown),
                points=points,
                chosen=there,
                pick=number or None,
            )
        )
    labels, read = answers.labels[chosen], answers.read[chosen]
    strong = scene.read.label if scene.true is None else scene.true
    digits = Digits(
        numbers=chosen,
        labels=labels,
        wrong=read != labels,
        names=[
            common.thumb_name(int(index), int(answers.labels[index]), int(answers.read[index]), int(margin))
            for index, margin in zip(chosen, answers.margin[chosen], strict=True)
        ],
        sheet=pictures,
        side=scene.image.shape[0],
    )

    def picked(index: int) -> None:
        if index in chosen:
            state.change(digit=index, drawn=None)

    digit_map(
        panels,
        digits,
        key="digit_map",
        on_digit=picked,
        on_panel=lambda layer: go_to_layer(scene, known, layer),
        large=scene.layer,
        chosen_image=scene.image,
        chosen_number=None if scene.true is None else scene.index,
        chosen_name=common.DRAWN if scene.true is None else common.digit_note(scene.index, scene.true),
        strong=strong,
        label=words.MAP_LABEL.format(layer=common.layer_name(scene.layer), count=len(chosen)),
        caption=words.map_caption(strong, own=scene.true is not None),
    )
