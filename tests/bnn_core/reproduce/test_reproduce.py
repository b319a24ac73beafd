"""Experiments: each is run once, can be stopped and resumed, and what is reported is what came out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from bnn_core import BitwiseNetwork, Control, Digits, InputError, RunConfig
from bnn_core.commands import reproduce as command
from bnn_core.models import shipped_models
from bnn_core.names import is_run_id
from bnn_core.reproduce import EXPERIMENTS, GROUPS, Experiment, Results, chosen, runner, tables
from bnn_core.reproduce.experiments import CURVES, PAPER
from bnn_core.reproduce.tables import written
from bnn_core.runs.folder import RunFolder

ROOT = Path(__file__).parents[3]
TINY = RunConfig().updated(
    {
        "data.train_digits": 600,
        "network.hidden": [40, 40],
        "network.constant_units": 8,
        "phase1.epochs": 1,
        "phase2.epochs": 2,
    }
)
SMALL = Experiment("tiny", "table", "a tiny one", TINY, seeds=2, paper=PAPER["bipolar"])


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> Experiment:
    monkeypatch.setitem(EXPERIMENTS, "tiny", SMALL)
    return SMALL


def run(experiment: Experiment, seed: int, root: Path, data: Digits) -> dict[str, Any]:
    list(runner.run(experiment, seed, root, data, threads=1))
    return runner.record(experiment, seed, root, data)


def test_every_experiment_has_a_group_a_run_s_name_and_a_place() -> None:
    for name, experiment in EXPERIMENTS.items():
        assert name == experiment.name
        assert experiment.group in GROUPS
        assert is_run_id(runner.run_folder(experiment, 99, Path("root")).name)
        assert (experiment.paper is not None) == (experiment.group == "table")
        assert (experiment.value is not None) == (experiment.group in CURVES)
    assert {e.group for e in EXPERIMENTS.values()} == set(GROUPS)
    for group, (path, values) in CURVES.items():
        found = [e for e in EXPERIMENTS.values() if e.group == group]
        assert [e.value for e in found] == list(values)
        for experiment in found:
            value = experiment.config.get(path)
            assert (value[0] if isinstance(value, tuple) else value) == experiment.value


def test_the_plain_experiment_uses_no_trick() -> None:
    config = EXPERIMENTS["paper-plain"].config
    assert config.network.constant_units == 0
    assert config.network.variant == "strict"
    assert config.phase1.nudge == config.phase2.nudge == 0
    assert config.compression.gain_end == config.compression.gain_start == 1


def test_a_group_or_an_experiment_is_chosen() -> None:
    assert {e.group for e in chosen(None)} == {"table"}
    assert [e.name for e in chosen("sparsity-0-5")] == ["sparsity-0-5"]
    assert len(chosen("gain")) == len(CURVES["gain"][1])
    with pytest.raises(InputError, match=r"--only is 'papr': allowed are the groups table, ablation"):
        chosen("papr")


def test_a_record_says_what_the_run_gave(tmp_path: Path, mnist: Digits) -> None:
    record = run(SMALL, 1, tmp_path, mnist)
    network = BitwiseNetwork.load(runner.run_folder(SMALL, 1, tmp_path))
    errors = int((network.predict(mnist.test_images) != mnist.test_labels).sum())
    assert record["test_errors"] == errors
    assert record["test_error"] == errors / 100
    assert RunConfig.from_dict(record["config"]) == TINY.updated({"seed": 1})
    assert record["faults"]["inputs"][0] == [0.0, errors / 100]
    assert record["faults"]["weights"][0] == [0.0, errors / 100]
    assert record["faults"]["weights"][-1][1] > errors / 100
    assert isinstance(record["constant_margin"], int)
    assert record["naive_error"] > 0
    card = RunFolder(runner.run_folder(SMALL, 1, tmp_path)).card()
    assert card is not None
    assert "reproduce --only tiny --seeds 2" in card["command"]
    json.dumps(record)


def test_a_stopped_experiment_goes_on_to_the_same_bits(tmp_path: Path, mnist: Digits) -> None:
    control = Control()
    for event in runner.run(SMALL, 0, tmp_path / "a", mnist, control=control, threads=1):
        if event.name == "epoch_ended":
            control.stop()
    assert RunFolder(runner.run_folder(SMALL, 0, tmp_path / "a")).state() == "stopped"
    stopped = run(SMALL, 0, tmp_path / "a", mnist)
    whole = run(SMALL, 0, tmp_path / "b", mnist)
    for timed in ("seconds", "date"):
        del stopped[timed], whole[timed]
    assert stopped == whole
    # A finished one is not run again.
    assert list(runner.run(SMALL, 0, tmp_path / "b", mnist)) == []


def test_a_folder_of_another_run_is_left_alone(tmp_path: Path, mnist: Digits) -> None:
    run(SMALL, 0, tmp_path, mnist)
    other = Experiment("tiny", "table", "", TINY.updated({"phase2.epochs": 3}))
    with pytest.raises(InputError, match="holds a run of another configuration"):
        list(runner.run(other, 0, tmp_path, mnist))


@pytest.mark.usefixtures("tiny")
def test_the_command_runs_what_is_missing_and_reports(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command.reproduce(only="tiny", out=tmp_path, threads=1) == 0
    text = capsys.readouterr().out
    noted = Results(tmp_path / "reproduce.json")
    errors = [r["test_error"] for r in noted.of("tiny")]
    assert len(errors) == 2
    assert f"**{sum(errors) / 2:.2f} ({errors[0]:.2f}, {errors[1]:.2f})**" in text
    assert "1.17*" in text
    assert "1.33 |" in text

    def never(*_args: object, **_keywords: object) -> None:
        raise AssertionError("run again")

    monkeypatch.setattr(runner, "run", never)
    assert command.reproduce(only="tiny", out=tmp_path, as_json=True) == 0
    assert [r["test_error"] for r in json.loads(capsys.readouterr().out)] == errors


@pytest.mark.usefixtures("tiny")
def test_runs_that_are_not_kept_leave_their_results(tmp_path: Path) -> None:
    assert command.reproduce(only="tiny", seeds=1, out=tmp_path, keep=False, threads=1) == 0
    assert not runner.run_folder(SMALL, 0, tmp_path).exists()
    assert len(Results(tmp_path / "reproduce.json").records) == 1


def record_of(name: str, seed: int, error: float = 3.0) -> dict[str, Any]:
    config = EXPERIMENTS[name].config.updated({"seed": seed}).to_dict()
    return {
        "experiment": name,
        "seed": seed,
        "config": config,
        "test_error": error,
        "real_error": 2.0,
        "seconds": 60,
    }


def test_results_keep_one_record_a_seed_in_the_order_of_the_experiments(tmp_path: Path) -> None:
    noted = Results(tmp_path / "deep" / "results.json")
    for name, seed in (("gain-4", 1), ("gain-4", 0), ("sparsity-0", 0), ("gain-4", 1)):
        noted.add(record_of(name, seed))
    again = Results(noted.path)
    assert [(r["experiment"], r["seed"]) for r in again.records] == [
        ("sparsity-0", 0),
        ("gain-4", 0),
        ("gain-4", 1),
    ]
    assert again.find(EXPERIMENTS["gain-4"], 1) == record_of("gain-4", 1)
    assert again.find(EXPERIMENTS["gain-4"], 2) is None
    changed = record_of("gain-4", 0) | {"config": record_of("gain-8", 0)["config"]}
    again.add(changed)
    assert (
        again.find(EXPERIMENTS["gain-4"], 0) is None
    )  # of a configuration that is no longer the experiment's


def test_two_that_add_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "results.json"

    def add(name: str) -> None:
        noted = Results(path)
        for seed in range(5):
            noted.add(record_of(name, seed))

    threads = [threading.Thread(target=add, args=(name,)) for name in ("gain-1", "gain-2", "gain-4")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(Results(path).records) == 15


@pytest.mark.parametrize("content", ["", "[]", '{"records": 3}', '{"records": [{"seed": 1}]}'])
def test_a_damaged_file_is_a_sentence(tmp_path: Path, content: str) -> None:
    path = tmp_path / "results.json"
    path.write_text(content, "utf-8")
    with pytest.raises(InputError, match=r"results\.json is not a file of results"):
        Results(path)


def test_a_table_tells_means_and_seeds(tmp_path: Path) -> None:
    noted = Results(tmp_path / "results.json")
    noted.add(record_of("constant", 0, 1.2))
    noted.add(record_of("constant", 1, 1.3))
    noted.add(record_of("plain-512", 0, 2.5))
    table = tables.markdown(noted, "table")
    assert "| **1.25 (1.20, 1.30)** | 15 + " in table
    assert table.count("\n") == 2  # what was not run is not in it
    assert "| plain | 2.00 | **2.50** | 60 s |" in tables.markdown(noted, "ablation")


def test_the_project_s_results_are_of_the_experiments_as_they_are() -> None:
    results = Results()
    for record in results.records:
        assert results.find(EXPERIMENTS[record["experiment"]], record["seed"]) == record


def test_the_readme_s_tables_are_the_results(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert written(text, Results(), shipped_models()) == text
    for name in ("networks", "table", "ablation"):
        assert f"<!-- made: {name} -->" in text
    without = written(text, Results(tmp_path / "none.json"), [])
    assert without != text
    assert written(without, Results(), shipped_models()) == text


def command_line(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bnn_core", "reproduce", *arguments],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def test_experiments_are_listed_and_strangers_refused() -> None:
    listed = json.loads(command_line("--list", "--json").stdout)
    assert [row["name"] for row in listed] == list(EXPERIMENTS)
    refused = command_line("--only", "nothing")
    assert refused.returncode == 2
    assert "--only is 'nothing'" in refused.stderr
