"""The command line, as a user runs it: from another folder, in a process of its own."""

import gzip
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bnn_core import BitwiseNetwork, Digits
from bnn_core.runs.folder import EventLog, RunFolder
from tests.bnn_core.records import stable

ROOT = Path(__file__).parents[3]
TINY = ["--set", "network.hidden=16", "--set", "phase1.epochs=1", "--set", "phase2.epochs=1"]


class Cli:
    """Runs ``python -m bnn_core`` from a folder that is not the project's."""

    def __init__(self, cwd: Path) -> None:
        self.cwd = cwd
        self.env = {**os.environ, "PYTHONPATH": str(ROOT), "BNN_RUNS": str(cwd / "runs")}

    def start(self, *args: str | Path) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "bnn_core", *map(str, args)],
            cwd=self.cwd,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *args: str | Path, code: int = 0) -> "subprocess.CompletedProcess[str]":
        process = self.start(*args)
        out, err = process.communicate(timeout=100)
        assert process.returncode == code, err
        return subprocess.CompletedProcess(process.args, code, out, err)

    def json(self, *args: str | Path) -> "object":
        return json.loads(self(*args, "--json").stdout)

    def refused(self, *args: str | Path) -> str:
        """The one sentence of an error."""
        done = self(*args, code=2)
        assert done.stdout == ""
        assert done.stderr.startswith("Error: ")
        assert done.stderr.count("\n") == 1, done.stderr
        return done.stderr


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(tmp_path)


def write_idx(path: Path, array: np.ndarray, *, zipped: bool) -> None:
    header = struct.pack(">BBBB", 0, 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    content = header + array.tobytes()
    (path.with_name(path.name + ".gz") if zipped else path).write_bytes(
        gzip.compress(content) if zipped else content
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, mnist: Digits) -> Path:
    """A data set of 1,200 and 200 digits; two files gz, two plain."""
    folder = tmp_path_factory.mktemp("data")
    write_idx(folder / "train-images-idx3-ubyte", mnist.train_images[:1200], zipped=True)
    write_idx(folder / "train-labels-idx1-ubyte", mnist.train_labels[:1200], zipped=False)
    write_idx(folder / "t10k-images-idx3-ubyte", mnist.test_images[:200], zipped=False)
    write_idx(folder / "t10k-labels-idx1-ubyte", mnist.test_labels[:200], zipped=True)
    return folder


def test_train_evaluate_and_list_agree(cli: Cli, data: Path) -> None:
    out = cli.cwd / "mine"
    result = cli.json("train", *TINY, "--seed", "5", "--data", data, "--out", out)
    assert isinstance(result, dict)
    assert (result["status"], result["id"]) == ("finished", "mine")
    again = cli.json("evaluate", out, "--data", data)
    assert isinstance(again, dict)
    assert again.keys() == {"name", "error_percent", "errors", "n", "ties", "seconds"}
    assert again["errors"] == result["test_errors"]
    assert (again["name"], again["n"]) == ("mine", 200)
    assert RunFolder(out).config.seed == 5

    text = cli("train", *TINY, "--data", data, "--preset", "half-off")
    assert "% test error, bitwise" in text.stdout
    assert text.stderr.count("(validation)") == 2
    rows = cli.json("runs")
    assert isinstance(rows, list)
    assert [(r["state"], r["epochs"], r["epochs_planned"]) for r in rows] == [("finished", 2, 2)]
    assert "half-off" in rows[0]["id"]
    assert rows[0]["id"][:30] in cli("runs").stdout
    # A damaged run does not hide the others.
    shutil.copytree(rows[0]["path"], cli.cwd / "runs" / "harmed")
    (cli.cwd / "runs" / "harmed" / "config.json").write_text("{")
    (cli.cwd / "runs" / "harmed" / "events.jsonl").write_text(
        '{"event":"epoch_ended"}\n{"event":"run_ended"}\n'
    )
    rows = cli.json("runs")
    assert isinstance(rows, list)
    assert sorted(r["state"] for r in rows) == ["damaged", "finished"]
    assert "config.json is not a run's configuration" in cli.refused("resume", "harmed", "--data", data)


@pytest.mark.slow
def test_a_branch_goes_on_otherwise_from_a_moment_of_a_run(cli: Cli, data: Path) -> None:
    cli("train", *TINY, "--data", data, "--out", cli.cwd / "mine")
    again = ["--at", "phase2:0", "--set", "phase2.epochs=2", "--data", data]
    done = cli("branch", "mine", *again, "--out", cli.cwd / "branch", "--json")
    assert "trained again" not in done.stderr  # phase 1's end is kept
    result = json.loads(done.stdout)
    assert (result["id"], result["status"]) == ("branch", "finished")
    run = RunFolder(cli.cwd / "branch")
    assert [(r["phase"], r["epoch"]) for r in run.events() if r["event"] == "epoch_ended"] == [
        (1, 1), (2, 1), (2, 2)
    ]  # fmt: skip
    card = run.card()
    assert card is not None
    assert card["command"].startswith("python -m bnn_core branch mine --at phase2:0 --set phase2.epochs=2")
    # Without the checkpoint the way back is trained again, and said so; the bits come out the same.
    shutil.rmtree(cli.cwd / "mine" / "checkpoints")
    done = cli("branch", "mine", *again)
    assert "keeps no checkpoint of the start of phase 2: 1 epoch is trained again first" in done.stderr
    assert "other bits" not in done.stderr
    (row,) = json.loads(cli("runs", "--json").stdout)
    assert row["parent"] == {"run": "mine", "phase": 2, "epoch": 0}
    assert (row["state"], row["epochs"], row["epochs_planned"]) == ("finished", 3, 3)
    fresh = RunFolder(row["path"])
    assert fresh.events()[-1]["test_errors"] == result["test_errors"]


def test_models_and_evaluate_agree_with_the_cards(cli: Cli) -> None:
    rows = cli.json("models")
    assert isinstance(rows, list)
    quick = next(r for r in rows if r["name"] == "quick")
    assert quick.keys() == {"name", "path", "error_percent", "variant", "features", "sizes", "bytes"}
    assert Path(quick["path"]).stat().st_size == quick["bytes"]
    result = cli.json("evaluate", "quick")
    assert isinstance(result, dict)
    assert result["error_percent"] == quick["error_percent"]
    assert "quick" in cli("models").stdout


def test_predict_reads_pictures_of_both_polarities(cli: Cli, mnist: Digits, quick: BitwiseNetwork) -> None:
    right = np.flatnonzero(quick.predict(mnist.test_images[:50]) == mnist.test_labels[:50])[:5]
    files = []
    for i in right:
        image = Image.fromarray(mnist.test_images[i])
        light, dark = cli.cwd / f"light{i}.png", cli.cwd / f"dark{i}.png"
        image.save(light)
        Image.fromarray(255 - np.asarray(image.resize((280, 280), Image.Resampling.BICUBIC))).save(dark)
        files += [light, dark]
    results = cli.json("predict", "quick", *files)
    assert isinstance(results, list)
    assert [r["image"] for r in results] == [str(f) for f in files]
    labels = [r["label"] for r in results]
    assert labels[::2] == mnist.test_labels[right].tolist()
    assert sum(a == b for a, b in zip(labels[::2], labels[1::2], strict=True)) >= 4
    assert all(len(r["scores"]) == 10 and r["scores"][r["label"]] == max(r["scores"]) for r in results)


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["train", "--preset", "nope"], "There is no preset 'nope': allowed are quick, talk"),
        (["train", "--set", "noise.sparsity=2"], "noise.sparsity is 2.0: allowed is 0 to 0.97."),
        (["train", "--set", "noise.sparsty=1"], "did you mean noise.sparsity"),
        (["train", "--set", "sparsity"], "allowed is FIELD=VALUE"),
        (["train", "--seed", "-1"], "seed is -1: allowed is a whole number from 0 to 2147483647."),
        (["train", "--set", "data.train_digits=60001"], "data.train_digits is 60,001"),
        (["train", "--data", "no-such-folder"], "no-such-folder"),
        (["train", "--no-such-option"], "No such option: --no-such-option"),
        (["no-such-command"], "No such command 'no-such-command'"),
        (["evaluate"], "Missing argument 'MODEL'"),
        (["evaluate", "no-such-model"], "There is no model 'no-such-model'"),
        (["evaluate", "../outside"], "There is no model '../outside'"),
        (["resume", "no-such-run"], "There is no run 'no-such-run'"),
        (["branch", "quick", "--at", "phase2:99"], "phase1:1 to phase1:6 and phase2:0 to phase2:8."),
        (["branch", "quick", "--at", "3"], "allowed is phase1:EPOCH or phase2:EPOCH, as in phase2:3."),
        (
            ["branch", "quick", "--at", "phase2:3", "--set", "network.hidden=8"],
            "it acts at the start of a run.",
        ),
        (["branch", "quick"], "Missing option '--at'"),
        (["branch", "no-such-run", "--at", "phase2:3"], "There is no run 'no-such-run'"),
        (["predict", "quick", "no-such.png"], "no-such.png cannot be read: No such file"),
    ],
)
def test_bad_input_is_one_sentence_and_code_2(cli: Cli, args: list[str], says: str) -> None:
    assert says in cli.refused(*args)
    assert list(cli.cwd.iterdir()) == []  # nothing is left behind


def test_bad_files_are_named(cli: Cli, data: Path) -> None:
    (cli.cwd / "not.png").write_text("no picture")
    assert "not.png is neither a PNG nor a JPEG" in cli.refused("predict", "quick", "not.png")
    (cli.cwd / "bad.safetensors").write_text("no model")
    assert "bad.safetensors is not a model file" in cli.refused("evaluate", "bad.safetensors")
    broken = cli.cwd / "broken"
    shutil.copytree(data, broken)
    images = broken / "train-images-idx3-ubyte.gz"
    images.write_bytes(images.read_bytes()[:-1000])
    assert "train-images-idx3-ubyte.gz" in cli.refused("train", *TINY, "--data", broken)
    (cli.cwd / "full").mkdir()
    (cli.cwd / "full" / "mine.txt").write_text("keep")
    assert "full is not empty" in cli.refused("train", *TINY, "--data", data, "--out", cli.cwd / "full")
    assert (cli.cwd / "full" / "mine.txt").read_text() == "keep"
    (cli.cwd / "file").write_text("")
    assert "cannot be written" in cli.refused(
        "train", *TINY, "--data", data, "--out", cli.cwd / "file" / "run"
    )


def wait_for_epochs(folder: Path, epochs: int, process: "subprocess.Popen[str]") -> None:
    log = EventLog(folder / "events.jsonl")
    while sum(r["event"] == "epoch_ended" for r in log.records) < epochs:
        assert process.poll() is None, process.communicate()
        log.poll()


LONGER = ["--set", "network.hidden=64", "--set", "phase1.epochs=100", "--set", "phase2.epochs=5"]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_and_stopped_a_run_is_resumed_bit_for_bit(cli: Cli, data: Path) -> None:
    whole, harmed = cli.cwd / "whole", cli.cwd / "harmed"
    cli("train", *LONGER, "--data", data, "--out", whole)
    process = cli.start("train", *LONGER, "--data", data, "--out", harmed)
    wait_for_epochs(harmed, 2, process)
    process.kill()
    process.communicate()
    assert RunFolder(harmed).state() == "interrupted"
    done = sum(r["event"] == "epoch_ended" for r in RunFolder(harmed).events())

    process = cli.start("resume", harmed, "--data", data)
    wait_for_epochs(harmed, done + 2, process)  # of its own: until then it may not be listening yet
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=60)
    if sys.platform != "win32":  # where SIGTERM is a kill
        assert process.returncode == 128 + signal.SIGTERM
        assert "resumable" in out
        assert RunFolder(harmed).state() == "stopped"

    assert "% test error" in cli("resume", harmed, "--data", data).stdout

    def lasting(folder: Path) -> list[dict[str, object]]:
        return [stable(r) for r in RunFolder(folder).events() if r["event"] != "progress"]

    assert lasting(harmed) == lasting(whole)
    assert "has finished" in cli.refused("resume", harmed, "--data", data)


def test_inference_does_without_torch(cli: Cli) -> None:
    (cli.cwd / "torch.py").write_text("raise ImportError('no torch here')")
    cli.env["PYTHONPATH"] = os.pathsep.join([str(cli.cwd), str(ROOT)])
    assert "quick" in cli("evaluate", "quick").stdout
    started = time.monotonic()
    assert "torch" in cli.refused("train", "--preset", "quick")
    assert time.monotonic() - started < 60
