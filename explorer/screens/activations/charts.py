"""The Activations page's chart: how far digits of one class, and of two, lie apart by layer. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from explorer.palette import Palette
from explorer.screens.activations import words
from explorer.screens.activations.codes import LayerCodes
from explorer.shared.charts import HIDDEN_AXIS, base_layout, plain_axis
from explorer.shared.numbers import percent
from explorer.shared.words import layer_name

HEIGHT = 264
_TOP, _BOTTOM = 4, 48
_LABEL = 44  # the height of a name with its number

FEW, MANY = 3, 5
"""Layers, the input too, for which the chart has room for all names in full, and for all numbers."""


def parting(layers: Sequence[LayerCodes], palette: Palette, marked: int) -> go.Figure:
    """Two lines over the layers, from the input on, with what they are at their right ends.

    Args:
        layers: the input first. marked: the layer of the page; its name is bold.
    """
    names = [layer_name(number) for number in range(len(layers))]
    positions = list(range(len(layers)))
    last = positions[-1]
    between = [100 * layer.between / layer.units for layer in layers]
    within = [100 * layer.within / layer.units for layer in layers]
    low, high = min(within + between), max(within + between)
    room = max(0.25 * (high - low), 2.0)
    bottom, top = low - min(low, room), high + room
    # The names at the right ends must not meet where the lines do.
    pixels = (HEIGHT - _TOP - _BOTTOM) / (top - bottom)
    spread = max(0.0, (_LABEL - (between[-1] - within[-1]) * pixels) / 2)
    lines, labels = [], []
    for values, name, line, text, width, side in (
        (between, words.BETWEEN, palette.ink, palette.ink, 4, 1),
        (within, words.WITHIN, palette.float, palette.muted, 3, -1),
    ):
        lines.append(
            {
                "type": "scatter",
                "x": positions,
                "y": values,
                "mode": "lines+markers",
                "cliponaxis": False,
                "line": {"color": line, "width": width},
                "marker": {"color": line, "size": 9},
                "customdata": names,
                "hovertemplate": f"%{{customdata}}, {name}: %{{y:.1f}} %<extra></extra>",
            }
        )
        common = {"showarrow": False, "yanchor": "middle", "font": {"size": 14, "color": text}}
        for position, value in zip(positions[:-1], values, strict=False):
            if position == 0 or len(layers) <= MANY:
                # At the left of the first points, above and below the others: clear of the lines.
                shift = {"xanchor": "center", "yshift": 18 * side}
                if position == 0:
                    shift = {"xanchor": "right", "xshift": -10, "yshift": 5 * side}
                labels.append({"x": position, "y": value, "text": percent(value, 0)} | shift | common)
        end = {"xanchor": "left", "align": "left", "xshift": 12, "yshift": spread * side}
        labels.append(
            {"x": last, "y": values[-1], "text": f"<b>{percent(values[-1], 0)}</b><br>{name}"} | end | common
        )
    margin = {"l": 44, "r": 92, "t": _TOP, "b": _BOTTOM}
    layout = base_layout(palette, height=HEIGHT, margin=margin, name="parting") | {
        "annotations": labels,
        "xaxis": plain_axis(
            palette,
            range=[-0.1, last + 0.15],
            tickvals=positions,
            ticktext=[_tick(number, layers, number == marked) for number in positions],
            tickangle=0,
        ),
        "yaxis": HIDDEN_AXIS | {"range": [bottom, top]},
    }
    return go.Figure({"data": lines, "layout": layout})


def _tick(number: int, layers: Sequence[LayerCodes], marked: bool) -> str:
    """A layer's name, and below it how many times as far apart its classes are as their digits."""
    many = len(layers) > MANY
    name = words.short_layer_name(number, many) if len(layers) > FEW else layer_name(number)
    said = f"<b>{name}</b>" if marked else name
    return (
        said if many and 0 < number < len(layers) - 1 else f"{said}<br>{words.parted(layers[number].parted)}"
    )
