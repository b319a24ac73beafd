"""A run folder: what lies in it, what a kill leaves, and going on bit for bit."""

import contextlib
import itertools
import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from safetensors.numpy import load_file

from bnn_core import BitwiseNetwork, Control, Digits, InputError, RealNetwork, RunConfig
from bnn_core.names import SnapshotName
from bnn_core.runs import checkpoints
from bnn_core.runs import writer as run_writer
from bnn_core.runs.branch import branch_run
from bnn_core.runs.find import find_run, list_runs
from bnn_core.runs.folder import EventLog, RunFolder
from bnn_core.runs.past import Moment
from bnn_core.runs.writer import _thin, record_run, resume_run
from bnn_core.training import run as training_run
from bnn_core.training.events import EpochEnded, Event, Progress
from tests.bnn_core.records import stable


def records(folder: Path) -> list[dict[str, object]]:
    return [stable(r) for r in RunFolder(folder).events() if r["event"] != "progress"]


def snapshots(folder: Path) -> dict[str, dict[str, np.ndarray]]:
    return {s.path.name: load_file(s.path) for s in RunFolder(folder).snapshots()}


def assert_same_run(one: Path, other: Path) -> None:
    assert records(one) == records(other)
    left, right = snapshots(one), snapshots(other)
    left["model"], right["model"] = (load_file(p / "model.safetensors") for p in (one, other))
    assert left.keys() == right.keys()
    for name in left:
        for tensor in left[name]:
            assert np.array_equal(left[name][tensor], right[name][tensor]), (name, tensor)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, small_run: RunConfig, mnist: Digits) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "run"
    list(record_run(small_run, _small(mnist), folder, command="as typed"))
    return folder


@pytest.fixture(scope="module")
def small_run() -> RunConfig:
    return RunConfig().updated(
        {
            "network.hidden": [40],
            "phase1.epochs": 2,
            "phase2.epochs": 2,
            "phase1.batch": 50,
            "phase2.batch": 50,
            "phase1.dropout_input": 0.1,
            "noise.weight_flips": 0.01,
            "noise.sparsity": 0.3,
        }
    )


def _small(mnist: Digits) -> Digits:
    return Digits(
        mnist.train_images[:1200], mnist.train_labels[:1200], mnist.test_images[:200], mnist.test_labels[:200]
    )


def test_what_lies_in_a_finished_run(whole: Path, mnist: Digits) -> None:
    run = RunFolder(whole)
    assert run.state() == "finished"
    assert run.config.network.hidden == (40,)
    end = run.events()[-1]
    network = BitwiseNetwork.load(whole)
    digits = _small(mnist)
    wrong = int((network.predict(digits.test_images) != digits.test_labels).sum())
    card = run.card()
    assert card is not None
    assert wrong == end["test_errors"] == card["errors"]
    assert 200 - np.trace(card["confusion"]) == wrong
    assert card["command"] == "as typed"
    assert network.provenance["seed"] == 0
    assert run.real_path is not None
    real = RealNetwork.load(run.real_path)
    wrong = int((real.predict(digits.test_images) != digits.test_labels).sum())
    assert 100 * wrong / 200 == end["test_error_real"]
    # The last snapshot is the model.
    last = BitwiseNetwork.load(run.snapshots()[-1].path)
    assert np.array_equal(last.layers[0].weight, network.layers[0].weight)


@pytest.mark.parametrize("killed_after", [2, 7, 13, 23])
def test_killed_anywhere_it_goes_on_bit_for_bit(
    whole: Path, small_run: RunConfig, mnist: Digits, tmp_path: Path, killed_after: int
) -> None:
    """Dropping the iterator is what a kill leaves: the files as they are at that event."""
    folder = tmp_path / "run"
    events = record_run(small_run, _small(mnist), folder)
    lasting = (event for event in events if not isinstance(event, Progress))
    assert len(list(itertools.islice(lasting, killed_after))) == killed_after
    events.close()
    assert RunFolder(folder).state() == "interrupted"
    # A line that the kill cut short is no obstacle.
    with (folder / "events.jsonl").open("ab") as log:
        log.write(b'{"event":"epoch_ended","t":1.0,"pha')
    list(resume_run(folder, _small(mnist)))
    assert_same_run(whole, folder)


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_between_any_two_writes_it_goes_on_bit_for_bit(
    whole: Path, small_run: RunConfig, mnist: Digits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The n-th change to the disk does not happen any more, for every n; nor a later one when resumed."""
    writes = {"left": 0}

    def dying(change: Callable[..., object]) -> Callable[..., object]:
        def act(*args: object, **options: object) -> object:
            writes["left"] -= 1
            if writes["left"] < 0:
                raise Killed
            return change(*args, **options)

        return act

    for module, name in (
        (run_writer, "write_atomically"),
        (checkpoints, "write_atomically"),
        (run_writer, "_append"),
    ):
        monkeypatch.setattr(module, name, dying(getattr(module, name)))
    monkeypatch.setattr(Path, "unlink", dying(Path.unlink))
    kills = 0
    for allowed in itertools.count(1):
        folder = tmp_path / f"run-{allowed}"
        writes["left"] = allowed
        try:
            list(record_run(small_run, _small(mnist), folder))
            break
        except Killed:
            kills += 1
        writes["left"] = 1 + allowed % 5
        with contextlib.suppress(Killed):
            list(resume_run(folder, _small(mnist)))
        writes["left"] = 10**6
        if RunFolder(folder).state() != "finished":
            list(resume_run(folder, _small(mnist)))
        assert_same_run(whole, folder)
    assert kills > 30


CHANGES = {17: ("noise.sparsity", 0.1), 50: ("phase2.learning_rate", 1e-3)}
"""Settings to change, by the count of steps."""


def test_a_stop_in_mid_epoch_and_a_changed_setting_survive(
    small_run: RunConfig, mnist: Digits, tmp_path: Path
) -> None:
    def run(folder: Path, *, stop_at: int | None) -> None:
        control = _Scripted(CHANGES, stop_at)
        list(record_run(small_run, _small(mnist), folder, control=control))

    run(tmp_path / "whole", stop_at=None)
    run(tmp_path / "stopped", stop_at=58)
    assert RunFolder(tmp_path / "stopped").state() == "stopped"
    list(resume_run(tmp_path / "stopped", _small(mnist)))
    assert_same_run(tmp_path / "whole", tmp_path / "stopped")
    # Killed later, with the checkpoint before the change: the change is replayed at its step.
    killed = tmp_path / "killed"
    control = _Scripted(CHANGES, None)
    events = record_run(small_run, _small(mnist), killed, control=control)
    for event in events:
        if event.name == "settings_changed" and event.record()["field"] == "phase2.learning_rate":
            break
    events.close()
    # Killed a second time before that step: still not lost.
    events = resume_run(killed, _small(mnist))
    assert next(events).name in ("progress", "snapshot", "epoch_ended", "phase_started")
    events.close()
    list(resume_run(killed, _small(mnist)))
    assert_same_run(tmp_path / "whole", killed)


class _Scripted(Control):
    """Settings and a stop at given steps of the run, counted by how often train() asks."""

    def __init__(self, settings: dict[int, tuple[str, float]], stop_at: int | None) -> None:
        super().__init__()
        self.asked, self.script, self.stop_at = 0, settings, stop_at

    def take_settings(self) -> list[tuple[str, object]]:
        self.asked += 1
        if self.asked == self.stop_at:
            self.stop()
        return [self.script[self.asked]] if self.asked in self.script else []


def test_resuming_what_cannot_be_resumed_is_refused(whole: Path, mnist: Digits, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has finished: there is nothing to resume"):
        list(resume_run(whole, _small(mnist)))
    with pytest.raises(InputError, match="is no run folder"):
        list(resume_run(tmp_path, _small(mnist)))
    broken = tmp_path / "broken"
    shutil.copytree(whole, broken)
    log = (broken / "events.jsonl").read_bytes().splitlines(keepends=True)
    (broken / "events.jsonl").write_bytes(b"".join(log[:-1]))
    other = Digits(
        mnist.train_images[:900], mnist.train_labels[:900], mnist.test_images[:90], mnist.test_labels[:90]
    )
    with pytest.raises(InputError, match="was trained on other digits"):
        list(resume_run(broken, other))
    checkpoint = broken / "checkpoint.safetensors"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-100])
    with pytest.raises(InputError, match=r"checkpoint\.safetensors is no checkpoint, or is damaged"):
        list(resume_run(broken, _small(mnist)))
    # A refusal touches nothing.
    assert (broken / "events.jsonl").read_bytes() == b"".join(log[:-1])


def test_what_batch_norm_cannot_train_is_refused_and_left_alone(
    small_run: RunConfig, mnist: Digits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = small_run.updated({"network.variant": "threshold", "phase2.batch": 1})
    with pytest.raises(InputError, match=r"^phase2\.batch is 1: allowed is 2 or more"):
        list(record_run(config, _small(mnist), tmp_path / "run"))
    assert not (tmp_path / "run").exists()
    # A run that was begun all the same, and died of it in phase 2.
    for module in (run_writer, training_run):
        monkeypatch.setattr(module, "check_batches", lambda *_: None)
    with pytest.raises(ValueError, match="more than 1 value"):
        list(record_run(config, _small(mnist), tmp_path / "run"))
    monkeypatch.undo()
    before = (tmp_path / "run" / "events.jsonl").read_bytes()
    with pytest.raises(InputError, match=r"^phase2\.batch is 1: allowed is 2 or more"):
        list(resume_run(tmp_path / "run", _small(mnist)))
    assert (tmp_path / "run" / "events.jsonl").read_bytes() == before
    with pytest.raises(InputError, match=r"^phase2\.batch is 1: allowed is 2 or more"):
        list(branch_run(tmp_path / "run", tmp_path / "branch", Moment(2, 0), {}, _small(mnist)))
    assert not (tmp_path / "branch").exists()
    # What it has learned is not lost.
    batch = {"phase2.batch": 50}
    list(branch_run(tmp_path / "run", tmp_path / "branch", Moment(2, 0), batch, _small(mnist)))
    assert RunFolder(tmp_path / "branch").state() == "finished"


def test_a_run_has_one_writer(whole: Path, small_run: RunConfig, mnist: Digits, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    events = record_run(small_run, _small(mnist), folder)
    next(events)
    assert RunFolder(folder).state() == "running"
    with pytest.raises(InputError, match="is being written by another process"):
        list(resume_run(folder, _small(mnist)))
    events.close()
    assert RunFolder(folder).state() == "interrupted"
    with FileLock(folder / "run.lock"):
        assert RunFolder(folder).locked


def test_a_folder_with_something_in_it_is_left_alone(
    small_run: RunConfig, mnist: Digits, tmp_path: Path
) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(InputError, match="is not empty: a new run needs a folder of its own"):
        list(record_run(small_run, _small(mnist), tmp_path))
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        list(record_run(small_run, _small(mnist), tmp_path / "file" / "run"))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "mine.txt"]


def test_a_failed_run_says_why(
    small_run: RunConfig, mnist: Digits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object) -> None:
        raise OSError(28, "No space left on device", "snapshot")

    folder = tmp_path / "run"
    events = record_run(small_run, _small(mnist), folder)
    next(events)
    monkeypatch.setattr("bnn_core.runs.writer.write_atomically", no_room)
    with pytest.raises(OSError, match="No space left"):
        list(events)
    run = RunFolder(folder)
    assert run.state() == "failed"
    assert run.events()[-1]["reason"] == "snapshot cannot be written: No space left on device"
    monkeypatch.undo()
    list(resume_run(folder, _small(mnist)))
    assert run.state() == "finished"


# Following


def test_a_follower_waits_for_whole_lines_and_notices_a_rewind(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    log = EventLog(path)
    assert log.poll() == []
    path.write_bytes(b'{"event":"a"}\n{"event":"b"')
    assert [r["event"] for r in log.poll()] == ["a"]
    assert log.poll() == []
    with path.open("ab") as file:
        file.write(b'}\nnot json\n{"event":"c"}\n')
    assert [r["event"] for r in log.poll()] == ["b", "c"]
    longer = tmp_path / "new"
    longer.write_bytes(b'{"event":"a"}\n{"event":"x"}\n{"event":"y"}\n{"event":"z"}\n')
    longer.replace(path)
    log.poll()
    assert [r["event"] for r in log.records] == ["a", "x", "y", "z"]
    assert log.generation == 1


def test_a_pause_is_seen_by_any_reader(small_run: RunConfig, mnist: Digits, tmp_path: Path) -> None:
    control = Control()
    control.pause()
    states = []
    for event in record_run(small_run, _small(mnist), tmp_path / "run", control=control):
        if isinstance(event, Progress) and not states:
            states.append(RunFolder(tmp_path / "run").state())
            assert RunFolder(tmp_path / "run").resumable
            control.stop()
    assert states == ["paused"]


def test_runs_are_listed_newest_first_and_found(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BNN_RUNS", str(tmp_path))
    assert list_runs() == []
    for name in ("first", "second"):
        shutil.copytree(whole, tmp_path / name)
    (tmp_path / "no-run").mkdir()
    (tmp_path / "Bad Name").mkdir()
    (tmp_path / "second" / "config.json").write_text(json.dumps({"seed": 7}))
    assert {r.id for r in list_runs()} == {"first", "second"}
    assert find_run("second").config.seed == 7
    with pytest.raises(InputError, match="There is no run 'third'"):
        find_run("third")
    with pytest.raises(InputError, match="There is no run"):
        find_run("../first")


def test_snapshots_are_thinned_to_the_budget(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(whole / "snapshots", tmp_path / "snapshots")
    before = sorted((tmp_path / "snapshots").iterdir())
    budget = before[0].stat().st_size * 5
    monkeypatch.setattr("bnn_core.runs.writer.SNAPSHOT_BUDGET", budget)
    _thin(tmp_path / "snapshots")
    after = sorted((tmp_path / "snapshots").iterdir())
    assert sum(p.stat().st_size for p in after) <= budget
    assert (after[0], after[-1]) == (before[0], before[-1])


def test_events_of_epochs_come_with_their_files(small_run: RunConfig, mnist: Digits, tmp_path: Path) -> None:
    """When a record is there, so is its file."""
    folder = tmp_path / "run"
    seen: list[Event] = []
    for event in record_run(small_run, _small(mnist), folder):
        seen.append(event)
        if event.name == "snapshot":
            assert (folder / "snapshots" / event.taken.file).is_file()  # type: ignore[attr-defined]
        if event.name == "run_ended":
            assert (folder / "model.safetensors").is_file()
    assert sum(isinstance(e, EpochEnded) for e in seen) == 4


def test_the_first_points_come_within_the_first_epoch(whole: Path, mnist: Digits) -> None:
    """Their errors are those of the bits that were kept then, on the validation digits."""
    digits = _small(mnist)
    early = [r for r in RunFolder(whole).events() if r["event"] == "snapshot" and r["epoch"] == 0]
    assert [r["phase"] for r in early] == [1] * 4 + [2] * 4
    for record in early:
        name = SnapshotName(record["phase"], 0, record["step"]).file
        network = BitwiseNetwork.load(whole / "snapshots" / name)
        wrong = network.predict(digits.train_images[-200:]) != digits.train_labels[-200:]
        assert record["validation_error_bitwise"] == 100 * int(wrong.sum()) / 200
        assert record["train_error_bitwise"] is None


def test_without_a_validation_set_they_are_errors_on_training_digits(
    small_run: RunConfig, mnist: Digits, tmp_path: Path
) -> None:
    config = small_run.updated({"data.train_digits": 1200, "phase2.epochs": 0})
    list(record_run(config, _small(mnist), tmp_path / "run"))
    shots = [r for r in RunFolder(tmp_path / "run").events() if r["event"] == "snapshot"]
    assert all(r["validation_error_bitwise"] is None for r in shots)
    assert all(isinstance(r["train_error_bitwise"], float) for r in shots)


def test_readers_do_not_take_each_other_for_a_writer(whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole, tmp_path / "run")
    log = (tmp_path / "run" / "events.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "run" / "events.jsonl").write_bytes(b"".join(log[:-1]))
    with ThreadPoolExecutor(4) as pool:
        states = list(pool.map(lambda _: RunFolder(tmp_path / "run").state(), range(200)))
    assert set(states) == {"interrupted"}


def test_card_and_provenance_tell_what_was_typed_and_changed(
    small_run: RunConfig, mnist: Digits, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    control = _Scripted({30: ("noise.sparsity", 0.9)}, 40)
    list(record_run(small_run, _small(mnist), folder, control=control, command="train it"))
    list(resume_run(folder, _small(mnist), command="resume it"))
    card = RunFolder(folder).card()
    assert card is not None
    assert card["command"] == "train it"
    (change,) = card["changes"]
    assert (change["field"], change["value"]) == ("noise.sparsity", 0.9)
    assert BitwiseNetwork.load(folder).provenance["changes"] == card["changes"]


def _edited(run: Path, name: str, content: bytes) -> Path:
    (run / name).write_bytes(content)
    return run


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff\xfe", b'{"noise": {"sparsity": 9}}', b'{"x": 1}']
)
def test_a_damaged_configuration_is_a_sentence_that_names_the_file(
    whole: Path, tmp_path: Path, content: bytes
) -> None:
    shutil.copytree(whole, tmp_path / "run")
    with pytest.raises(InputError, match=r"config\.json"):
        _ = RunFolder(_edited(tmp_path / "run", "config.json", content)).config


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"a": 1}'])
def test_a_damaged_card_is_no_card(whole: Path, tmp_path: Path, content: bytes) -> None:
    shutil.copytree(whole, tmp_path / "run")
    assert RunFolder(_edited(tmp_path / "run", "card.json", content)).card() is None


def test_what_was_changed_by_hand_is_not_resumed(small_run: RunConfig, mnist: Digits, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    list(record_run(small_run, _small(mnist), folder, control=_Scripted({}, 40)))
    config = (folder / "config.json").read_bytes()
    _edited(folder, "config.json", config.replace(b"40", b"32"))
    with pytest.raises(InputError, match=r"config\.json has changed since run run was started"):
        list(resume_run(folder, _small(mnist)))
    _edited(folder, "config.json", config)
    events = (folder / "events.jsonl").read_bytes()
    _edited(folder, "events.jsonl", events[:100])
    with pytest.raises(InputError, match=r"events\.jsonl is missing or was cut short"):
        list(resume_run(folder, _small(mnist)))
    _edited(folder, "events.jsonl", events)
    shutil.rmtree(folder / "snapshots")
    (folder / ".checkpoint.safetensors.abcd.part").write_bytes(b"half")
    list(resume_run(folder, _small(mnist)))
    assert not list(folder.rglob(".*.part"))
    assert RunFolder(folder).state() == "finished"
