"""Timing contestants in turns: medians, and how far single rounds strayed from them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

Call = Callable[[], object]

SAMPLE_SECONDS = 2e-3
"""A sample repeats a call until it lasts about this long: far beyond the clock's resolution."""
LEAST_ROUNDS = 3
MOST_ROUNDS = 101


class Timing(NamedTuple):
    """How long one call took, in microseconds.

    Attributes:
        median: of all rounds.
        low, high: the quartiles.
        rounds: how many there were.
    """

    median: float
    low: float
    high: float
    rounds: int


class Clock(NamedTuple):
    """What is read before and after, in seconds, and its name in the report."""

    name: str
    read: Callable[[], float]


def clock(threads: int) -> Clock:
    """The calling thread's processor time, which other programs do not lengthen; for several, wall time.

    Where the system counts processor time only coarsely it is wall time too.
    """
    if threads == 1 and time.get_clock_info("thread_time").resolution <= 1e-6:
        return Clock("thread CPU time", time.thread_time)
    return Clock("wall time", time.perf_counter)


def race(
    contestants: Mapping[str, Call],
    *,
    seconds: float,
    clock: Clock,
    tell: Callable[[float], None] = lambda _: None,
) -> dict[str, Timing]:
    """Time the contestants, one sample of each in every round, in an order that turns round.

    Each is warmed up before the first round. Rounds go on for about so many seconds; there are at least
    :data:`LEAST_ROUNDS`, however long they take.

    Args:
        contestants: by name; a call does one whole piece of work.
        seconds: about how long all rounds may take, in wall time.
        clock: see :func:`clock`.
        tell: is called with the share of the time that is over, 0 to 1.

    Returns:
        by name, in the order given.
    """
    repeats = {name: _repeats(call) for name, call in contestants.items()}
    times: dict[str, list[float]] = {name: [] for name in contestants}
    order = list(contestants)
    started = time.perf_counter()
    for number in range(MOST_ROUNDS):
        over = time.perf_counter() - started
        tell(min(1.0, over / seconds) if seconds else 1.0)
        if number >= LEAST_ROUNDS and over > seconds:
            break
        for name in order:
            times[name].append(_sample(contestants[name], repeats[name], clock))
        order.reverse()
    found = {}
    for name, samples in times.items():
        low, median, high = map(float, np.percentile(samples, (25, 50, 75)))
        found[name] = Timing(median, low, high, len(samples))
    return found


def _repeats(call: Call) -> int:
    """How often a call is repeated for one sample; warms it up."""
    call()
    started = time.perf_counter()
    call()
    took = time.perf_counter() - started
    repeats = max(1, round(SAMPLE_SECONDS / max(took, 1e-7)))
    for _ in range(min(repeats, 100)):
        call()
    return repeats


def _sample(call: Call, repeats: int, clock: Clock) -> float:
    """Microseconds that a call takes, on average over the repeats.

    What the others left in the caches is no concern of its: where a call is short, one goes before the clock.
    """
    if repeats > 1:
        call()
    started = clock.read()
    for _ in range(repeats):
        call()
    return (clock.read() - started) / repeats * 1e6
