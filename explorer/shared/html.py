"""Small pieces of HTML for numbers and text beside the pictures; everything from outside is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from explorer.shared import words
from explorer.shared.numbers import signed

RULE = '<hr class="bx-rule">'
"""Between the parts of a page."""


def head(title: str, note: str = "") -> str:
    """A section's head, with a note in small grey."""
    small = f" <small>{escape(note)}</small>" if note else ""
    return f'<div class="bx bx-head">{escape(title)}{small}</div>'


def line(*texts: str, lit: bool = False) -> str:
    """A line in grey; `lit` puts the colour of flips before it."""
    mark = '<i class="bx-flip"></i>' if lit else ""
    return f'<div class="bx muted">{mark}{escape(" ".join(filter(None, texts)))}</div>'


def caption(strong: str, text: str) -> str:
    """100 of 784 are +1: a number in the colour of +1, then words."""
    return f'<div class="bx muted"><span class="on">{escape(strong)}</span> {escape(text)}</div>'


def fact(strong: str, text: str = "") -> str:
    """A caption that begins with what it is about."""
    return f'<div class="bx muted"><b class="ink">{escape(strong)}</b> {escape(text)}</div>'


def keys(names: Iterable[tuple[str, str]]) -> str:
    """Squares in the colours of some classes of style.css, each with what it means."""
    return "".join(
        f'<span class="bx-key"><i class="{name}"></i>{escape(text)}</span>' for name, text in names
    )


def legend(*, zero: bool, absent: bool = False, flips: bool = False) -> str:
    """The squares of +1 and −1, and of connections that are off, absent inputs, flips where there are any."""
    off = words.zero_words(zero, absent)
    names = [("on", "+1"), ("off", "−1")]
    names += [("zero", f"0, {off}")] * bool(off) + [("changed", "flipped")] * flips
    return f'<div class="bx muted bx-legend{" faded" if flips else ""}">{keys(names)}</div>'


def sum_bars(sums: Sequence[int], *, limit: int, read: int, true: int | None) -> str:
    """One signed bar a class, with its number; the answer is bold, the true class in ink if it is another.

    Plain boxes: a chart would be built anew in the browser for every digit.

    Args:
        sums: one a class.
        limit: the largest size that a sum is given room for; one scale for all digits.
    """
    rows = []
    reach = 1.05 * max(limit, 1)
    for label, value in enumerate(sums):
        side = "on" if value >= 0 else "off"
        width = 50 * min(1.0, abs(value) / reach)
        left = 50 if value >= 0 else 50 - width
        tone = " read" if label == read else " true" if label == true else ""
        rows.append(
            f'<div class="row{tone}" title="{label}: {signed(value)}"><span>{label}</span>'
            f'<span class="axis"><i class="{side}" style="left:{left:.2f}%;width:{width:.2f}%"></i></span>'
            f"<span>{signed(value)}</span></div>"
        )
    spoken = escape(words.bars_label(sums))
    return f'<div class="bx bx-bars" role="img" aria-label="{spoken}">{"".join(rows)}</div>'


def note(text: str) -> str:
    """A sentence that must be seen."""
    return f'<div class="bx bx-note" role="status">{escape(text)}</div>'
