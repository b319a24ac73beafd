"""The Weights page's first layer: a page of templates, and a way through all of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st

from explorer.components.bit_matrix import Cell, Label, bit_matrix
from explorer.screens.weights import cache, words
from explorer.screens.weights.layout import TemplatePage, page_of, template_page, template_tiles
from explorer.screens.weights.subject import Subject
from explorer.shared import html
from explorer.shared import view as state
from explorer.shared.numbers import grouped, percent
from explorer.shared.planes import Order, Planes
from explorer.shared.widgets import put

_PAGE = "weights_page_state"


def show_templates(shown: Subject) -> None:
    """The first layer, page by page."""
    order, sort = shown.order(1), shown.sort
    wide = shown.input_planes > 1
    classes = shown.classes if shown.by_digit else None
    number = page_number(shown, order, classes, wide)
    page = template_page(order, classes=classes, wide=wide, number=number)
    layer = shown.planes(1)
    tiles = template_tiles(layer, page, shown.first)
    note = words.first_note(shown.network.sizes[0], sort, down=page.down, planes=shown.input_planes)
    st.html(html.head(words.FIRST) + html.line(note))
    labels = [Label(place, place + 1, text) for place, text in enumerate(page.labels)]
    selected = np.flatnonzero(page.units == shown.unit)
    captions = None
    if not shown.by_digit:
        caption = caption_of(shown, order, layer)
        captions = [caption(int(unit)) if unit >= 0 else "" for unit in page.units]

    def picked(cell: Cell) -> None:
        if 0 <= cell.tile < len(page.units) and page.units[cell.tile] >= 0:
            state.change(layer=1, unit=int(page.units[cell.tile]))

    bit_matrix(
        tiles.bits,
        key="weights_templates",
        label=words.TEMPLATES_LABEL.format(units=int((page.units >= 0).sum())),
        on_pick=picked,
        pick="tile",
        mask=tiles.mask,
        changed=tiles.changed,
        faded=True if shown.compared else np.broadcast_to(shown.rare, tiles.bits.shape),
        pitch_variable="--bx-tile",
        pitch=2,
        gap=0,
        tile_columns=page.columns,
        tile_gap=8,
        captions=captions,
        names=template_names(page, layer),
        blank=page.blank,
        row_labels=labels if page.down else [],
        column_labels=[] if page.down else labels,
        gutter=28 if page.down else 0,
        selected=Cell(0, 0, int(selected[0])) if shown.layer == 1 and len(selected) else None,
    )
    with st.container(key="weights-paging", horizontal=True, gap=None):
        st.html(line_under(shown, int((page.units >= 0).sum()), len(order)), width="stretch")
        if page.pages > 1:
            st.pagination(
                page.pages,
                default=put("weights_page", page.number),
                max_visible_pages=5,
                key="weights_page",
                on_change=lambda: turn_page(shown),
            )


def line_under(shown: Subject, count: int, units: int) -> str:
    """How many units are seen, and what is faded or lit."""
    before = shown.before
    what = words.LIT_NOTE.format(other=before.name) if before else words.rare_note(shown.input_planes)
    moved = shown.shown != shown.last and shown.sort != "trained"
    places = words.PLACES_NOTE if moved else ""
    return html.line(words.SHOWN_NOTE.format(shown=count, units=units), what, places, lit=shown.compared)


def _page_key(shown: Subject) -> tuple[str, str, int | None]:
    """The run, the order, and the first-layer unit that was chosen, if one was."""
    chosen = shown.layer == 1 and shown.view.unit is not None
    return shown.entry.name, shown.sort, shown.unit if chosen else None


def page_number(shown: Subject, order: Order, classes: int | None, wide: bool) -> int:
    """The page: the one turned to; another unit brings its own, another order begins at its first."""
    held, number = st.session_state.get(_PAGE, (None, 1))
    key = _page_key(shown)
    if held is not None and held[:2] != key[:2]:
        number = 1
    elif key[2] is not None and (held is None or held[2] != key[2]):
        number = page_of(order, shown.unit, classes=classes, wide=wide)
    st.session_state[_PAGE] = (key, number)
    return int(number)


def turn_page(shown: Subject) -> None:
    """Another page was asked for."""
    st.session_state[_PAGE] = (_page_key(shown), st.session_state["weights_page"])


def caption_of(shown: Subject, order: Order, layer: Planes) -> Callable[[int], str]:
    """What writes a unit's caption: what the units are sorted by."""
    match shown.sort:
        case "balance":

            def balance(unit: int) -> str:
                total = layer.at(unit).total
                return words.share(total.plus, total.plus + total.minus)

            return balance
        case "use":
            share = cache.habits(shown.shown).share(1)
            return lambda unit: percent(100 * share[unit], 0)
        case "alike":
            before = dict(zip(order[1:].tolist(), order[:-1].tolist(), strict=True))
            signs = shown.network.layers[0].weight_signs()
            return lambda unit: (
                grouped(int((signs[unit] != signs[before[unit]]).sum())) if unit in before else ""
            )
        case _:
            return str


def template_names(page: TemplatePage, layer: Planes) -> list[str]:
    """What the pointer says of each template."""

    def band(tile: int) -> str:
        return page.labels[tile // page.columns if page.down else tile % page.columns] if page.labels else ""

    return [
        words.template_name(int(unit), layer.at(unit).total, band=band(tile)) if unit >= 0 else ""
        for tile, unit in enumerate(page.units)
    ]
