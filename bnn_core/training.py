"""train(): both phases of a run as an iterator of events.

Phase 1 trains a real network whose weights are pressed towards -1 and +1 (weight compression, section
3.1). Phase 2 binarises it before every step and lets the error of the *binarised* network train the
latent weights (noisy back-propagation, section 3.2).

Every random number is a function of (seed, phase, epoch or step): a checkpoint needs no generator's
state, and a resumed run draws what an unharmed one draws.
"""

from __future__ import annotations

import itertools
import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from bnn_core.binarize import Boundary, compress
from bnn_core.bits import WordArray, pack
from bnn_core.config import RunConfig
from bnn_core.construct import (
    input_constants,
    layer_means,
    quiet_inputs,
    reach,
    strict_network,
    without_inputs,
)
from bnn_core.control import Control
from bnn_core.datasets import Digits, split
from bnn_core.datasets.features import FEATURES, input_bits, input_count, input_values
from bnn_core.events import (
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
    histogram,
)
from bnn_core.latent import LatentNetwork
from bnn_core.network import BitwiseNetwork

WARM_UP_STEPS = 100
PROGRESS_SECONDS = 0.25
FIRST_EPOCH_SNAPSHOTS = (1 / 16, 1 / 8, 1 / 4, 1 / 2)
"""Where in the first epoch of each phase bits are kept: they change fastest there."""

_INIT, _ORDER, _NOISE = range(3)  # what a random stream is for


def default_threads() -> int:
    """One core is left to the pages."""
    return max(1, (os.cpu_count() or 2) - 1)


def train(
    config: RunConfig,
    data: Digits,
    *,
    control: Control | None = None,
    checkpoint: Checkpoint | None = None,
    threads: int | None = None,
    device: str = "cpu",
) -> Iterator[Event]:
    """Train a bitwise network.

    Sets torch's number of threads for the whole process.

    Args:
        config: the run's configuration.
        data: the digits; the last 10,000 training digits validate, the test digits are looked at once,
            at the end.
        control: pause, step, stop and live settings, from another thread.
        checkpoint: go on from here; with the same config, data, threads and machine the events that
            follow are, bit for bit, those of an unharmed run (times and progress excepted). Settings that
            changed after it (its ``state["replay"]``) change again at the same steps.
        threads: torch's threads; by default all cores but one. A checkpoint's own count wins.
        device: torch's name of the device to train on. The promise of equal bits holds for the processor.

    Yields:
        events, see :mod:`bnn_core.events`; the last is ``RunEnded``.

    Raises:
        InputError: the data does not fit the configuration.
    """
    if checkpoint is not None:
        threads = int(checkpoint.state["threads"])
    torch.set_num_threads(threads or default_threads())
    yield from _Run(config, data, control or Control(), checkpoint, device).events()


def warm_up() -> None:
    """Pay ahead what torch loads when an optimiser is made and stepped for the first time."""
    parameter = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.Adam([parameter], fused=True)
    parameter.sum().backward()
    optimizer.step()


def steps_of(config: RunConfig, data: Digits, phase: int) -> Callable[[], float]:
    """Training steps on their own, to be timed: one a call, each on the next batch of the training digits.

    Args:
        phase: 1 or 2; phase 2 starts from weights that phase 1 has not touched.
    """
    run = _Run(config, data, Control(), None)
    if phase == 2:
        run._next_phase()
    batches = torch.arange(len(run.train_labels)).split(run.phase_config.batch)
    turns = itertools.cycle(batches)
    return lambda: run._step(next(turns))


@dataclass
class _Place:
    """Where a run stands: what a checkpoint's state holds."""

    phase: int = 1
    epoch: int = 0  # epochs of this phase that are over
    step: int = 0  # steps of this epoch that are over
    started: bool = False  # whether phase_started was said
    loss_sum: float = 0.0  # of the epoch so far
    loss_digits: int = 0
    phase_seconds: float = 0.0
    epoch_seconds: float = 0.0
    seconds: float = 0.0
    changes: list[tuple[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class _Probe:
    """Digits that a network is measured on: input values for torch, packed bits for the kernels."""

    values: Tensor
    words: WordArray
    labels: NDArray[np.int64]


class _Run:
    def __init__(
        self,
        config: RunConfig,
        data: Digits,
        control: Control,
        checkpoint: Checkpoint | None,
        device: str = "cpu",
    ) -> None:
        self.device = device
        self.start_config = self.config = config
        self.data = data
        self.control = control
        self.replay: list[dict[str, Any]] = []  # settings to change again, see _rewind in run_writer
        self.split = split(data, config.data.train_digits)
        train_bits = self._bits(self.split.train_images)
        self.quiet = quiet_inputs(train_bits)  # with constant units they carry the first layer's integers
        self.varied = torch.from_numpy(~self.quiet).to(device)
        self.train_values = self._values(train_bits)
        self.train_labels = torch.from_numpy(self.split.train_labels.astype(np.int64)).to(device)
        self.train_probe = self._probe(self.split.probe_images, self.split.probe_labels)
        self.validation = (
            None
            if self.split.validation_images is None or self.split.validation_labels is None
            else self._probe(self.split.validation_images, self.split.validation_labels)
        )
        self.place = _Place()
        self.resumed = checkpoint is not None
        self.real_error: float | None = None
        self.clock = time.perf_counter()
        inputs = input_count(config.data.features, data.side)
        constants = config.network.constant_units
        self.sizes = (inputs, *config.network.hidden, data.classes)
        free = (inputs, *(units - constants for units in config.network.hidden), data.classes)
        rng = self._rng(_INIT)
        self.network = LatentNetwork.random(free, config.compression.weight_init, rng, device)
        self.network.reaches = self._reaches()
        if checkpoint is not None:
            self._restore(checkpoint)
        else:
            self._set_boundaries()
            self.last_signs = self.network.signs()
            self._new_optimizer()

    # Randomness, data

    def _rng(self, purpose: int, *where: int) -> np.random.Generator:
        return np.random.default_rng([self.start_config.seed, purpose, *where])

    def _torch_rng(self, *where: int) -> torch.Generator:
        words = np.random.SeedSequence([self.start_config.seed, _NOISE, *where]).generate_state(1, np.uint64)
        return torch.Generator(self.device).manual_seed(int(words[0]) >> 1)

    def _bits(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return input_bits(images, self.config.data.features, self.config.data.input_threshold)

    def _values(self, bits: NDArray[np.uint8]) -> Tensor:
        """(n, inputs) int8 in {-1, +1} or {0, 1}; floats are made a batch at a time.

        Inputs that carry integers take no part: 0.
        """
        values = input_values(bits, self.config.data.features)
        if self.config.network.constant_units:
            values[:, self.quiet] = 0
        return torch.from_numpy(values).to(self.device)

    def _probe(self, images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> _Probe:
        bits = self._bits(images)
        return _Probe(self._values(bits), pack(bits), labels.astype(np.int64))

    # Settings that follow from the place

    @property
    def phase_config(self) -> Any:
        return self.config.phase1 if self.place.phase == 1 else self.config.phase2

    @property
    def steps(self) -> int:
        """Steps an epoch."""
        return -(-len(self.train_labels) // self.phase_config.batch)

    @property
    def phase_share(self) -> float:
        """How much of the phase is over, 0 to 1."""
        done = self.place.epoch * self.steps + self.place.step
        return done / max(1, self.phase_config.epochs * self.steps)

    @property
    def learning_rate(self) -> float:
        rate: float = self.phase_config.learning_rate
        done = self.place.epoch * self.steps + self.place.step
        # A phase of a few steps must not spend them all on warming up.
        warm_up = max(1, min(WARM_UP_STEPS, self.phase_config.epochs * self.steps // 10))
        rate *= min(1.0, (done + 1) / warm_up)
        if self.phase_config.decay == "cosine":
            rate *= 0.5 * (1 + math.cos(math.pi * self.phase_share))
        return rate

    @property
    def gain(self) -> float:
        """k, annealed from start to end on a logarithmic scale over phase 1."""
        c = self.config.compression
        share = self.phase_share if self.place.phase == 1 and self.config.phase1.epochs else 1.0
        return float(c.gain_start * (c.gain_end / c.gain_start) ** share)

    @property
    def t(self) -> float:
        return self.place.seconds

    def _tick(self) -> None:
        """Move the clocks on; time between calls counts, time spent paused does not."""
        now = time.perf_counter()
        for name in ("seconds", "phase_seconds", "epoch_seconds"):
            setattr(self.place, name, getattr(self.place, name) + now - self.clock)
        self.clock = now

    # The run

    def events(self) -> Iterator[Event]:
        if not self.resumed:
            yield RunStarted(
                t=0.0,
                config=self.start_config.to_dict(),
                sizes=list(self.sizes),
                train_digits=len(self.train_labels),
                validation_digits=0 if self.validation is None else len(self.validation.labels),
                data_sha256=self.data.sha256,
                threads=torch.get_num_threads(),
                date=datetime.now(UTC).isoformat(timespec="seconds"),
            )
            yield self._checkpoint()  # from here on the run can be resumed
        while self.place.phase <= 2:
            if self.phase_config.epochs:
                yield from self._phase()
                if self.control.stopping and self.place.epoch < self.phase_config.epochs:
                    yield self._checkpoint()
                    yield RunEnded(t=self.t, status="stopped", seconds=self.place.seconds)
                    return
                yield from self._end_phase()
            self._next_phase()
            if self.place.phase == 2:
                yield self._checkpoint(keep=True)
        yield self._end()

    def _phase(self) -> Iterator[Event]:
        if not self.place.started:
            self.place.started = True
            yield PhaseStarted(
                t=self.t, phase=self.place.phase, epochs=self.phase_config.epochs, steps=self.steps
            )
        while self.place.epoch < self.phase_config.epochs:
            yield from self._epoch()
            if self.control.stopping:
                return

    def _epoch(self) -> Iterator[Event]:
        place = self.place
        order = torch.from_numpy(
            self._rng(_ORDER, place.phase, place.epoch).permutation(len(self.train_labels))
        ).to(self.device)
        early = {max(1, round(share * self.steps)) for share in FIRST_EPOCH_SNAPSHOTS}
        last_said, said_digits = time.perf_counter(), place.loss_digits
        steps = self.steps
        while place.step < steps:
            yield from self._obey()
            if self.control.stopping:
                return
            batch = order[place.step * self.phase_config.batch :][: self.phase_config.batch]
            place.loss_sum += self._step(batch) * len(batch)
            place.loss_digits += len(batch)
            place.step += 1
            if place.epoch == 0 and place.step in early and place.step < steps:
                yield self._early_snapshot()
            now = time.perf_counter()
            if now - last_said >= PROGRESS_SECONDS:
                self._tick()
                yield self._progress((place.loss_digits - said_digits) / (now - last_said))
                last_said, said_digits = now, place.loss_digits
        yield from self._end_epoch()

    def _step(self, batch: Tensor) -> float:
        """One step of Adam on the mean cross-entropy; returns that mean (of the digits as they are)."""
        place, nudge = self.place, self.phase_config.nudge
        z = self.train_values[batch].float().requires_grad_(nudge > 0)  # (batch, inputs)
        labels = self.train_labels[batch]
        noise = self._torch_rng(place.phase, place.epoch * self.steps + place.step)
        self.optimizer.zero_grad()
        loss = self._loss(z, labels, noise)
        if nudge == 0:
            loss.backward()
        else:
            (loss / 2).backward()
            (self._loss(self._nudged(z, nudge), labels, noise) / 2).backward()
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate
        self.optimizer.step()
        if place.phase == 2:
            self.network.clip()
        return float(loss.detach())

    def _loss(self, z: Tensor, labels: Tensor, noise: torch.Generator) -> Tensor:
        """Mean cross-entropy of a batch, in training: with noise and dropout."""
        network = self.network
        if self.place.phase == 1:
            phase = self.config.phase1
            dropout = (phase.dropout_input, phase.dropout_hidden)
            logits = network.real_forward(z, self.gain, dropout=dropout, generator=noise)
        else:
            logits = network.bitwise_forward(z, self.config, noise)[-1] * network.logit_scale
        return F.cross_entropy(logits, labels)

    @torch.no_grad()
    def _nudged(self, z: Tensor, share: float) -> Tensor:
        """Inputs moved towards more loss, each by that share of the way between its two values.

        Those that are never on stay: a network that learned to bear their moves would learn nothing for it.
        """
        assert z.grad is not None
        low = FEATURES[self.config.data.features].low
        return (z + share * (1 - low) * z.grad.sign() * self.varied).clamp_(low, 1)

    def _obey(self) -> Iterator[Event]:
        """Settings that changed (now, or then if replayed), then pause."""
        place = self.place
        here = (place.phase, place.epoch + 1, place.step)
        while self.replay and tuple(self.replay[0][key] for key in ("phase", "epoch", "step")) <= here:
            change = self.replay.pop(0)
            yield self._change(change["field"], change["value"])
        for name, value in self.control.take_settings():
            yield self._change(name, value)
        if self.control.paused:
            self._tick()
            yield self._checkpoint()
            yield self._progress(0.0, paused=True)
            self.control.wait_while_paused()
            self.clock = time.perf_counter()
            yield self._progress(0.0)
            # What was set during the pause acts from here on.
            yield from self._obey()

    def _change(self, name: str, value: Any) -> SettingsChanged:
        place = self.place
        place.changes.append((name, value))
        self.config = self.config.updated({name: value})
        if name == "noise.sparsity":
            self._set_boundaries()
        return SettingsChanged(
            t=self.t, phase=place.phase, epoch=place.epoch + 1, step=place.step, field=name, value=value
        )

    def _end_epoch(self) -> Iterator[Event]:
        place, network = self.place, self.network
        place.epoch += 1
        place.step = 0
        self._set_boundaries()
        signs = network.signs()
        packed = self._packed(signs)
        train_bitwise, _, train_ties = self._bitwise_error(packed, self.train_probe)
        validation_bitwise, _, ties = (
            (None, 0, train_ties) if self.validation is None else self._bitwise_error(packed, self.validation)
        )
        gain = self.gain if place.phase == 1 else None
        with torch.no_grad():
            compressed = [w if gain is None else compress(w, gain) for w in network.weights]
            saturation = [float(w.abs().mean()) for w in compressed]
            bins = [histogram(w.cpu().numpy()) for w in compressed]
        self._tick()
        yield EpochEnded(
            t=self.t,
            phase=place.phase,
            epoch=place.epoch,
            loss=place.loss_sum / max(1, place.loss_digits),
            train_error_real=self._real_error(self.train_probe),
            validation_error_real=None if self.validation is None else self._real_error(self.validation),
            train_error_bitwise=train_bitwise,
            validation_error_bitwise=validation_bitwise,
            flips=[float(np.mean(a != b)) for a, b in zip(signs, self.last_signs, strict=True)],
            zeros=[float(np.mean(w == 0)) for w in signs],
            saturation=saturation,
            histogram=bins,
            boundary=[self._compressed_beta(edge, gain) for edge in network.edges],
            ties=ties,
            learning_rate=self.learning_rate,
            gain=gain,
            seconds=round(place.epoch_seconds, 3),
        )
        self.last_signs = signs
        place.loss_sum, place.loss_digits, place.epoch_seconds = 0.0, 0, 0.0
        yield self._snapshot(packed, train_bitwise, validation_bitwise)
        self.control.epoch_ended()
        yield self._checkpoint()

    def _end_phase(self) -> Iterator[Event]:
        self._tick()
        real = None
        if self.place.phase == 1:
            quiet = self.quiet if self.config.network.constant_units else None
            real = self.network.to_real(self.config, self.gain, quiet)
            self.real_error = _percent(real.predict(self.data.test_images), self.data.test_labels)
        yield PhaseEnded(
            t=self.t, phase=self.place.phase, seconds=round(self.place.phase_seconds, 3), real=real
        )

    def _next_phase(self) -> None:
        """On to the next phase; phase 2 starts from the compressed weights with phase 1's last gain."""
        place = self.place
        if place.phase == 1:
            config = self.config.network
            self.network.start_phase2(
                self.gain, norms=config.variant == "threshold" or config.constant_units > 0
            )
        place.phase += 1
        place.epoch = place.step = 0
        place.started = False
        place.phase_seconds = 0.0
        if place.phase == 2:
            self._set_boundaries()
            self._new_optimizer()

    def _end(self) -> RunEnded:
        """The one look at the test set."""
        network = self._packed()
        test = self._probe(self.data.test_images, self.data.test_labels)
        error, errors, ties = self._bitwise_error(network, test)
        self._tick()
        return RunEnded(
            t=self.t,
            status="finished",
            test_error=error,
            test_errors=errors,
            test_ties=ties,
            test_error_real=self.real_error,
            seconds=round(self.place.seconds, 3),
            network=network,
        )

    def _reaches(self) -> list[int]:
        """With constant units: the largest integer of each layer's units."""
        constants = self.config.network.constant_units
        if not constants:
            return []
        first = input_constants(self.config.data.features, self.quiet)
        return [reach(first), *[reach(constants)] * len(self.config.network.hidden)]

    def _packed(self, signs: list[NDArray[np.int8]] | None = None) -> BitwiseNetwork:
        """The packed network as it stands now; constant units are put in."""
        network = self.network.to_bitwise(self.config, signs)
        constants = self.config.network.constant_units
        if not constants:
            return network
        network = without_inputs(network, self.quiet)
        return strict_network(network, constants, self.quiet, layer_means(network, self.split.train_images))

    # Measures

    @torch.no_grad()
    def _real_error(self, probe: _Probe) -> float | None:
        """Error of the real network in %; phase 2 has none."""
        if self.place.phase == 2:
            return None
        guesses = [
            self.network.real_forward(chunk.float(), self.gain).argmax(dim=1)
            for chunk in probe.values.split(2000)
        ]
        return _percent(torch.cat(guesses).cpu().numpy(), probe.labels)

    @staticmethod
    def _bitwise_error(network: BitwiseNetwork, probe: _Probe) -> tuple[float, int, int]:
        """(error in %, errors, ties) of a packed network."""
        scores = network.scores_packed(probe.words)
        ties = int(((scores == scores.max(axis=1, keepdims=True)).sum(axis=1) > 1).sum())
        errors = int((scores.argmax(axis=1) != probe.labels).sum())
        return 100.0 * errors / len(probe.labels), errors, ties

    @staticmethod
    def _compressed_beta(edge: Boundary, gain: float | None) -> float:
        if edge.beta is None:
            return 0.0
        return math.tanh(gain * edge.beta) if gain is not None else edge.beta

    # Bits, checkpoints

    def _set_boundaries(self) -> None:
        self.network.set_boundaries(self.config.noise.sparsity, self.config.noise.sparse_output)

    def _early_snapshot(self) -> Snapshot:
        """A first glance within an epoch: bits only, on the split that the epochs' errors are read from."""
        packed = self._packed()
        self._tick()
        if self.validation is None:
            return self._snapshot(packed, self._bitwise_error(packed, self.train_probe)[0], None)
        return self._snapshot(packed, None, self._bitwise_error(packed, self.validation)[0])

    def _snapshot(
        self, packed: BitwiseNetwork, train_error: float | None, validation_error: float | None
    ) -> Snapshot:
        place = self.place
        return Snapshot(
            t=self.t,
            phase=place.phase,
            epoch=place.epoch,
            step=place.epoch * self.steps + place.step,
            train_error_bitwise=train_error,
            validation_error_bitwise=validation_error,
            network=packed,
        )

    def _progress(self, speed: float, *, paused: bool = False) -> Progress:
        place = self.place
        return Progress(
            t=self.t,
            phase=place.phase,
            epoch=min(place.epoch + 1, self.phase_config.epochs),
            step=place.step,
            steps=self.steps,
            speed=round(speed, 1),
            loss=place.loss_sum / place.loss_digits if place.loss_digits else None,
            learning_rate=self.learning_rate,
            gain=self.gain if place.phase == 1 else None,
            paused=paused,
        )

    def _new_optimizer(self) -> None:
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=0.0, fused=True)

    def _checkpoint(self, *, keep: bool = False) -> Checkpoint:
        self._tick()
        tensors: dict[str, NDArray[Any]] = {}
        for i, p in enumerate(self.network.parameters()):
            # Copies: training goes on in the tensors' own memory.
            tensors[f"latent{i}"] = p.detach().cpu().numpy().copy()
            for name, value in self.optimizer.state.get(p, {}).items():
                tensors[f"adam{i}.{name}"] = value.cpu().numpy().copy()
        for i, norm in enumerate(self.network.norms):
            for name, value in norm.buffers().items():
                tensors[f"norm{i}.{name}"] = value.cpu().numpy().copy()
        for i, signs in enumerate(self.last_signs):
            tensors[f"signs{i}"] = signs
        state = {
            "place": asdict(self.place),
            "edges": [[edge.beta, edge.cut] for edge in self.network.edges],
            "threads": torch.get_num_threads(),
            "real_error": self.real_error,
            "data_sha256": self.data.sha256,
            "config": self.start_config.to_dict(),
            "replay": list(self.replay),
        }
        return Checkpoint(t=self.t, tensors=tensors, state=state, keep=keep)

    def _restore(self, checkpoint: Checkpoint) -> None:
        state = checkpoint.state
        tensors = {
            name: torch.from_numpy(np.array(v)).to(self.device) for name, v in checkpoint.tensors.items()
        }
        self.real_error = state["real_error"]
        self.replay = list(state["replay"])
        self.place = _Place(**state["place"])
        for name, value in self.place.changes:
            self.config = self.config.updated({name: value})
        layers = range(len(self.network.weights))
        self.network = LatentNetwork(
            [tensors[f"latent{2 * i}"] for i in layers], [tensors[f"latent{2 * i + 1}"] for i in layers]
        )
        self.network.reaches = self._reaches()
        if "norm0.mean" in tensors:
            self._restore_norms(tensors)
        if state["edges"] is None:  # a branch may want another sparsity from here on
            self._set_boundaries()
        else:
            self.network.edges = [Boundary(beta, cut) for beta, cut in state["edges"]]
        self.last_signs = [checkpoint.tensors[f"signs{i}"] for i in layers]
        self._new_optimizer()
        for i, p in enumerate(self.network.parameters()):
            prefix = f"adam{i}."
            moments = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
            if moments:
                self.optimizer.state[p] = moments

    @torch.no_grad()
    def _restore_norms(self, tensors: dict[str, Tensor]) -> None:
        self.network.make_norms()
        first = 2 * len(self.network.weights)
        for i, norm in enumerate(self.network.norms):
            for place, p in enumerate(norm.parameters()):
                p.copy_(tensors[f"latent{first + 2 * i + place}"])
            for name, value in norm.buffers().items():
                value.copy_(tensors[f"norm{i}.{name}"])


def _percent(guesses: NDArray[Any], labels: NDArray[Any]) -> float:
    return 100.0 * float(np.count_nonzero(guesses != labels)) / len(labels)
