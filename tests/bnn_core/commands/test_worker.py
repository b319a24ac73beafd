"""The worker process: requests in, answers out, and no orphan."""

import gzip
import io
import json
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Queue
from typing import Any

import numpy as np
import pytest

from bnn_core import Digits, RunConfig
from bnn_core.bench import random_network
from bnn_core.commands.worker import Worker
from bnn_core.runs.folder import EventLog, RunFolder

ROOT = Path(__file__).parents[3]
CONFIG = RunConfig().updated({"network.hidden": [64], "phase1.epochs": 40, "phase2.epochs": 2}).to_dict()


class WorkerProcess:
    """A worker and what it has answered."""

    def __init__(self, cwd: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bnn_core", "worker"],
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.answers: Queue[dict[str, Any]] = Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.answers.put(json.loads(line))

    def send(self, command: str, **values: object) -> None:
        self.write(json.dumps({"command": command, **values}))

    def write(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def expect(self, status: str) -> dict[str, Any]:
        answer = self.answers.get(timeout=60)
        assert answer["status"] == status, answer
        return answer

    def close(self) -> int:
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(60)


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[WorkerProcess]:
    worker = WorkerProcess(tmp_path)
    worker.expect("ready")
    yield worker
    worker.process.kill()
    worker.process.wait()
    for pipe in (worker.process.stdin, worker.process.stdout, worker.process.stderr):
        assert pipe is not None
        pipe.close()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, mnist: Digits) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for name, array in {
        "train-images-idx3-ubyte": mnist.train_images[:1200],
        "train-labels-idx1-ubyte": mnist.train_labels[:1200],
        "t10k-images-idx3-ubyte": mnist.test_images[:200],
        "t10k-labels-idx1-ubyte": mnist.test_labels[:200],
    }.items():
        header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
        (folder / f"{name}.gz").write_bytes(gzip.compress(header + np.ascontiguousarray(array).tobytes()))
    return folder


def follow(folder: Path, done: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
    """Read the run's records until they show what is waited for."""
    log = EventLog(folder / "events.jsonl")
    pause = threading.Event()
    while not done(log.records):
        log.poll()
        pause.wait(0.01)
    return log.records


def epochs(records: list[dict[str, Any]]) -> int:
    return sum(r["event"] == "epoch_ended" for r in records)


def test_a_run_is_paused_stepped_set_and_finished(worker: WorkerProcess, tmp_path: Path, data: Path) -> None:
    folder = tmp_path / "run"
    worker.send("run", folder=str(folder), config=CONFIG, data=str(data), label="from a test")
    assert worker.expect("started")["folder"] == str(folder)
    follow(folder, lambda r: epochs(r) >= 1)
    worker.send("pause")
    follow(folder, lambda r: any(x.get("paused") for x in r))
    assert RunFolder(folder).state() == "paused"
    before = epochs(RunFolder(folder).events())
    worker.send("set", field="compression.gain_end", value=4.0)
    worker.send("step")
    records = follow(folder, lambda r: sum(bool(x.get("paused")) for x in r) >= 2)
    assert epochs(records) == before + 1
    (change,) = [r for r in records if r["event"] == "settings_changed"]
    assert (change["field"], change["value"]) == ("compression.gain_end", 4.0)
    worker.send("resume")
    assert worker.expect("ended") == {
        "status": "ended", "folder": str(folder), "state": "finished", "reason": None
    }  # fmt: skip
    worker.expect("ready")
    card = RunFolder(folder).card()
    assert card is not None
    assert card["command"] == "from a test"
    assert worker.close() == 0


def test_a_network_is_measured_beside_torch(worker: WorkerProcess, tmp_path: Path) -> None:
    model = tmp_path / "model.safetensors"
    random_network((784, 64, 10)).save(model)
    worker.send("measure", key="small", model=str(model))
    answer = worker.expect("measured")
    assert (answer["key"], answer["reason"]) == ("small", None)
    assert answer["figures"]["baseline"] == "torch_float32"
    assert answer["figures"]["baseline_us"] > 0
    assert answer["figures"]["bitwise_us"] > 0
    worker.expect("ready")
    worker.send("measure", key="none", model=str(tmp_path / "none"))
    answer = worker.expect("measured")
    assert answer["figures"] is None
    assert "none" in answer["reason"]
    worker.expect("ready")


def test_a_branch_is_trained_and_its_refusals_are_sentences(
    worker: WorkerProcess, tmp_path: Path, data: Path
) -> None:
    config = RunConfig.from_dict(CONFIG).updated({"phase1.epochs": 2}).to_dict()
    parent, folder = tmp_path / "parent", tmp_path / "branch"
    worker.send("run", folder=str(parent), config=config, data=str(data))
    for status in ("started", "ended", "ready"):
        worker.expect(status)
    request = {"parent": str(parent), "folder": str(folder), "data": str(data), "label": "from a test"}
    for wrong, says in (
        ({"at": "phase2:7"}, "The run has no phase2:7"),
        ({"at": "soon"}, "allowed is phase1:EPOCH"),
        ({"at": "phase2:1", "changes": {"network.variant": "threshold"}}, "phase 2 has begun"),
        ({"at": "phase2:1", "parent": str(tmp_path)}, "is no run folder"),
    ):
        worker.send("branch", **{**request, **wrong})
        worker.expect("started")
        ended = worker.expect("ended")
        assert ended["state"] == "failed"
        assert says in ended["reason"]
        worker.expect("ready")
        assert not folder.exists()
    worker.send("branch", **request, at="phase2:1", changes={"noise.sparsity": 0.5, "phase2.epochs": 3})
    worker.expect("started")
    assert worker.expect("ended")["state"] == "finished"
    run = RunFolder(folder)
    assert (run.config.noise.sparsity, epochs(run.events())) == (0.5, 5)


def test_the_end_of_input_saves_the_run_and_ends_the_process(
    worker: WorkerProcess, tmp_path: Path, data: Path
) -> None:
    folder = tmp_path / "run"
    worker.send("run", folder=str(folder), config=CONFIG, data=str(data))
    follow(folder, lambda r: epochs(r) >= 1)
    assert worker.close() == 0
    run = RunFolder(folder)
    assert run.state() == "stopped"
    assert run.resumable


def test_what_is_asked_of_an_ending_worker_is_not_begun(tmp_path: Path, data: Path) -> None:
    request = {"command": "run", "folder": str(tmp_path / "run"), "config": CONFIG, "data": str(data)}
    answers = io.StringIO()
    worker = Worker(io.StringIO(json.dumps(request) + "\n"), answers)
    worker._read()  # the request, and the end of input
    worker.serve()
    assert [json.loads(line)["status"] for line in answers.getvalue().splitlines()] == ["ready"]
    assert not (tmp_path / "run").exists()


def test_what_cannot_be_done_is_refused_and_the_worker_lives_on(
    worker: WorkerProcess, tmp_path: Path, data: Path
) -> None:
    for line, says in (
        ("no json", "is no request"),
        ("[]", "is no request"),
        ("[" * 200_000, "is no request"),
        ('{"command": "dance"}', "There is no command 'dance'"),
        ('{"command": "pause"}', "No run is under way"),
    ):
        worker.write(line)
        assert says in worker.expect("refused")["reason"]
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("keep")
    for request, says in (
        ({"folder": str(tmp_path / "full"), "config": CONFIG, "data": str(data)}, "is not empty"),
        ({"folder": str(tmp_path / "new"), "config": {"noise": {"sparsity": 3}}}, "noise.sparsity is 3"),
        ({"folder": str(tmp_path / "new"), "config": [1]}, "The configuration is a list"),
        ({"folder": str(tmp_path / "new"), "config": CONFIG, "data": str(tmp_path)}, "train-images"),
    ):
        worker.send("run", **request)
        worker.expect("started")
        ended = worker.expect("ended")
        assert ended["state"] == "failed"
        assert says in ended["reason"]
        worker.expect("ready")
    assert not (tmp_path / "new").exists()
    assert [p.name for p in (tmp_path / "full").iterdir()] == ["mine.txt"]
    folder = tmp_path / "run"
    worker.send("run", folder=str(folder), config=CONFIG, data=str(data))
    worker.expect("started")
    follow(folder, lambda r: len(r) > 1)
    worker.send("set", field="seed", value=3)
    assert "seed cannot change while a run is under way" in worker.expect("refused")["reason"]
    worker.send("stop")
    assert worker.expect("ended")["state"] == "stopped"
    worker.expect("ready")
    worker.send("resume_run", folder=str(folder), data=str(data))
    worker.expect("started")
    assert worker.expect("ended")["state"] == "finished"
