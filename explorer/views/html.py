"""Small pieces of HTML for numbers and text beside the pictures; everything from outside is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from bnn_core.bench import Cost
from explorer import words
from explorer.speed import Speed
from explorer.views.numbers import duration, energy, grouped, signed, size, times
from explorer.views.watch import Reading, Sum


def head(title: str, note: str = "") -> str:
    """A section's head, with a note in small grey."""
    small = f" <small>{escape(note)}</small>" if note else ""
    return f'<div class="bx bx-head">{escape(title)}{small}</div>'


def caption(strong: str, text: str) -> str:
    """100 of 784 are +1: a number in the colour of +1, then words."""
    return f'<div class="bx muted"><span class="on">{escape(strong)}</span> {escape(text)}</div>'


def legend(zero: bool, *, absent: bool = False) -> str:
    """The squares of +1 and −1, and of switched-off connections and absent inputs where there are any."""
    off = words.zero_words(zero, absent)
    names = [("on", "+1"), ("off", "−1")] + ([("zero", f"0, {off}")] if off else [])
    keys = "".join(
        f'<span class="bx-key"><i class="{name}"></i>{escape(text)}</span>' for name, text in names
    )
    return f'<div class="bx muted bx-legend">{keys}</div>'


def arithmetic(value: Sum, variant: str, *, absent: bool = False) -> str:
    """405 − 379 − 1 = +25, one number a line; `absent`: inputs of 0 take no part."""
    verdict, bit = words.sum_words(value.total, value.bit)
    rows = [
        (
            f'<b class="on">{grouped(value.agree)}</b>',
            f'bits {_explained("agree")} <span class="muted">({_explained("popcount")})</span>',
            "",
        ),
        (f'<b class="off">{signed(-value.differ)}</b>', f"bits {_explained('differ')}", ""),
        (
            f'<b class="{"on" if value.bias >= 0 else "off"}">{signed(value.bias)}</b>',
            escape(words.bias_words(variant)),
            "",
        ),
        (
            f"<b>{signed(value.total)}</b>",
            f'<b>{escape(verdict)} <span class="{"on" if value.bit else "off"}">{bit}</span></b>',
            ' class="total"',
        ),
    ]
    body = "".join(f"<tr{style}><td>{number}</td><td>{text}</td></tr>" for number, text, style in rows)
    word = "take no part" if absent else "switched off"
    said = words.OFF_INPUTS if absent else words.OFF_CONNECTIONS
    off = (
        f'<div class="muted">{grouped(value.off)} {escape(said)} {_explained(word)}</div>'
        if value.off
        else ""
    )
    return f'<div class="bx bx-sum"><table role="presentation">{body}</table>{off}</div>'


def _explained(word: str) -> str:
    """A word of the glossary, with what it means when the pointer rests on it."""
    return f'<span title="{escape(words.GLOSSARY[word])}">{escape(word)}</span>'


def answer(read: Reading, true: int | None, real: int | None) -> str:
    """The digit that was read, large; right or wrong; votes ahead; the float network's answer."""
    if true is None:
        verdict = ""
    elif true == read.label:
        verdict = '<div class="verdict">✓ right</div>'
    else:
        verdict = f'<div class="verdict wrong">✕ wrong</div><div class="truth">It is a {true}.</div>'
    strong, rest = words.ahead_words(read.ahead, read.second)
    lines = f"<div><b>{escape(strong)}</b> {escape(rest)}</div>"
    if real is not None:
        lines += f"<div>Float network: <b>{real}</b></div>"
    spoken = escape(words.answer_spoken(read.label, true, read.ahead, read.second))
    return (
        f'<div class="bx bx-answer" role="status" aria-label="{spoken}">'
        f'<div class="digit">{read.label}</div>'
        f'<div class="says">{verdict}<div class="muted">{lines}</div></div></div>'
    )


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


def strip(value: Cost, speed: Speed | None, *, busy: bool = False) -> str:
    """Time, memory, operations and energy of the bitwise network beside float32, as pairs of bars.

    Args:
        speed: None as long as it is being measured.
        busy: whether it waits for a training run to end.
    """
    if speed is None:
        waits = words.AFTER_TRAINING if busy else words.MEASURING
        time = _pair("Time", None, "", (0, waits), (0, "float32"))
    else:
        time = _pair(
            "Time",
            speed.ratio,
            "faster",
            (speed.bit_us, duration(speed.bit_us)),
            (speed.float_us, f"{duration(speed.float_us)} in {words.BASELINES[speed.baseline]}"),
        )
    memory = _pair(
        "Memory",
        value.float_bytes / value.bit_bytes,
        "smaller",
        (value.bit_bytes, size(value.bit_bytes)),
        (value.float_bytes, f"{size(value.float_bytes)} in float32"),
    )
    operations = _pair(
        "Operations",
        value.float_operations / value.bit_operations,
        "fewer",
        (value.bit_operations, f"{grouped(value.bit_operations)} XNOR + popcount"),
        (value.float_operations, f"{grouped(value.float_operations)} multiply + add"),
    )
    power = _pair(
        "Energy",
        value.float_picojoules / value.bit_picojoules,
        "less",
        (value.bit_picojoules, energy(value.bit_picojoules)),
        (value.float_picojoules, f"{energy(value.float_picojoules)} in float32"),
    )
    title = (
        f'<div class="name" title="{escape(words.STRIP_HELP)}">'
        f'<div class="bx-head">{escape(words.STRIP)}</div>'
        f'<div class="muted"><span class="bx-explained">{escape(words.STRIP_NOTE)}</span></div></div>'
    )
    return f'<div class="bx bx-strip">{title}{time}{memory}{operations}{power}</div>'


def _pair(
    title: str, ratio: float | None, word: str, bits: tuple[float, str], real: tuple[float, str]
) -> str:
    """A ratio, and the two amounts behind it as bars of one scale; a dash if it is not known yet."""
    number, short, long = "\N{EN DASH}", "", ""
    if ratio is not None:
        number = times(ratio)
        short = f'<i style="width:max(2px, {100 * bits[0] / real[0]:.1f}%)"></i>'
        long = '<i style="width:100%"></i>'
    return (
        f'<div class="pair"><div class="ratio"><span class="muted">{escape(title)}</span>'
        f'<span class="times">{number}</span> {escape(word)}</div>'
        f'<div class="bar bit"><span>{short}</span><b>{escape(bits[1])}</b></div>'
        f'<div class="bar float muted"><span>{long}</span>{escape(real[1])}</div></div>'
    )


def note(text: str) -> str:
    """A sentence that must be seen."""
    return f'<div class="bx bx-note" role="status">{escape(text)}</div>'
