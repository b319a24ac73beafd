"""Activations: codes of a digit and of each class, how far they lie apart, and a map of digits by them."""

from __future__ import annotations

import numpy as np
import streamlit as st

from bnn_core.bits import pack
from bnn_core.measures import band_edges
from explorer.components.bit_matrix import Bracket, Cell, bit_matrix
from explorer.components.digit_map import Digits, Panel, digit_map
from explorer.palette import palette
from explorer.screens.activations import cache, words
from explorer.screens.activations import codes as activations
from explorer.screens.activations import html as pieces
from explorer.screens.activations import map as maps
from explorer.screens.activations.address import MAP
from explorer.screens.activations.charts import parting
from explorer.server import catalogue
from explorer.shared import fields as watch
from explorer.shared import html
from explorer.shared import view as state
from explorer.shared import words as common
from explorer.shared.choose_scene import choose_scene
from explorer.shared.digit import choose_digit
from explorer.shared.numbers import grouped
from explorer.shared.pages import Page
from explorer.shared.scene import Scene
from explorer.shared.widgets import put

NEAR = 12
"""Nearest digits in the row, where it has room for so many."""

FIRST_WAIT = 0.2
POLL_SECONDS = 0.4
"""Seconds that the page waits for a map, and between two looks whether it is there."""


def show(scene: Scene) -> None:
    """Place everything."""
    known = cache.codes(scene.moment.file)
    with st.container(key="act-second", horizontal=True, gap=None):
        choose_digit(scene)
        choose_layer(scene, known)
    st.html(f"<style>{activations.pitch_rules(scene.fields[scene.layer - 1])}</style>")
    with st.container(key="act-page", gap=None):
        with st.container(key="act-codes", horizontal=True, gap=None):
            with st.container(key="act-code"):
                show_code(scene, known)
            with st.container(key="act-classes"):
                show_classes(scene, known)
            with st.container(key="act-apart"):
                show_apart(scene, known)
        show_unit(scene, known)
        st.html('<hr class="bx-rule">')
        show_nearest(scene, known)
        st.html('<hr class="bx-rule">')
        map_place = st.container(key="act-map", gap=None)
        st.html('<hr class="bx-rule">')
        with st.container(key="act-counts", horizontal=True, gap=None):
            with st.container(key="act-matrix"):
                show_matrix(scene, known)
            with st.container(key="act-parting"):
                show_parting(scene, known)
            with st.container(key="act-use"):
                show_use(scene, known)
        with map_place:  # the last to be filled: it may have to be waited for
            show_map(scene, known)


def choose_layer(scene: Scene, known: cache.Codes) -> None:
    """The hidden layer that the page is about."""
    layers = list(range(1, len(known.layers)))
    st.segmented_control(
        words.LAYER,
        layers,
        default=put("layer_choice", scene.layer),
        key="layer_choice",
        format_func=words.layer_name,
        label_visibility="collapsed",
        required=True,
        on_change=lambda: go_to_layer(scene, known, st.session_state["layer_choice"]),
    )


def go_to_layer(scene: Scene, known: cache.Codes, layer: int) -> None:
    """Show a layer, and in it the unit that says most of this digit."""
    if 1 <= layer < len(known.layers):
        bits = scene.traces[layer - 1].bits
        state.change(layer=layer, unit=activations.telling_unit(known.layers[layer], bits, scene.read.label))


def brackets(scene: Scene) -> list[Bracket]:
    """The bands of the answer and, in grey, of the true class."""
    if scene.view.order != "digit":
        return []
    field = scene.fields[scene.layer - 1]
    edges = [int(edge) for edge in band_edges(scene.network.sizes[-1], field.units)]
    marks = [Bracket(*watch.band(field, edges, scene.read.label), str(scene.read.label))]
    if scene.true is not None and scene.true != scene.read.label:
        marks.append(Bracket(*watch.band(field, edges, scene.true), str(scene.true), muted=True))
    return marks


def show_code(scene: Scene, known: cache.Codes) -> None:
    """The digit's code; a click chooses a unit."""
    layer = known.layers[scene.layer]
    field, order = scene.fields[scene.layer - 1], scene.orders[scene.layer - 1]
    bits = scene.traces[scene.layer - 1].bits
    on = int(bits.sum())
    st.html(html.head(words.CODE, words.layer_note(scene.layer, layer.units)))

    def picked(cell: Cell) -> None:
        position = cell.row * field.cols + cell.col
        if 0 <= position < field.units:
            state.change(layer=scene.layer, unit=int(order[position]))

    row, col = divmod(int(np.flatnonzero(order == scene.unit)[0]), field.cols)
    bit_matrix(
        field.place(bits, order),
        key="code_field",
        label=words.field_label(scene.layer, on, len(bits)),
        on_pick=picked,
        count=field.units,
        pitch_variable="--bx-code",
        pitch_scale=field.scale,
        brackets=brackets(scene),
        gutter=24,
        names=[words.unit_name(int(unit), float(layer.on[unit])) for unit in order],
        selected=Cell(row, col),
    )
    st.html(html.caption(grouped(on), "are +1"))


def show_classes(scene: Scene, known: cache.Codes) -> None:
    """How often each bit is on, one field a class."""
    layer = known.layers[scene.layer]
    field, order = scene.fields[scene.layer - 1], scene.orders[scene.layer - 1]
    bits, mask = activations.share_tiles(field, layer.shares, order)
    nearest = int(differences(scene, known).argmin())
    classes = len(layer.shares)
    st.html(html.head(words.CLASS_CODES, words.CLASS_NOTE))
    bit_matrix(
        bits,
        mask=mask,
        key="class_fields",
        label=words.classes_label(scene.layer),
        dots=activations.SHADES,
        pitch_variable="--bx-class",
        pitch_scale=field.scale,
        tile_columns=activations.CLASS_COLUMNS,
        tile_gap=activations.CLASS_GAP,
        captions=[words.class_caption(label, nearest, scene.true) for label in range(classes)],
        tones=["strong" if label in (nearest, scene.true) else "" for label in range(classes)],
    )
    st.html(pieces.class_legend())


def differences(scene: Scene, known: cache.Codes) -> np.ndarray:
    """In how many bits the digit's code differs from each class's."""
    code = pack(scene.traces[scene.layer - 1].bits)
    return activations.class_differences(known.layers[scene.layer], code)


def show_apart(scene: Scene, known: cache.Codes) -> None:
    """The bits in which the digit's code differs from each class's."""
    units = known.layers[scene.layer].units
    found = differences(scene, known)
    nearest = int(found.argmin())
    st.html(html.head(words.APART, words.APART_NOTE))
    st.html(pieces.apart(found, units, scene.true))
    st.html(pieces.half_line(units, found))
    st.html(pieces.line(words.apart_caption(nearest, int(found[nearest]), units, scene.true), ""))


def show_unit(scene: Scene, known: cache.Codes) -> None:
    """One line on the framed unit, and what places mean."""
    layer = known.layers[scene.layer]
    unit = scene.unit
    best = int(layer.shares[:, unit].argmax())
    st.html(
        pieces.line(
            *words.unit_line(
                unit,
                best,
                float(layer.shares[best, unit]),
                float(layer.on[unit]),
                float(layer.entropy[unit]),
            )
        )
        + pieces.caption(common.order_caption(scene.view.order, scene.read.label, scene.true))
        + pieces.caption(words.APART_CAPTION)
    )


def show_nearest(scene: Scene, known: cache.Codes) -> None:
    """The test digits whose codes differ least; a click chooses one."""
    layer = known.layers[scene.layer]
    code = pack(scene.traces[scene.layer - 1].bits)
    index = None if scene.true is None else scene.index
    rows, distances = activations.nearest_digits(layer, code, NEAR, index)
    labels = known.answers.labels[rows]
    most, count = activations.shared(labels)
    with st.container(key="act-near-head", horizontal=True, gap=None):
        st.html(html.head(words.NEAREST, words.nearest_note(scene.layer, len(layer.words))))
        st.html(pieces.line(words.nearest_summary(most, count, len(rows), scene.true), ""))

    def picked(cell: Cell) -> None:
        if 0 <= cell.tile < len(rows):
            state.change(digit=int(rows[cell.tile]), drawn=None)

    places = list(zip(rows.tolist(), labels.tolist(), distances.tolist(), strict=True))
    bit_matrix(
        catalogue.digits().test_images[rows],
        key="near_digits",
        label=words.NEAREST,
        grey=True,
        on_pick=picked,
        pick="tile",
        pitch_variable="--bx-near",
        tile_gap=12,
        tile_rows=1,
        captions=[words.nearest_caption(label, distance, scene.true) for _, label, distance in places],
        tones=["wrong" if scene.true is not None and label != scene.true else "" for _, label, _ in places],
        names=[words.nearest_name(*place, layer.units) for place in places],
    )


def show_matrix(scene: Scene, known: cache.Codes) -> None:
    """Mean distances between classes in this layer."""
    layer = known.layers[scene.layer]
    a, b = activations.nearest_pair(layer.distances)
    st.html(
        html.head(words.MATRIX, words.matrix_note(layer.units))
        + pieces.matrix(layer.distances, scene.true if scene.true is not None else scene.read.label)
        + pieces.caption(words.MATRIX_CAPTION)
        + pieces.line(
            words.pair_line(a, b, float(layer.distances[a, b]), float(np.nanmax(layer.distances))), ""
        )
    )


def show_parting(scene: Scene, known: cache.Codes) -> None:
    """How the classes part, layer by layer."""
    st.html(html.head(words.PARTING, words.PARTING_NOTE))
    rows = [
        (words.layer_name(number), 100 * layer.within / layer.units, 100 * layer.between / layer.units)
        for number, layer in enumerate(known.layers)
    ]
    st.plotly_chart(
        parting(known.layers, palette(st.context.theme.type), scene.layer),
        key="parting_chart",
        theme=None,
        config={"displayModeBar": False},
        alt=words.parting_label(rows),
    )
    st.html(pieces.caption(words.parting_line(known.layers[0].parted, known.layers[-1].parted)))


def show_use(scene: Scene, known: cache.Codes) -> None:
    """Dead and always-on units, and the entropy, of every layer."""
    st.html(
        html.head(words.USE, words.use_note(len(known.answers.labels)))
        + pieces.use(known.layers, scene.layer)
        + pieces.caption(words.USE_CAPTION)
    )


def show_map(scene: Scene, known: cache.Codes) -> None:
    """The map of digits, as soon as it is there."""
    chosen, _ = cache.shown_digits()
    with st.container(key="act-map-head", horizontal=True, gap=None):
        st.html(html.head(words.MAP, words.map_note(len(chosen), cache.EACH)))
        kind = scene.view[MAP]
        st.segmented_control(
            words.MAP_KIND,
            list(words.MAP_KINDS),
            default=put("map_kind", kind),
            key="map_kind",
            format_func=words.MAP_KINDS.__getitem__,
            help=words.MAP_KIND_HELP,
            required=True,
            on_change=lambda: state.change(map=st.session_state["map_kind"]),
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
    draw_map(scene, known, planes, kind)


def _wait_for_map(file: catalogue.File, kind: maps.Kind) -> None:
    """A sentence in the map's place; the page runs again when the map is there, or known to fail."""
    try:
        if cache.planes(file, kind, 0.0) is not None:
            st.rerun()
    except (ValueError, ArithmeticError, RuntimeError):
        st.rerun()
    st.html(f'<div class="bx muted bx-map-wait" role="status">{words.MAP_WAIT}</div>')


def draw_map(scene: Scene, known: cache.Codes, planes: list[maps.Plane], kind: maps.Kind) -> None:
    """One large map, of this layer, and a small one of every layer."""
    chosen, pictures = cache.shown_digits()
    answers = known.answers
    panels = []
    for number, (layer, plane) in enumerate(zip(known.layers, planes, strict=True)):
        bits = scene.traces[0].inputs if number == 0 else scene.traces[number - 1].bits
        place = plane.locate(activations.differences_from(layer, pack(bits), chosen))
        points, there = maps.in_square(plane.points, place)
        panels.append(
            Panel(
                title=words.layer_name(number),
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
    digit_map(
        panels,
        digits,
        key="digit_map",
        on_digit=lambda index: choose_from_map(index, chosen),
        on_panel=lambda layer: go_to_layer(scene, known, layer),
        large=scene.layer,
        chosen_image=scene.image,
        chosen_number=None if scene.true is None else scene.index,
        chosen_name=common.DRAWN if scene.true is None else common.digit_note(scene.index, scene.true),
        strong=strong,
        label=words.map_label(scene.layer, len(chosen)),
        caption=words.map_caption(strong, own=scene.true is not None),
    )


def choose_from_map(index: int, chosen: np.ndarray) -> None:
    """Show a digit of the map."""
    if index in chosen:
        state.change(digit=index, drawn=None)


def main() -> None:
    """The page."""
    scene = choose_scene("act-controls")
    if scene is not None:
        show(scene)


PAGE = Page("Activations", 4, main, keys=(MAP,))
