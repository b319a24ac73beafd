"""The words of the Watch page: heads, the arithmetic of one unit, the answer, and the strip of costs."""

from __future__ import annotations

from bnn_core.datasets.features import FEATURES
from explorer.shared.numbers import MINUS, grouped, plural

GLOSSARY = {
    "agree": "Two bits that are alike: their product is +1. XNOR says so without multiplying.",
    "differ": f"Two bits that are not alike: their product is {MINUS}1.",
    "popcount": "How many bits of a word are 1: one instruction of the processor counts 64.",
    "take no part": "Background is 0 in these features, neither +1 nor "
    f"{MINUS}1: it counts for neither side, and so do connections that are switched off.",
    "switched off": f"A connection that is neither +1 nor {MINUS}1: it counts for neither side.",
}
"""Short explanations, shown when the pointer rests on the word."""

DIGIT = "Digit"
UP_CLOSE = "One of these bits up close"
SUMS = "Ten sums"
MOST_VOTES = "Most votes win"
STRIP = "Bitwise or float32?"
STRIP_NOTE = "One digit, on this machine"
STRIP_HELP = (
    "Time: from the pixels to the answer, on one thread, measured here a moment ago; memory and operations "
    "are counted. Energy is that of the arithmetic alone, by Horowitz (ISSCC 2014, 45 nm): 4.6 pJ to "
    "multiply and add in float32; XNOR, popcount and addition of 64 bits are taken for 0.6 pJ."
)
MEASURING = "being measured"
AFTER_TRAINING = "when training is over"
BASELINES = {"torch_float32": "float32, PyTorch", "numpy_float32": "float32, NumPy"}
BIASES = {"strict": "bias, one bit too", "threshold": "threshold, one integer"}
VERDICTS = {1: ("sum ≥ 0, so the bit is", "+1"), 0: ("sum < 0, so the bit is", f"{MINUS}1")}
OFF_CONNECTIONS = "connections are"
OFF_INPUTS = "inputs"

ONE_OF_EACH = "One of each"
HARDEST = "Hardest, still right"
HARDEST_NOTE = "by so many votes"
MISREAD = "Misread"
NONE_MISREAD = "This network misreads none of the test digits."

# Filled in where they are said.
UNIT_NOTE = "unit {unit} of hidden {layer}, framed below"
UNIT_NAME = "unit {unit}"
CLOSE_LABEL = (
    "Unit {unit} of hidden {layer}: its input bits, its weights, and where they agree ({agree} of them)."
)
SEARCH_TITLE = "All {total:,}"


def input_caption(on: int, total: int) -> tuple[str, str]:
    """100 | of 784 are +1."""
    return grouped(on), f"of {grouped(total)} are +1"


def answer_spoken(read: int, true: int | None, ahead: int, second: int) -> str:
    """The answer for a screen reader."""
    verdict = "" if true is None else ", right" if read == true else f", wrong: it is a {true}"
    return f"Read as {read}{verdict}; {plural(ahead, 'vote')} ahead of {second}."


def close_captions(inputs: int, layer: int) -> list[str]:
    """Under the three pictures of a unit up close."""
    if layer == 1:
        return [f"{inputs} input bits", f"its {inputs} weights", "agree or differ"]
    return [f"hidden {layer - 1}", "its weights", "agree or differ"]


def features_note(features: str, threshold: int) -> str:
    """How a pixel becomes bits."""
    return FEATURES[features].note.format(threshold=threshold)
