"""The queue and the worker process: order, commands, crashes, a machine without training."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import struct
import sys
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pytest

from bnn_core import InputError, RunConfig
from bnn_core.runs.folder import RunFolder
from bnn_core.runs.past import Moment
from bnn_core.runs.writer import make_folder, write_config
from explorer.server import worker_process
from explorer.server.jobs import JobManager, Jobs
from explorer.server.worker_process import Answer
from tests.explorer import fake_worker

CONFIG = RunConfig()


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BNN_RUNS", str(tmp_path / "runs"))
    monkeypatch.delenv("BNN_TRAINING", raising=False)
    return tmp_path / "runs"


@pytest.fixture
def manager(runs: Path, tmp_path: Path) -> Iterator[JobManager]:
    made = JobManager([*fake_worker.COMMAND, str(tmp_path / "log")])
    yield made
    made.close()


def wait(manager: JobManager, run: str, *states: str) -> Jobs:
    assert manager.wait_for(lambda jobs: (job := jobs.find(run)) is not None and job.state in states, 20), (
        manager.jobs()
    )
    return manager.jobs()


def commands(tmp_path: Path) -> list[str]:
    return [
        json.loads(line)["command"] for line in (tmp_path / "log").read_text().splitlines() if line[0] == "{"
    ]


def test_a_second_run_waits_until_the_first_one_ends(manager: JobManager) -> None:
    first = manager.start(CONFIG, label="one", name="quick")
    second = manager.start(CONFIG, label="two")
    jobs = wait(manager, first, "running")
    assert [job.id for job in jobs.queue] == [second]
    manager.stop(first)
    jobs = wait(manager, second, "running")
    assert jobs.find(first) is not None
    assert jobs.ended[first].state == "stopped"
    assert jobs.queue == ()
    assert "-quick-" in first


def test_a_branch_is_handed_over_with_its_moment_and_changes(
    manager: JobManager, runs: Path, tmp_path: Path
) -> None:
    parent = runs / "20261123-101502-quick-3f2a"
    config = CONFIG.updated({"noise.sparsity": 0.5})
    run = manager.branch(parent, Moment(2, 3), config, {"noise.sparsity": 0.5}, label="a branch")
    wait(manager, run, "running")
    (line,) = [json.loads(x) for x in (tmp_path / "log").read_text().splitlines()]
    assert line["command"] == "branch"
    assert (line["parent"], line["at"], line["folder"]) == (str(parent), "phase2:3", str(runs / run))
    assert line["changes"] == {"noise.sparsity": 0.5}
    assert "-quick-branch-" in run


def test_what_is_over_the_machines_budget_is_not_started(
    manager: JobManager, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BNN_BUDGET", "5")
    with pytest.raises(InputError, match="BNN_BUDGET"):
        manager.start(CONFIG)
    with pytest.raises(InputError, match="BNN_BUDGET"):
        manager.branch(Path("parent"), Moment(2, 1), CONFIG, {})
    make_folder(runs / "begun")
    write_config(CONFIG, runs / "begun")
    with pytest.raises(InputError, match="BNN_BUDGET"):
        manager.resume_run(runs / "begun")
    with pytest.raises(InputError, match="is no run folder"):
        manager.resume_run(runs / "none")
    assert manager.jobs().worker == "none"
    monkeypatch.setenv("BNN_BUDGET", "5000")
    manager.resume_run(runs / "begun")
    wait(manager, "begun", "running")


def test_what_cannot_be_trained_is_not_started(manager: JobManager) -> None:
    with pytest.raises(InputError, match=r"^phase2.batch is 1: allowed is 2 or more"):
        manager.start(CONFIG.updated({"network.variant": "threshold", "phase2.batch": 1}))
    assert manager.jobs().worker == "none"


def test_a_waiting_run_can_be_taken_out(manager: JobManager, tmp_path: Path) -> None:
    first, second, third = (manager.start(CONFIG) for _ in range(3))
    wait(manager, first, "running")
    manager.cancel(second)
    with pytest.raises(InputError, match="does not wait"):
        manager.cancel(first)
    manager.stop(first)
    jobs = wait(manager, third, "running")
    assert jobs.find(second) is None


def test_commands_reach_the_run_under_way_and_no_other(manager: JobManager, tmp_path: Path) -> None:
    run = manager.start(CONFIG)
    # Told before it has started: kept until it has.
    manager.one_epoch(run)
    wait(manager, run, "running")
    manager.pause(run)
    manager.resume(run)
    manager.set(run, "noise.sparsity", 0.3)
    with pytest.raises(InputError, match="network"):
        manager.set(run, "network.hidden", [64])
    with pytest.raises(InputError, match=r"allowed is 0 to 0\.97"):
        manager.set(run, "noise.sparsity", 2.0)
    with pytest.raises(InputError, match="not under way"):
        manager.pause("another-run")
    manager.stop(run)
    wait(manager, run, "stopped")
    assert commands(tmp_path) == ["run", "step", "pause", "resume", "set", "stop"]


def test_a_failed_run_says_why_and_the_next_one_runs(manager: JobManager) -> None:
    first = manager.start(CONFIG, label="fail")
    second = manager.start(CONFIG)
    jobs = wait(manager, second, "running")
    assert (jobs.ended[first].state, jobs.ended[first].reason) == ("failed", "The disk is full.")


def test_a_dead_worker_leaves_its_run_interrupted_and_is_replaced(manager: JobManager, runs: Path) -> None:
    first = manager.start(CONFIG, label="die")
    second = manager.start(CONFIG)
    jobs = wait(manager, second, "running")
    assert jobs.ended[first].state == "interrupted"
    assert "exit code 3" in str(jobs.ended[first].reason)
    assert "the last words" in str(jobs.ended[first].reason)
    with pytest.raises(InputError, match="under way already"):
        manager.resume_run(runs / second)
    manager.stop(second)
    wait(manager, second, "stopped")
    manager.resume_run(runs / first)
    wait(manager, first, "running")


@pytest.mark.parametrize("leaving", ["last", "deaf"])
def test_what_a_leaving_worker_has_not_answered_goes_to_the_next_one(
    manager: JobManager, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leaving: str
) -> None:
    monkeypatch.setattr(worker_process, "CLOSE_SECONDS", 0.0)
    first = manager.start(CONFIG, label=leaving)
    wait(manager, first, "running")
    second, third = manager.start(CONFIG), manager.start(CONFIG)
    manager.stop(first)
    jobs = wait(manager, second, "running")
    assert jobs.ended[first].state == "stopped"
    assert [job.id for job in jobs.queue] == [third]
    manager.stop(second)
    wait(manager, third, "running")
    manager.stop(third)
    wait(manager, third, "stopped")
    # So does a Resume.
    manager.resume_run(runs / first, label=leaving)
    wait(manager, first, "running")
    manager.resume_run(runs / second)
    manager.stop(first)
    wait(manager, second, "running")
    assert [commands(tmp_path).count(command) for command in ("run", "resume_run")] == [3, 2]


def test_what_a_starting_run_was_told_goes_with_it_to_the_next_worker(
    manager: JobManager, tmp_path: Path
) -> None:
    run = manager.start(CONFIG, label="choke once")
    manager.pause(run)
    manager.one_epoch(run)
    wait(manager, run, "running")
    manager.stop(run)
    wait(manager, run, "stopped")
    assert commands(tmp_path) == ["run", "run", "pause", "step", "stop"]


def test_a_request_that_ends_two_workers_has_failed(manager: JobManager, tmp_path: Path) -> None:
    first = manager.start(CONFIG, label="choke")
    second = manager.start(CONFIG)
    jobs = wait(manager, second, "running")
    assert jobs.ended[first].state == "failed"
    assert "exit code 3" in str(jobs.ended[first].reason)
    assert "the last words" in str(jobs.ended[first].reason)
    assert commands(tmp_path) == ["run"] * 3


@pytest.mark.skipif(os.name != "posix", reason="signals are named by number there")
def test_a_killed_worker_is_told_by_its_signal(manager: JobManager) -> None:
    run = manager.start(CONFIG)
    wait(manager, run, "running")
    manager.set(run, "phase2.learning_rate", 0.01)
    jobs = wait(manager, run, "interrupted")
    assert "signal 9" in str(jobs.ended[run].reason)
    assert jobs.worker == "none"
    manager.warm_up()
    assert manager.wait_for(lambda jobs: jobs.worker == "ready", 20)


def test_a_worker_that_never_comes_to_life_fails_what_waits(
    manager: JobManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_BROKEN", "1")
    first = manager.start(CONFIG)
    wait(manager, first, "interrupted", "failed")
    jobs = manager.jobs()
    assert jobs.current is None
    assert jobs.queue == ()
    assert "cannot import what training needs" in str(jobs.ended[first].reason)


def test_the_worker_ends_with_its_manager(manager: JobManager, tmp_path: Path) -> None:
    manager.warm_up()
    assert manager.wait_for(lambda jobs: jobs.worker == "ready", 20)
    manager.close()
    assert (tmp_path / "log").read_text() == "end of input\n"
    with pytest.raises(InputError, match="ending"):
        manager.start(CONFIG)


def ask(manager: JobManager, key: str) -> Future[Answer] | None:
    return manager.ask({"command": "measure", "key": key, "model": key})


def answer(manager: JobManager, key: str) -> Answer:
    asked = ask(manager, key)
    assert asked is not None
    return asked.result(20)


def test_a_question_has_its_answer(manager: JobManager, tmp_path: Path) -> None:
    assert ask(manager, "a") is None  # there is no worker yet, and none is started for it
    manager.warm_up()
    told, failed = answer(manager, "a"), answer(manager, "fail")
    assert told is not None
    assert failed is not None
    assert told["figures"] == fake_worker.FIGURES
    assert (failed["key"], failed["figures"]) == ("fail", None)
    assert commands(tmp_path) == ["measure", "measure"]


def test_what_is_under_way_is_not_asked_again(runs: Path, tmp_path: Path) -> None:
    silent = "import sys; open(sys.argv[1], 'w').write(sys.stdin.read())"
    manager = JobManager([sys.executable, "-c", silent, str(tmp_path / "log")])
    manager.warm_up()
    asked = [ask(manager, key) for key in ("a", "a", "b")]
    assert asked[0] is asked[1] is not asked[2]
    manager.close()
    assert [future and future.result(20) for future in asked] == [None] * 3
    assert [json.loads(line)["key"] for line in (tmp_path / "log").read_text().splitlines()] == ["a", "b"]


def test_a_worker_that_dies_leaves_no_one_waiting(manager: JobManager) -> None:
    manager.warm_up()
    assert answer(manager, "die") is None
    assert manager.wait_for(lambda jobs: jobs.worker == "none", 20)


def test_a_worker_that_never_comes_to_life_answers_nothing(
    manager: JobManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_BROKEN", "1")
    manager.warm_up()
    assert manager.wait_for(lambda jobs: jobs.worker == "none", 20)
    asked = ask(manager, "a")
    assert asked is not None
    assert asked.done()
    assert asked.result() is None


def test_without_training_nothing_starts(manager: JobManager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BNN_TRAINING", "off")
    assert not manager.available
    manager.warm_up()
    assert manager.jobs().worker == "none"
    for text, says in (("off", "BNN_TRAINING=off"), ("nein", "BNN_TRAINING is 'nein': allowed is on")):
        monkeypatch.setenv("BNN_TRAINING", text)
        for refused in (
            lambda: manager.start(CONFIG),
            lambda: manager.branch(Path("parent"), Moment(2, 1), CONFIG, {}),
            lambda: manager.resume_run(Path("run")),
        ):
            with pytest.raises(InputError, match=says):
                refused()
    monkeypatch.delenv("BNN_TRAINING")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="pip install torch"):
        manager.start(CONFIG)


def test_a_folder_that_cannot_be_written_is_a_sentence(
    manager: JobManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BNN_RUNS", str(tmp_path / "file" / "runs"))
    with pytest.raises(InputError, match=r"cannot be written .*BNN_RUNS"):
        manager.start(CONFIG)


def test_a_command_that_is_not_there_is_a_sentence(runs: Path, tmp_path: Path) -> None:
    manager = JobManager([str(tmp_path / "no-such-program")])
    manager.warm_up()
    with pytest.raises(InputError, match="cannot be started"):
        manager.start(CONFIG)
    manager.close()


# The real worker


@pytest.fixture
def tiny_data(tmp_path: Path) -> Path:
    """400 + 100 pictures of 8 x 8 pixels in two classes, as IDX files."""
    folder = tmp_path / "digits"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for part, count in (("train", 400), ("t10k", 100)):
        labels = rng.integers(0, 2, count).astype(np.uint8)
        images = rng.integers(0, 120, (count, 8, 8)).astype(np.uint8)
        images[:, :4] += (labels[:, None, None] * 130).astype(np.uint8)
        header = struct.pack(">4B3I", 0, 0, 8, 3, count, 8, 8)
        (folder / f"{part}-images-idx3-ubyte").write_bytes(header + images.tobytes())
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(
            struct.pack(">4BI", 0, 0, 8, 1, count) + labels.tobytes()
        )
    return folder


def test_the_real_worker_trains_and_resumes(runs: Path, tiny_data: Path) -> None:
    config = RunConfig().updated(
        {
            "network.hidden": [16],
            "phase1.epochs": 2,
            "phase2.epochs": 2,
            "phase1.batch": 50,
            "phase2.batch": 50,
        }
    )
    manager = JobManager()
    try:
        run = manager.start(config, label="test", name="tiny", data=str(tiny_data))
        manager.one_epoch(run)
        assert manager.wait_for(lambda jobs: jobs.current is not None and jobs.current.state == "running", 60)
        manager.stop(run)
        assert manager.wait_for(lambda jobs: run in jobs.ended, 60)
        assert manager.jobs().ended[run].state == "stopped"
        manager.resume_run(runs / run, data=str(tiny_data))
        assert manager.wait_for(lambda jobs: run in jobs.ended, 60)
        assert manager.jobs().ended[run].state == "finished", manager.jobs()
        assert RunFolder(runs / run).state() == "finished"
    finally:
        manager.close()


@pytest.mark.skipif(os.name != "posix", reason="POSIX only: SIGTERM")
def test_what_the_real_worker_leaves_when_it_is_told_to_end_goes_to_the_next_one(
    runs: Path, tiny_data: Path
) -> None:
    config = RunConfig().updated({"network.hidden": [16], "phase1.epochs": 1, "phase2.epochs": 1})
    manager = JobManager()
    try:
        first = manager.start(config.updated({"phase1.epochs": 2000}), data=str(tiny_data))
        second = manager.start(config, data=str(tiny_data))
        assert manager.wait_for(lambda jobs: jobs.find(first).state == "running", 60)
        os.kill(manager._worker._process.pid, signal.SIGTERM)
        assert manager.wait_for(lambda jobs: second in jobs.ended, 60), manager.jobs()
        assert [manager.jobs().ended[run].state for run in (first, second)] == ["stopped", "finished"]
    finally:
        manager.close()
