"""Watch's numbers as HTML: a unit's arithmetic, the answer, and the strip of costs. Pure."""

from __future__ import annotations

from html import escape

from bnn_core.bench import Cost
from explorer.screens.watch import words
from explorer.server.speed import Speed
from explorer.shared.fields import Ledger, Reading
from explorer.shared.numbers import duration, energy, grouped, signed, size, times
from explorer.shared.words import ahead_words


def arithmetic(value: Ledger, variant: str, *, absent: bool = False) -> str:
    """405 − 379 − 1 = +25, one number a line; `absent`: inputs of 0 take no part."""
    verdict, bit = words.VERDICTS[value.bit]
    rows = [
        (
            f'<b class="on">{grouped(value.agree)}</b>',
            f'bits {_explained("agree")} <span class="muted">({_explained("popcount")})</span>',
            "",
        ),
        (f'<b class="off">{signed(-value.differ)}</b>', f"bits {_explained('differ')}", ""),
        (
            f'<b class="{"on" if value.bias >= 0 else "off"}">{signed(value.bias)}</b>',
            escape(words.BIASES[variant]),
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
        f'<div class="muted">{grouped(value.out)} {escape(said)} {_explained(word)}</div>'
        if value.out
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
    strong, rest = ahead_words(read.ahead, read.second)
    lines = f"<div><b>{escape(strong)}</b> {escape(rest)}</div>"
    if real is not None:
        lines += f"<div>Float network: <b>{real}</b></div>"
    spoken = escape(words.answer_spoken(read.label, true, read.ahead, read.second))
    return (
        f'<div class="bx bx-answer" role="status" aria-label="{spoken}">'
        f'<div class="digit">{read.label}</div>'
        f'<div class="says">{verdict}<div class="muted">{lines}</div></div></div>'
    )


def strip(value: Cost, speed: Speed | None, *, busy: bool = False) -> str:
    """Time, memory, operations and energy of the bitwise network beside float32, as pairs of bars.

    Args:
        speed: None as long as it is being measured.
        busy: whether it waits for a training run to end.
    """
    if speed is None:
        time = _pair("Time", "", (0, words.AFTER_TRAINING if busy else words.MEASURING), (0, "float32"))
    else:
        baseline = f"{duration(speed.float_us)} in {words.BASELINES[speed.baseline]}"
        time = _pair("Time", "faster", (speed.bit_us, duration(speed.bit_us)), (speed.float_us, baseline))
    bits, floats = value.bit_bytes, value.float_bytes
    memory = _pair("Memory", "smaller", (bits, size(bits)), (floats, f"{size(floats)} in float32"))
    xnors = (value.bit_operations, f"{grouped(value.bit_operations)} XNOR + popcount")
    products = (value.float_operations, f"{grouped(value.float_operations)} multiply + add")
    operations = _pair("Operations", "fewer", xnors, products)
    ours, theirs = value.bit_picojoules, value.float_picojoules
    power = _pair("Energy", "less", (ours, energy(ours)), (theirs, f"{energy(theirs)} in float32"))
    title = (
        f'<div class="name" title="{escape(words.STRIP_HELP)}">'
        f'<div class="bx-head">{escape(words.STRIP)}</div>'
        f'<div class="muted"><span class="bx-explained">{escape(words.STRIP_NOTE)}</span></div></div>'
    )
    return f'<div class="bx bx-strip">{title}{time}{memory}{operations}{power}</div>'


def _pair(title: str, word: str, bits: tuple[float, str], real: tuple[float, str]) -> str:
    """A ratio, and the two amounts behind it as bars of one scale; a dash where they are 0: not known yet."""
    number, short, long = "\N{EN DASH}", "", ""
    if bits[0]:
        number = times(real[0] / bits[0])
        short = f'<i style="width:max(2px, {100 * bits[0] / real[0]:.1f}%)"></i>'
        long = '<i style="width:100%"></i>'
    return (
        f'<div class="pair"><div class="ratio"><span class="muted">{escape(title)}</span>'
        f'<span class="times">{number}</span> {escape(word)}</div>'
        f'<div class="bar bit"><span>{short}</span><b>{escape(bits[1])}</b></div>'
        f'<div class="bar float muted"><span>{long}</span>{escape(real[1])}</div></div>'
    )
