"""Where a run stands, and what follows from that alone: its batches, its learning rate and its gain."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from bnn_core.config import CompressionConfig, PhaseConfig, RunConfig
from bnn_core.errors import InputError

WARM_UP_STEPS = 100


@dataclass
class Place:
    """Where a run stands: what a checkpoint keeps of it as JSON.

    Attributes:
        phase: 1 or 2; 3 when both are over.
        epoch: epochs of this phase that are over.
        step: steps of this epoch that are over.
        started: whether ``phase_started`` was said.
        loss_sum: cross-entropy of the epoch's digits so far.
        loss_digits: how many they were.
        phase_seconds, epoch_seconds, seconds: of training so far, pauses excluded.
        changes: live settings that were changed, in order: (field, value).
    """

    phase: int = 1
    epoch: int = 0
    step: int = 0
    started: bool = False
    loss_sum: float = 0.0
    loss_digits: int = 0
    phase_seconds: float = 0.0
    epoch_seconds: float = 0.0
    seconds: float = 0.0
    changes: list[tuple[str, Any]] = field(default_factory=list)

    @property
    def loss(self) -> float | None:
        """Mean cross-entropy over the epoch so far; None before its first step."""
        return self.loss_sum / self.loss_digits if self.loss_digits else None

    def spend(self, seconds: float) -> None:
        """Let that much time pass on every clock."""
        self.seconds += seconds
        self.phase_seconds += seconds
        self.epoch_seconds += seconds

    def forget_epoch(self) -> None:
        """Begin the sums and the clock of an epoch anew."""
        self.loss_sum, self.loss_digits, self.epoch_seconds = 0.0, 0, 0.0

    def next_phase(self) -> None:
        """On to the first step of the next phase."""
        self.phase += 1
        self.epoch = self.step = 0
        self.started = False
        self.phase_seconds = 0.0


def least_batch(config: RunConfig, phase: int) -> int:
    """Digits that a step of this phase needs: batch-norm takes its variance from two or more."""
    return 2 if phase > 1 and config.network.batch_norm else 1


def steps_an_epoch(digits: int, batch: int, least: int) -> int:
    """Steps in which an epoch takes that many digits.

    Each takes a batch, the last one all that is left; fewer than ``least`` that would be left join it.
    """
    return max(1, -(-(digits - least + 1) // batch))


def check_batches(config: RunConfig, digits: int) -> None:
    """Raises InputError if some step of a run on so many digits would have too few of them."""
    for phase, planned in ((1, config.phase1), (2, config.phase2)):
        least = least_batch(config, phase)
        for name, came in ((f"phase{phase}.batch", planned.batch), ("data.train_digits", digits)):
            if planned.epochs and came < least:
                raise InputError(
                    f"{name} is {came}: allowed is {least} or more where phase {phase} trains with"
                    " batch-norm, as a threshold network does, and one with constant units."
                )


def share_done(done: int, steps: int) -> float:
    """How much of a phase is over, 0 to 1, after so many of its steps."""
    return done / max(1, steps)


def learning_rate(phase: PhaseConfig, done: int, steps: int) -> float:
    """The rate of a phase's next step.

    It rises over the first steps, and from its peak follows half a cosine down to 0, if it decays.

    Args:
        phase: its peak and its decay.
        done: steps of the phase that are over.
        steps: steps of the whole phase.
    """
    # A phase of a few steps must not spend them all on warming up.
    warm_up = max(1, min(WARM_UP_STEPS, steps // 10))
    rate = phase.learning_rate * min(1.0, (done + 1) / warm_up)
    if phase.decay == "cosine":
        rate *= 0.5 * (1 + math.cos(math.pi * share_done(done, steps)))
    return rate


def compression_gain(compression: CompressionConfig, share: float) -> float:
    """k of tanh(k w_bar), from start to end on a logarithmic scale (section 3.1).

    Args:
        compression: where it starts and ends.
        share: how much of phase 1 is over, 0 to 1.
    """
    start, end = compression.gain_start, compression.gain_end
    return float(start * (end / start) ** share)
