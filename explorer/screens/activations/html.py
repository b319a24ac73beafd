"""The Activations page's tables and bars as HTML: they follow the theme without a new run of the page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from explorer.screens.activations import words
from explorer.screens.activations.codes import BINS, LayerCodes, histogram
from explorer.shared.html import keys
from explorer.shared.numbers import grouped, plural
from explorer.shared.words import layer_name


def apart(distances: NDArray[np.int32], units: int, true: int | None) -> str:
    """In how many bits a code differs from each class's, one bar a class, as high together as the field.

    Args:
        distances: (classes,). units: bits of a code. true: the digit's class.
    """
    nearest = int(distances.argmin())
    # Codes that have nothing in common differ in half of their bits: that line is always there.
    reach = max(units / 2 * 1.1, float(distances.max()), 1.0)
    rows = []
    for label, distance in enumerate(distances):
        tone = "nearest" if label == nearest else "own" if label == true else "muted"
        bar = f'<i><b style="width:{100 * distance / reach:.1f}%"></b></i>'
        rows.append(
            f'<div class="{tone}"><span>{label}</span>{bar}<span>{grouped(int(distance))}</span></div>'
        )
    half = f'<em style="left:{50 * units / reach:.1f}%"></em>'
    spoken = escape(words.apart_label([int(d) for d in distances], units))
    return (
        f'<div class="bx bx-apart" role="img" aria-label="{spoken}"><div class="half">{half}</div>'
        f"{''.join(rows)}</div>"
    )


def half_line(units: int, distances: NDArray[np.int32]) -> str:
    """What the line in the bars is."""
    reach = max(units / 2 * 1.1, float(distances.max()), 1.0)
    return (
        '<div class="bx muted bx-half"><div>'
        f'<span style="left:{50 * units / reach:.1f}%">{words.HALF}, {grouped(units // 2)}</span></div></div>'
    )


def matrix(distances: NDArray[np.float64], marked: int | None) -> str:
    """A table of mean distances between classes, darker where nearer; the diagonal is framed.

    Args:
        distances: (classes, classes); NaN where there is no pair.
        marked: a class whose row and column have their name in ink.
    """
    classes = len(distances)
    apart = distances[~np.eye(classes, dtype=bool) & ~np.isnan(distances)]
    low, high = (float(apart.min()), float(apart.max())) if len(apart) else (0.0, 1.0)

    def name(label: int, scope: str) -> str:
        tone = ' class="own"' if label == marked else ""
        return f'<th scope="{scope}"{tone}>{label}</th>'

    def cell(row: int, col: int) -> str:
        value = float(distances[row, col])
        if np.isnan(value):
            return "<td>–</td>"
        near = min(1.0, max(0.0, (high - value) / (high - low))) if high > low else 0.0
        tone = ' class="own"' if row == col else ""
        return f'<td{tone} style="--near:{100 * near:.0f}%">{words.bits(value, high)}</td>'

    head = "".join(name(label, "col") for label in range(classes))
    body = "".join(
        f"<tr>{name(row, 'row')}{''.join(cell(row, col) for col in range(classes))}</tr>"
        for row in range(classes)
    )
    return f'<div class="bx bx-pairs"><table><tr><td></td>{head}</tr>{body}</table></div>'


def use(layers: Sequence[LayerCodes], marked: int) -> str:
    """A row a layer: how many units are on how often, dead and always-on ones, and the entropy.

    Args:
        layers: the input first. marked: the layer of the page.
    """
    heads = "".join(f'<th scope="col">{escape(text)}</th>' for text in words.USE_HEADS.values())
    rows = []
    for number, layer in enumerate(layers):
        tone = ' class="own"' if number == marked else ""
        name = layer_name(number)
        mean = float(layer.entropy.mean())
        rows.append(
            f'<tr{tone}><th scope="row">{name}</th><td class="strip">{_strip(name, layer)}</td>'
            f"<td>{grouped(layer.never)}</td><td>{grouped(layer.always)}</td>"
            f'<td class="entropy"><i><b style="width:{100 * mean:.0f}%"></b></i>{mean:.2f}</td></tr>'
        )
    ends = f'<div class="ends"><span>{words.USE_NEVER}</span><span>{words.USE_ALWAYS}</span></div>'
    foot = f'<tr><td></td><td class="strip">{ends}</td><td></td><td></td><td></td></tr>'
    return f'<div class="bx bx-use"><table><tr>{heads}</tr>{"".join(rows)}{foot}</table></div>'


def _strip(name: str, layer: LayerCodes) -> str:
    """The histogram: bins below half wear the colour of −1, the others that of +1."""
    counts = histogram(layer.on)
    top = max(1, int(counts.max()))
    bars = "".join(
        f'<i class="{"on" if 2 * number >= BINS else "off"}" style="height:{100 * count / top:.0f}%"></i>'
        for number, count in enumerate(counts)
    )
    units = plural(layer.units, "unit")
    spoken = escape(words.USE_STRIP.format(name=name, units=units, never=layer.never, always=layer.always))
    return f'<div class="bars" role="img" aria-label="{spoken}">{bars}</div>'


def class_legend() -> str:
    """What the colours of a class's code mean."""
    return (
        f'<div class="bx muted">{keys((("on", words.ON_ALL), ("off", words.ON_NONE)))}{words.ON_HALF}</div>'
    )
