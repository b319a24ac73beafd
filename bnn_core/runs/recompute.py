"""Getting back to a moment of a run: from the nearest kept checkpoint, or from the start.

A run is deterministic, bit for bit, on one machine and thread count; so the state of any moment can be had
again by training up to it with the settings that were in force. Where the run holds a snapshot of that
moment, its bits are compared.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from bnn_core.datasets.digits import Digits
from bnn_core.errors import InputError
from bnn_core.network.bitwise import BitwiseNetwork
from bnn_core.runs.checkpoints import Position, load_checkpoint, nearest, position_of
from bnn_core.runs.folder import RunFolder
from bnn_core.runs.past import Moment, Record, segments, until
from bnn_core.training.control import Control
from bnn_core.training.events import Checkpoint, Event, Progress, Recomputed, Recomputing, RunEnded, Snapshot

START: Position = (1, 0, 0)


class WayBack(NamedTuple):
    """What it takes to get back: epochs to train again, and seconds, as long as they took the first time."""

    epochs: int
    seconds: float


def way_back(run: RunFolder, records: Sequence[Record], moment: Moment) -> WayBack:
    """The way back to that moment; raises InputError if the run has no such moment. Needs no torch."""
    past = until(records, moment)
    found = nearest(run.path, moment)
    epochs = _epochs_after(past, START if found is None else found[1])
    return WayBack(len(epochs), sum(float(record.get("seconds", 0.0)) for record in epochs))


def _epochs_after(past: list[Record], position: Position) -> list[Record]:
    """The epochs that ended after a position."""
    ended = [record for record in past if record["event"] == "epoch_ended"]
    return [record for record in ended if (record["phase"], record["epoch"], 0) > position]


def recompute(
    run: RunFolder, moment: Moment, data: Digits, control: Control
) -> Generator[Event, None, Checkpoint | None]:
    """The state of a moment of a run, ready to be trained on.

    Its configuration is the one in force from that moment on. Pausing waits until it is there; stopping
    does not.

    Yields:
        ``Recomputing``, then ``Recomputed``; or ``RunEnded`` if it was stopped.

    Returns:
        the checkpoint; None if it was stopped.

    Raises:
        InputError: the run has no such moment, its records are damaged, or the data does not fit.
    """
    from bnn_core.training.start import train

    records = run.events()
    past, stretches = until(records, moment), segments(records, moment)
    started = next(record for record in past if record["event"] == "run_started")
    if started["data_sha256"] != data.sha256:
        raise InputError(f"Run {run.id} was trained on other digits: name the same --data.")
    found = nearest(run.path, moment)
    if found is None:
        first_events = train(stretches[0].config, data, threads=started["threads"])
        state, position = next(e for e in first_events if isinstance(e, Checkpoint)), START
    else:
        state, position = load_checkpoint(found[0]), found[1]
    t = float(past[-1]["t"])
    ended = _epochs_after(past, position)
    share = 0.0  # of the first epoch to train again, that is over
    if position[2]:
        begun = (r for r in past if r["event"] == "phase_started" and r["phase"] == position[0])
        share = position[2] / int(next(begun)["steps"])
    last: Snapshot | None = None
    first = next(i for i, stretch in enumerate(stretches) if position <= (*stretch.until, 0))
    if ended:
        yield Recomputing(t=t, done=0.0, epochs=len(ended))
    for index, stretch in enumerate(stretches[first:], start=first):
        place = state.state["place"]
        if index == first:
            # A checkpoint knows the changes before it; those after it come again at their steps.
            under: dict[str, Any] = {"replay": list(stretch.changes[len(place["changes"]) :])}
        else:
            # The end of one stretch is the start of the next, under that one's configuration.
            under = {
                "config": stretch.config.to_dict(),
                "place": {**place, "changes": []},
                "edges": None,  # found anew: the sparsity may be another one
                "replay": list(stretch.changes),
            }
        state = replace(state, state={**state.state, **under})
        if position_of(state.state) == (*stretch.until, 0):
            continue
        for event in train(stretch.config, data, checkpoint=state):
            if control.stopping:
                yield RunEnded(t=t, status="stopped", seconds=t)
                return None
            if isinstance(event, Progress):
                done = sum((r["phase"], r["epoch"]) < (event.phase, event.epoch) for r in ended)
                yield Recomputing(
                    t=t, done=round(done + event.step / event.steps - share, 3), epochs=len(ended)
                )
            elif isinstance(event, Snapshot):
                last = event
            elif isinstance(event, Checkpoint) and position_of(event.state) == (*stretch.until, 0):
                state = event
                break
        else:
            raise InputError(
                f"The records of run {run.id} are damaged: training them again never reached {moment}."
            )
    same = None if last is None else _same_bits(run, last)
    yield Recomputed(t=t, epochs=len(ended), same_bits=same)
    return _dated(state, past, t)


def _dated(checkpoint: Checkpoint, past: list[Record], t: float) -> Checkpoint:
    """With the times of the past that it continues, instead of those of computing it again."""
    place = checkpoint.state["place"]
    began = [r["t"] for r in past if r["event"] == "phase_started" and r["phase"] == place["phase"]]
    times = {"seconds": t, "phase_seconds": t - began[-1] if began else 0.0, "epoch_seconds": 0.0}
    return replace(checkpoint, t=t, state={**checkpoint.state, "place": {**place, **times}}, keep=True)


def _same_bits(run: RunFolder, snapshot: Snapshot) -> bool | None:
    """Whether a snapshot has the bits of the run's own one; None if that is not kept."""
    path = next((shot.path for shot in run.snapshots() if shot.name == snapshot.taken), None)
    if path is None:
        return None
    other = BitwiseNetwork.load(path)
    pairs = zip(snapshot.network.layers, other.layers, strict=True)
    return all(
        np.array_equal(a.weight_signs(), b.weight_signs()) and np.array_equal(a.bias, b.bias)
        for a, b in pairs
    )
