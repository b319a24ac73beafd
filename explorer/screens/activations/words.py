"""The text of the Activations page: one line a caption, what is seen, then what it means."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.shared.numbers import grouped, percent
from explorer.shared.words import article

CODE = "Code of this digit"
CLASS_CODES = "The code of each class"
CLASS_NOTE = "how often each bit is on among its test digits"
ON_ALL = "on for all"
ON_NONE = "on for none"
ON_HALF = "Pale: on for half, so the bit says nothing."
APART = "Bits that differ"
APART_NOTE = "from each class's code"
APART_CAPTION = (
    "Bits that differ are counted from a class's commonest bits: those that most of its digits have."
)
NEAREST = "Nearest digits"
MATRIX = "Bits between classes"
MATRIX_CAPTION = "The darker, the nearer. Framed: two digits of one class."
PARTING = "How the classes part"
PARTING_NOTE = "bits that differ, in %"
BETWEEN = "two classes"
WITHIN = "one class"
USE = "How the units are used"
USE_HEADS = {"name": "Layer", "strip": "", "never": "never on", "always": "always on", "entropy": "entropy"}
USE_NEVER = "never on"
USE_ALWAYS = "always"
USE_CAPTION = (
    "Bars: units, by how often they are on. "
    "Entropy: 1 bit if on for half of the digits, 0 if it never changes; the mean over the units."
)
MAP = "The map of digits by their codes"
MAP_KIND = "How digits are placed"
MAP_KINDS = {"near": "by neighbours", "flat": "flat"}
MAP_KIND_HELP = (
    "By neighbours: distances along chains of nearest codes (Isomap). "
    "Flat: the two directions in which the codes differ most (principal components)."
)
MAP_WAIT = "The digits are being placed on the map."
MAP_FAILED = "The digits could not be placed on a map: {reason}"
HALF = "half"

# Filled in where they are said.
CLASSES_LABEL = "{layer}: for each class how often each bit is on."
UNIT_NAME = "unit {unit}, on for {share} of all digits"
LAYER_NOTE = "hidden {layer}, {units:,} bits"
NEAREST_NOTE = "of {digits:,} test digits, in hidden {layer}; below: class and bits that differ"
MATRIX_NOTE = "mean over all pairs, of {units:,}"
PARTING_LINE = (
    "Two classes lie {first:.1f}× as far apart as two digits of one class in the input, {last:.1f}× in "
    "the last hidden layer."
)
USE_STRIP = "{name}: of {units} {never:,} are never on, {always:,} always"
USE_NOTE = "counted over {digits:,} test digits"
MAP_LABEL = "{layer}: {count} digits by their codes. Arrow keys go from digit to digit, Enter chooses one."
MAP_NOTE = "{count:,} test digits, {each} of each class; where they are near, few bits differ"


def short_layer_name(layer: int, many: bool) -> str:
    """Input, 1, 2, where layers share a row; In, 1, 2 where they are many."""
    return ("In" if many else "Input") if layer == 0 else str(layer)


def class_caption(label: int, nearest: int, true: int | None) -> str:
    """Under a class's code: the class, and whether it is the nearest or the digit's own."""
    marks = ["nearest"] * (label == nearest) + ["its class"] * (label == true and true != nearest)
    return " ".join([str(label), *marks])


def unit_line(unit: int, best: int, share: float, overall: float, entropy: float) -> tuple[str, str]:
    """Unit 341, framed: | on for 97 % of the 3s and for 30 % of all digits; entropy 0.88 bits."""
    return (
        f"Unit {unit}, framed:",
        f"on for {percent(100 * share, 0)} of the {best}s, its best class, and for "
        f"{percent(100 * overall, 0)} of all digits; entropy {entropy:.2f} bits.",
    )


def apart_caption(nearest: int, distance: int, units: int, true: int | None) -> str:
    """Which class lies nearest, and whether that is the digit's own."""
    said = f"Nearest: the {nearest}s, {grouped(distance)} of {grouped(units)} bits."
    return said if true is None or true == nearest else f"{said} It is {article(true)} {true}."


def apart_label(distances: Sequence[int], units: int) -> str:
    """The bars for a screen reader."""
    rows = ", ".join(f"{label}: {grouped(int(value))}" for label, value in enumerate(distances))
    return f"Of {grouped(units)} bits differ from the code of each class: {rows}"


def nearest_caption(label: int, distance: int, true: int | None) -> str:
    """3 · 41; a digit of another class carries a cross."""
    cross = "✕ " if true is not None and label != true else ""
    return f"{cross}{label} · {grouped(distance)}"


def nearest_name(index: int, label: int, distance: int, units: int) -> str:
    """A near digit for the pointer and the screen reader."""
    return (
        f"Test digit {index}, {article(label)} {label}: {grouped(distance)} of {grouped(units)} bits differ"
    )


def nearest_summary(label: int, count: int, total: int, true: int | None) -> str:
    """11 of 12 are 3s."""
    said = f"{count} of {total} are {label}s"
    return said + (f"; it is {article(true)} {true}." if true is not None and true != label else ".")


def bits(mean: float, largest: float) -> str:
    """321; 3.4 where the largest number beside it is below 100."""
    return f"{mean:.0f}" if largest >= 100 else f"{mean:.1f}"


def pair_line(a: int, b: int, distance: float, largest: float) -> str:
    """Nearest to each other: 4 and 9, 321 bits."""
    return f"Nearest to each other: {a} and {b}, {bits(distance, largest)} bits."


def parted(ratio: float) -> str:
    """2.3×; a dash where no two digits of a class differ."""
    return "–" if ratio != ratio else f"{ratio:.1f}×"


def parting_label(rows: Sequence[tuple[str, float, float]]) -> str:
    """The chart for a screen reader."""
    return "; ".join(
        f"{name}: {percent(within, 1)} of the bits differ in one class, {percent(between, 1)} in two"
        for name, within, between in rows
    )


def panel_note(ratio: float, shown: float | None) -> str:
    """Beside the large map's name: how far the classes have parted, and what a flat map shows of it."""
    part = f"two classes lie {parted(ratio)} as far apart as two digits of one class"
    return part if shown is None else f"{part}; {percent(100 * shown, 0)} of all differences are shown"


def map_caption(strong: int, *, own: bool) -> list[str]:
    """What the map's inks mean, and what the pointer does."""
    return [
        f"Bold: the {strong}s, {'its class' if own else 'as which it is read'}.",
        "Red, with ✕: misread.",
        "Framed: this digit.",
        "Rest on a digit to see it and to find it in every layer; click to choose it.",
    ]
