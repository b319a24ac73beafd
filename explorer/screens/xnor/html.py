"""The XNOR page's numbers below and beside the network, as HTML; everything from outside is escaped. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from explorer.screens.xnor import words
from explorer.screens.xnor.unit import LayerCheck
from explorer.shared.fields import Field, Reading
from explorer.shared.html import fact, line
from explorer.shared.numbers import grouped
from explorer.shared.words import READ_AS, ahead_words

PITCHES = (5, 6, 7, 8, 9)
"""CSS pixels from one unit's sum to the next."""

_LABELS = 152  # the least that a layer's numbers need below its field
_GAP = 32
_OUTPUT = 444  # the ten sums, the label, the page's margins and a scroll bar


def flow_rules(fields: Sequence[Field]) -> str:
    """CSS that sets `--bx-field`, the largest pitch at which the whole network is one row in the window.

    Args:
        fields: of the hidden layers.
    """
    rules = [f":root {{ --bx-field: {PITCHES[0]}; }}"]
    for pitch in PITCHES[1:]:
        layers = sum(max(_LABELS, round(field.cols * field.scale * pitch)) + _GAP for field in fields)
        rules.append(f"@media (min-width: {layers + _OUTPUT}px) {{ :root {{ --bx-field: {pitch}; }} }}")
    return "\n".join(rules)


def summary(checks: Sequence[LayerCheck]) -> str:
    """3,082 integers, the same from four kernels; 46,240 word operations."""
    integers, operations = sum(check.units for check in checks), sum(check.operations for check in checks)
    strong, rest = words.checked(
        integers, len(checks[0].sums), agree=not any(check.wrong for check in checks)
    )
    tone = "" if not any(check.wrong for check in checks) else ' class="wrong"'
    return (
        f'<div class="bx bx-checked"><span{tone}><b>{escape(strong)}</b>, {escape(rest)}</span>'
        f"<span><b>{grouped(operations)}</b> {escape(words.OPERATIONS_NOTE)}</span></div>"
        + "".join(line(kernel.note) for kernel in checks[0].sums if kernel.note)
    )


def layer_caption(check: LayerCheck, words_each: int) -> str:
    """13,312 word operations, 1,024 units × 13 words; whether the kernels agree on this layer."""
    said = words.layer_checked(len(check.sums), agree=not check.wrong)
    tone = "" if not check.wrong else ' class="wrong"'
    return (
        fact(*words.operations(check.operations))
        + line(words.units_by_words(check.units, words_each))
        + f'<div class="bx muted"><span{tone}>{escape(said)}</span></div>'
    )


def read_as(reading: Reading) -> str:
    """The digit that the sums say."""
    strong, rest = ahead_words(reading.ahead, reading.second)
    return (
        f'<div class="bx bx-label"><div class="bx-head">{escape(READ_AS)}</div>'
        f'<div class="digit">{reading.label}</div>'
        f'<div class="muted"><b>{escape(strong)}</b> {escape(rest)}</div></div>'
    )


def alarm(text: str) -> str:
    """What must not be overlooked: integers that differ."""
    return f'<div class="bx bx-note wrong" role="alert"><b>{escape(text)}</b></div>'
