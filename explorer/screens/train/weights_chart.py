"""The Train page's histograms: weights before they become bits. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from bnn_core.training.events import HISTOGRAM_BINS
from explorer.palette import Palette
from explorer.screens.train import words
from explorer.server.history import History
from explorer.shared.charts import HIDDEN_AXIS, base_layout, beside, label, plain_axis, upright
from explorer.shared.numbers import MINUS
from explorer.shared.words import layer_name

LAYER_HEIGHT = 100
AXIS_HEIGHT = 24
EDGES = np.linspace(-1, 1, HISTOGRAM_BINS + 1)
CENTRES = (EDGES[:-1] + EDGES[1:]) / 2


def weights_height(layers: int) -> int:
    """Pixels of the histograms, and of the flips beside them."""
    return layers * _layer_height(layers) + AXIS_HEIGHT


def _layer_height(layers: int) -> int:
    return LAYER_HEIGHT if layers <= 4 else 72


def bin_colours(boundary: float, palette: Palette) -> list[str]:
    """The colour of each bin: of the bit that its weights become, or of 0 within the boundary."""
    return [
        palette.zero if abs(c) <= boundary else palette.on_cell if c > 0 else palette.off_cell
        for c in CENTRES
    ]


def weights_chart(history: History, palette: Palette) -> go.Figure:
    """A histogram a layer of the compressed weights, in the colours of the bits that they become."""
    epoch = history.epochs[-1]
    one = history.of_phase(1)
    before = one[-1] if one and history.of_phase(2) else None  # phase 1's end, once there is more to compare
    layers = len(epoch.histogram)
    height = weights_height(layers)
    row = _layer_height(layers)
    figure = go.Figure()
    for index, shares in enumerate(epoch.histogram):
        axis = "y" if index == 0 else f"y{index + 1}"
        top = (layers - index) * row
        low, high = (top - row + 4) / (layers * row), (top - 26) / (layers * row)
        outline = before.histogram[index] if before is not None else None
        limit = _histogram_limit(shares, outline)
        beta = epoch.boundary[index]
        figure.add_bar(
            x=CENTRES,
            y=shares,
            yaxis=axis,
            width=1.86 / HISTOGRAM_BINS,
            marker={"color": bin_colours(beta, palette), "line": {"width": 0}},
            hovertemplate="%{x:.3f}: %{y:.1%}<extra></extra>",
        )
        if outline is not None:
            figure.add_scatter(
                x=np.repeat(EDGES, 2),
                y=[0, *np.repeat(outline, 2), 0],
                yaxis=axis,
                mode="lines",
                hoverinfo="skip",
                line={"color": palette.float, "width": 1.5},
            )
        ground = {"domain": [max(0.0, low), min(1.0, high)], "range": [0, limit], "anchor": "x"}
        figure.update_layout({f"yaxis{index + 1 if index else ''}": HIDDEN_AXIS | ground})
        name = layer_name(index + 1, layers)
        label(figure, f"<b>{name}</b>", 0, high, xref="paper", yref="paper", yanchor="bottom", yshift=2)
        foot = {"x0": 0, "x1": 1, "xref": "paper", "y0": low, "y1": low, "yref": "paper"}
        figure.add_shape(type="line", **foot, line={"color": palette.axis, "width": 1})
        _boundary(figure, palette, beta, low, high)
        _zeros(figure, palette, epoch.zeros[index], beta, low)
        for side, x in ((0, -1), (-1, 1)):
            if shares[side] > limit:
                text = words.percent(100 * shares[side], 0)
                place = {**beside(12, left=x > 0), "yref": "paper", "yanchor": "top"}
                label(figure, text, x, high, **place, font={"color": palette.muted})
    ticks = {"tickvals": [-1, 0, 1], "ticktext": [f"{MINUS}1", "0", "+1"]}
    figure.update_xaxes(plain_axis(palette, range=[-1.005, 1.005], **ticks, anchor="free", position=0))
    margin = {"l": 8, "r": 8, "t": 0, "b": AXIS_HEIGHT}
    figure.update_layout(base_layout(palette, height=height, margin=margin, name="weights"))
    figure.update_layout(bargap=0, barmode="overlay")
    return figure


def _histogram_limit(shares: Sequence[float], outline: Sequence[float] | None) -> float:
    """The height of a histogram: the outermost bins are cut (and named) where they would flatten the rest."""
    inner = max([*shares[1:-1], *(outline[1:-1] if outline is not None else [])])
    outer = max([shares[0], shares[-1], *([outline[0], outline[-1]] if outline is not None else [])])
    return 1.04 * max(inner, min(outer, 3 * inner), 1e-6)


def _boundary(figure: go.Figure, palette: Palette, beta: float, low: float, high: float) -> None:
    """The boundary on both sides, dashed, with the value; one line at 0 where nothing is switched off."""
    common = {"yref": "paper", "yanchor": "bottom", "yshift": 2, "xanchor": "center"}
    dashed = {"color": palette.ink, "width": 2, "dash": "3px,3px"}
    if beta <= 0:
        upright(figure, 0.0, low, high, **dashed)
        label(figure, "boundary β = 0", 0, high, **common)
        return
    for side in (-beta, beta):
        upright(figure, side, low, high, **dashed)
    if beta < 0.2:
        # Two names would run into each other, or into the layer's.
        label(figure, f"±β {beta:.2f}", 0, high, **common)
    else:
        label(figure, f"{MINUS}β", max(-beta, -0.62), high, **common)
        label(figure, f"+β {beta:.2f}", min(beta, 0.82), high, **common)


def _zeros(figure: go.Figure, palette: Palette, share: float, beta: float, low: float) -> None:
    """How many are 0: within the boundary, if that is wide enough, else at the right."""
    x, place = 0, {"xanchor": "center", "yshift": 2}
    if beta < 0.24:
        x, place = 1, {"xref": "paper", "xanchor": "right", "yshift": 30}
    if text := words.zeros_label(share):
        label(figure, text, x, low, yref="paper", yanchor="bottom", font={"color": palette.muted}, **place)
