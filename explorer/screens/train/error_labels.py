"""Where the error chart's points lie, and its labels: names at the lines, numbers where they are read. Pure.

Labels find room in a small window, so they do in wider ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import plotly.graph_objects as go

from explorer.palette import Palette
from explorer.screens.train import words
from explorer.server.history import Cursor, Errors, History
from explorer.shared.charts import beside, label, upright

NARROW_PLOT = 600
"""Pixels of the plot in a small window."""

BELOW_HEADS = 0.88
"""How high lines within the plot may reach, as a share of it."""


def place_of(first: int, phase: int, epoch: int, share: float) -> float:
    """Where a moment lies on the axis; phase 1 has `first` epochs."""
    return (first if phase == 2 else 0) + (epoch or 0.5 + 0.5 * share)


Point = tuple[float, float, int, str]
"""Its place, the error, its size, and when that was."""


def points_of(history: History, phase: int, size: int, high: float = math.inf) -> list[Point]:
    """The errors of the bits, from the first look on that the axis has."""
    first = history.planned[0]
    looks = [
        (place_of(first, phase, 0, share), error, min(size, 6), words.within(share))
        for share, error in history.first_points(phase)
        if error <= high
    ]
    epochs = [
        (place_of(first, phase, e.epoch, 0.0), e.bitwise, size, words.epoch(e.epoch))
        for e in history.errors(phase)
    ]
    return [*looks, *epochs]


def phase1_labels(figure: go.Figure, palette: Palette, history: History, pixel: float) -> None:
    """While phase 1 runs the two lines are named at their ends, with their numbers."""
    errors = history.errors(1)
    place, newest, _, _ = points_of(history, 1, 0)[-1]
    names = [(words.NAIVE_NOW, newest, palette.ink, 28)]
    real = errors[-1].real if errors else None
    if real is not None:
        names.append((words.REAL, real, palette.float, 20))
    total = sum(history.planned)
    # At the right end there is room above the point only.
    inside = place + 260 * pixel <= total + 0.5 or not errors
    for name, value, colour, size in names:
        text = f'<b><span style="font-size:{size}px">{words.percent(value)}</span></b>  {name}'
        x, side = (place, beside(14, left=False)) if inside else (total + 0.5, beside(8, left=True))
        peak = value if inside else max(_within(errors, place - 260 * pixel, name == words.REAL))
        label(
            figure,
            text,
            x,
            math.log10(max(peak, 0.05)),
            **side,
            yshift=0 if inside else 24,
            font={"size": 16, "color": colour, "weight": 600},
        )


def _within(errors: Sequence[Errors], since: float, real: bool = False) -> list[float]:
    """The errors of a phase from an epoch on; never empty where the phase has any."""
    found = [e for e in errors if e.epoch >= since] or [errors[-1]]
    return [value for e in found if (value := e.real if real else e.bitwise) is not None]


def phase2_labels(
    figure: go.Figure, palette: Palette, history: History, pixel: float, high: float, running: bool
) -> None:
    """The names of phase 1's lines, what the first epoch of phase 2 did, and the newest number."""
    first, second = history.planned
    one, two = history.errors(1), history.errors(2)
    strong = {"size": 16, "weight": 600}
    if one:
        # From the second epoch on if that ends before the boundary; in few words where the phase is narrow.
        name, width = words.NAIVE, 235
        if second and first < width * pixel:
            name, width = words.NAIVE_NOW, 110
        start = max(0.6, min(2.0, first + 0.4 - width * pixel))
        end = start + width * pixel
        top = max([e.bitwise for e in one if start - 0.5 <= e.epoch <= end + 0.5], default=one[-1].bitwise)
        label(figure, name, start, _cap(top, high), yshift=20, font={**strong, "color": palette.ink})
        real = [(e.epoch, e.real) for e in one if e.real is not None]
        if real:
            foot = min(value for epoch, value in real if epoch <= 1 + 110 * pixel)
            font = {**strong, "color": palette.float}
            shift = -10 if 24 * pixel < 1 else 2  # never over the axis' numbers
            label(figure, words.REAL, 1, math.log10(max(foot, 0.05)), xshift=shift, yshift=-20, font=font)
    line = points_of(history, 2, 0)
    x, newest, _, _ = line[-1]
    if one and two:
        near = max(error for place, error, _, _ in line if place <= first + 1 + 340 * pixel)
        height = max(math.sqrt(one[-1].bitwise * two[0].bitwise), 1.9 * near)
        before, after = (words.percent(error, 1) for error in (one[-1].bitwise, two[0].bitwise))
        text = words.REPAIRED.format(before=before, after=after)
        shift = min(24, round(0.3 * NARROW_PLOT / (first + second + 1)))
        font = {**strong, "color": palette.ink}
        label(figure, text, first + 0.5, _cap(height, high), xshift=shift, font=font)
    number = f'<span style="font-size:32px"><b>{words.percent(newest)}</b></span>'
    text = f"{number}  {words.LIVE if running else words.LIVE_END}"
    end = first + second + 0.5
    reference = one[-1].real if one else None
    tail = [error for place, error, _, _ in line if place >= end - 170 * pixel]
    below = reference is not None and (not tail or min(tail) >= reference)
    if x + 230 * pixel <= end:
        # The line may climb again: stand clear of its last points, above the newest one.
        label(figure, text, x, math.log10(newest or 0.05), xshift=16, yshift=24, font=strong)
    else:
        recent = [error for place, error, _, _ in line if place >= min(x, end - 240 * pixel)]
        # The real network's name stands between its line and the number, or below both.
        above = 32 if below or not reference else 44
        peak = max([*recent, *([reference] if reference else [])])
        label(figure, text, end, _cap(peak, high), **beside(8, left=True), yshift=above, font=strong)
    if reference:
        text = f"{words.REAL} {words.percent(reference)}"
        place = {**beside(8, left=True), "yshift": -14 if below else 14}
        label(figure, text, end, math.log10(reference), **place, font={"size": 16, "color": palette.muted})


def _cap(value: float, high: float) -> float:
    """The logarithm of a height, held below the heads of the phases."""
    return math.log10(min(max(value, 0.05), high / 1.2))


def cursor_labels(
    figure: go.Figure,
    palette: Palette,
    history: History,
    pixel: float,
    high: float,
    cursor: Cursor,
    note: str,
) -> None:
    """A line at a moment, its point, and its number beside it, above all lines that pass there."""
    first, second = history.planned
    x = place_of(first, cursor.phase, cursor.epoch, cursor.share)
    upright(figure, x, 0, BELOW_HEADS, color=palette.ink, width=1.5, dash="5px,4px")
    width = (190 if cursor.error is None else 160) * pixel
    right = x + width > first + second + 0.5
    low_end, high_end = (x - width, x) if right else (x, x + width)
    passing = [
        e
        for phase in (1, 2)
        for place, e, _, _ in points_of(history, phase, 0)
        if low_end <= place <= high_end
    ]
    passing += [e.real for e in history.errors(1) if e.real is not None and low_end <= e.epoch <= high_end]
    text = f'<span style="font-size:16px">{note}</span>'
    if cursor.error is not None:
        halo = {"color": palette.page, "width": 2}
        figure.add_scatter(
            x=[x],
            y=[cursor.error],
            mode="markers",
            hoverinfo="skip",
            marker={"color": palette.ink, "size": 15, "opacity": 1, "line": halo},
        )
        text = f'<span style="font-size:28px"><b>{words.percent(cursor.error)}</b></span><br>{text}'
    top = _cap(max(passing, default=high / 3), high / 1.6)
    place = {**beside(12, left=right), "yanchor": "bottom", "yshift": 8}
    label(figure, text, x, top, **place, font={"size": 16, "weight": 600})


def branching(figure: go.Figure, palette: Palette, history: History) -> None:
    """Where the run left its parent."""
    if history.parent is None:
        return
    x = place_of(history.planned[0], history.parent.phase, history.parent.epoch, 0.0)
    upright(figure, x, 0, BELOW_HEADS, color=palette.muted, width=1.5, dash="2px,4px")
    place = {**beside(6, left=x > 0.7 * sum(history.planned)), "yref": "paper", "yanchor": "bottom"}
    label(figure, words.BRANCHED_HERE, x, 0, **place, yshift=4, font={"color": palette.muted})
