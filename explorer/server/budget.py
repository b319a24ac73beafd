"""The most training that a run may be expected to take, for a machine that strangers use.

`BNN_BUDGET` is a number of seconds; without it there is no limit. What a run will take is estimated from its
size and from what is left of it, on the two cores that the presets were timed on; another machine may be
faster or slower.
"""

from __future__ import annotations

import math
import os
from itertools import pairwise
from pathlib import Path

from bnn_core.config import RunConfig
from bnn_core.datasets.features import input_count
from bnn_core.errors import InputError
from bnn_core.runs.checkpoints import Position, nearest
from bnn_core.runs.folder import RunFolder
from bnn_core.runs.past import Moment
from bnn_core.runs.recompute import START

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


def expected_seconds(config: RunConfig, done: Position = START) -> float:
    """How long training takes, roughly, from there on."""
    inputs = input_count(config.data.features, SIDE)
    weights = sum(a * b for a, b in pairwise((inputs, *config.network.hidden, CLASSES)))
    digits = config.data.train_digits or DIGITS
    seconds = 0.0
    at, epoch, step = done
    for number, phase in ((1, config.phase1), (2, config.phase2)):
        steps = -(-digits // phase.batch)
        seconds_an_epoch = digits * weights * _WEIGHT_SECONDS + steps * _STEP_SECONDS
        over = epoch + step / steps if number == at else phase.epochs if number < at else 0
        seconds += max(0, phase.epochs - over) * seconds_an_epoch * (_NUDGE if phase.nudge else 1)
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


def check(config: RunConfig, done: Position = START) -> None:
    """Raises InputError, one sentence, if what is left of a run would take more than the machine allows."""
    allowed, expected = allowed_seconds(), expected_seconds(config, done)
    if allowed is not None and expected > allowed:
        raise InputError(
            f"{'This run' if done == START else 'What is left of this run'} would take about"
            f" {duration(expected)}, and this machine allows {duration(allowed)} a run ({VARIABLE}): fewer"
            " epochs, training digits or units would fit."
        )


def check_branch(config: RunConfig, parent: Path, moment: Moment) -> None:
    """:func:`check` of a branch, which trains from the parent's nearest kept checkpoint on."""
    if allowed_seconds() is not None:
        found = nearest(parent, moment)
        check(config, START if found is None else found[1])


def check_resumed(folder: Path) -> None:
    """:func:`check` of a run that goes on from its latest checkpoint; raises InputError if it is none."""
    if allowed_seconds() is not None:
        check_branch(RunFolder(folder).config, folder, Moment(3, 0))


def duration(seconds: float) -> str:
    """20 s, 3 min, 1 h 20 min, with narrow spaces that do not break."""
    if seconds < 99.5:
        return f"{seconds:.0f}{_NARROW}s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes}{_NARROW}min"
    return f"{minutes // 60}{_NARROW}h {minutes % 60}{_NARROW}min"
