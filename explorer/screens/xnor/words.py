"""The text of the XNOR page: one word, one unit, the same sum from every kernel, and the whole network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bnn_core.kernels import Kernel
from explorer.shared.numbers import MINUS, grouped, plural, signed
from explorer.shared.words import zero_words

UNIT = "Unit"
LABELS = {
    "steps": "Step through the words",
    "back": "Word",
    "back_label": "One word back",
    "forward": "Word",
    "forward_label": "One word on",
    "input": "Input",
    "weight": "Weight",
    "xnor": "XNOR",
    "alike": "alike is +1",
    "cell": "input {input}: {x}, weight {w}: {verdict}",
    "alike_pair": "they agree",
    "unlike_pair": "they differ",
    "apart": "takes no part",
    "counted": "Counted",
    "adds": "this word adds",
    "word": "Word",
    "agree": "agree",
    "so_far": "Sum so far",
    "half": "half",
    "on": "+1",
    "off": f"{MINUS}1",
    "lesson": "No product is formed: two bits are alike, or they differ. Counting the ones of 64 bits is one "
    "instruction. Within a word the first input is at the left: the lowest bit of the number.",
}
"""What no unit changes in the stepper, by the names that its browser part knows."""
TAKES_PART = "Takes part"
KERNEL = "As the kernel counts it"
NETWORK = "The whole network"
NETWORK_HELP = (
    "The colour is the sign of a unit's sum, its bit; faded is the half of each layer that is nearest to 0. "
    "A click on a unit shows its words above."
)
OPERATIONS_NOTE = "word operations: XNOR and popcount, 64 bits each"

_COUNTS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

# Filled in where they are said.
OF_UNITS = "of {units:,}"
ALL_LABEL = "All {words}"
WORD_TITLE = "Word {number} of {words}"
AGREE_LABEL = "{count} agree"
DIFFER_LABEL = "{count} differ"
AGREE_SO_FAR = "agree in {words}"
BIAS_ROW = "bias {bias}"
VOTES_NOTE = "votes for {digit}"
LAYER_AGREES = "all {kernels} × {units:,} integers of this layer agree"
NO_SUCH_WORD = "There is no word {word}: this unit has {words}, and all of them are counted."
FIELD_LABEL = "{name}: the sums of {units}, {on:,} of them at least 0"
UNIT_NAME = "unit {unit}, sum {total}"
OUTPUT_NAME = "digit {unit}, {total} votes"


def spelled(count: int) -> str:
    """three; 12."""
    return _COUNTS[count] if count < len(_COUNTS) else grouped(count)


def word_range(first: int, bits: int) -> str:
    """512 to 575."""
    return f"{first} to {first + bits - 1}" if bits > 1 else str(first)


def word_note(first: int, bits: int, padding: int) -> str:
    """inputs 512 to 575, in bytes of eight."""
    inputs = f"{'inputs' if bits > 1 else 'input'} {word_range(first, bits)}"
    return (
        f"{inputs}; the other {padding} bits are padding: not there"
        if padding
        else f"{inputs}, in bytes of eight"
    )


def telling_note(words: int) -> str:
    """Why this word is shown when all are counted."""
    return "the one that moves the sum most" if words > 1 else "the only one"


def out_label(count: int) -> str:
    """12 take no part."""
    return f"{count} take{'s' if count == 1 else ''} no part"


def zero_key(*, masked: bool, zero_one: bool) -> str:
    """What a hollow cell is, in the key; empty if there are none."""
    return f"0, {zero_words(masked, zero_one)}" if masked or zero_one else ""


def out_note(out: int, inputs: int, *, masked: bool, zero_one: bool) -> str:
    """300 of 1,024 inputs take no part: switched off."""
    verb = "takes" if out == 1 else "take"
    return f"{grouped(out)} of {grouped(inputs)} inputs {verb} no part: {zero_words(masked, zero_one)}"


def word_spoken(number: int, words: int, agree: int, differ: int, out: int, adds: int, total: int) -> str:
    """A word for a screen reader."""
    apart = f", {out_label(out)}" if out else ""
    return (
        f"Word {number} of {words}: {agree} agree, {differ} differ{apart}; it adds {signed(adds)}, "
        f"and the sum so far is {signed(total)}."
    )


def end_spoken(words: int, agree: int, differ: int, bias: int, total: int, outcome: str) -> str:
    """The whole sum for a screen reader."""
    counted = f"All {words} words" if words > 1 else "The only word"
    return f"{counted}: {agree} agree, {differ} differ, bias {signed(bias)}, sum {signed(total)}, {outcome}."


def row_label(number: int, agree: int, differ: int, total: int) -> str:
    """A row for the pointer and the screen reader."""
    return f"Word {number}: {agree} agree, {differ} differ, sum so far {signed(total)}"


def to_come(left: int) -> str:
    """sum so far; 10 words and the bias to come."""
    return (
        f"sum so far; {plural(left, 'word')} and the bias to come" if left else "sum so far; the bias to come"
    )


def bias_term(bias: int) -> str:
    """(−1) after a plus sign; 1."""
    return f"({signed(bias)})" if bias < 0 else str(bias)


def outcome(bit: int) -> str:
    """What a hidden unit's sum becomes, said."""
    return f"so the bit is {'+1' if bit else MINUS + '1'}"


def verdict(unit: int, read: int) -> tuple[str, str]:
    """Whether an output has the most votes."""
    most = "the most votes" if unit == read else f"{read} has more votes"
    return most, f"so the digit is read as {read}"


def ways(count: int, *, finished: bool) -> str:
    """The same sum, four ways; at the end, while words are still to come."""
    number = spelled(count)
    if count == 1:
        return "The sum of the one kernel" if finished else "At the end"
    return f"The same sum, {number} ways" if finished else f"At the end, {number} ways"


def layer_differs(wrong: Mapping[Kernel, int], units: int) -> str:
    """NumPy, XOR and popcount: 3 of 1,024 integers are not the oracle's."""
    return "; ".join(
        f"{kernel.title}: {grouped(count)} of {grouped(units)} integers are not the oracle's"
        for kernel, count in wrong.items()
    )


def kernel_line(base: int, bias: int, cost: int, mismatches: int, total: int) -> str:
    """1024 + (−1) − 2 × 500 = +23."""
    taken = f"{cost} × {mismatches}" if cost != 1 else str(mismatches)
    return f"{base} + {bias_term(bias)} {MINUS} {taken} = {signed(total)}"


def kernel_note(base: int, mismatches: int, *, masked: bool, zero_one: bool) -> str:
    """What the kernel's two numbers are."""
    if zero_one and masked:
        return f"{base} connected weights are +1; XOR finds {mismatches} unlike bits among the connected ones"
    if zero_one:
        return f"{base} weights are +1; XOR finds {mismatches} unlike bits, absent ones too: it needs no mask"
    if masked:
        return f"{base} are connected; XOR finds the {mismatches} of them that differ"
    return f"XOR finds the {mismatches} that differ: one operation less"


def stage_label(layer: int, layers: int, unit: int) -> str:
    """The stepper for a screen reader."""
    name = f"The output for digit {unit}" if layer == layers else f"Unit {unit} of hidden {layer}"
    return f"{name}, word by word. Arrow left and right step, Home is the first word, End counts all."


def checked(integers: int, kernels: int, *, agree: bool) -> tuple[str, str]:
    """3,082 integers | the same from four kernels."""
    if not agree:
        return plural(integers, "integer"), "✕ not the same from every kernel"
    if kernels == 1:
        return plural(integers, "integer"), "from one kernel"
    return plural(integers, "integer"), f"the same from {spelled(kernels)} kernels"


def layer_checked(kernels: int, *, agree: bool) -> str:
    """✓ four kernels agree."""
    if not agree:
        return "✕ the kernels differ"
    return f"✓ {spelled(kernels)} kernels agree" if kernels > 1 else "from one kernel"


def disagree(layer: str, wrong: Mapping[Kernel, int], units: int) -> str:
    """The kernels do not agree, which must be seen."""
    return f"✕ The kernels do not agree in {layer}. {layer_differs(wrong, units)}."


def told_wrong(total: int, told: Sequence[int]) -> str:
    """This page and the kernels do not agree on a unit."""
    others = ", ".join(signed(value) for value in told)
    return f"✕ This page counts {signed(total)}, the kernels count {others}. One of them is wrong."


def operations(count: int) -> tuple[str, str]:
    """16,384 | word operations."""
    return grouped(count), "word operation" if count == 1 else "word operations"


def units_by_words(units: int, words: int) -> str:
    """1,024 units × 16 words."""
    return f"{plural(units, 'unit')} × {plural(words, 'word')}"
