"""train(): events in order, the same seed the same bits, live settings, pause, stop."""

import itertools
import json
import math
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bnn_core import Control, Digits, InputError, RunConfig, train
from bnn_core.config import field_spec, field_specs
from bnn_core.runs.checkpoints import load_checkpoint
from bnn_core.runs.folder import RunFolder
from bnn_core.runs.writer import record_run, resume_run
from bnn_core.training.events import (
    Checkpoint,
    EpochEnded,
    Event,
    PhaseEnded,
    PhaseStarted,
    Progress,
    RunEnded,
    SettingsChanged,
    Snapshot,
)
from bnn_core.training.run import Run
from bnn_core.training.schedule import learning_rate
from tests.bnn_core.records import stable


@pytest.fixture(autouse=True)
def _same_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def records(events: list[Event]) -> list[dict[str, object]]:
    return [stable(e.record()) for e in events if not isinstance(e, Progress | Checkpoint)]


def test_a_run_says_what_it_does_in_order(small: Digits, tiny_config: RunConfig) -> None:
    events = list(train(tiny_config, small, threads=1))
    names = [e.name for e in events if not isinstance(e, Progress | Checkpoint | Snapshot)]
    phase = ["phase_started", "epoch_ended", "epoch_ended", "phase_ended"]
    assert names == ["run_started", *phase, *phase, "run_ended"]
    assert all(earlier.t <= later.t for earlier, later in itertools.pairwise(events))


def test_an_epoch_tells_how_the_network_stands(small: Digits, tiny_config: RunConfig) -> None:
    events = list(train(tiny_config, small, threads=1))
    epochs = [e for e in events if isinstance(e, EpochEnded)]
    snapshots = {(s.phase, s.epoch): s.network for s in events if isinstance(s, Snapshot) and s.epoch}
    for e in epochs:
        network = snapshots[e.phase, e.epoch]
        wrong = network.predict(small.train_images[2500:]) != small.train_labels[2500:]
        assert e.validation_error_bitwise == 100 * wrong.sum() / 500
        assert (e.validation_error_real is None) == (e.phase == 2)
        assert e.zeros == pytest.approx([0.3, 0.3, 0.0], abs=1e-3)
        assert all(abs(sum(h) - 1) < 1e-4 for h in e.histogram)
        assert all(0 <= s <= 1 for s in e.saturation)
    assert [e.gain for e in epochs] == pytest.approx([2**0.5, 2.0, None, None])
    # Flips are counted against the epoch before.
    first, second = (snapshots[2, n].layers[0].weight_signs() for n in (1, 2))
    assert epochs[3].flips[0] == pytest.approx(float(np.mean(first != second)))


def test_the_same_seed_gives_the_same_events_and_another_does_not(
    small: Digits, tiny_config: RunConfig
) -> None:
    first = records(list(train(tiny_config, small, threads=1)))
    assert records(list(train(tiny_config, small, threads=1))) == first
    other = records(list(train(tiny_config.updated({"seed": 1}), small, threads=1)))
    assert other != first


def test_phase_2_starts_where_phase_1_ended(small: Digits, tiny_config: RunConfig) -> None:
    events = list(train(tiny_config.updated({"phase2.learning_rate": 1e-5}), small, threads=1))
    snapshots = [e for e in events if isinstance(e, Snapshot)]
    end = next(s for s in reversed(snapshots) if s.phase == 1).network.layers[0].weight_signs()
    start = next(s for s in snapshots if s.phase == 2).network.layers[0].weight_signs()
    assert np.mean(end != start) < 0.01


def test_it_learns(small: Digits) -> None:
    config = RunConfig().updated({"network.hidden": [64], "phase1.epochs": 3, "phase2.epochs": 3})
    end = list(train(config, small, threads=1))[-1]
    assert isinstance(end, RunEnded)
    assert end.status == "finished"
    assert end.test_error is not None
    assert end.test_error < 25  # guessing gives 90
    assert end.network is not None
    assert int((end.network.predict(small.test_images) != small.test_labels).sum()) == end.test_errors


@pytest.mark.parametrize("phase", [1, 2])
def test_a_phase_can_be_left_out(small: Digits, tiny_config: RunConfig, phase: int) -> None:
    events = list(train(tiny_config.updated({f"phase{phase}.epochs": 0}), small, threads=1))
    assert {e.phase for e in events if isinstance(e, EpochEnded)} == {3 - phase}
    assert sum(isinstance(e, PhaseEnded) for e in events) == 1
    end = events[-1]
    assert isinstance(end, RunEnded)
    assert (end.test_error_real is None) == (phase == 1)


def test_training_on_everything_leaves_no_validation_set(small: Digits, tiny_config: RunConfig) -> None:
    events = list(train(tiny_config.updated({"data.train_digits": 3000}), small, threads=1))
    assert {e.validation_error_bitwise for e in events if isinstance(e, EpochEnded)} == {None}


def test_other_sizes_and_classes_train(rng: np.random.Generator) -> None:
    """Eleven pixels a side and three classes: stripes at three heights."""
    labels = rng.integers(0, 3, 400).astype(np.uint8)
    images = np.zeros((400, 11, 11), np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[label * 4 : label * 4 + 2] = 255
    config = RunConfig().updated({"network.hidden": [16], "phase1.batch": 20, "phase2.batch": 20})
    end = list(train(config, Digits(images[:300], labels[:300], images[300:], labels[300:]), threads=1))[-1]
    assert isinstance(end, RunEnded)
    assert end.test_error == 0


@pytest.mark.parametrize(
    ("features", "variant", "sparsity"),
    [("zero-one", "strict", 0.5), ("two-bit", "threshold", 0.0), ("bipolar", "threshold", 0.5)],
)
def test_every_kind_of_network_learns(small: Digits, features: str, variant: str, sparsity: float) -> None:
    config = RunConfig().updated(
        {
            "data.features": features,
            "network.variant": variant,
            "noise.sparsity": sparsity,
            "network.hidden": [64, 48],
            "phase1.epochs": 3,
            "phase1.batch": 50,
            "phase2.batch": 50,
            "phase2.epochs": 4,
        }
    )
    end = list(train(config, small, threads=1))[-1]
    assert isinstance(end, RunEnded)
    assert end.network is not None
    assert end.test_error is not None
    assert end.test_error < 25  # guessing gives 90
    network = end.network
    assert (network.features, network.variant, network.sparse) == (features, variant, sparsity > 0)
    assert network.layers[0].zero_one == (features == "zero-one")
    biases = np.concatenate([np.abs(layer.bias) for layer in network.layers])
    assert (biases.max() > 1) == (variant == "threshold")
    assert int((network.predict(small.test_images) != small.test_labels).sum()) == end.test_errors


@pytest.mark.parametrize("features", ["bipolar", "zero-one"])
def test_a_threshold_run_goes_on_from_any_checkpoint_bit_for_bit(
    small: Digits, tiny_config: RunConfig, features: str
) -> None:
    config = tiny_config.updated({"network.variant": "threshold", "data.features": features})
    events = list(train(config, small, threads=1))
    places = [i for i, event in enumerate(events) if isinstance(event, Checkpoint)]
    for place in places:
        checkpoint = events[place]
        assert isinstance(checkpoint, Checkpoint)
        again = list(train(config, small, checkpoint=checkpoint, threads=1))
        assert records(again) == records(events[place + 1 :])
        assert isinstance(again[-1], RunEnded)
        assert isinstance(events[-1], RunEnded)
        assert again[-1].network is not None
        assert events[-1].network is not None
        for a, b in zip(again[-1].network.layers, events[-1].network.layers, strict=True):
            assert np.array_equal(a.weight, b.weight)
            assert np.array_equal(a.bias, b.bias)


def test_a_stopped_run_ends_with_a_checkpoint(small: Digits, tiny_config: RunConfig) -> None:
    control = Control()
    events = []
    for event in train(tiny_config, small, control=control, threads=1):
        events.append(event)
        if isinstance(event, EpochEnded):
            control.stop()
    assert isinstance(events[-2], Checkpoint)
    end = events[-1]
    assert isinstance(end, RunEnded)
    assert (end.status, end.test_error) == ("stopped", None)
    assert sum(isinstance(e, EpochEnded) for e in events) == 1


def test_settings_change_in_mid_run_and_say_so(small: Digits, tiny_config: RunConfig) -> None:
    control = Control()
    events = []
    for event in train(tiny_config, small, control=control, threads=1):
        events.append(event)
        if isinstance(event, EpochEnded) and event.phase == 2 and event.epoch == 1:
            control.set("noise.sparsity", 0.8)
    (change,) = [e for e in events if isinstance(e, SettingsChanged)]
    assert (change.phase, change.epoch, change.step, change.value) == (2, 2, 0, 0.8)
    last = [e for e in events if isinstance(e, EpochEnded)][-1]
    assert last.zeros == pytest.approx([0.8, 0.8, 0.0], abs=1e-3)


@pytest.mark.parametrize(
    ("field", "refresh"),
    [("noise.sparsity", None), ("noise.weight_flips", None), ("noise.weight_flips", "boundaries")],
)
def test_a_changed_setting_refreshes_what_its_field_says(
    small: Digits, tiny_config: RunConfig, monkeypatch: pytest.MonkeyPatch, field: str, refresh: str | None
) -> None:
    if refresh is not None:
        spec = replace(field_spec(field), refresh=refresh)
        monkeypatch.setattr("bnn_core.training.run.field_spec", lambda _path: spec)
    control, found = Control(), []
    run = Run(tiny_config, small, control)
    monkeypatch.setattr(run.learner, "set_boundaries", found.append)
    control.set(field, 0.4)
    events = run.events()
    assert next(e for e in events if isinstance(e, SettingsChanged)).field == field
    assert [c.get(field) for c in found] == [0.4] * (field == "noise.sparsity" or refresh is not None)


def test_a_setting_that_is_not_live_is_refused() -> None:
    with pytest.raises(InputError, match="seed cannot change while a run is under way"):
        Control().set("seed", 3)
    with pytest.raises(InputError, match=r"noise.sparsity is 2.0: allowed is 0 to 0.97"):
        Control().set("noise.sparsity", 2.0)


def test_pause_holds_and_one_epoch_at_a_time(small: Digits, tiny_config: RunConfig) -> None:
    control = Control()
    control.one_epoch()
    seen: list[Event] = []
    paused = threading.Event()

    def run() -> None:
        for event in train(tiny_config, small, control=control, threads=1):
            seen.append(event)
            if isinstance(event, Progress) and event.paused:
                paused.set()

    thread = threading.Thread(target=run)
    thread.start()
    assert paused.wait(30)
    assert sum(isinstance(e, EpochEnded) for e in seen) == 1
    paused.clear()
    control.one_epoch()
    assert paused.wait(30)
    assert sum(isinstance(e, EpochEnded) for e in seen) == 2
    control.resume()
    thread.join(30)
    assert not thread.is_alive()
    # Held and stepped, it is still the same run.
    assert records(seen) == records(list(train(tiny_config, small, threads=1)))


def test_rate_and_gain_are_those_of_the_steps_that_are_over(small: Digits, tiny_config: RunConfig) -> None:
    run = Run(tiny_config, small, Control())
    assert (run.steps, run.phase_steps) == (25, 50)
    run.place.epoch, run.place.step = 1, 3
    assert run.learning_rate == learning_rate(tiny_config.phase1, 28, 50)
    assert run.gain == pytest.approx(2 ** (28 / 50))
    run.next_phase()
    run.place.epoch = 1
    assert run.learning_rate == learning_rate(tiny_config.phase2, 25, 50)
    assert run.gain == 2


def test_every_epoch_takes_every_digit_once_in_an_order_of_its_own(
    small: Digits, tiny_config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[list[int]] = []

    def take(run: Run, batch: torch.Tensor) -> float:
        if run.place.step == 0:
            taken.append([])
        taken[-1] += batch.tolist()
        return 0.0

    monkeypatch.setattr(Run, "step", take)
    list(train(tiny_config, small, threads=1))
    assert len(taken) == 4
    for order in taken:
        assert sorted(order) == list(range(2500))
    assert len({tuple(order) for order in taken}) == 4


def test_phase_2_starts_from_compressed_latents_with_a_fresh_optimiser(
    small: Digits, tiny_config: RunConfig
) -> None:
    end = started = None
    for event in train(tiny_config.updated({"phase2.learning_rate": 0.1}), small, threads=1):
        if isinstance(event, PhaseEnded) and event.phase == 1:
            end = event.real
        if isinstance(event, Checkpoint) and event.keep:
            started = event
        if isinstance(event, Checkpoint) and event.state["place"]["phase"] == 2:
            assert max(float(np.abs(event.tensors[f"latent{i}"]).max()) for i in range(6)) <= 1
    assert end is not None
    assert started is not None
    for i, weights in enumerate(end.weights):  # tanh(k w_bar), rounded to float16
        assert np.allclose(started.tensors[f"latent{2 * i}"], weights, atol=1e-3)
    assert not [name for name in started.tensors if name.startswith("adam")]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("phase1.learning_rate", 1e-4),
        ("phase1.dropout_input", 0.5),
        ("phase1.dropout_hidden", 0.5),
        ("compression.gain_end", 8.0),
        ("phase2.learning_rate", 1e-4),
        ("phase2.dropout_input", 0.5),
        ("phase2.dropout_hidden", 0.5),
        ("noise.input_flips", 0.3),
        ("noise.hidden_flips", 0.3),
        ("noise.weight_flips", 0.3),
    ],
)
def test_every_live_setting_acts(small: Digits, tiny_config: RunConfig, field: str, value: float) -> None:
    """Changed before an epoch, it changes that epoch's loss or gain, and nothing before it."""

    def epochs(*, change: bool) -> list[EpochEnded]:
        control, seen = Control(), []
        for event in train(tiny_config, small, control=control, threads=1):
            if isinstance(event, EpochEnded):
                seen.append(event)
                if change and len(seen) == at:
                    control.set(field, value)
        return seen

    at = 1 if field.startswith(("phase1", "compression")) else 3
    plain, changed = epochs(change=False), epochs(change=True)
    for a, b in zip(plain[:at], changed[:at], strict=True):
        assert stable(a.record()) == stable(b.record())
    assert stable(plain[at].record()) != stable(changed[at].record())


@pytest.fixture(params=[{"network.variant": "threshold"}, {"network.constant_units": 4}])
def one_left(request: pytest.FixtureRequest, tiny_config: RunConfig) -> RunConfig:
    """Batch-norm, and one digit that is left by an epoch's three batches."""
    return tiny_config.updated({**request.param, "data.train_digits": 301})


def test_a_last_digit_joins_the_batch_before_where_batch_norm_trains(
    small: Digits, one_left: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[tuple[int, int, float]] = []
    step = Run.step

    def watched(run: Run, batch: torch.Tensor) -> float:
        taken.append((run.place.phase, len(batch), run.learning_rate))
        return step(run, batch)

    monkeypatch.setattr(Run, "step", watched)
    events = list(train(one_left, small, threads=1))
    sizes = [[size for phase, size, _ in taken if phase == each] for each in (1, 2)]
    assert sizes == [[100, 100, 100, 1] * 2, [100, 100, 101] * 2]
    assert [e.steps for e in events if isinstance(e, PhaseStarted)] == [4, 3]
    assert [e.step for e in events if isinstance(e, Snapshot) and e.epoch] == [4, 8, 3, 6]
    rates = [rate for phase, _, rate in taken if phase == 2]
    assert rates == [learning_rate(one_left.phase2, done, 6) for done in range(6)]
    # It goes on from anywhere as if nothing had happened.
    for place, checkpoint in enumerate(events):
        if isinstance(checkpoint, Checkpoint):
            again = list(train(one_left, small, checkpoint=checkpoint, threads=1))
            assert records(again) == records(events[place + 1 :])


def test_a_run_that_paused_before_its_last_digit_once_goes_on(small: Digits, one_left: RunConfig) -> None:
    """Three steps were over when that digit was a fourth one's; now they are all."""
    control = Control()
    *_, paused, _ = _until(train(one_left, small, control=control, threads=1), control, step=2)
    assert isinstance(paused, Checkpoint)
    paused.state["place"]["step"] = 3
    end = list(train(one_left, small, checkpoint=paused, threads=1))[-1]
    assert isinstance(end, RunEnded)
    assert end.status == "finished"


def _until(events: Iterator[Event], control: Control, *, step: int) -> Iterator[Event]:
    """Stop in phase 2, after the first snapshot at or after that step."""
    for event in events:
        yield event
        if isinstance(event, Snapshot) and event.phase == 2 and event.step >= step:
            control.stop()


@pytest.mark.parametrize("phase", [1, 2])
@pytest.mark.parametrize("what", ["loss", "network"])
def test_a_run_that_diverges_fails_and_says_what_to_lower(
    small: Digits,
    tiny_config: RunConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    phase: int,
    what: str,
) -> None:
    step = Run.step

    def diverging(run: Run, batch: torch.Tensor) -> float:
        loss = step(run, batch)
        if (run.place.phase, run.place.epoch, run.place.step) != (phase, 1, 24):
            return loss
        if what == "loss":
            return math.inf
        run.learner.network.weights[0].data[3, 5] = math.nan
        return loss

    monkeypatch.setattr(Run, "step", diverging)
    allowed = r"lower phase1.learning_rate \(0.01\) or compression.gain_end \(2\)"
    hint = allowed if phase == 1 else r"lower phase2.learning_rate \(0.005\), in"
    with pytest.raises(InputError, match=rf"^The {what} is not finite any more, in phase {phase}, .*{hint}"):
        list(record_run(tiny_config, small, tmp_path / "run", threads=1))
    run = RunFolder(tmp_path / "run")
    assert run.state() == "failed"
    assert "is not finite any more" in run.events()[-1]["reason"]
    for line in (tmp_path / "run" / "events.jsonl").read_text("utf-8").splitlines():
        json.loads(line, parse_constant=pytest.fail)  # NaN, Infinity
    kept = load_checkpoint(tmp_path / "run" / "checkpoint.safetensors")
    assert all(np.isfinite(array).all() for array in kept.tensors.values())
    monkeypatch.undo()
    list(resume_run(tmp_path / "run", small))
    assert run.state() == "finished"


@pytest.mark.slow
@settings(max_examples=60)
@given(data=st.data(), digits=st.integers(100, 600))
def test_no_setting_raises_anything_but_a_sentence_before_the_first_step(
    small: Digits, data: st.DataObject, digits: int
) -> None:
    changes: dict[str, object] = {
        "data.train_digits": digits,
        "network.hidden": data.draw(st.lists(st.integers(8, 16), min_size=1, max_size=3)),
        "network.constant_units": data.draw(st.sampled_from([0, 0, 1, 4])),
        "phase1.epochs": 1,
        "phase2.epochs": 1,
    }
    for spec in field_specs():
        if spec.path in changes or spec.path == "seed":
            continue
        if spec.path.endswith(".batch"):
            near = (1, 2, digits - 1, digits, digits + 1, (digits - 1) // 2, 100, 10_000)
            changes[spec.path] = data.draw(st.sampled_from(near))
        elif spec.kind in ("choice", "bool"):
            changes[spec.path] = data.draw(st.sampled_from(spec.choices or (False, True)))
        else:
            extremes = st.sampled_from([spec.minimum, spec.default, spec.maximum])
            changes[spec.path] = data.draw(extremes)
    events: list[Event] = []
    try:
        events += train(RunConfig().updated(changes), small, threads=1)
    except InputError:
        assert not events
    else:
        assert isinstance(events[-1], RunEnded)
        assert events[-1].status == "finished"


def test_every_event_is_a_json_record(small: Digits, tiny_config: RunConfig) -> None:
    for event in train(tiny_config, small, threads=1):
        assert json.loads(json.dumps(event.record()))["event"] == event.name


def test_a_device_trains_about_as_well_as_the_processor(mnist: Digits) -> None:
    if not torch.cuda.is_available():
        pytest.skip("needs a GPU")
    config = RunConfig().updated(
        {"data.train_digits": 5000, "network.constant_units": 16, "phase2.nudge": 0.05}
    )
    errors = [list(train(config, mnist, device=device))[-1].test_error for device in ("cpu", "cuda")]
    assert abs(errors[0] - errors[1]) < 2
