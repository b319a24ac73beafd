"""Records -> History, and the sentence that is chosen from it."""

from __future__ import annotations

import random
from typing import Any

import pytest

from bnn_core import RunConfig
from bnn_core.training.events import Recomputed
from explorer.screens.train import words
from explorer.screens.train.happening import happening
from explorer.server.history import Cursor, History, history
from tests.explorer.records import (
    BRANCHED,
    END,
    PHASE1,
    PHASE2,
    changed,
    epoch,
    phase,
    progress,
    recomputing,
    snapshot,
    started,
)


def test_nothing_yet() -> None:
    nothing = history([])
    assert nothing.planned == (0, 0)
    assert nothing.seconds_left == 0
    assert nothing.validated
    assert History(config=RunConfig()).planned == (6, 8)
    assert History(config=RunConfig()).seconds_left is None


def test_both_phases() -> None:
    seen = history([*PHASE2, progress(2, 3, 125)])
    assert seen.planned == (3, 4)
    assert [e.bitwise for e in seen.errors(1)] == [14.0, 25.0, 8.0]
    assert [(e.epoch, e.real, e.bitwise) for e in seen.errors(2)] == [(1, None, 3.2), (2, None, 3.0)]
    assert (seen.naive, seen.real, seen.phase) == (8.0, 2.7, 2)
    assert seen.done(1) == 3
    assert seen.done(2) == 2.5
    assert seen.seconds_left == pytest.approx(1.5 * 2.0)
    assert (seen.loss, seen.learning_rate) == (0.2, 0.001)


def test_time_left_before_the_first_epoch_comes_from_the_speed() -> None:
    seen = history([started(), phase(1), progress(1, 1, 125)])
    assert seen.seconds_left == pytest.approx(6.5 * 5.0)
    assert history([started(), phase(1)]).seconds_left is None


def test_progress_is_no_fact() -> None:
    seen = history([*PHASE1, progress(1, 3, 10)])
    assert seen.facts == history(PHASE1).facts == len(PHASE1)


def test_without_validation_the_training_error_is_taken_throughout() -> None:
    records = [{**r, "validation_error_bitwise": None, "validation_error_real": None} for r in PHASE2]
    seen = history(records)
    assert not seen.validated
    assert [e.bitwise for e in seen.errors(1)] == [7.0, 12.5, 4.0]
    assert seen.real == 1.35
    assert not history([{**started(), "validation_digits": 0}]).validated


def test_the_first_points_come_before_the_first_epoch_is_over() -> None:
    first = [started(), phase(1), snapshot(1, 0, 25, 42.0), snapshot(1, 0, 125, 20.0)]
    seen = history(first)
    assert seen.first_points(1) == ((0.1, 42.0), (0.5, 20.0))
    assert seen.first_points(2) == ()
    assert seen.latest_error == 20.0
    later = history(
        [*first, epoch(1, 1, 14.0, 6.0), snapshot(1, 1, 250, 14.0), phase(2), snapshot(2, 0, 25, 9.0)]
    )
    assert later.first_points(1) == seen.first_points(1)  # a snapshot after an epoch is no first point
    assert later.first_points(2) == ((0.1, 9.0),)
    assert later.latest_error == 9.0


def test_older_records_have_no_first_points_and_nothing_breaks() -> None:
    """Runs that came with the project were recorded before snapshots carried errors."""
    old = {key: value for key, value in snapshot(1, 0, 25, 42.0).items() if "error" not in key}
    seen = history([*PHASE1[:2], old, *PHASE1[2:]])
    assert seen.glances == ()
    assert seen.latest_error == 8.0
    damaged = [{"event": "snapshot"}, snapshot(1, 0, 0, 5.0), {**snapshot(1, 0, 3, 5.0), "step": "3"}]
    assert history([*PHASE1[:2], *damaged]).glances == ()
    assert history(damaged).glances == ()  # before any phase, too


def test_first_points_are_on_the_split_of_the_epochs() -> None:
    look = snapshot(1, 0, 25, 42.0, train_error_bitwise=30.0, validation_error_bitwise=None)
    seen = history([{**started(), "validation_digits": 0}, phase(1), look])
    assert not seen.validated
    assert seen.first_points(1) == ((0.1, 30.0),)


def test_a_moment_has_its_place_and_its_error() -> None:
    seen = history([*PHASE1[:2], snapshot(1, 0, 25, 42.0), *PHASE1[2:], phase(2), epoch(2, 1, 3.2)])
    assert seen.cursor(1, 0, 25) == Cursor(1, 0, 0.1, 42.0)
    assert seen.cursor(1, 2, 500) == Cursor(1, 2, 0.0, 25.0)
    assert seen.cursor(2, 1, 250) == Cursor(2, 1, 0.0, 3.2)
    assert seen.cursor(2, 0, 25) == Cursor(2, 0, 0.1, None)  # nothing was measured there


def test_a_branch_goes_on_under_its_own_configuration() -> None:
    past = [*PHASE1, phase(2), changed(2, 1, "noise.sparsity", 0.3), epoch(2, 1, 3.2)]
    begun = history([*past, BRANCHED])
    assert begun.parent is not None
    assert (begun.parent.parent, begun.planned, begun.phase) == (BRANCHED["parent"], (3, 6), 2)
    assert begun.in_force is not None
    assert begun.in_force.noise.sparsity == 0.5  # the parent's change is in it, not after it
    assert begun.changes == ()
    assert [e.bitwise for e in begun.errors(2)] == [3.2]
    way = history([*past, BRANCHED, recomputing(1.5, 4)])
    assert way.recomputing is not None
    assert (way.recomputing.done, way.facts) == (1.5, begun.facts)  # for eyes only
    assert way.seconds_left == pytest.approx((2.5 + 5) * 2.0)
    told = Recomputed(t=2.0, epochs=4, same_bits=False).record()
    there = history([*past, BRANCHED, recomputing(1.5, 4), told])
    assert (there.recomputing, there.same_bits) == (None, False)
    stopped = history([*past, BRANCHED, recomputing(1.5, 4), END])
    assert stopped.recomputing is None


def test_settings_in_force() -> None:
    seen = history([*PHASE2, *(changed(2, 2, "noise.sparsity", value) for value in (0.3, 0.5))])
    assert seen.settings == {"noise.sparsity": 0.5}
    assert seen.in_force is not None
    assert seen.in_force.noise.sparsity == 0.5
    assert seen.config is not None
    assert seen.config.noise.sparsity == 0.0


def test_pause_holds_until_the_next_progress() -> None:
    paused = [*PHASE2, progress(2, 3, 10), progress(2, 3, 10, speed=0.0, paused=True)]
    assert history(paused).paused
    assert history(paused).speed == 10_000.0
    assert not history([*paused, progress(2, 3, 10, speed=0.0)]).paused


def test_damaged_records_are_passed_over() -> None:
    rng = random.Random(0)
    for _ in range(50):
        records = [dict(record) for record in PHASE2]
        broken = rng.choice(records[1:])
        broken.pop(rng.choice([key for key in broken if key != "event"]))
        history([*records, {"event": "from_the_future", "t": 1.0}])
    assert history([{"event": "run_started", "config": "no configuration"}]).config is None


# What is happening


def says(records: list[dict[str, Any]], status: str = "running", reason: str | None = None) -> str:
    return happening(history(records), status, reason)


def test_before_and_after() -> None:
    assert says([], "new") == words.READY
    assert says([], "waiting") == words.QUEUED
    assert says([], "starting") == words.STARTING
    assert says([started(), phase(1), progress(1, 1, 3)]) == words.FIRST_EPOCH
    assert says(PHASE2, "paused") == words.PAUSED
    assert "Resume goes on from there" in says(PHASE2, "interrupted", "It was killed.")
    assert "The disk is full." in says(PHASE2, "failed", "The disk is full.")
    assert "phase 2 after epoch 2" in says(PHASE2, "stopped")


def test_the_way_back_to_a_branching_point_is_told() -> None:
    way = [*PHASE2[:-1], BRANCHED, recomputing(1.0, 4)]
    assert says(way) == words.recomputing(1.0, 4)
    assert "the 4 epochs" in says(way)
    assert "25" in says(way)


def test_naive_binarisation_is_erratic() -> None:
    assert says(PHASE1[:4]) == words.erratic(6.0, 4.0, 14.0, 25.0)
    assert says(PHASE1[:3]) == words.naive_costs(6.0, 14.0)


def test_a_growing_gain_is_named() -> None:
    records = [*PHASE1[:4], epoch(1, 3, 8.0, 2.7, gain=6.0)]
    assert says(records) == words.gain_presses(6.0, 14.0, 8.0)


def test_phase_2_repairs() -> None:
    assert says([*PHASE1, phase(2)]) == words.PHASE2_BEGINS
    assert says(PHASE2[:-1]) == words.repair(8.0, 3.2)
    assert "8.0" in words.repair(8.0, 3.2)


def test_it_settles_and_bounces() -> None:
    settled = [*PHASE2, epoch(2, 3, 2.9, flips=0.01)]
    assert says(settled) == words.SETTLES
    assert says([*PHASE2, epoch(2, 3, 3.4, flips=0.05)]) == words.BOUNCES


def test_hints_see_what_is_wrong() -> None:
    assert says([*PHASE1, phase(2), epoch(2, 1, 88.0)]) == words.LEARNS_NOTHING
    low = [
        started(**{"phase2.learning_rate": 3e-4}),
        *PHASE1[1:],
        phase(2),
        epoch(2, 1, 12.0),
        epoch(2, 2, 11.0),
    ]
    assert says(low) == words.rate_low(3e-4)
    sparse = [started(**{"noise.sparsity": 0.9}), *PHASE1[1:], phase(2), epoch(2, 1, 6.0), epoch(2, 2, 5.0)]
    assert says(sparse) == words.sparse_costs(0.9)
    half = [started(**{"noise.sparsity": 0.5}), *PHASE2[1:]]
    assert says(half) == words.sparse_free(0.5, 3.0)
    noisy = [started(**{"noise.input_flips": 0.1}), *PHASE2[1:]]
    assert says(noisy) == words.NOISY.format(what="Input bits are")


def test_a_changed_setting_is_followed() -> None:
    now = [*PHASE2, changed(2, 3, "noise.sparsity", 0.9)]
    assert says(now).startswith("Sparsity λ, share of zeros is 0.9 from here on")
    assert "rose (3.00\N{NARROW NO-BREAK SPACE}% → 5.00" in says([*now, epoch(2, 3, 5.0)])


def test_the_end() -> None:
    assert says([*PHASE2, END], "finished") == words.finished(3.21, 2.71)
    assert "costs 0.50 points" in words.finished(3.21, 2.71)
    assert "as well as its real twin" in words.finished(2.5, 2.71)
    only_first = [started(**{"phase2.epochs": 0}), *PHASE1[1:], END]
    assert says(only_first, "finished") == words.no_phase2(8.0)
    alone = [started(**{"phase1.epochs": 0}), phase(2), epoch(2, 1, 5.0), {**END, "test_error_real": None}]
    assert "2.71" not in says(alone, "finished")
    assert says(alone[:2]) == words.PHASE2_ALONE
