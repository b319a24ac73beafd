"""The Results page's charts: error against one setting, and against broken bits. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Any

import plotly.graph_objects as go

from explorer.palette import Palette
from explorer.screens.results import words
from explorer.screens.results.rows import Damage, Point
from explorer.shared.charts import base_layout, label, plain_axis
from explorer.shared.numbers import percent

HEIGHT = 264
_MARGIN = {"l": 48, "r": 120, "t": 8, "b": 40}
_TICKS = (1, 1.5, 2, 2.5, 3, 4, 5, 7, 10, 15, 20, 30, 50, 90)
_SPACE = 0.085
"""Between two names at the right, as a share of the axis' length."""


def curve_chart(points: Sequence[Point], palette: Palette, group: str) -> go.Figure:
    """Error against one setting: the bitwise network's, with every seed; the real one's; the naive one's.

    Args:
        points: by value; at least one.
        group: a key of ``words.AXES``.
    """
    axis = words.AXES[group]
    lines: list[dict[str, Any]] = []
    ends: list[tuple[float, str, str]] = []  # where a line ends, its name, its colour

    def add(name: str, errors: Sequence[Sequence[float]], text: str, **style: Any) -> None:
        places = [(p.value, mean(e)) for p, e in zip(points, errors, strict=True) if e]
        if not places:
            return
        lines.append(
            {
                "type": "scatter",
                "x": [axis.place(value) for value, _ in places],
                "y": [error for _, error in places],
                "customdata": [axis.text(value) for value, _ in places],
                "mode": "lines+markers",
                "cliponaxis": False,
                "hovertemplate": f"{axis.short} %{{customdata}}: {name} %{{y:.2f}} %<extra></extra>",
                **style,
            }
        )
        ends.append((places[-1][1], name, text))

    grey, small = {"color": palette.float, "width": 3}, {"size": 5, "color": palette.float}
    add(words.REAL, [p.real for p in points], palette.muted, line=grey, marker=small)
    if axis.naive:
        hollow = {"size": 7, "color": palette.page, "line": {"color": palette.ink, "width": 1.5}}
        dashed = {"color": palette.ink, "width": 1.5, "dash": "4px,4px"}
        add(words.NAIVE, [p.naive for p in points], palette.muted, line=dashed, marker=hollow)
    dots = [(axis.place(p.value), error) for p in points for error in p.bitwise]
    lines.append(
        {
            "type": "scatter",
            "x": [x for x, _ in dots],
            "y": [y for _, y in dots],
            "mode": "markers",
            "hoverinfo": "skip",
            "marker": {"size": 6, "color": palette.axis},
        }
    )
    solid = {"color": palette.ink, "width": 4}
    marker = {"size": 8, "color": palette.ink}
    add(words.BITWISE, [p.bitwise for p in points], palette.ink, line=solid, marker=marker)
    named = [p.value for p in points if axis.ticks is None or p.value in axis.ticks]
    ticks = {axis.place(value): axis.text(value) for value in named}
    return _figure(lines, ends, ticks, axis.name, palette, f"curve-{group}")


def damage_chart(damages: Sequence[Damage], palette: Palette, group: str) -> go.Figure:
    """Error against the share of broken bits, a line for each amount of noise in training.

    Args:
        damages: by the noise in training; the first, without noise, is the grey one.
    """
    axis = words.AXES[group]
    kept = [d for d in damages if axis.lines is None or d.value in axis.lines]
    lines: list[dict[str, Any]] = []
    ends: list[tuple[float, str, str]] = []
    for number, damage in enumerate(kept):
        first = number == 0
        colour = palette.float if first else palette.ink
        width = 3.0 if first else 1.5 + 2.5 * number / max(1, len(kept) - 1)
        name = words.trained_with(damage.value)
        lines.append(
            {
                "type": "scatter",
                "x": list(damage.rates),
                "y": list(damage.errors),
                "mode": "lines+markers",
                "cliponaxis": False,
                "line": {"color": colour, "width": width},
                "marker": {"size": 5 + number, "color": colour},
                "hovertemplate": f"%{{x:.0%}} broken, {name}: %{{y:.1f}} %<extra></extra>",
            }
        )
        ends.append((damage.errors[-1], name, palette.muted if first else palette.ink))
    ticks = {rate: percent(100 * rate, 0) for rate in kept[0].rates if round(100 * rate) % 5 == 0}
    return _figure(lines, ends, ticks, axis.broken, palette, f"damage-{group}")


def _figure(
    lines: list[dict[str, Any]],
    ends: Sequence[tuple[float, str, str]],
    ticks: Mapping[float, str],
    title: str,
    palette: Palette,
    key: str,
) -> go.Figure:
    """Lines on a logarithmic axis of errors, with their names at their right ends."""
    shown = [y for each in lines for y in each["y"]]
    low, high = math.log10(min(shown)) - 0.06, math.log10(max(shown)) + 0.06
    figure = go.Figure(lines, base_layout(palette, height=HEIGHT, margin=_MARGIN, name=key))
    left, right = min(min(each["x"]) for each in lines), max(max(each["x"]) for each in lines)
    room = 0.03 * (right - left)
    for place, name, colour in _apart(ends, (high - low) * _SPACE, high):
        text = f"<b>{name}</b>" if colour == palette.ink else name
        label(figure, text, right, place, xshift=12, font={"color": colour})
    named = {"tickvals": list(ticks), "ticktext": list(ticks.values()), "tickangle": 0}
    below = {"text": title, "font": {"size": 14, "color": palette.muted}, "standoff": 6}
    figure.update_xaxes(plain_axis(palette, range=[left - room, right + room], **named, title=below))
    errors = [tick for tick in _TICKS if low <= math.log10(tick) <= high]
    named = {"tickvals": errors, "ticktext": [f"{tick:g}\N{NARROW NO-BREAK SPACE}%" for tick in errors]}
    grid = {"showgrid": True, "gridcolor": palette.rule}
    figure.update_yaxes(plain_axis(palette, type="log", range=[low, high], **named, **grid))
    return figure


def _apart(ends: Sequence[tuple[float, str, str]], space: float, high: float) -> list[tuple[float, str, str]]:
    """Where the names go, as logarithms: at their lines' ends, but never upon each other or too high."""
    placed: list[tuple[float, str, str]] = []
    limit = high
    for error, name, colour in sorted(ends, reverse=True):
        place = min(math.log10(error), limit)
        limit = place - space
        placed.append((place, name, colour))
    return placed
