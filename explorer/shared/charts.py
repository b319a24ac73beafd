"""What all charts share: transparent, one font, no legend, nothing to drag. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from explorer.palette import Palette

FONT = '"Source Sans", "Source Sans Pro", sans-serif'


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
