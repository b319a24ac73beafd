"""What all charts share: transparent, one font, no legend, nothing to drag. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from explorer.palette import Palette

FONT = '"Source Sans", "Source Sans Pro", sans-serif'

HIDDEN_AXIS = {"visible": False, "fixedrange": True}
"""An axis whose values are told beside the lines."""


def base_layout(palette: Palette, *, height: int, margin: Mapping[str, int], name: str) -> dict[str, Any]:
    """A Plotly layout.

    Args:
        name: of the chart; what a person did to it stays as long as the name does.
    """
    return {
        "template": "none",
        "height": height,
        "margin": dict(margin),
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "color": palette.ink, "size": 14},
        "showlegend": False,
        "hoverlabel": {
            "bgcolor": palette.panel,
            "bordercolor": palette.rule,
            "font": {"color": palette.ink, "size": 14},
        },
        "uirevision": name,
        "dragmode": False,
    }


def plain_axis(palette: Palette, **options: Any) -> dict[str, Any]:
    """An axis that is only read; `options` are Plotly's."""
    return {
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
        "tickfont": {"size": 14, "color": palette.muted},
        **options,
    }


def label(figure: go.Figure, text: str, x: float, y: float, **options: Any) -> None:
    """A direct label; `y` in the axis' own terms (a logarithm on a log axis)."""
    settings: dict[str, Any] = {
        "showarrow": False,
        "xanchor": "left",
        "yanchor": "middle",
        "align": "left",
        **options,
    }
    figure.add_annotation(text=text, x=x, y=y, **settings)


def beside(gap: int, *, left: bool) -> dict[str, Any]:
    """Options of a label that stands so many pixels at the left of its place, or at the right."""
    side = "right" if left else "left"
    return {"xanchor": side, "align": side, "xshift": -gap if left else gap}


def upright(figure: go.Figure, x: float, low: float, high: float, **line: Any) -> None:
    """A line straight up at `x`, between two heights of the plot, as shares of it."""
    figure.add_shape(type="line", x0=x, x1=x, y0=low, y1=high, yref="paper", line=line)
