"""The Train page's error chart, over both phases. Pure.

Its axes follow finished epochs only, so that between two of them nothing moves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from explorer.palette import Palette
from explorer.screens.train import words
from explorer.screens.train.error_labels import (
    NARROW_PLOT,
    Point,
    branching,
    cursor_labels,
    phase1_labels,
    phase2_labels,
    points_of,
)
from explorer.server.history import Cursor, History
from explorer.shared.charts import base_layout, label, plain_axis, upright

ERROR_HEIGHT = 328
_TICKS = (0.1, 0.2, 0.3, 0.5, 1, 2, 3, 5, 10, 20, 30, 50, 100)
_FEW_TICKS = (0.02, 0.05, 0.1, 0.3, 1, 3, 10, 30, 100)
_LOWEST = 2.0
_LOWS = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2)
_TOPS = (40.0, 50.0, 60.0, 80.0, 100.0, 130.0)
"""Where the error axis may begin and end; it shows at least 2 to 40, and leaves room above for a name."""


def error_chart(
    history: History,
    palette: Palette,
    *,
    running: bool = False,
    cursor: Cursor | None = None,
    cursor_note: str = "",
) -> go.Figure:
    """The real network, the same binarised now, and the bitwise network, over both phases on one log axis.

    Each phase starts at the left edge of its ground; the looks within its first epoch lie between that edge
    and the epoch's end.

    Args:
        running: whether the newest point is of now; it decides a word and the marked epoch.
        cursor: a moment to mark; the large number is then that moment's.
        cursor_note: what to call it.
    """
    first, second = history.planned
    total = max(1, first + second)
    one, two = history.errors(1), history.errors(2)
    values = [e.bitwise for e in (*one, *two)] + [e.real for e in one if e.real is not None]
    early = [error for phase in (1, 2) for _, error in history.first_points(phase)]
    # A first look may lie far above all that follows: it is left out then.
    limit = 2 * max(values) if values else 100.0
    low, high, ticks = _range([*values, *(error for error in early if error <= limit)])
    figure = go.Figure()
    pixel = (total + 1) / NARROW_PLOT  # in epochs: how wide a label is in a small window
    _phases(figure, palette, first, second, begun=history.phase == 2)
    size = 9 if total <= 40 else 6 if total <= 90 else 0
    mode = "lines+markers" if size else "lines"

    def draw(points: Sequence[Point], name: str, said: str, mode: str, line: Any, marker: Any) -> None:
        x, y, sizes, when = zip(*points, strict=True)
        figure.add_scatter(
            x=x,
            y=y,
            mode=mode,
            name=name,
            line=line,
            marker={"size": sizes, "opacity": 1, **marker},
            customdata=when,
            hovertemplate=f"%{{customdata}}: {said} %{{y:.2f}} %<extra></extra>",
        )

    real = [(float(e.epoch), e.real, size, words.epoch(e.epoch)) for e in one if e.real is not None]
    if real:
        line = {"color": palette.float, "width": 4}
        draw(real, words.REAL, words.REAL, mode, line, {"color": palette.float, "line": {"width": 0}})
    if second and len(real) >= first > 0:
        figure.add_scatter(
            x=[first, total + 0.5],
            y=[real[-1][1]] * 2,
            mode="lines",
            hoverinfo="skip",
            line={"color": palette.float, "width": 2, "dash": "2px,5px"},
        )
    naive = points_of(history, 1, size + 2, high)
    if naive:
        hollow = {"color": palette.page, "line": {"color": palette.ink, "width": 2.5}}
        line = {"color": palette.ink, "width": 2.5, "dash": "8px,5px"}
        draw(naive, words.NAIVE, words.NAIVE_NOW, mode, line, hollow)
    bits = points_of(history, 2, size, high)
    if bits:
        if cursor is None:
            bits[-1] = (*bits[-1][:2], 15, bits[-1][3])
        # It grows out of phase 1's last point.
        start = [(float(first), one[-1].bitwise, 0, "")] if one else []
        line, full = {"color": palette.ink, "width": 4}, {"color": palette.ink, "line": {"width": 0}}
        draw([*start, *bits], words.LIVE_END, "bitwise network", "lines+markers", line, full)
    branching(figure, palette, history)
    if cursor is not None:
        cursor_labels(figure, palette, history, pixel, high, cursor, cursor_note)
    elif bits:
        phase2_labels(figure, palette, history, pixel, high, running)
    elif naive:
        phase1_labels(figure, palette, history, pixel)
    _axes(figure, palette, history, low, high, ticks, running)
    figure.update_layout(
        base_layout(palette, height=ERROR_HEIGHT, margin={"l": 40, "r": 4, "t": 2, "b": 44}, name="errors")
    )
    return figure


def _range(values: Sequence[float]) -> tuple[float, float, list[float]]:
    """(lowest, highest, ticks) of the error axis: at least 2 to 30, more where the errors need it."""
    positive = [v for v in values if v > 0]
    wanted = min([_LOWEST, *(v / 1.4 for v in positive)])  # the lowest line has its name below it
    low = max([t for t in _LOWS if t <= wanted], default=_LOWS[0])
    highest = max(positive, default=0.0)
    high = min([t for t in _TOPS if t >= 1.3 * highest], default=_TOPS[-1])
    ticks = _TICKS if high / low < 1000 else _FEW_TICKS
    return low, high, [t for t in ticks if low <= t <= min(high, 100)]


def _phases(figure: go.Figure, palette: Palette, first: int, second: int, *, begun: bool) -> None:
    """Phase 2's shade, the boundary (pale until it is reached) and the two heads."""
    if second:
        ground = {"x0": first + 0.5, "x1": first + second + 0.5, "y0": 0, "y1": 1, "yref": "paper"}
        figure.add_shape(type="rect", layer="below", **ground, fillcolor=palette.panel, line={"width": 0})
    if first and second:
        colour, width = (palette.ink, 1.5) if begun else (palette.axis, 1)
        upright(figure, first + 0.5, 0, 1, color=colour, width=width)
    # A short phase has no room for its description.
    room = NARROW_PLOT / max(1, first + second)
    for phase, x, epochs in ((1, 0.5, first), (2, first + 0.5, second)):
        if epochs:
            name, what = words.PHASE_HEADS[phase]
            what = what if epochs * room > 90 + 6.2 * len(what) else ""
            if epochs * room < 70:
                continue
            text = f'<b>{name}</b> <span style="color:{palette.muted}">{what}</span>'
            label(figure, text, x, 1, yref="paper", yanchor="top", xshift=8, yshift=-6, font={"size": 16})


def _axes(
    figure: go.Figure,
    palette: Palette,
    history: History,
    low: float,
    high: float,
    ticks: list[float],
    running: bool,
) -> None:
    first, second = history.planned
    total = max(1, first + second)
    bottom, top = math.log10(low), math.log10(high)
    done = len(history.errors(1)) + len(history.errors(2))
    now = done + 1 if running and done < total else None
    places, names = _epoch_ticks(first, second)
    names = [f"<b>{n}</b>" if x == now else n for x, n in zip(places, names, strict=True)]
    ends = {"range": [0.5, total + 0.5], "showline": True, "linecolor": palette.axis, "linewidth": 1.5}
    figure.update_xaxes(plain_axis(palette, tickvals=places, ticktext=names, tickangle=0, **ends))
    grid = {"showgrid": True, "gridcolor": palette.rule, "gridwidth": 1}
    bounds = [bottom, top + 0.16 * (top - bottom)]
    text = [f"{t:g}" for t in ticks]
    figure.update_yaxes(plain_axis(palette, type="log", range=bounds, tickvals=ticks, ticktext=text, **grid))
    corner = {"xref": "paper", "yref": "paper", "xanchor": "right", "yanchor": "top", "yshift": -22}
    label(figure, words.EPOCH_AXIS, 1, 0, **corner, font={"color": palette.muted})


def _epoch_ticks(first: int, second: int) -> tuple[list[int], list[str]]:
    """Where epochs are named, and how: each phase counts from 1."""
    step = next((s for s in (1, 2, 5, 10, 20, 50, 100, 200, 500) if (first + second) / s <= 20), 1000)
    places: list[int] = []
    names: list[str] = []
    for offset, epochs in ((0, first), (first, second)):
        for epoch in range(1, epochs + 1):
            wanted = epoch % step == 0 or (epoch == 1 and step <= 2 * max(1, epochs))
            if wanted and (not places or offset + epoch - places[-1] >= step / 2):
                places.append(offset + epoch)
                names.append(str(epoch))
    return places, names
