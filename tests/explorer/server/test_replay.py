"""Records + clock -> the records seen by now; no Streamlit, and no time passes."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_core.models import MODELS_FOLDER, shipped_models
from bnn_core.names import SnapshotName
from bnn_core.runs.folder import RunFolder
from explorer.screens.train.happening import happening
from explorer.server import replay
from explorer.server.history import history
from explorer.server.replay import Clock, tape

RUNS = [model.name for model in shipped_models()]


def records(name: str) -> list[dict[str, Any]]:
    return RunFolder(MODELS_FOLDER / name).events()


# The clock


def test_a_clock_runs_pauses_and_changes_its_pace() -> None:
    clock = Clock(since=100.0)
    assert clock.at(102.5) == 2.5
    assert clock.at(99.0) == 0.0  # no clock goes back
    held = clock.paused(103.0)
    assert (held.at(103.0), held.at(500.0)) == (3.0, 3.0)
    on = held.going(500.0).at_speed(4.0, 500.0)
    assert on.at(502.0) == 3.0 + 8.0
    faster = on.at_speed(16.0, 502.0)
    assert (faster.at(502.0), faster.at(503.0)) == (11.0, 27.0)


def test_seeking_keeps_it_playing_or_standing() -> None:
    clock = Clock(since=0.0).moved(30.0, 10.0)
    assert (clock.at(10.0), clock.at(11.0)) == (30.0, 31.0)
    held = clock.paused(11.0).moved(5.0, 12.0)
    assert (held.running, held.at(99.0)) == (False, 5.0)


@given(st.lists(st.tuples(st.sampled_from(["pause", "go", "speed"]), st.floats(0, 100)), max_size=20))
def test_no_command_makes_it_jump(commands: list[tuple[str, float]]) -> None:
    clock, now = Clock(since=0.0), 0.0
    for command, wait in commands:
        now += wait
        before = clock.at(now)
        clock = {
            "pause": clock.paused(now), "go": clock.going(now), "speed": clock.at_speed(1 + wait, now)
        }[command]  # fmt: skip
        assert clock.at(now) == pytest.approx(before)


# The tape


@pytest.mark.parametrize("name", RUNS)
def test_a_shipped_run_plays_from_nothing_to_its_end(name: str) -> None:
    played = tape(records(name))
    whole = history(records(name))
    assert history(played.seen(-1.0)).started is None
    assert played.ended(played.length)
    end = history(played.seen(played.length))
    assert (end.epochs, end.end, end.facts) == (whole.epochs, whole.end, whole.facts)
    assert not played.ended(math.nextafter(played.length, 0))


@pytest.mark.parametrize("name", RUNS)
def test_it_shows_what_a_live_run_showed_at_that_moment(name: str) -> None:
    """Leaving out old progress records changes nothing that is made from them."""
    played = tape(records(name))
    for step in range(101):
        position = played.length * step / 100
        live = [r for r, t in zip(played.records, played.times, strict=True) if t <= position]
        seen, then = history(played.seen(position)), history(live)
        assert seen == then
        status = "finished" if seen.end else "running"
        assert happening(seen, status) == happening(then, status)


@pytest.mark.parametrize("name", RUNS)
def test_one_epoch_at_a_time(name: str) -> None:
    played = tape(records(name))
    stops = [0.0]
    while stops[-1] < played.length:
        stops.append(played.next_epoch(stops[-1]))
    epochs = [len(history(played.seen(stop)).epochs) for stop in stops]
    total = len(history(records(name)).epochs)
    assert epochs[: total + 1] == list(range(total + 1))
    assert played.next_epoch(played.length) == played.length


@pytest.mark.parametrize("name", RUNS)
def test_every_kept_snapshot_has_its_moment(name: str) -> None:
    played = tape(records(name))
    names = [shot.name.text for shot in RunFolder(MODELS_FOLDER / name).snapshots()]
    times = [played.time_of(shot) for shot in names]
    assert None not in times
    assert all(a < b for a, b in pairwise(t for t in times if t is not None))
    for shot, time in zip(names, times, strict=True):
        assert time is not None
        until = replay.until_snapshot(played.records, shot)
        assert replay.newest_snapshot(until) == shot
        assert replay.newest_snapshot(played.seen(time)) == shot
        phase, epoch, _ = SnapshotName.parse(shot)
        assert len(history(until).of_phase(phase)) == epoch
    assert played.time_of("phase1-epoch0099-step0000001") is None


def test_paces_are_those_of_the_recorded_times() -> None:
    short, long = (tape([{"event": "a", "t": 0.0}, {"event": "b", "t": end}]) for end in (3.0, 3600.0))
    assert [short.speed(pace) for pace in replay.PACES[:3]] == [1.0, 4.0, 16.0]
    assert short.speed("max") == 16.0
    assert long.length / long.speed("max") == pytest.approx(replay.FASTEST_SECONDS)


def test_damaged_and_missing_times_do_not_stop_a_tape() -> None:
    odd = tape(
        [{"event": "a", "t": 2.0}, {"event": "b"}, {"event": "c", "t": "late"}, {"event": "d", "t": 1.0}]
    )
    assert odd.times == pytest.approx((2.0, 2.0, 2.0, 2.0), abs=1e-3)
    assert [r["event"] for r in odd.seen(odd.length)] == ["a", "b", "c", "d"]
    nothing = tape([])
    assert (nothing.length, nothing.seen(1.0), nothing.next_epoch(0.0)) == (0.0, [], 0.0)
    assert nothing.ended(0.0)
    assert replay.newest_snapshot([]) == ""
    assert replay.until_snapshot([{"event": "a"}], "phase1-epoch0001-step0000001") == [{"event": "a"}]
