"""Branching: the past is the parent's, what follows is the branch's own, and nothing is lost in between."""

import contextlib
import itertools
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from bnn_core import BitwiseNetwork, Control, Digits, InputError, RunConfig
from bnn_core.config import field_spec, field_specs
from bnn_core.names import CHECKPOINT_FILE, CHECKPOINTS
from bnn_core.network.bitwise import PackedLayer
from bnn_core.runs import branch as branching
from bnn_core.runs import checkpoints
from bnn_core.runs import writer as run_writer
from bnn_core.runs.branch import branch_config, branch_run, refusal
from bnn_core.runs.checkpoints import kept_moments, nearest
from bnn_core.runs.folder import RunFolder
from bnn_core.runs.past import Moment, config_at, moments, parent_of, parse_moment
from bnn_core.runs.recompute import way_back
from bnn_core.runs.writer import record_run, resume_run
from bnn_core.training.events import Recomputed, RunEnded
from tests.bnn_core.records import stable

FOR_EYES = ("progress", "recomputing")
TOLD = ("branched", "recomputed")
EPOCH = 20
"""Steps of an epoch here; phase 1 has three."""

CHANGES = {17: ("noise.sparsity", 0.1), 92: ("phase2.learning_rate", 1e-3)}
"""Settings that the parent changes in phase 1 and in phase 2's second epoch, by the count of steps."""


class Scripted(Control):
    """Settings at given steps of the run, counted by how often train() asks."""

    def __init__(self, settings: dict[int, tuple[str, float]]) -> None:
        super().__init__()
        self.asked, self.script = 0, settings

    def take_settings(self) -> list[tuple[str, Any]]:
        self.asked += 1
        return [self.script[self.asked]] if self.asked in self.script else []


def same_later(moment: Moment) -> Control:
    """Changes what the parent changed after a moment, at the same steps."""
    gone = (3 * (moment.phase - 1) + moment.epoch) * EPOCH
    return Scripted({count - gone: change for count, change in CHANGES.items() if count > gone})


@pytest.fixture(scope="module")
def digits(mnist: Digits) -> Digits:
    return Digits(
        mnist.train_images[:1200], mnist.train_labels[:1200], mnist.test_images[:200], mnist.test_labels[:200]
    )


@pytest.fixture(scope="module")
def config() -> RunConfig:
    return RunConfig().updated(
        {
            "network.hidden": [24],
            "phase1.epochs": 3,
            "phase2.epochs": 4,
            "phase1.batch": 50,
            "phase2.batch": 50,
            "noise.weight_flips": 0.01,
            "noise.sparsity": 0.3,
        }
    )


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory, config: RunConfig, digits: Digits) -> Path:
    folder = tmp_path_factory.mktemp("parent") / "parent"
    list(record_run(config, digits, folder, control=Scripted(CHANGES), command="the parent"))
    return folder


def records(folder: Path) -> list[dict[str, Any]]:
    return RunFolder(folder).events()


def lasting(folder: Path, leave: tuple[str, ...] = FOR_EYES) -> list[dict[str, Any]]:
    """The records that two runs of one seed share."""
    return [stable(r) for r in records(folder) if r["event"] not in leave]


def networks(folder: Path) -> dict[str, dict[str, np.ndarray]]:
    found = {s.path.name: load_file(s.path) for s in RunFolder(folder).snapshots()}
    return {**found, "model": load_file(folder / "model.safetensors")}


def assert_same_networks(one: Path, other: Path) -> None:
    left, right = networks(one), networks(other)
    assert left.keys() == right.keys()
    for name in left:
        for tensor in left[name]:
            assert np.array_equal(left[name][tensor], right[name][tensor]), (name, tensor)


def bare(source: Path, target: Path) -> Path:
    """A run as the project ships them: without any checkpoint."""
    shutil.copytree(source, target)
    (target / CHECKPOINT_FILE).unlink()
    shutil.rmtree(target / CHECKPOINTS)
    return target


def told(folder: Path, name: str) -> dict[str, Any]:
    """The one record of that name."""
    (found,) = [r for r in records(folder) if r["event"] == name]
    return found


@pytest.mark.parametrize("kept", [True, False], ids=["from a checkpoint", "from the start"])
@pytest.mark.parametrize("at", ["phase1:1", "phase1:3", "phase2:0", "phase2:2", "phase2:4"])
def test_a_branch_without_changes_is_the_parent_bit_for_bit(
    parent: Path, digits: Digits, tmp_path: Path, at: str, kept: bool
) -> None:
    source = parent if kept else bare(parent, tmp_path / "bare")
    moment, folder = parse_moment(at), tmp_path / "branch"
    expected = way_back(RunFolder(source), records(source), moment).epochs
    list(branch_run(source, folder, moment, {}, digits, control=same_later(moment)))
    recomputed = told(folder, "recomputed")
    assert recomputed["epochs"] == expected
    assert recomputed["same_bits"] is (True if expected else None)
    if not kept:
        assert expected == 3 * (moment.phase - 1) + moment.epoch
    assert lasting(folder, (*FOR_EYES, *TOLD)) == lasting(parent)
    assert_same_networks(folder, parent)
    found = parent_of(records(folder))
    assert found == {"run": source.name, "phase": moment.phase, "epoch": moment.epoch}
    times = [r["t"] for r in records(folder)]
    assert times == sorted(times)


def test_changes_act_from_the_moment_on_and_not_before(parent: Path, digits: Digits, tmp_path: Path) -> None:
    folder, moment = tmp_path / "branch", Moment(2, 1)
    changes = {"noise.sparsity": "0.6", "phase2.decay": "none", "phase2.epochs": 3, "phase2.batch": 100}
    list(branch_run(parent, folder, moment, changes, digits, command="as typed"))
    names = [r["event"] for r in records(folder)]
    assert names.count("branched") == names.count("run_started") == 1
    before = lasting(folder)[: [r["event"] for r in lasting(folder)].index("branched")]
    assert before == lasting(parent)[: len(before)]
    mine = {(r["phase"], r["epoch"]): r for r in records(folder) if r["event"] == "epoch_ended"}
    theirs = {(r["phase"], r["epoch"]): r for r in records(parent) if r["event"] == "epoch_ended"}
    assert [*mine] == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3)]
    assert mine[2, 1]["zeros"][0] == theirs[2, 1]["zeros"][0] == pytest.approx(0.1, abs=0.001)
    assert mine[2, 2]["zeros"][0] == pytest.approx(0.6, abs=0.001)
    assert mine[2, 3]["learning_rate"] == RunFolder(folder).config.phase2.learning_rate  # no decay any more
    assert mine[2, 2]["loss"] != theirs[2, 2]["loss"]
    # Snapshots go on in time, although the steps of an epoch are fewer now.
    shots = [s.name[:2] for s in RunFolder(folder).snapshots()]
    assert shots == sorted(shots)
    # The setting that the parent had changed by then is in the configuration, the later one is not.
    config = RunFolder(folder).config
    assert (config.noise.sparsity, config.phase2.learning_rate) == (0.6, 5e-3)
    assert told(folder, "branched")["changes"] == {
        "noise.sparsity": 0.6, "phase2.decay": "none", "phase2.epochs": 3, "phase2.batch": 100
    }  # fmt: skip


def test_card_and_provenance_tell_the_whole_descent(parent: Path, digits: Digits, tmp_path: Path) -> None:
    child, grandchild = tmp_path / "child", tmp_path / "grandchild"
    list(branch_run(parent, child, Moment(1, 2), {"phase2.epochs": 2}, digits, command="a branch"))
    list(branch_run(child, grandchild, Moment(2, 1), {"seed": 7}, digits, command="a branch of it"))
    card = RunFolder(grandchild).card()
    assert card is not None
    assert (card["command"], card["seed"], card["changes"]) == ("a branch of it", 7, [])
    assert BitwiseNetwork.load(grandchild).provenance["parent"] == card["parent"]
    line = card["parent"]
    assert (line["run"], line["phase"], line["epoch"]) == ("child", 2, 1)
    assert line["config"] == RunFolder(child).config.to_dict()
    first = line["parent"]
    assert (first["run"], first["phase"], first["epoch"], first["parent"]) == ("parent", 1, 2, None)
    assert first["config"] == RunFolder(parent).config.to_dict()
    assert [change["field"] for change in first["changes"]] == ["noise.sparsity"]
    plain = RunFolder(parent).card()
    assert plain is not None
    assert "parent" not in plain


@pytest.mark.parametrize("at", ["phase1:1", "phase2:1", "phase2:2", "phase2:3"])
def test_a_branch_can_be_branched_before_at_and_after_where_it_began(
    parent: Path, digits: Digits, tmp_path: Path, at: str
) -> None:
    """Also without any checkpoint: the whole descent is trained again, each stretch with its settings."""
    child, moment = tmp_path / "child", parse_moment(at)
    changes = {"noise.sparsity": 0.5, "phase2.learning_rate": 0.002}
    list(branch_run(parent, child, Moment(2, 2), changes, digits))
    folder = tmp_path / "grandchild"
    same = same_later(moment) if moment < (2, 2) else Control()
    list(branch_run(bare(child, tmp_path / "bare"), folder, moment, {}, digits, control=same))
    assert [r["same_bits"] for r in records(folder) if r["event"] == "recomputed"][-1] is True
    expected = parent if moment < (2, 2) else child  # before, it is the parent's past that goes on
    assert lasting(folder, (*FOR_EYES, *TOLD)) == lasting(expected, (*FOR_EYES, *TOLD))
    assert_same_networks(folder, expected)


def test_the_variant_may_change_before_phase_2(parent: Path, digits: Digits, tmp_path: Path) -> None:
    folder = tmp_path / "branch"
    list(branch_run(parent, folder, Moment(1, 3), {"network.variant": "threshold"}, digits))
    assert BitwiseNetwork.load(folder).variant == "threshold"
    # The other way round, and within phase 2: its norms are part of the state.
    again = tmp_path / "again"
    list(branch_run(folder, again, Moment(2, 3), {}, digits))
    assert_same_networks(again, folder)


# Kills and stops


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, parent: Path, digits: Digits) -> tuple[Path, Path]:
    """(a parent without checkpoints, its branch in one go)."""
    source = bare(parent, tmp_path_factory.mktemp("source") / "source")
    folder = tmp_path_factory.mktemp("whole") / "branch"
    list(branch_run(source, folder, Moment(2, 1), {"noise.sparsity": 0.6}, digits))
    return source, folder


@pytest.mark.parametrize(
    "killed_after", ["branched", "recomputing", "recomputed", "epoch_ended", "run_ended"]
)
def test_a_killed_branch_goes_on_bit_for_bit(
    whole: tuple[Path, Path], digits: Digits, tmp_path: Path, killed_after: str
) -> None:
    source, expected = whole
    folder = tmp_path / "branch"
    events = branch_run(source, folder, Moment(2, 1), {"noise.sparsity": 0.6}, digits)
    for event in events:
        if event.name == killed_after:
            break
    events.close()
    run = RunFolder(folder)
    if killed_after == "run_ended":
        assert run.state() == "finished"
    else:
        assert run.state() == "interrupted"
        list(resume_run(folder, digits))
    assert lasting(folder) == lasting(expected)
    assert_same_networks(folder, expected)


def test_a_branch_stopped_on_its_way_back_is_resumed(
    whole: tuple[Path, Path], digits: Digits, tmp_path: Path
) -> None:
    source, expected = whole
    folder, control = tmp_path / "branch", Control()
    for event in branch_run(source, folder, Moment(2, 1), {"noise.sparsity": 0.6}, digits, control=control):
        if event.name == "recomputing":
            control.stop()
    assert isinstance(event, RunEnded)
    assert RunFolder(folder).state() == "stopped"
    assert not RunFolder(folder).resumable  # no checkpoint yet: the way back starts over
    list(resume_run(folder, digits, command="resume"))
    assert lasting(folder) == lasting(expected)
    assert_same_networks(folder, expected)


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_between_any_two_writes_a_branch_goes_on_or_never_was(
    whole: tuple[Path, Path], digits: Digits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes = {"left": 0}

    def dying(change: Callable[..., object]) -> Callable[..., object]:
        def act(*args: object, **options: object) -> object:
            writes["left"] -= 1
            if writes["left"] < 0:
                raise Killed
            return change(*args, **options)

        return act

    for module in (run_writer, checkpoints, branching):
        monkeypatch.setattr(module, "write_atomically", dying(module.write_atomically))  # type: ignore[attr-defined]
    monkeypatch.setattr(run_writer, "_append", dying(run_writer._append))
    source, expected = whole
    kills = 0
    for allowed in itertools.count():
        folder = tmp_path / f"run-{allowed}"
        writes["left"] = allowed
        try:
            list(branch_run(source, folder, Moment(2, 1), {"noise.sparsity": 0.6}, digits))
            break
        except Killed:
            kills += 1
        if not (folder / "config.json").exists():
            continue  # no run yet: nothing to resume, nothing that is listed
        writes["left"] = 1 + allowed % 5
        with contextlib.suppress(Killed):
            list(resume_run(folder, digits))
        writes["left"] = 10**6
        if RunFolder(folder).state() != "finished":
            list(resume_run(folder, digits))
        assert lasting(folder) == lasting(expected)
        assert_same_networks(folder, expected)
    assert kills > 20


# Honesty


def test_bits_that_come_out_otherwise_are_told(parent: Path, digits: Digits, tmp_path: Path) -> None:
    """As on another machine: the parent's snapshot of that moment is not what training gives here."""
    source = bare(parent, tmp_path / "source")
    shot = next(s for s in RunFolder(source).snapshots() if s.name[:2] == (2, 1))
    network = BitwiseNetwork.load(shot.path)
    layer = network.layers[0]
    weight = layer.weight.copy()
    weight[3, 5] ^= np.uint64(1)
    mask = None if layer.mask is None else layer.mask | (weight & ~layer.mask)
    altered = PackedLayer(layer.inputs, weight, mask, layer.bias)
    BitwiseNetwork(
        (altered, *network.layers[1:]), network.features, network.input_threshold, network.variant
    ).save(shot.path)
    folder = tmp_path / "branch"
    events = list(branch_run(source, folder, Moment(2, 1), {"phase2.epochs": 2}, digits))
    (recomputed,) = [e for e in events if isinstance(e, Recomputed)]
    assert recomputed.same_bits is False
    assert RunFolder(folder).state() == "finished"
    # Where there is nothing to compare with, nothing is claimed.
    shot.path.unlink()
    list(branch_run(source, tmp_path / "other", Moment(2, 1), {"phase2.epochs": 2}, digits))
    assert told(tmp_path / "other", "recomputed")["same_bits"] is None


def test_the_cost_is_the_epochs_after_the_nearest_checkpoint(parent: Path, tmp_path: Path) -> None:
    run = RunFolder(parent)
    assert way_back(run, run.events(), Moment(2, 0)).epochs == 0
    assert way_back(run, run.events(), Moment(2, 4)).epochs == 0  # the latest one
    shutil.copytree(parent, tmp_path / "run")
    run = RunFolder(tmp_path / "run")
    for path in (tmp_path / "run").rglob("phase2-epoch*"):
        if path.parent.name == CHECKPOINTS:
            path.unlink()
    way = way_back(run, run.events(), Moment(2, 3))
    took = [r["seconds"] for r in run.events() if r["event"] == "epoch_ended" and r["phase"] == 2]
    assert (way.epochs, way.seconds) == (3, pytest.approx(sum(took[:3])))
    # A damaged one is passed over.
    (tmp_path / "run" / CHECKPOINTS / "phase1-end.safetensors").write_bytes(b"nothing")
    assert way_back(run, run.events(), Moment(2, 0)).epochs > 0


# What is kept


def test_a_few_checkpoints_are_kept_between_the_ends_of_the_phases(parent: Path, config: RunConfig) -> None:
    kept = sorted(path.name for path in (parent / CHECKPOINTS).iterdir())
    assert "phase1-end.safetensors" in kept
    assert len(kept) == 1 + checkpoints.KEPT_IN_BETWEEN
    for path in (parent / CHECKPOINTS).iterdir():
        moment = parse_moment(path.stem.replace("phase1-end", "phase2:0").replace("-epoch", ":"))
        found = nearest(parent, moment)
        assert found is not None
        assert found[1] == (*moment, 0)
    assert nearest(parent, Moment(1, 0)) is None


def test_what_is_kept_fits_its_budget() -> None:
    config = RunConfig().updated({"phase1.epochs": 20, "phase2.epochs": 40}).to_dict()
    spread = sorted(kept_moments(config, 1000))
    assert len(spread) == 4
    places = [20 * (phase - 1) + epoch for phase, epoch in spread]
    assert all(8 <= b - a <= 16 for a, b in itertools.pairwise([0, *places, 60]))
    for size in (40 << 20, 100 << 20, 300 << 20):
        kept = len(kept_moments(config, size))
        assert kept == 0 or (kept + 2) * size <= checkpoints.KEPT_BYTES
    assert (
        kept_moments(RunConfig().updated({"phase1.epochs": 1, "phase2.epochs": 0}).to_dict(), 1000) == set()
    )


# Refusals


@pytest.mark.parametrize(
    ("at", "changes", "says"),
    [
        (
            "phase2:9",
            {},
            r"The run has no phase2:9: allowed are phase1:1 to phase1:3 and phase2:0 to phase2:4\.",
        ),
        ("phase1:0", {}, "The run has no phase1:0"),
        (
            "phase2:1",
            {"data.features": "two-bit"},
            "data.features cannot change in a branch .* start of a run",
        ),
        (
            "phase2:1",
            {"network.hidden": "32"},
            "network.hidden cannot change in a branch from phase 2, epoch 1",
        ),
        ("phase1:1", {"compression.weight_init": 0.5}, "compression.weight_init cannot change"),
        ("phase2:0", {"network.variant": "threshold"}, "network.variant cannot change .*: phase 2 has begun"),
        ("phase2:0", {"phase1.epochs": 5}, "phase1.epochs cannot change in a branch .*: phase 1 is over"),
        ("phase2:1", {"compression.gain_end": 2}, "compression.gain_end cannot change .*: phase 1 is over"),
        ("phase2:3", {"phase2.epochs": 2}, "phase2.epochs is 2, but 3 epochs are over"),
        ("phase2:3", {"noise.sparsity": 7}, "noise.sparsity is 7: allowed is 0 to 0.97"),
        ("phase2:3", {"noise.sparsty": 1}, "did you mean noise.sparsity"),
    ],
)
def test_what_cannot_be_branched_is_a_sentence_and_leaves_nothing(
    parent: Path, digits: Digits, tmp_path: Path, at: str, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(InputError, match=says):
        list(branch_run(parent, tmp_path / "branch", parse_moment(at), changes, digits))
    assert list(tmp_path.iterdir()) == []


def test_other_digits_a_full_folder_and_no_run_are_refused(
    parent: Path, digits: Digits, mnist: Digits, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="was trained on other digits"):
        list(branch_run(parent, tmp_path / "branch", Moment(2, 1), {}, mnist))
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(InputError, match="is not empty"):
        list(branch_run(parent, tmp_path, Moment(2, 1), {}, digits))
    with pytest.raises(InputError, match="is no run folder"):
        list(branch_run(tmp_path, tmp_path / "branch", Moment(2, 1), {}, digits))
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_every_field_may_change_as_long_as_it_acts() -> None:
    early, boundary, late = Moment(1, 1), Moment(2, 0), Moment(2, 3)
    for spec in field_specs():
        allowed = [refusal(spec, moment) is None for moment in (early, boundary, late)]
        assert allowed in ([True] * 3, [True, False, False], [False] * 3), spec.path
        if spec.live:
            assert allowed[0], spec.path
        if spec.group in ("noise", "phase2"):
            assert all(allowed), spec.path
    assert refusal(field_spec("seed"), late) is None


def test_moments_and_what_was_in_force(parent: Path) -> None:
    found = moments(records(parent))
    assert [m.text for m in found] == [
        "phase1:1", "phase1:2", "phase1:3", "phase2:0", "phase2:1", "phase2:2", "phase2:3", "phase2:4"
    ]  # fmt: skip
    assert [config_at(records(parent), m).noise.sparsity for m in found] == [0.1] * 8
    rates = [config_at(records(parent), m).phase2.learning_rate for m in found]
    assert rates == [5e-3] * 5 + [1e-3] * 3
    assert moments([{"event": "epoch_ended"}, {"event": "phase_started"}]) == []
    config, changes = branch_config(records(parent), Moment(2, 3), {"phase2.learning_rate": 1e-3})
    assert (changes, config.phase2.learning_rate) == ({}, 1e-3)
    for text in ("", "phase3:1", "phase2", "2:1", "phase2:-1", "phase2:12345"):
        with pytest.raises(InputError, match=r"allowed is phase1:EPOCH or phase2:EPOCH"):
            parse_moment(text)
