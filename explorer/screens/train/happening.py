"""What is happening: one sentence, chosen from what a run's records show. Pure."""

from __future__ import annotations

from bnn_core.config import RunConfig, field_spec
from explorer.screens.train import words
from explorer.server.history import Errors, History

NAIVE_WORSE = 0.5
"""Points of error by which a step counts as one for the worse."""

SETTLED = 0.6
"""Flips below this share of the phase's first ones count as fading."""


def happening(history: History, status: str, reason: str | None = None) -> str:
    """One sentence for how a run stands.

    Args:
        status: "new", "waiting", "starting", "running", "paused", "finished", "stopped", "failed" or
            "interrupted".
        reason: why it failed or broke off.
    """
    if status == "new":
        return words.READY
    if status == "waiting":
        return words.QUEUED
    if status == "interrupted":
        return words.interrupted(reason)
    if status == "failed":
        return words.failed(reason or (history.end.reason if history.end else None))
    if status == "stopped":
        return words.STOPPED.format(phase=history.phase, epoch=len(history.of_phase(history.phase)))
    if status == "finished":
        return _finished(history)
    if history.recomputing is not None:
        return words.recomputing(history.recomputing.done, history.recomputing.epochs)
    if status == "paused":
        return words.PAUSED
    if history.phase == 2:
        return _phase2(history)
    return _phase1(history) if history.epochs else words.FIRST_EPOCH if history.progress else words.STARTING


def _finished(history: History) -> str:
    end = history.end
    if history.planned[1] == 0 and history.naive is not None:
        return words.no_phase2(history.naive)
    if end is None or end.test_error is None:
        return (
            words.finished(history.errors(2)[-1].bitwise, history.real) if history.errors(2) else words.READY
        )
    return words.finished(end.test_error, end.test_error_real)


def _phase1(history: History) -> str:
    errors = history.errors(1)
    now = errors[-1]
    if now.real is None:
        return words.FIRST_EPOCH
    if len(errors) > 1:
        before = errors[-2]
        better = before.real is not None and now.real <= before.real
        if better and now.bitwise >= before.bitwise + NAIVE_WORSE:
            return words.erratic(before.real or 0.0, now.real, before.bitwise, now.bitwise)
        gain = history.epochs[-1].gain
        if gain is not None and gain >= 2 and now.bitwise < errors[0].bitwise:
            return words.gain_presses(gain, errors[0].bitwise, now.bitwise)
    return words.naive_costs(now.real, now.bitwise)


def _phase2(history: History) -> str:
    errors = history.errors(2)
    config = history.in_force or RunConfig()
    if (just_now := _changed(history, errors, just_now=True)) is not None:
        return just_now
    if not errors:
        return words.PHASE2_BEGINS if history.errors(1) or history.planned[0] else words.PHASE2_ALONE
    now = errors[-1]
    if now.bitwise > 50:
        return words.LEARNS_NOTHING
    if len(errors) == 1 and history.naive is not None and now.bitwise < history.naive:
        return words.repair(history.naive, now.bitwise)
    if (changed := _changed(history, errors, just_now=False)) is not None:
        return changed
    if len(errors) >= 2 and now.bitwise > 6 and config.phase2.learning_rate < 1e-3:
        return words.rate_low(config.phase2.learning_rate)
    if config.noise.sparsity > 0.7 and now.bitwise > 3.5:
        return words.sparse_costs(config.noise.sparsity)
    if history.real is not None and now.bitwise < history.real:
        return words.below_real(now.bitwise, history.real)
    return _course(history, errors, config)


def _course(history: History, errors: tuple[Errors, ...], config: RunConfig) -> str:
    """How the error of the bits is moving."""
    fading = _flips(history, -1) < SETTLED * _flips(history, 0)
    if len(errors) > 2 and fading and config.phase2.decay == "cosine":
        if config.noise.sparsity >= 0.3 and len(errors) % 2:  # two things are true: they take turns
            return words.sparse_free(config.noise.sparsity, errors[-1].bitwise)
        return words.SETTLES
    noise = config.noise
    for share, what in (
        (noise.input_flips, "Input bits are"),
        (noise.hidden_flips, "Hidden bits are"),
        (noise.weight_flips, "Weight bits are"),
    ):
        if share > 0:
            return words.NOISY.format(what=what)
    if len(errors) > 1 and errors[-1].bitwise > errors[-2].bitwise:
        return words.BOUNCES
    if config.noise.sparsity >= 0.3:
        return words.sparse_free(config.noise.sparsity, errors[-1].bitwise)
    if history.naive is not None and errors[0].bitwise < history.naive:
        return words.repair(history.naive, errors[0].bitwise)
    return words.BOUNCES


def _flips(history: History, index: int) -> float:
    """The mean share of flips in an epoch of phase 2."""
    epochs = history.of_phase(2)
    shares = epochs[index].flips
    return sum(shares) / len(shares)


def _changed(history: History, errors: tuple[Errors, ...], *, just_now: bool) -> str | None:
    """A setting that changed in the epoch under way; or what a change in the last two epochs has done."""
    change = history.changes[-1] if history.changes else None
    if change is None or change.phase != 2 or (change.epoch > len(errors)) != just_now:
        return None
    label, value = field_spec(change.field).label, words.number(change.value)
    if just_now:
        return words.CHANGED_JUST_NOW.format(label=label, value=value)
    if change.epoch < 2 or len(errors) - change.epoch >= 2:
        return None
    return words.changed(label, value, errors[change.epoch - 2].bitwise, errors[-1].bitwise)
