"""What several pages say: names of layers, networks and moments, the choice of a digit, what cannot be shown.

A caption is one line: what is seen, then what it means. British spelling; bit, agree, differ, votes; "read
as". What is only filled in is a template; what has to choose is a function.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from bnn_core.datasets.features import USUAL
from bnn_core.presets import PRESETS
from explorer.shared.numbers import grouped, percent, plural, signed

APP = "Bitwise Explorer"
ABOUT = (
    "Bitwise neural networks, trained and explained bit by bit. The method is Kim & Smaragdis, "
    "*Bitwise Neural Networks*, 2016. Everything runs on this machine; nothing leaves it."
)

# Controls
MODEL = "Network"
MOMENT = "Moment of training"
LAYER = "Layer"
ORDER = "Order of units"
ORDER_NAMES = {"digit": "by digit", "trained": "as trained"}
ORDER_HELP = "By digit: each unit is placed by the digit that it answers to most. As trained: as they came."
READ_AS = "Read as"
BIASES = {"strict": "bias, one bit", "threshold": "threshold, one integer"}
"""What is added to a unit's votes, by variant."""

# The choice of a digit
DRAWN = "drawn here"
UPLOADED = "a picture of yours"
PAD = {"draw": "Draw", "clear": "Clear", "hint": "Draw a digit here"}
PAD_MORE = {"more": "More…"}
PAD_LABEL = "The digit to read. Draw another one with the pointer."
SEARCH_KINDS = {"all": "in order", "hardest": "hardest, still right", "misread": "misread"}
SEARCH_CLASS = "Class"
SEARCH_KIND = "Which"
SEARCH_INDEX = "Test digit number"
ANY_CLASS = "any"
CHOOSE = "Choose a digit"
WAYS = {"set": "Test digits", "draw": "Draw one", "upload": "Bring a picture"}
DRAW_HINT = "Draw over it: any digit, any size. It is centred and thinned as MNIST's digits were."
SHOW_IT = "Show it"
UPLOAD_LABEL = "A digit as PNG or JPEG"
UPLOAD_NOTE = (
    "Dark on light or light on dark, one digit in the picture. It stays on this machine; "
    "it is centred and thinned as MNIST's digits were."
)
NO_MATCH = "No test digit is like that."

# Sentences for what cannot be shown
NO_NETWORK = "There is no trained network here yet. The Train page makes one in half a minute."
BROKEN_NETWORK = "This network cannot be shown: {reason}"
OTHER_DIGITS = "it reads other pictures than MNIST's digits (its layers are {sizes})."
BLANK = "The drawing holds too little ink to be read."

# Filled in where they are said.
FIELD_LABEL = "{name}: {units:,} bits, {on:,} are +1. Arrow keys choose a unit."
NO_SUCH_MOMENT = "This network has no snapshot {at}, so this is the last one."
SEARCH_PAGE = "Page of {pages:,}"


def network_name(sizes: Sequence[int], variant: str, features: str = USUAL) -> str:
    """3 × 1024, strict; features other than the usual ones are named."""
    hidden = list(sizes[1:-1])
    shape = f"{len(hidden)} × {hidden[0]}" if len(set(hidden)) == 1 else "-".join(map(str, hidden))
    return f"{shape}, {variant}" + ("" if features == USUAL else f", {features}")


def layer_name(layer: int, layers: int | None = None) -> str:
    """Input; Hidden 2; Output, which is the last of so many layers."""
    if layer == 0:
        return "Input"
    return "Output" if layer == layers else f"Hidden {layer}"


def layer_choices(hidden: int, *, output: bool) -> dict[int, str]:
    """Hidden 1, Hidden 2, Output; or Hidden 1, 2, ... 8, Output where there are many."""
    names = {layer: layer_name(layer, hidden + 1) for layer in range(1, hidden + 1 + output)}
    return names if hidden <= 4 else names | {layer: str(layer) for layer in range(2, hidden + 1)}


def moment_name(phase: int, epoch: int, step: int, *, last: bool = False, live: bool = False) -> str:
    """Phase 2, epoch 8; what was taken before an epoch was over carries its step."""
    if phase == 0:
        return "finished"
    name = f"Phase {phase}, " + (f"epoch {epoch}" if epoch else f"step {step}")
    return f"{name}, {'now' if live else 'the last'}" if last else name


def order_caption(order: str, read: int, true: int | None) -> str:
    """What the place of a unit means, and what the brackets mark."""
    if order != "digit":
        return "Units lie as they were trained: their places mean nothing, only their bits do."
    marked = f"the {read}s" if true is None or true == read else f"the {read}s and, in grey, the {true}s"
    return (
        "Units are placed by the digit that they answer to most, 0 at the top and 9 at the bottom. "
        f"The brackets mark {marked}."
    )


def ahead_words(ahead: int, second: int) -> tuple[str, str]:
    """396 | votes ahead of 5; a tie is said."""
    if ahead == 0:
        return "Level", f"with {second}: the lower digit wins"
    return grouped(ahead), f"{'vote' if ahead == 1 else 'votes'} ahead of {second}"


def bars_label(sums: Sequence[int]) -> str:
    """The bars for a screen reader."""
    return "Votes: " + ", ".join(f"{label}: {signed(value)}" for label, value in enumerate(sums))


def entry_name(name: str, sizes: Sequence[int], variant: str, features: str, test_error: float | None) -> str:
    """talk: 2 × 512, strict, 2.42 % test error; a run goes by its preset and time."""
    error = "no test error yet" if test_error is None else f"{percent(test_error)} test error"
    return f"{run_name(name)}: {network_name(sizes, variant, features)}, {error}"


def run_name(run: str) -> str:
    """Quick, 23 Nov 10:15: from an id like 20261123-101502-quick-3f2a; other ids are as they are."""
    found = re.fullmatch(r"(\d{8}-\d{6})-(.+)-[0-9a-f]{4}", run)
    if found is None:
        return run
    try:
        when = datetime.strptime(found[1], "%Y%m%d-%H%M%S")
    except ValueError:
        return run
    name = found[2].removesuffix("-branch")
    title = PRESETS[name].title if name in PRESETS else name
    branch = ", branch" if name != found[2] else ""
    return f"{title}{branch}, {when.day} {when:%b %H:%M}"


def no_such_unit(layer: int, unit: int, hidden: Sequence[int]) -> str:
    """The URL names a unit that the network does not have."""
    units = ", ".join(f"hidden {number} has {count}" for number, count in enumerate(hidden, start=1))
    return f"There is no unit {unit} in hidden {layer} ({units}), so the page has picked one."


def article(label: int) -> str:
    """A, or an 8."""
    return "an" if label == 8 else "a"


def digit_note(index: int, label: int) -> str:
    """test digit 90, a 3."""
    return f"test digit {index}, {article(label)} {label}"


def zero_words(switched_off: bool, absent: bool) -> str:
    """What a hollow cell is; empty if there are none."""
    return " or ".join(["switched off"] * switched_off + ["absent"] * absent)


def thumb_caption(group: str, label: int, read: int, margin: int) -> str:
    """Under a small digit: its class, by how many votes it is right, or what it was read as."""
    if read != label:
        return f"✕ {label} → {read}"
    return f"by {margin}" if group == "gallery_hardest" else str(label)


def thumb_name(index: int, label: int, read: int, margin: int) -> str:
    """A small digit for the pointer and the screen reader."""
    verdict = f"read right, {plural(margin, 'vote')} ahead" if read == label else f"misread as {read}"
    return f"Test digit {index}, {article(label)} {label}, {verdict}"
