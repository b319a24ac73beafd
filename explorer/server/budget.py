"""The most training that a run may be expected to take, for a machine that strangers use. Pure.

`BNN_BUDGET` is a number of seconds; without it there is no limit. What a run will take is estimated from its
size, on the two cores that the presets were timed on; another machine may be faster or slower.
"""

from __future__ import annotations

import math
import os
from itertools import pairwise

from bnn_core.config import RunConfig
from bnn_core.datasets.features import input_count
from bnn_core.errors import InputError

VARIABLE = "BNN_BUDGET"
DIGITS = 50_000
"""Training digits where the configuration names none."""

SIDE, CLASSES = 28, 10

_NARROW = "\N{NARROW NO-BREAK SPACE}"
_WEIGHT_SECONDS = 1.15e-10
_STEP_SECONDS = 8e-4
"""What one weight costs a digit, and what a step costs beside; from the presets' times."""
_NUDGE = 2.0
"""How many times longer a step takes that learns from nudged inputs, too."""


def expected_seconds(config: RunConfig) -> float:
    """How long training takes, roughly."""
    inputs = input_count(config.data.features, SIDE)
    weights = sum(a * b for a, b in pairwise((inputs, *config.network.hidden, CLASSES)))
    digits = config.data.train_digits or DIGITS
    seconds = 0.0
    for phase in (config.phase1, config.phase2):
        steps = -(-digits // phase.batch)
        seconds_an_epoch = digits * weights * _WEIGHT_SECONDS + steps * _STEP_SECONDS
        seconds += phase.epochs * seconds_an_epoch * (_NUDGE if phase.nudge else 1)
    return seconds


def allowed_seconds() -> float | None:
    """The machine's limit, None without one; raises InputError for one that is no number."""
    text = os.environ.get(VARIABLE, "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise InputError(
            f"{VARIABLE} is {text[:40]!r}, which is no number of seconds, so nothing can be trained here."
        )
    return seconds


def check(config: RunConfig) -> None:
    """Raises InputError, one sentence, if the run would take more than the machine allows."""
    allowed, expected = allowed_seconds(), expected_seconds(config)
    if allowed is not None and expected > allowed:
        raise InputError(
            f"This run would take about {duration(expected)}, and this machine allows {duration(allowed)}"
            f" a run ({VARIABLE}): fewer epochs, training digits or units would fit."
        )


def duration(seconds: float) -> str:
    """20 s, 3 min, 1 h 20 min, with narrow spaces that do not break."""
    if seconds < 99.5:
        return f"{seconds:.0f}{_NARROW}s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes}{_NARROW}min"
    return f"{minutes // 60}{_NARROW}h {minutes % 60}{_NARROW}min"
