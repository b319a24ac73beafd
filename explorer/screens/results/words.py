"""The words of the Results page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from explorer.shared.numbers import percent

TABLE = "The paper's table, run again"
TABLE_NOTE = "test error, 3 × 1024 hidden units, trained on all 60,000 digits"
TABLE_LEGEND = ("paper, float", "paper, bitwise", "ours, float", "ours, bitwise: a dot a seed")
AXIS = "test error, %"
TABLE_COLUMNS = ("float,|paper", "float,|ours", "bitwise,|paper", "bitwise,|ours")
FOOTNOTE = (
    "The paper's numbers are as commonly cited; 1.33 is confirmed by a later paper's table. Strict: every "
    "bias is one bit. Threshold: one integer a unit, from batch-norm. Constant units: 64 units of each "
    "layer are always on and carry the integers of a threshold network in bits."
)
CHANGES = "What each change does"
CHANGES_NOTE = "test error, 3 × 512 hidden units, trained on 50,000 digits for 10 + 20 epochs"
CHANGES_LEGEND = ("float", "bitwise: a dot a seed")
CHANGES_COLUMNS = ("float", "bitwise", "against|plain")
CHANGES_FOOTNOTE = (
    "Plain: the clipped identity as pseudo-gradient, rates that fall to 0, one-bit biases. Each line makes "
    "one change; the last makes the three that it names. On 10,000 test digits, a few tenths of a point may "
    "be chance."
)
CURVES = "What the settings do"
CURVES_NOTE = "test error of 2 × 256 networks, each a run of half a minute, a dot a seed"
DAMAGE = "What noise in training buys: broken bits"
DAMAGE_NOTE = "test error when a share of the bits is turned round at random"
HOW = "Every number comes from a run that you can repeat: python -m bnn_core reproduce"
NONE = "No results are kept here yet: python -m bnn_core reproduce makes them."
REAL = "real, phase 1"
NAIVE = "binarised naively"
BITWISE = "bitwise"


@dataclass(frozen=True)
class Axis:
    """How a curve's setting is drawn and named.

    Attributes:
        name: below the axis. short: in a sentence. broken: below the axis of broken bits.
        log: whether its values are drawn by their logarithm.
        percents: whether they are shares.
        naive: whether the naive binarisation is a part of the story.
        ticks: values that are named; all if None.
        lines: amounts of noise in training whose networks are broken on purpose; all if None.
    """

    name: str
    short: str
    broken: str = ""
    log: bool = False
    percents: bool = False
    naive: bool = False
    ticks: tuple[float, ...] | None = None
    lines: tuple[float, ...] | None = None

    def place(self, value: float) -> float:
        """Where a value lies on the axis."""
        return math.log2(value) if self.log else value

    def text(self, value: float) -> str:
        """50 %, 16."""
        return percent(100 * value, 0) if self.percents else f"{value:g}"


AXES = {
    "sparsity": Axis("sparsity λ: weights switched off", "λ", percents=True, ticks=(0.0, 0.2, 0.4, 0.6, 0.8)),
    "gain": Axis("compression gain k at the end of phase 1", "k", log=True, naive=True),
    "width": Axis("units of each hidden layer", "units", log=True),
    "weight-flips": Axis(
        "weight bits flipped in training", "flipped", "weight bits broken afterwards",
        percents=True, ticks=(0.0, 0.05, 0.1), lines=(0.0, 0.02, 0.1),
    ),
    "hidden-flips": Axis(
        "hidden bits flipped in training", "flipped", percents=True, ticks=(0.0, 0.05, 0.1, 0.15)
    ),
    "input-flips": Axis(
        "input bits flipped in training", "flipped", "input bits broken afterwards",
        percents=True, ticks=(0.0, 0.05, 0.1, 0.15), lines=(0.0, 0.05, 0.15),
    ),
}  # fmt: skip
"""By group of experiments, in the page's order."""

HEADS = {
    "sparsity": "Switch weights off",
    "gain": "Press weights to ±1 in phase 1",
    "width": "Make it wider",
    "weight-flips": "Flip weights while training",
    "hidden-flips": "Flip hidden bits while training",
    "input-flips": "Flip input bits while training",
}


def trained_with(value: float) -> str:
    """Which noise a network was trained with."""
    return "no noise" if value == 0 else f"trained at {percent(100 * value, 0)}"


def sparsity_said(none: float, half: float, most: float, share: float) -> str:
    """How much can be switched off."""
    verdict = "Half of the weights are free" if half - none < 0.3 else "Half of the weights cost"
    return (
        f"{verdict}: {percent(none)} with all of them, {percent(half)} with half,"
        f" {percent(most, 1)} with {percent(100 - 100 * share, 0)} of them."
    )


def gain_said(naive: Sequence[float], bitwise: Sequence[float]) -> str:
    """The trade-off of compression: from the smallest gain to the largest."""
    return (
        f"Pressed weights lose less when they are cut to bits: {percent(naive[0], 0)} becomes"
        f" {percent(naive[1], 0)}. But phase 2 repairs both, and better from soft weights:"
        f" {percent(bitwise[0], 1)} against {percent(bitwise[1], 1)}."
    )


def width_said(first: float, last: float, narrow: float, wide: float) -> str:
    """What width buys."""
    return (
        f"From {first:g} to {last:g} units the error falls from {percent(narrow, 1)} to {percent(wide, 1)}."
    )


def noise_said(what: str, none: float, most: float, share: float) -> str:
    """What noise in training costs on whole digits."""
    cost = most - none
    if cost < 0.15:
        return f"Training with {percent(100 * share, 0)} of the {what} flipped costs next to nothing here."
    flipped = percent(100 * share, 0)
    return f"On whole bits it costs: {percent(none, 1)} without, {percent(most, 1)} with {flipped}."


def damage_said(rate: float, plain: float, noisy: float, share: float, what: str) -> str:
    """What noise in training buys when bits break."""
    if noisy < plain:
        return (
            f"With {percent(100 * rate, 0)} of the {what} broken, a network trained without noise errs in"
            f" {percent(plain, 0)}, one trained at {percent(100 * share, 0)} in {percent(noisy, 0)}."
        )
    return (
        f"Noise in training does not help here: {percent(noisy, 0)} against {percent(plain, 0)} with"
        f" {percent(100 * rate, 0)} of the {what} broken."
    )
