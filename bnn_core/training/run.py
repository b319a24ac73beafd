"""Run: which events a training run yields, in which order (torch)."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import torch
from torch import Tensor

from bnn_core.config import PhaseConfig, RunConfig, field_spec
from bnn_core.datasets.digits import Digits
from bnn_core.errors import InputError
from bnn_core.network.bitwise import BitwiseNetwork
from bnn_core.training.binarize import Boundary
from bnn_core.training.control import Control
from bnn_core.training.events import (
    Checkpoint,
    EpochEnded,
    Event,
    PhaseEnded,
    PhaseStarted,
    Progress,
    RunEnded,
    RunStarted,
    SettingsChanged,
    Snapshot,
)
from bnn_core.training.latent import LatentNetwork
from bnn_core.training.learner import Learner
from bnn_core.training.material import Material, Probe
from bnn_core.training.measure import bitwise_error, percent_wrong, real_error, weights_by_layer
from bnn_core.training.schedule import (
    Place,
    check_batches,
    compression_gain,
    learning_rate,
    least_batch,
    share_done,
    steps_an_epoch,
)
from bnn_core.training.streams import init_stream, noise_stream, order

PROGRESS_SECONDS = 0.25
FIRST_EPOCH_SNAPSHOTS = (1 / 16, 1 / 8, 1 / 4, 1 / 2)
"""Where in the first epoch of each phase bits are kept: they change fastest there."""


class Run:
    """A run under way; :func:`bnn_core.training.start.train` says what its arguments are.

    Attributes:
        start_config, config: the configuration that it started with, and as it stands now.
        place: where it stands.
        learner: what is trained.
        material: what it is trained on.
    """

    def __init__(
        self,
        config: RunConfig,
        data: Digits,
        control: Control,
        checkpoint: Checkpoint | None = None,
        device: str = "cpu",
    ) -> None:
        self.start_config = self.config = config
        self._device = device
        self._control = control
        self._clock = time.perf_counter()
        self._resumed = checkpoint is not None
        self.material = Material(config, data, device)
        check_batches(config, len(self.material.labels))
        self.place = Place()
        self._replay: list[dict[str, Any]] = []  # settings to change again, see _rewind in run_writer
        self._real_error: float | None = None  # on the test digits, at the end of phase 1
        if checkpoint is not None:
            self._restore(checkpoint)
            return
        width = config.compression.weight_init
        latents = LatentNetwork.random(self.material.free_sizes, width, init_stream(config.seed), device)
        self.learner = Learner(latents, self.material)
        self.learner.set_boundaries(config)
        self._last_signs = self.learner.network.signs()

    # What follows from the place

    @property
    def phase_config(self) -> PhaseConfig:
        """Of the phase that it is in; of phase 2 when both are over."""
        return self.config.phase1 if self.place.phase == 1 else self.config.phase2

    @property
    def steps(self) -> int:
        """Steps an epoch."""
        least = least_batch(self.config, self.place.phase)
        return steps_an_epoch(len(self.material.labels), self.phase_config.batch, least)

    def batches(self, digits: Tensor) -> tuple[Tensor, ...]:
        """An epoch's digits, (n,), step by step."""
        batch, steps = self.phase_config.batch, self.steps
        return digits.split([batch] * (steps - 1) + [len(digits) - batch * (steps - 1)])

    @property
    def phase_steps(self) -> int:
        """Steps of the whole phase."""
        return self.phase_config.epochs * self.steps

    @property
    def steps_done(self) -> int:
        """Steps of the phase that are over."""
        return self.place.epoch * self.steps + self.place.step

    @property
    def learning_rate(self) -> float:
        """Of the next step."""
        return learning_rate(self.phase_config, self.steps_done, self.phase_steps)

    @property
    def gain(self) -> float:
        """k of tanh(k w_bar); after phase 1, or without it, its last."""
        annealing = self.place.phase == 1 and self.config.phase1.epochs
        share = share_done(self.steps_done, self.phase_steps) if annealing else 1.0
        return compression_gain(self.config.compression, share)

    @property
    def _t(self) -> float:
        return self.place.seconds

    def _tick(self) -> None:
        """Move the clocks on; time between calls counts, time spent paused does not."""
        now = time.perf_counter()
        self.place.spend(now - self._clock)
        self._clock = now

    # The run

    def events(self) -> Iterator[Event]:
        """All of them, from here to the end."""
        if not self._resumed:
            validation = self.material.validation
            yield RunStarted(
                t=0.0,
                config=self.start_config.to_dict(),
                sizes=list(self.material.sizes),
                train_digits=len(self.material.labels),
                validation_digits=0 if validation is None else len(validation.labels),
                data_sha256=self.material.digits.sha256,
                threads=torch.get_num_threads(),
                date=datetime.now(UTC).isoformat(timespec="seconds"),
            )
            yield self._checkpoint()  # from here on the run can be resumed
        while self.place.phase <= 2:
            if self.phase_config.epochs:
                yield from self._phase()
                if self._control.stopping and self.place.epoch < self.phase_config.epochs:
                    yield self._checkpoint()
                    yield RunEnded(t=self._t, status="stopped", seconds=self.place.seconds)
                    return
                yield self._end_phase()
            self.next_phase()
            if self.place.phase == 2:
                yield self._checkpoint(keep=True)
        yield self._end()

    def _phase(self) -> Iterator[Event]:
        if not self.place.started:
            self.place.started = True
            yield PhaseStarted(
                t=self._t, phase=self.place.phase, epochs=self.phase_config.epochs, steps=self.steps
            )
        while self.place.epoch < self.phase_config.epochs:
            yield from self._epoch()
            if self._control.stopping:
                return

    def _epoch(self) -> Iterator[Event]:
        place = self.place
        digits = order(self.start_config.seed, place.phase, place.epoch, len(self.material.labels))
        batches = self.batches(torch.from_numpy(digits).to(self._device))
        steps = self.steps
        early = {max(1, round(share * steps)) for share in FIRST_EPOCH_SNAPSHOTS} if place.epoch == 0 else ()
        last_said, said_digits = time.perf_counter(), place.loss_digits
        while place.step < steps:
            yield from self._obey()
            if self._control.stopping:
                return
            batch = batches[place.step]
            loss = self.step(batch)
            if not math.isfinite(loss):
                raise self._diverged("loss")
            place.loss_sum += loss * len(batch)
            place.loss_digits += len(batch)
            place.step += 1
            if place.step in early and place.step < steps:
                yield self._early_snapshot()
            now = time.perf_counter()
            if now - last_said >= PROGRESS_SECONDS:
                self._tick()
                yield self._progress((place.loss_digits - said_digits) / (now - last_said))
                last_said, said_digits = now, place.loss_digits
        yield from self._end_epoch()

    def step(self, batch: Tensor) -> float:
        """One step on these digits, (n,) int64; returns their mean cross-entropy."""
        phase = self.place.phase
        return self.learner.step(
            batch,
            self.config,
            phase=phase,
            rate=self.learning_rate,
            gain=self.gain,
            noise=noise_stream(self.start_config.seed, phase, self.steps_done, self._device),
        )

    def _diverged(self, what: str) -> InputError:
        """What ends a run that has left the numbers, and which settings keep it among them."""
        place = self.place
        hint = f"phase{place.phase}.learning_rate ({self.phase_config.learning_rate:g})"
        if place.phase == 1:
            hint += f" or compression.gain_end ({self.config.compression.gain_end:g})"
        return InputError(
            f"The {what} is not finite any more, in phase {place.phase}, epoch {place.epoch + 1}, after"
            f" {place.step} steps: lower {hint}, in a new run or in a branch from an earlier epoch."
        )

    def _check_finite(self) -> None:
        """Raises InputError if some number that is trained has become none: no file may keep it."""
        if not all(bool(tensor.isfinite().all()) for tensor in self.learner.network.state_dict().values()):
            raise self._diverged("network")

    def _obey(self) -> Iterator[Event]:
        """Settings that changed (now, or then if replayed), then pause."""
        place = self.place
        here = (place.phase, place.epoch + 1, place.step)
        while self._replay and tuple(self._replay[0][key] for key in ("phase", "epoch", "step")) <= here:
            change = self._replay.pop(0)
            yield self._change(change["field"], change["value"])
        for name, value in self._control.take_settings():
            yield self._change(name, value)
        if self._control.paused:
            self._tick()
            yield self._checkpoint()
            yield self._progress(0.0, paused=True)
            self._control.wait_while_paused()
            self._clock = time.perf_counter()
            yield self._progress(0.0)
            # What was set during the pause acts from here on.
            yield from self._obey()

    def _change(self, name: str, value: Any) -> SettingsChanged:
        place = self.place
        place.changes.append((name, value))
        self.config = self.config.updated({name: value})
        if field_spec(name).refresh == "boundaries":
            self.learner.set_boundaries(self.config)
        return SettingsChanged(
            t=self._t, phase=place.phase, epoch=place.epoch + 1, step=place.step, field=name, value=value
        )

    def _end_epoch(self) -> Iterator[Event]:
        place, network, material = self.place, self.learner.network, self.material
        self._check_finite()
        place.epoch += 1
        place.step = 0
        self.learner.set_boundaries(self.config)
        signs = network.signs()
        packed = self.learner.packed(self.config, signs)
        train = bitwise_error(packed, material.probe)
        validation = None if material.validation is None else bitwise_error(packed, material.validation)
        gain = self.gain if place.phase == 1 else None
        weights = weights_by_layer(network, signs, self._last_signs, gain)
        self._tick()
        yield EpochEnded(
            t=self._t,
            phase=place.phase,
            epoch=place.epoch,
            loss=place.loss or 0.0,
            train_error_real=self._error_real(material.probe),
            validation_error_real=self._error_real(material.validation),
            train_error_bitwise=train.error,
            validation_error_bitwise=None if validation is None else validation.error,
            **weights,
            ties=(validation or train).ties,
            learning_rate=self.learning_rate,
            gain=gain,
            seconds=round(place.epoch_seconds, 3),
        )
        self._last_signs = signs
        place.forget_epoch()
        yield self._snapshot(packed, train.error, None if validation is None else validation.error)
        self._control.epoch_ended()
        yield self._checkpoint()

    def _error_real(self, probe: Probe | None) -> float | None:
        """Error of the real network in %; phase 2 has none."""
        if probe is None or self.place.phase == 2:
            return None
        return real_error(self.learner.network, self.gain, probe)

    def _end_phase(self) -> PhaseEnded:
        self._tick()
        real = None
        if self.place.phase == 1:
            digits = self.material.digits
            real = self.learner.real(self.config, self.gain)
            self._real_error = percent_wrong(real.predict(digits.test_images), digits.test_labels)
        return PhaseEnded(
            t=self._t, phase=self.place.phase, seconds=round(self.place.phase_seconds, 3), real=real
        )

    def next_phase(self) -> None:
        """On to the next phase."""
        if self.place.phase == 1:
            self.learner.start_phase2(self.config, self.gain)
        self.place.next_phase()

    def _end(self) -> RunEnded:
        """The one look at the test set."""
        network, digits = self.learner.packed(self.config), self.material.digits
        test = bitwise_error(network, self.material.prepare(digits.test_images, digits.test_labels))
        self._tick()
        return RunEnded(
            t=self._t,
            status="finished",
            test_error=test.error,
            test_errors=test.errors,
            test_ties=test.ties,
            test_error_real=self._real_error,
            seconds=round(self.place.seconds, 3),
            network=network,
        )

    def _early_snapshot(self) -> Snapshot:
        """A first glance within an epoch: bits only, on the split that the epochs' errors are read from."""
        self._check_finite()
        packed = self.learner.packed(self.config)
        self._tick()
        if self.material.validation is None:
            return self._snapshot(packed, bitwise_error(packed, self.material.probe).error, None)
        return self._snapshot(packed, None, bitwise_error(packed, self.material.validation).error)

    def _snapshot(
        self, packed: BitwiseNetwork, train_error: float | None, validation_error: float | None
    ) -> Snapshot:
        return Snapshot(
            t=self._t,
            phase=self.place.phase,
            epoch=self.place.epoch,
            step=self.steps_done,
            train_error_bitwise=train_error,
            validation_error_bitwise=validation_error,
            network=packed,
        )

    def _progress(self, speed: float, *, paused: bool = False) -> Progress:
        place = self.place
        return Progress(
            t=self._t,
            phase=place.phase,
            epoch=min(place.epoch + 1, self.phase_config.epochs),
            step=place.step,
            steps=self.steps,
            speed=round(speed, 1),
            loss=place.loss,
            learning_rate=self.learning_rate,
            gain=self.gain if place.phase == 1 else None,
            paused=paused,
        )

    # Checkpoints

    def _checkpoint(self, *, keep: bool = False) -> Checkpoint:
        self._check_finite()
        self._tick()
        arrays = self.learner.arrays()
        for i, signs in enumerate(self._last_signs):
            arrays[f"signs{i}"] = signs
        state = {
            "place": asdict(self.place),
            "edges": [[edge.beta, edge.cut] for edge in self.learner.network.edges],
            "threads": torch.get_num_threads(),
            "real_error": self._real_error,
            "data_sha256": self.material.digits.sha256,
            "config": self.start_config.to_dict(),
            "replay": list(self._replay),
        }
        return Checkpoint(t=self._t, tensors=arrays, state=state, keep=keep)

    def _restore(self, checkpoint: Checkpoint) -> None:
        state, arrays = checkpoint.state, checkpoint.tensors
        self._real_error = state["real_error"]
        self._replay = list(state["replay"])
        self.place = Place(**state["place"])
        for name, value in self.place.changes:
            self.config = self.config.updated({name: value})
        self.learner = Learner.of_arrays(arrays, self.material, self._device)
        self._last_signs = [arrays[f"signs{i}"] for i in range(len(self.learner.network.weights))]
        if state["edges"] is None:  # a branch may want another sparsity from here on
            self.learner.set_boundaries(self.config)
        else:
            self.learner.network.edges = [Boundary(beta, cut) for beta, cut in state["edges"]]
