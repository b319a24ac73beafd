"""The Train page's charts: error over both phases, weights before they become bits, flips. Pure.

Each function takes a `History` and a `Palette` and returns a Plotly figure. Axes follow finished epochs only,
so that between two of them nothing moves.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from bnn_core.events import HISTOGRAM_BINS, EpochEnded
from explorer import words_train as words
from explorer.palette import Palette
from explorer.views.chart_base import base_layout
from explorer.views.history import Cursor, Errors, History
from explorer.views.numbers import MINUS

ERROR_HEIGHT = 328
LAYER_HEIGHT = 100
AXIS_HEIGHT = 24

_TICKS = (0.1, 0.2, 0.3, 0.5, 1, 2, 3, 5, 10, 20, 30, 50, 100)
_LOWEST = 2.0
_LOWS = (0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2)
_TOPS = (40.0, 50.0, 60.0, 80.0, 100.0, 130.0)
"""Where the error axis may begin and end; it shows at least 2 to 40, and leaves room above for a name."""

_BELOW_HEADS = 0.88
"""How high lines within the error chart's plot may reach, as a share of it."""

_NARROW_PLOT = 600
"""Pixels of the error chart's plot in a small window: labels find room there, so they do in wider ones."""


def _layout(figure: go.Figure, palette: Palette, *, height: int, margin: dict[str, int], name: str) -> None:
    figure.update_layout(base_layout(palette, height=height, margin=margin, name=name))


def _label(figure: go.Figure, text: str, x: float, y: float, **options: Any) -> None:
    """A direct label; `y` in the axis' own terms (a logarithm on a log axis)."""
    settings: dict[str, Any] = {
        "showarrow": False,
        "xanchor": "left",
        "yanchor": "middle",
        "align": "left",
        **options,
    }
    figure.add_annotation(text=text, x=x, y=y, **settings)


# The error chart


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
    low, high, ticks = _error_range([*values, *(error for error in early if error <= limit)])
    figure = go.Figure()
    span = _LabelSpan(total)
    _phases(figure, palette, first, second, begun=history.phase == 2)
    size = 9 if total <= 40 else 6 if total <= 90 else 0
    line = "lines+markers" if size else "lines"
    real = [(e.epoch, e.real) for e in one if e.real is not None]
    if real:
        figure.add_scatter(
            x=[x for x, _ in real],
            y=[y for _, y in real],
            mode=line,
            name=words.REAL,
            line={"color": palette.float, "width": 4},
            marker={"color": palette.float, "size": size},
            hovertemplate="epoch %{x}: real network %{y:.2f} %<extra></extra>",
        )
    if second and len(real) >= first > 0:
        figure.add_scatter(
            x=[first, total + 0.5],
            y=[real[-1][1]] * 2,
            mode="lines",
            hoverinfo="skip",
            line={"color": palette.float, "width": 2, "dash": "2px,5px"},
        )
    naive = _line(history, 1, size + 2, high)
    if naive:
        figure.add_scatter(
            x=[x for x, _, _, _ in naive],
            y=[y for _, y, _, _ in naive],
            mode=line,
            name=words.NAIVE,
            line={"color": palette.ink, "width": 2.5, "dash": "8px,5px"},
            marker={
                "color": palette.page,
                "size": [s for _, _, s, _ in naive],
                "opacity": 1,
                "line": {"color": palette.ink, "width": 2.5},
            },
            customdata=[when for _, _, _, when in naive],
            hovertemplate="%{customdata}: binarised now %{y:.2f} %<extra></extra>",
        )
    bits = _line(history, 2, size, high)
    if bits:
        if cursor is None:
            bits[-1] = (*bits[-1][:2], 15, bits[-1][3])
        # It grows out of phase 1's last point.
        start = [(float(first), one[-1].bitwise, 0, "")] if one else []
        points = [*start, *bits]
        figure.add_scatter(
            x=[x for x, _, _, _ in points],
            y=[y for _, y, _, _ in points],
            mode="lines+markers",
            name=words.LIVE_END,
            line={"color": palette.ink, "width": 4},
            marker={
                "color": palette.ink,
                "size": [s for _, _, s, _ in points],
                "opacity": 1,
                "line": {"width": 0},
            },
            customdata=[when for _, _, _, when in points],
            hovertemplate="%{customdata}: bitwise network %{y:.2f} %<extra></extra>",
        )
    _branching(figure, palette, history)
    if cursor is not None:
        _labels_cursor(figure, palette, history, span, high, cursor, cursor_note)
    elif bits:
        _labels_phase2(figure, palette, history, span, high, running)
    elif naive:
        _labels_phase1(figure, palette, history, span)
    _error_axes(figure, palette, history, low, high, ticks, running)
    _layout(figure, palette, height=ERROR_HEIGHT, margin={"l": 40, "r": 4, "t": 2, "b": 44}, name="errors")
    return figure


def _place(first: int, phase: int, epoch: int, share: float) -> float:
    """Where a moment lies on the axis; phase 1 has `first` epochs."""
    return (first if phase == 2 else 0) + (epoch or 0.5 + 0.5 * share)


def _line(
    history: History, phase: int, size: int, high: float = math.inf
) -> list[tuple[float, float, int, str]]:
    """(place, error, size of the point, when) of the bits, from the first look on that the axis has."""
    first = history.planned[0]
    looks = [
        (_place(first, phase, 0, share), error, min(size, 6), words.within(share))
        for share, error in history.first_points(phase)
        if error <= high
    ]
    epochs = [
        (_place(first, phase, e.epoch, 0.0), e.bitwise, size, words.epoch(e.epoch))
        for e in history.errors(phase)
    ]
    return [*looks, *epochs]


def _branching(figure: go.Figure, palette: Palette, history: History) -> None:
    """Where the run left its parent."""
    if history.parent is None:
        return
    x = _place(history.planned[0], history.parent.phase, history.parent.epoch, 0.0)
    figure.add_shape(
        type="line",
        x0=x,
        x1=x,
        y0=0,
        y1=_BELOW_HEADS,
        yref="paper",
        line={"color": palette.muted, "width": 1.5, "dash": "2px,4px"},
    )
    right = x > 0.7 * sum(history.planned)
    _label(
        figure,
        words.BRANCHED_HERE,
        x,
        0,
        yref="paper",
        yanchor="bottom",
        xanchor="right" if right else "left",
        xshift=-6 if right else 6,
        yshift=4,
        font={"size": 14, "color": palette.muted},
    )


def _labels_cursor(
    figure: go.Figure,
    palette: Palette,
    history: History,
    span: _LabelSpan,
    high: float,
    cursor: Cursor,
    note: str,
) -> None:
    """A line at a moment, its point, and its number beside it, above all lines that pass there."""
    first, second = history.planned
    x = _place(first, cursor.phase, cursor.epoch, cursor.share)
    figure.add_shape(
        type="line",
        x0=x,
        x1=x,
        y0=0,
        y1=_BELOW_HEADS,
        yref="paper",
        line={"color": palette.ink, "width": 1.5, "dash": "5px,4px"},
    )
    width = span.epochs(190 if cursor.error is None else 160)
    right = x + width > first + second + 0.5
    low_end, high_end = (x - width, x) if right else (x, x + width)
    passing = [
        e for phase in (1, 2) for place, e, _, _ in _line(history, phase, 0) if low_end <= place <= high_end
    ]
    passing += [e.real for e in history.errors(1) if e.real is not None and low_end <= e.epoch <= high_end]
    text = f'<span style="font-size:16px">{note}</span>'
    if cursor.error is not None:
        figure.add_scatter(
            x=[x],
            y=[cursor.error],
            mode="markers",
            hoverinfo="skip",
            marker={
                "color": palette.ink,
                "size": 15,
                "opacity": 1,
                "line": {"color": palette.page, "width": 2},
            },
        )
        text = f'<span style="font-size:28px"><b>{words.percent(cursor.error)}</b></span><br>{text}'
    _label(
        figure,
        text,
        x,
        _cap(max(passing, default=high / 3), high / 1.6),
        yanchor="bottom",
        yshift=8,
        xanchor="right" if right else "left",
        xshift=-12 if right else 12,
        align="right" if right else "left",
        font={"size": 16, "weight": 600},
    )


class _LabelSpan:
    """How many epochs wide a label is, in a small window."""

    def __init__(self, total: int) -> None:
        self.pixel = (total + 1) / _NARROW_PLOT

    def epochs(self, pixels: float) -> float:
        return pixels * self.pixel


def _error_range(values: Sequence[float]) -> tuple[float, float, list[float]]:
    """(lowest, highest, ticks) of the error axis: at least 2 to 30, more where the errors need it."""
    positive = [v for v in values if v > 0]
    wanted = min([_LOWEST, *(v / 1.4 for v in positive)])  # the lowest line has its name below it
    low = max([t for t in _LOWS if t <= wanted], default=_LOWS[0])
    highest = max(positive, default=0.0)
    high = min([t for t in _TOPS if t >= 1.3 * highest], default=_TOPS[-1])
    return low, high, [t for t in _TICKS if low <= t <= min(high, 100)]


def _phases(figure: go.Figure, palette: Palette, first: int, second: int, *, begun: bool) -> None:
    """Phase 2's shade, the boundary (pale until it is reached) and the two heads."""
    if second:
        figure.add_shape(
            type="rect",
            layer="below",
            x0=first + 0.5,
            x1=first + second + 0.5,
            xref="x",
            y0=0,
            y1=1,
            yref="paper",
            fillcolor=palette.panel,
            line={"width": 0},
        )
    if first and second:
        figure.add_shape(
            type="line",
            x0=first + 0.5,
            x1=first + 0.5,
            y0=0,
            y1=1,
            yref="paper",
            line={"color": palette.ink if begun else palette.axis, "width": 1.5 if begun else 1},
        )
    # A short phase has no room for its description.
    room = _NARROW_PLOT / max(1, first + second)
    for phase, x, epochs in ((1, 0.5, first), (2, first + 0.5, second)):
        if epochs:
            name, what = words.PHASE_HEADS[phase]
            what = what if epochs * room > 90 + 6.2 * len(what) else ""
            if epochs * room < 70:
                continue
            text = f'<b>{name}</b> <span style="color:{palette.muted}">{what}</span>'
            _label(figure, text, x, 1, yref="paper", yanchor="top", xshift=8, yshift=-6, font={"size": 16})


def _labels_phase1(figure: go.Figure, palette: Palette, history: History, span: _LabelSpan) -> None:
    """While phase 1 runs the two lines are named at their ends, with their numbers."""
    errors = history.errors(1)
    place, newest, _, _ = _line(history, 1, 0)[-1]
    names = [(words.NAIVE_NOW, newest, palette.ink, 28)]
    real = errors[-1].real if errors else None
    if real is not None:
        names.append((words.REAL, real, palette.float, 20))
    total = sum(history.planned)
    # At the right end there is room above the point only.
    inside = place + span.epochs(260) <= total + 0.5 or not errors
    for name, value, colour, size in names:
        text = f'<b><span style="font-size:{size}px">{words.percent(value)}</span></b>  {name}'
        x, anchor, shift = (place, "left", 14) if inside else (total + 0.5, "right", -8)
        peak = value if inside else max(_within(errors, place - span.epochs(260), name == words.REAL))
        _label(
            figure,
            text,
            x,
            math.log10(max(peak, 0.05)),
            xanchor=anchor,
            xshift=shift,
            yshift=0 if inside else 24,
            font={"size": 16, "color": colour, "weight": 600},
        )


def _within(errors: Sequence[Errors], since: float, real: bool = False) -> list[float]:
    """The errors of a phase from an epoch on; never empty where the phase has any."""
    found = [e for e in errors if e.epoch >= since] or [errors[-1]]
    return [value for e in found if (value := e.real if real else e.bitwise) is not None]


def _labels_phase2(
    figure: go.Figure, palette: Palette, history: History, span: _LabelSpan, high: float, running: bool
) -> None:
    """The names of phase 1's lines, what the first epoch of phase 2 did, and the newest number."""
    first, second = history.planned
    one, two = history.errors(1), history.errors(2)
    strong = {"size": 16, "weight": 600}
    if one:
        # From the second epoch on if that ends before the boundary; in few words where the phase is narrow.
        name, width = words.NAIVE, 235
        if second and first < span.epochs(width):
            name, width = words.NAIVE_NOW, 110
        start = max(0.6, min(2.0, first + 0.4 - span.epochs(width)))
        end = start + span.epochs(width)
        top = max([e.bitwise for e in one if start - 0.5 <= e.epoch <= end + 0.5], default=one[-1].bitwise)
        _label(figure, name, start, _cap(top, high), yshift=20, font={**strong, "color": palette.ink})
        real = [(e.epoch, e.real) for e in one if e.real is not None]
        if real:
            foot = min(value for epoch, value in real if epoch <= 1 + span.epochs(110))
            _label(
                figure,
                words.REAL,
                1,
                math.log10(max(foot, 0.05)),
                xshift=-10 if span.epochs(24) < 1 else 2,  # never over the axis' numbers
                yshift=-20,
                font={**strong, "color": palette.float},
            )
    line = _line(history, 2, 0)
    x, newest, _, _ = line[-1]
    if one and two:
        near = max(error for place, error, _, _ in line if place <= first + 1 + span.epochs(340))
        height = max(math.sqrt(one[-1].bitwise * two[0].bitwise), 1.9 * near)
        _label(
            figure,
            words.repaired(one[-1].bitwise, two[0].bitwise),
            first + 0.5,
            _cap(height, high),
            xshift=min(24, round(0.3 * _NARROW_PLOT / (first + second + 1))),
            font={**strong, "color": palette.ink},
        )
    number = f'<span style="font-size:32px"><b>{words.percent(newest)}</b></span>'
    text = f"{number}  {words.LIVE if running else words.LIVE_END}"
    end = first + second + 0.5
    reference = one[-1].real if one else None
    if x + span.epochs(230) <= end:
        # The line may climb again: stand clear of its last points, above the newest one.
        _label(figure, text, x, math.log10(newest or 0.05), xshift=16, yshift=24, font=strong)
    else:
        recent = [error for place, error, _, _ in line if place >= min(x, end - span.epochs(240))]
        peak = max([*recent, *([reference] if reference else [])])
        _label(figure, text, end, _cap(peak, high), xanchor="right", xshift=-8, yshift=32, font=strong)
    if reference:
        tail = [error for place, error, _, _ in line if place >= end - span.epochs(170)]
        below = not tail or min(tail) >= reference
        _label(
            figure,
            f"{words.REAL} {words.percent(reference)}",
            end,
            math.log10(reference),
            xanchor="right",
            xshift=-8,
            yshift=-14 if below else 14,
            font={"size": 16, "color": palette.muted},
        )


def _cap(value: float, high: float) -> float:
    """The logarithm of a height, held below the heads of the phases."""
    return math.log10(min(max(value, 0.05), high / 1.2))


def _error_axes(
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
    figure.update_xaxes(
        range=[0.5, total + 0.5],
        tickvals=places,
        ticktext=names,
        tickangle=0,
        showgrid=False,
        zeroline=False,
        fixedrange=True,
        showline=True,
        linecolor=palette.axis,
        linewidth=1.5,
        tickfont={"size": 14, "color": palette.muted},
    )
    figure.update_yaxes(
        type="log",
        range=[bottom, top + 0.16 * (top - bottom)],
        tickvals=ticks,
        ticktext=[f"{t:g}" for t in ticks],
        showgrid=True,
        gridcolor=palette.rule,
        gridwidth=1,
        zeroline=False,
        fixedrange=True,
        tickfont={"size": 14, "color": palette.muted},
    )
    _label(
        figure,
        words.EPOCH_AXIS,
        1,
        0,
        xref="paper",
        yref="paper",
        xanchor="right",
        yanchor="top",
        yshift=-22,
        font={"size": 14, "color": palette.muted},
    )


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


# Weights before they become bits


def weights_height(layers: int) -> int:
    """Pixels of the histograms, and of the flips beside them."""
    return layers * _layer_height(layers) + AXIS_HEIGHT


def _layer_height(layers: int) -> int:
    return LAYER_HEIGHT if layers <= 4 else 72


def bin_colours(boundary: float, palette: Palette) -> list[str]:
    """The colour of each bin: of the bit that its weights become, or of 0 within the boundary."""
    centres = (np.arange(HISTOGRAM_BINS) + 0.5) * (2 / HISTOGRAM_BINS) - 1
    return [
        palette.zero if abs(c) <= boundary else palette.on_cell if c > 0 else palette.off_cell
        for c in centres
    ]


def weights_chart(history: History, palette: Palette) -> go.Figure:
    """A histogram a layer of the compressed weights, in the colours of the bits that they become."""
    epoch = history.epochs[-1]
    before = _phase1_end(history)
    layers = len(epoch.histogram)
    height = weights_height(layers)
    row = _layer_height(layers)
    edges = np.linspace(-1, 1, HISTOGRAM_BINS + 1)
    centres = (edges[:-1] + edges[1:]) / 2
    figure = go.Figure()
    for index, shares in enumerate(epoch.histogram):
        axis = "y" if index == 0 else f"y{index + 1}"
        top = (layers - index) * row
        low, high = (top - row + 4) / (layers * row), (top - 26) / (layers * row)
        outline = before.histogram[index] if before is not None else None
        limit, cut = _histogram_limit(shares, outline)
        beta = epoch.boundary[index]
        figure.add_bar(
            x=centres,
            y=shares,
            yaxis=axis,
            width=1.86 / HISTOGRAM_BINS,
            marker={"color": bin_colours(beta, palette), "line": {"width": 0}},
            hovertemplate="%{x:.3f}: %{y:.1%}<extra></extra>",
        )
        if outline is not None:
            figure.add_scatter(
                x=np.repeat(edges, 2),
                y=[0, *np.repeat(outline, 2), 0],
                yaxis=axis,
                mode="lines",
                hoverinfo="skip",
                line={"color": palette.float, "width": 1.5},
            )
        figure.update_layout(
            {
                f"yaxis{index + 1 if index else ''}": {
                    "domain": [max(0.0, low), min(1.0, high)],
                    "range": [0, limit],
                    "visible": False,
                    "fixedrange": True,
                    "anchor": "x",
                }
            }
        )
        name = words.layer_name(index + 1, layers)
        _label(figure, f"<b>{name}</b>", 0, high, xref="paper", yref="paper", yanchor="bottom", yshift=2)
        figure.add_shape(
            type="line",
            x0=0,
            x1=1,
            xref="paper",
            y0=low,
            y1=low,
            yref="paper",
            line={"color": palette.axis, "width": 1},
        )
        _boundary(figure, palette, beta, low, high)
        _zeros(figure, palette, epoch.zeros[index], beta, low)
        if cut:
            for side, x in ((0, -1), (-1, 1)):
                if shares[side] > limit:
                    _label(
                        figure,
                        words.percent(100 * shares[side], 0),
                        x,
                        high,
                        yref="paper",
                        yanchor="top",
                        xanchor="left" if side == 0 else "right",
                        xshift=12 if side == 0 else -12,
                        font={"color": palette.muted},
                    )
    figure.update_xaxes(
        range=[-1.005, 1.005],
        tickvals=[-1, 0, 1],
        ticktext=[f"{MINUS}1", "0", "+1"],
        showgrid=False,
        zeroline=False,
        fixedrange=True,
        tickfont={"size": 14, "color": palette.muted},
        anchor="free",
        position=0,
    )
    _layout(figure, palette, height=height, margin={"l": 8, "r": 8, "t": 0, "b": AXIS_HEIGHT}, name="weights")
    figure.update_layout(bargap=0, barmode="overlay")
    return figure


def _phase1_end(history: History) -> EpochEnded | None:
    """The last epoch of phase 1, once phase 2 has shown something to compare."""
    one = history.of_phase(1)
    return one[-1] if one and history.of_phase(2) else None


def _histogram_limit(shares: Sequence[float], outline: Sequence[float] | None) -> tuple[float, bool]:
    """The height of a histogram: the outermost bins are cut (and named) where they would flatten the rest."""
    inner = max([*shares[1:-1], *(outline[1:-1] if outline is not None else [])])
    outer = max([shares[0], shares[-1], *([outline[0], outline[-1]] if outline is not None else [])])
    limit = 1.04 * max(inner, min(outer, 3 * inner), 1e-6)
    return limit, max(shares[0], shares[-1]) > limit


def _boundary(figure: go.Figure, palette: Palette, beta: float, low: float, high: float) -> None:
    """The boundary on both sides, dashed, with the value; one line at 0 where nothing is switched off."""
    common = {"yref": "paper", "yanchor": "bottom", "yshift": 2, "xanchor": "center"}
    if beta <= 0:
        _rule(figure, palette, 0.0, low, high)
        _label(figure, "boundary β = 0", 0, high, **common)
        return
    for side in (-beta, beta):
        _rule(figure, palette, side, low, high)
    if beta < 0.2:
        # Two names would run into each other, or into the layer's.
        _label(figure, f"±β {beta:.2f}", 0, high, **common)
    else:
        _label(figure, f"{MINUS}β", max(-beta, -0.62), high, **common)
        _label(figure, f"+β {beta:.2f}", min(beta, 0.82), high, **common)


def _rule(figure: go.Figure, palette: Palette, x: float, low: float, high: float) -> None:
    figure.add_shape(
        type="line",
        x0=x,
        x1=x,
        y0=low,
        y1=high,
        yref="paper",
        line={"color": palette.ink, "width": 2, "dash": "3px,3px"},
    )


def _zeros(figure: go.Figure, palette: Palette, share: float, beta: float, low: float) -> None:
    text = words.zeros_label(share)
    if text and beta >= 0.24:
        _label(
            figure,
            text,
            0,
            low,
            yref="paper",
            yanchor="bottom",
            xanchor="center",
            yshift=2,
            font={"color": palette.muted},
        )
    elif text:
        _label(
            figure,
            text,
            1,
            low,
            xref="paper",
            yref="paper",
            yanchor="bottom",
            xanchor="right",
            yshift=30,
            font={"color": palette.muted},
        )


# Flips


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
    height = weights_height(max(layers, 1))
    figure = go.Figure()
    values = [[100 * e.flips[layer] for e in epochs] for layer in range(layers)]
    shares_of_all = [100 * share for e in (whole or history).of_phase(phase) for share in e.flips]
    high = _nice_limit(max(shares_of_all, default=1.0))
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
            name=words.layer_name(layer + 1, layers),
            hovertemplate="epoch %{x}: %{y:.2f} %<extra>" + words.layer_name(layer + 1, layers) + "</extra>",
        )
    plot = height - AXIS_HEIGHT - 8
    last = [v[-1] for v in values]
    for layer, place in enumerate(spread(last, 20 * high / plot, high)):
        name = words.layer_name(layer + 1, layers)
        _label(
            figure,
            f"<b>{name} {words.percent(last[layer], 1)}</b>",
            x[-1],
            place,
            xshift=10,
            font={"color": palette.ink},
        )
    step = next(s for s in (1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000) if planned / s <= 4)
    figure.update_xaxes(
        range=[0.5, planned + 0.2],
        tickvals=list(range(1, planned + 1, step)),
        showgrid=False,
        zeroline=False,
        fixedrange=True,
        showline=True,
        linecolor=palette.axis,
        tickfont={"size": 14, "color": palette.muted},
    )
    ticks = [high * i / 4 for i in range(5)] if high / 4 >= 1 or high in (2, 1) else [0, high / 2, high]
    figure.update_yaxes(
        range=[0, high * 1.02],
        tickvals=ticks,
        ticktext=[f"{t:g}" for t in ticks],
        showgrid=True,
        gridcolor=palette.rule,
        zeroline=False,
        fixedrange=True,
        tickfont={"size": 14, "color": palette.muted},
    )
    _layout(
        figure,
        palette,
        height=height,
        margin={"l": 28, "r": 104, "t": 8, "b": AXIS_HEIGHT},
        name=f"flips{phase}",
    )
    return figure


def _stroke(layer: int, layers: int) -> tuple[float, str]:
    """Layers differ by width and dash, not by hue: the output is dashed, deeper layers are thicker."""
    if layer == layers - 1:
        return 2, "6px,4px"
    return min(2 + 2 * layer, 6), "solid"


def _nice_limit(value: float) -> float:
    """The smallest of 1, 2, 4, 8, 20, 40, ... that the value fits under."""
    for limit in (0.1, 0.2, 0.4, 1, 2, 4, 8, 12, 20, 40, 60):
        if value <= limit:
            return limit
    return 100


def spread(values: Sequence[float], gap: float, high: float) -> list[float]:
    """Places for labels at those values, moved apart so that no two are nearer than `gap`."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    places = list(values)
    for before, after in itertools.pairwise(order):
        places[after] = max(places[after], places[before] + gap)
    for i, index in enumerate(reversed(order)):
        places[index] = min(places[index], high - i * gap)
    return places
