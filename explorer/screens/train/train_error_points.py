"""Where the error chart's points lie: both phases on one axis of epochs. Pure."""

from __future__ import annotations

import math

from explorer.screens.train import words
from explorer.server.history import History


def place_of(first: int, phase: int, epoch: int, share: float) -> float:
    """Where a moment lies on the axis; phase 1 has `first` epochs."""
    return (first if phase == 2 else 0) + (epoch or 0.5 + 0.5 * share)


def points_of(
    history: History, phase: int, size: int, high: float = math.inf
) -> list[tuple[float, float, int, str]]:
    """(place, error, size of the point, when) of the bits, from the first look on that the axis has."""
    first = history.planned[0]
    looks = [
        (place_of(first, phase, 0, share), error, min(size, 6), words.within(share))
        for share, error in history.first_points(phase)
        if error <= high
    ]
    epochs = [
        (place_of(first, phase, e.epoch, 0.0), e.bitwise, size, words.epoch(e.epoch))
        for e in history.errors(phase)
    ]
    return [*looks, *epochs]
