"""The Train page's flips: the share of each layer's weights that changed sign in each epoch. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import plotly.graph_objects as go

from explorer.palette import Palette
from explorer.screens.train import words
from explorer.screens.train.weights_chart import AXIS_HEIGHT, weights_height
from explorer.server.history import History
from explorer.shared.charts import base_layout, label, plain_axis
from explorer.shared.words import layer_name

_LIMITS = (0.1, 0.2, 0.4, 1, 2, 4, 8, 12, 20, 40, 60)
"""Where the axis may end, in %; the smallest that all fit under."""


def flips_chart(history: History, palette: Palette, *, whole: History | None = None) -> go.Figure:
    """Share of weights that flipped in each epoch of the phase under way, a line a layer.

    Args:
        whole: the history that this one is the beginning of; it decides the scale, so that going back and
            forth in it moves no axis.
    """
    phase = history.phase if history.of_phase(history.phase) else 1
    epochs = history.of_phase(phase)
    planned = max(history.planned[phase - 1], len(epochs), 1)
    layers = len(epochs[0].flips) if epochs else 0
    names = [layer_name(layer + 1, layers) for layer in range(layers)]
    height = weights_height(max(layers, 1))
    figure = go.Figure()
    values = [[100 * e.flips[layer] for e in epochs] for layer in range(layers)]
    shares_of_all = [100 * share for e in (whole or history).of_phase(phase) for share in e.flips]
    most = max(shares_of_all, default=1.0)
    high = next((limit for limit in _LIMITS if most <= limit), 100)
    x = [e.epoch for e in epochs]
    marker = 7 if planned <= 40 else 0
    for layer, shares in enumerate(values):
        width, dash = _stroke(layer, layers)
        figure.add_scatter(
            x=x,
            y=shares,
            cliponaxis=False,
            mode="lines+markers" if marker else "lines",
            line={"color": palette.changed, "width": width, "dash": dash},
            marker={"color": palette.changed, "size": marker},
            name=names[layer],
            hovertemplate=f"epoch %{{x}}: %{{y:.2f}} %<extra>{names[layer]}</extra>",
        )
    plot = height - AXIS_HEIGHT - 8
    last = [v[-1] for v in values]
    for layer, place in enumerate(spread(last, 20 * high / plot, high)):
        text = f"<b>{names[layer]} {words.percent(last[layer], 1)}</b>"
        label(figure, text, x[-1], place, xshift=10, font={"color": palette.ink})
    step = next(s for s in (1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000) if planned / s <= 4)
    figure.update_xaxes(
        plain_axis(
            palette,
            range=[0.5, planned + 0.2],
            tickvals=list(range(1, planned + 1, step)),
            showline=True,
            linecolor=palette.axis,
        )
    )
    ticks = [high * i / 4 for i in range(5)] if high / 4 >= 1 or high in (2, 1) else [0, high / 2, high]
    figure.update_yaxes(
        plain_axis(
            palette,
            range=[0, high * 1.02],
            tickvals=ticks,
            ticktext=[f"{t:g}" for t in ticks],
            showgrid=True,
            gridcolor=palette.rule,
        )
    )
    margin = {"l": 28, "r": 104, "t": 8, "b": AXIS_HEIGHT}
    figure.update_layout(base_layout(palette, height=height, margin=margin, name=f"flips{phase}"))
    return figure


def _stroke(layer: int, layers: int) -> tuple[float, str]:
    """Layers differ by width and dash, not by hue: the output is dashed, deeper layers are thicker."""
    if layer == layers - 1:
        return 2, "6px,4px"
    return min(2 + 2 * layer, 6), "solid"


def spread(values: Sequence[float], gap: float, high: float) -> list[float]:
    """Places for labels at those values, moved apart so that no two are nearer than `gap`."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    places = list(values)
    for before, after in itertools.pairwise(order):
        places[after] = max(places[after], places[before] + gap)
    for i, index in enumerate(reversed(order)):
        places[index] = min(places[index], high - i * gap)
    return places
