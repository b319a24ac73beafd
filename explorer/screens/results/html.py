"""Tables of networks as rows of marks on one axis of errors. Pure; everything from outside is escaped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from statistics import mean

from explorer.screens.results import words
from explorer.screens.results.rows import Row
from explorer.shared.numbers import MINUS, percent

_DASH = "\N{EN DASH}"

_STEPS = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
"""Between the lines of an axis, in %; the last is wide enough for any errors."""


class _Axis:
    """Errors in %, from left to right, with room for all that are shown."""

    def __init__(self, errors: Sequence[float]) -> None:
        span = max(errors) - min(errors)
        step = next(step for step in _STEPS if span <= 8 * step)
        # A quarter of a step is room enough for half a mark.
        first, last = math.floor(min(errors) / step - 0.25), math.ceil(max(errors) / step + 0.25)
        self.low, self.high = first * step, last * step
        self.ticks = [round(step * tick, 1) for tick in range(first, last + 1)]

    def place(self, error: float) -> str:
        return f"left:{100 * (error - self.low) / (self.high - self.low):.2f}%"

    def mark(self, kind: str, error: float) -> str:
        return f'<i class="{kind}" style="{self.place(error)}"></i>'

    def head(self) -> str:
        """Every second tick's number."""
        named = self.ticks[len(self.ticks) % 2 :: 2]
        return "".join(f'<span style="{self.place(t)}">{t:.1f}</span>' for t in named)

    def grid(self) -> str:
        return "".join(self.mark("grid", tick) for tick in self.ticks)


def table(rows: Sequence[Row]) -> str:
    """The paper's table: inputs, what it is, the paper's marks and ours on one axis, the numbers."""
    axis = _Axis([e for r in rows for e in (*r.bitwise, *r.real, *(r.experiment.paper or ()))])
    body = []
    before = ""
    for row in rows:
        assert row.experiment.paper is not None
        cited, paper = row.experiment.paper
        marks = axis.mark("paper float", cited) + axis.mark("paper bit", paper) + _ours(axis, row)
        features = "" if row.features == before else row.features
        before = row.features
        star = "" if row.confirmed else "*"
        body.append(
            f'<tr><th scope="row">{escape(features)}</th><td>{escape(row.experiment.title)}</td>'
            f'<td class="axis">{axis.grid()}{marks}</td>'
            f'<td class="number muted">{percent(cited)}*</td><td class="number muted">{_real(row)}</td>'
            f'<td class="number muted">{percent(paper)}{star}</td>'
            f'<td class="number"><b>{percent(mean(row.bitwise))}</b></td></tr>'
        )
    heads = _heads("inputs", "network") + _axis_head(axis) + _heads(*words.TABLE_COLUMNS, number=True)
    return _framed(heads, body, words.TABLE_LEGEND, ("paper float", "paper bit"), f"* {words.FOOTNOTE}")


def changes(rows: Sequence[Row]) -> str:
    """The ablations: each change of the first network, its marks, its numbers, what it gains or costs."""
    axis = _Axis([e for r in rows for e in (*r.bitwise, *r.real)])
    plain = mean(rows[0].bitwise)
    body = []
    for number, row in enumerate(rows):
        gained = mean(row.bitwise) - plain
        sign = MINUS if gained < 0 else "+"
        body.append(
            f'<tr><th scope="row">{escape(row.experiment.title)}</th>'
            f'<td class="axis">{axis.grid()}{_ours(axis, row)}</td>'
            f'<td class="number muted">{_real(row)}</td>'
            f'<td class="number"><b>{percent(mean(row.bitwise))}</b></td>'
            f'<td class="number">{f"{sign}{abs(gained):.2f}" if number else _DASH}</td></tr>'
        )
    heads = _heads("change") + _axis_head(axis) + _heads(*words.CHANGES_COLUMNS, number=True)
    return _framed(heads, body, words.CHANGES_LEGEND, (), words.CHANGES_FOOTNOTE)


def _ours(axis: _Axis, row: Row) -> str:
    real = "".join(axis.mark("ours float", error) for error in row.real)
    return real + "".join(axis.mark("ours bit", error) for error in row.bitwise)


def _real(row: Row) -> str:
    return percent(mean(row.real)) if row.real else _DASH


def _heads(*names: str, number: bool = False) -> str:
    """Heads of columns, each in the lines that a bar parts."""
    kind = ' class="number"' if number else ""
    lines = ("<br>".join(escape(line) for line in name.split("|")) for name in names)
    return "".join(f'<th scope="col"{kind}>{text}</th>' for text in lines)


def _axis_head(axis: _Axis) -> str:
    return f'<th scope="col" class="axis muted" aria-label="{words.AXIS}">{axis.head()}</th>'


def _framed(heads: str, body: Sequence[str], legend: Sequence[str], papers: Sequence[str], foot: str) -> str:
    """A table below its legend and above its footnote."""
    named = zip((*papers, "ours float", "ours bit"), legend, strict=True)
    marks = "".join(f'<span><i class="{mark}"></i>{escape(text)}</span>' for mark, text in named)
    return (
        f'<div class="bx bx-results"><div class="muted legend">{marks}</div><table>'
        f"<thead><tr>{heads}</tr></thead><tbody>{''.join(body)}</tbody></table>"
        f'<div class="muted">{escape(foot)}</div></div>'
    )
