"""How large the Watch page draws its bits: the largest pitch at which a network's fields fit the window."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.shared.fields import FIELD_ROWS, Field

PITCHES = (4, 5, 6, 7, 8, 9, 10, 12)
"""CSS pixels from one bit to the next."""

_MARGINS = 80  # of the page, left and right, and a scroll bar
_GAP = 38
_BARS = 172
_REST = 620  # height of everything above and below the fields, down to the first gallery row
_SMALLEST_TALL = 8  # up to this pitch only the width counts: a page may scroll


def pitch_rules(first: Field, hidden: Sequence[Field]) -> str:
    """CSS that sets `--bx-field`, the pitch in pixels, by the window's size.

    Args:
        first: the input field.
        hidden: the hidden layers' fields.
    """
    columns = sum(field.cols * field.scale for field in (first, *hidden))
    gaps = _GAP * (len(hidden) + 1)
    rules = [f":root {{ --bx-columns: {columns:g}; --bx-gaps: {gaps}; --bx-field: {PITCHES[0]}; }}"]
    for pitch in PITCHES[1:]:
        query = f"(min-width: {round(columns * pitch) + gaps + _BARS + _MARGINS}px)"
        if pitch > _SMALLEST_TALL:
            query += f" and (min-height: {FIELD_ROWS * pitch + _REST}px)"
        rules.append(f"@media {query} {{ :root {{ --bx-field: {pitch}; }} }}")
    return "\n".join(rules)
