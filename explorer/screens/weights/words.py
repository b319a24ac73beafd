"""The Weights page's words: heads, captions, what each order means, and what a comparison shows."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.shared.numbers import MINUS, grouped, percent
from explorer.shared.planes import Total
from explorer.shared.words import layer_name

SORT = "Sort units"
SORT_NAMES = {
    "digit": "by digit",
    "balance": "by balance",
    "use": "by use",
    "alike": "alike",
    "trained": "as trained",
}
SORT_HELP = (
    "By digit: the digit that a unit answers to most. By balance: the share of +1 among its connected "
    "weights. By use: how often it is on over 5,000 training digits. Alike: neighbours have alike weights. "
    "As trained: as they came. The end of the run decides, so that units keep their places in time."
)
SORTED = {
    "digit": "by digit",
    "balance": "by balance, most +1 first",
    "use": "by use, the most often on first",
    "alike": "so that neighbours are alike",
    "trained": "as trained",
}
AXES = {
    "digit": "0 → 9",
    "balance": "most +1 → least",
    "use": "most often on → least",
    "alike": "alike beside alike",
    "trained": "as trained",
}
"""Above a matrix's columns, where the ten digits do not stand there."""
VERSUS = "Compare with"
NO_VERSUS = "nothing"
OWN_VERSUS = "another moment of this run"
VERSUS_MOMENT = "Moment to compare with"
EVERY = "Every bit"
EVERY_HELP = "The chosen layer's whole matrix, a pixel or more for each weight. A click chooses the unit."
ALL_LAYERS = "All layers"
AT_WORK = "Show it at work on the XNOR page ›"
FIRST = f"{layer_name(1)}: what each unit looks for"
SATURATION_NOTE = (
    "Saturation: the mean size of the real weights at the end of phase 1, "
    f"1 where compression has pressed all of them to {MINUS}1 or +1."
)
BARS_HEAD = {False: ("How often it is ", "+1", ", by digit"), True: ("How often it wins, by digit", "", "")}
"""Whether of an output; the middle part is in the colour of +1."""
PLACES_NOTE = "Units keep the places that they have at the end of the run."
NO_READERS = "Its sum is compared with the nine others: the most votes win."
CELLS_NOTE = "All of its weights:"
SAME_NETWORK = "Both are the same moment of the same run, so nothing has flipped."

# Filled in where they are said.
NO_SUCH_LAYER = (
    "There is no layer {layer}: this network has {layers}, the output included, so this is the first."
)
SHOWN_NOTE = "{shown:,} of {units:,} units."
LIT_NOTE = "Lit: weights that differ from {other}."
TEMPLATES_LABEL = "First-layer weights of {units:,} units as pictures. Arrow keys move, Enter chooses a unit."
OUTPUT_LABEL = "The weights of the {classes} sums. Arrow keys move, Enter chooses one."
CONSTANTS_NOTE = (
    "Plain bands: {units} units of each layer are always on; their votes are the others' thresholds."
)
MATRIX_HEAD = "{layer}: {weights:,} weights"
MATRIX_LABEL = (
    "{layer}: {rows:,} × {columns:,} weights as dots. Arrow keys move the frame whose bits stand beside it."
)
EVERY_LABEL = "{layer}: {rows:,} × {columns:,} weight bits. Arrow keys choose a weight, and its unit."
FRAME_NOTE = "The frame, {rows} × {columns} weights:"
LENS_LABEL = "The frame: {rows} × {columns} weight bits. Arrow keys choose a weight, and its unit."
FRAMED = "{name}, framed:"
DETAIL_LABEL = "{name}: its weights"
OF_DIGITS = "of {digits:,} training digits"
OTHER_FEATURES = (
    "{name} reads {features} features, this network {shown}: the first layer's flips compare weights "
    "of different inputs."
)
BROKEN_VERSUS = "{name} cannot be compared with: {reason}"
VERSUS_GONE = "{name} is gone, so nothing is compared."
NO_VERSUS_MOMENT = "{name} has no snapshot {at} to compare with, so this is its last one."


def unit_name(layer: int, unit: int, hidden: int) -> str:
    """Unit 778 of hidden 1; The sum for 3."""
    return f"Unit {unit} of hidden {layer}" if layer <= hidden else f"The sum for {unit}"


def no_such_unit(layer: int, unit: int, sizes: Sequence[int]) -> str:
    """The URL names a unit, or a layer, that the network does not have."""
    hidden = len(sizes) - 2
    name = layer_name(layer, hidden + 1).lower()
    wanted = f"unit {unit} in {name}" if layer <= hidden + 1 else f"layer {layer}"
    has = [f"hidden {number} has {count}" for number, count in enumerate(sizes[1:-1], start=1)]
    has.append(f"the output has {sizes[-1]}")
    return f"There is no {wanted} ({', '.join(has)}), so the page has picked one."


# Templates


def first_note(inputs: int, sort: str, *, down: bool, planes: int) -> str:
    """What a template is, and what its place means."""
    two = ", high bits beside low bits" if planes == 2 else ""
    place = {
        "digit": f"{'Row' if down else 'Column'}: the digit that it answers to most, strongest first",
        "balance": "Below: the share of +1, most first",
        "use": "Below: how often it is on, most first",
        "alike": "Neighbours are alike; below: weights that differ from the one before",
        "trained": "As trained; below: the unit's number",
    }[sort]
    return f"{grouped(inputs)} weight bits a unit{two}. {place}"


def rare_note(planes: int) -> str:
    """What is faded."""
    what = "pixels that are ink" if planes == 1 else "input bits that are on"
    return f"Faded: {what} in under 1 % of the digits; noise to the eye, though they count."


def template_name(unit: int, total: Total, *, band: str) -> str:
    """A template for the pointer and the screen reader."""
    answers = f", answers most to {band}" if band else ""
    plus = f"{grouped(total.plus)} of {grouped(total.weights)} weights are +1"
    minus = f", {grouped(total.minus)} {MINUS}1"
    off = f", {grouped(total.zero)} off" if total.zero else ""
    lit = "" if total.flips is None else f"; {grouped(total.flips)} flipped"
    return f"Unit {unit}{answers}: {plus}{minus}{off}{lit}"


# Matrices


def before_name(layer: int) -> str:
    """What a layer reads: the input bits, or the units of the layer before."""
    return "the input bits" if layer == 1 else f"the units of hidden {layer - 1}"


def matrix_note(layer: int, sort: str) -> str:
    """What rows and columns are."""
    if layer == 1:
        return f"rows: its units, placed {SORTED[sort]}; columns: the input bits as they come"
    return f"rows: its units; columns: {before_name(layer)}; both placed {SORTED[sort]}"


def output_note(layer: int, sort: str) -> str:
    """What the ten pictures of the output layer are."""
    return f"what each digit's sum adds up: its weight bits on {before_name(layer)}, placed {SORTED[sort]}"


def dots_note(dots: int, flips: bool) -> str:
    """What a dot is."""
    what = "their mean sign; flips as their share" if flips else "their mean sign"
    return f"Each dot: {dots * dots} weights, {what}. Click a place to see its bits, a bit to see its unit."


def every_note(layer: int, pitch: int, sort: str) -> str:
    """What a cell of the whole matrix is."""
    size = "one pixel" if pitch == 1 else f"{pitch} × {pitch} pixels"
    return f"each weight {size}; {matrix_note(layer, sort)}; a click chooses the unit"


def row_name(layer: int, unit: int, hidden: int) -> str:
    """A row of a matrix: its unit."""
    return f"unit {unit}" if layer <= hidden else f"the sum for {unit}"


def column_name(layer: int, number: int) -> str:
    """A column of a matrix: what it reads."""
    return f"reads input bit {number}" if layer == 1 else f"reads unit {number} of hidden {layer - 1}"


# One unit


def detail_note(layer: int) -> str:
    """How its weights lie."""
    return "its weights as a picture" if layer == 1 else f"its weights on hidden {layer - 1}"


def bar_name(label: int, on: int, digits: int, *, output: bool) -> str:
    """A bar for the pointer."""
    what = "wins" if output else "on"
    return f"{label}: {what} for {grouped(on)} of {grouped(digits)} digits"


def readers(layer: int, hidden: int, units: int, plus: int, minus: int, zero: int) -> str:
    """How the next layer reads it."""
    following = f"units of hidden {layer + 1}" if layer < hidden else "sums"
    off = f", {grouped(zero)} not at all" if zero else ""
    return (
        f"Of the {grouped(units)} {following}, {grouped(plus)} read it as it is, "
        f"{grouped(minus)} inverted{off}."
    )


def share(part: int, whole: int, digits: int = 1) -> str:
    """50.1 %."""
    return percent(100 * part / whole, digits) if whole else percent(0, digits)


# Comparison


def moment_of(run: str, moment: str, *, same: bool) -> str:
    """Another moment of this run, or of another run."""
    name = moment[:1].lower() + moment[1:]
    return name if same else f"{run}, {name}"


def other_shape(name: str, sizes: Sequence[int], shown: Sequence[int]) -> str:
    """Two networks cannot be laid over each other."""
    theirs, these = ("-".join(map(str, each)) for each in (sizes, shown))
    return (
        f"{name} has other layers ({theirs}) than this network ({these}): "
        "weights can be compared one by one only where the layers are equal."
    )
