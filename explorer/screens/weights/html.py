"""The Weights page's text and numbers as HTML; everything from outside is escaped. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from explorer.screens.weights import words
from explorer.shared.numbers import MINUS, grouped, percent, signed
from explorer.shared.planes import Total
from explorer.shared.words import BIASES


def counts(total: Total, before: str) -> str:
    """The frame: 800 +1, 167 −1, 797 off, 12 flipped; numbers stay with their words."""
    parts = [
        f'<span class="on">{grouped(total.plus)}</span> +1',
        f'<span class="off">{grouped(total.minus)}</span> {MINUS}1',
    ]
    if total.zero:
        parts.append(f"{grouped(total.zero)} off")
    if total.flips is not None:
        parts.append(f'<span class="flip">{grouped(total.flips)}</span> flipped')
    whole = "</span>, <span>".join(parts)
    return f'<div class="bx muted bx-whole"><span>{escape(before)}</span> <span>{whole}</span></div>'


def unit_counts(total: Total) -> str:
    """410 weights +1, 374 −1, and how many flipped."""
    off = f", {grouped(total.zero)} off" if total.zero else ""
    flips = ""
    if total.flips is not None:
        flips = (
            f'<div><span class="flip">{grouped(total.flips)}</span> of {grouped(total.weights)} flipped, '
            f"{escape(words.share(total.flips, total.weights))}</div>"
        )
    return (
        f'<div class="bx bx-large">Weights: <span class="on">{grouped(total.plus)}</span> +1, '
        f'<span class="off">{grouped(total.minus)}</span> {MINUS}1{off}{flips}</div>'
    )


def bars(on: NDArray[np.integer], digits: NDArray[np.integer], *, output: bool) -> str:
    """A bar a digit, filled as far as the unit is on for it; the fullest is bold.

    Args:
        on: (classes,) digits of each class for which it is on, or, for the output layer, wins.
        digits: (classes,) how many of each class there are.
    """
    shares = on / np.maximum(digits, 1)
    best = int(shares.argmax())
    cells, spoken = [], []
    for label, share in enumerate(shares):
        name = words.bar_name(label, int(on[label]), int(digits[label]), output=output)
        spoken.append(name)
        strong = ' class="best"' if label == best else ""
        fill = f'<i><b style="height:{100 * share:.1f}%"></b></i>'
        cells.append(f'<div{strong} title="{escape(name)}">{fill}{label}</div>')
    style = "bx bx-habit votes" if output else "bx bx-habit"
    return f'<div class="{style}" role="img" aria-label="{escape("; ".join(spoken))}">{"".join(cells)}</div>'


def bars_head(before: str, strong: str, after: str) -> str:
    """How often it is +1, by digit."""
    number = f'<span class="on">{escape(strong)}</span>'
    return f'<div class="bx bx-large">{escape(before)}{number}{escape(after)}</div>'


def figures(share: float, digits: int, bias: int, variant: str) -> str:
    """The share of all digits, and the bias, large."""
    colour = "on" if bias >= 0 else "off"
    return (
        f'<div class="bx bx-figures"><div><b>{percent(100 * share, 0)}</b>'
        f'<div class="muted">{escape(words.OF_DIGITS.format(digits=digits))}</div></div>'
        f'<div><b class="{colour}">{signed(bias)}</b>'
        f'<div class="muted">{escape(BIASES[variant])}</div></div></div>'
    )


def readers(text: str) -> str:
    """Who reads the unit."""
    return f'<div class="bx bx-large muted">{escape(text)}</div>'


def layers(names: Sequence[str], totals: Sequence[Total], saturations: Sequence[float] | None) -> str:
    """A bar of +1, −1 and 0 for each layer, with the numbers."""
    flips = any(total.flips is not None for total in totals)
    zeros = any(total.zero for total in totals)
    heads = ["", "share of +1 and −1", "+1"]
    heads += ["off"] * zeros + ["flipped"] * flips + ["saturation"] * (saturations is not None)
    known = [None] * len(totals) if saturations is None else saturations
    rows = "".join(map(_layer, names, totals, known, [zeros] * len(totals)))
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    return f'<table class="bx bx-layers"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _layer(name: str, total: Total, saturation: float | None, zeros: bool) -> str:
    parts = (("on", total.plus), ("off", total.minus), ("zero", total.zero))
    widths = [(kind, 100 * part / max(1, total.weights)) for kind, part in parts]
    spoken = escape(
        f"{grouped(total.plus)} are +1, {grouped(total.minus)} are {MINUS}1, "
        f"{grouped(total.zero)} are switched off"
    )
    bar = "".join(f'<i class="{kind}" style="width:{width:.2f}%"></i>' for kind, width in widths if width)
    connected = total.plus + total.minus
    cells = [
        f'<td><div class="bar" role="img" aria-label="{spoken}" title="{spoken}">{bar}</div></td>',
        f"<td><b>{words.share(total.plus, connected)}</b> {grouped(total.plus)} of {grouped(connected)}</td>",
    ]
    if zeros:
        cells.append(f"<td><b>{words.share(total.zero, total.weights)}</b> {grouped(total.zero)}</td>")
    if total.flips is not None:
        cells.append(
            f'<td><b class="flip">{words.share(total.flips, total.weights)}</b> {grouped(total.flips)}</td>'
        )
    if saturation is not None:
        cells.append(f"<td><b>{saturation:.2f}</b></td>")
    return f"<tr><th>{escape(name)}</th>{''.join(cells)}</tr>"
