"""The bench: its contract, its counting, its fairness, and that it notices wrong integers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnn_core import bench
from bnn_core.bench import measure as measuring
from bnn_core.bench import start
from bnn_core.bench.baselines import BASELINES, baselines, random_weights
from bnn_core.bench.contest import LEAST_ROUNDS, Clock, clock, race
from bnn_core.bench.machine import machine
from bnn_core.bench.training import training_report
from bnn_core.commands import bench as command
from bnn_core.kernels import KERNELS, PackedLayer
from bnn_core.network.bitwise import BitwiseNetwork

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def small() -> BitwiseNetwork:
    return bench.random_network((784, 65, 40, 10))


@pytest.fixture(scope="module")
def result(small: BitwiseNetwork) -> dict[str, Any]:
    return bench.report(small, seconds={1: 0.02, 64: 0.02}, start=False)


def test_a_report_keeps_its_contract(result: dict[str, Any]) -> None:
    assert result["correct"] is True
    assert result["threads"] == 1
    assert set(result["batches"]) == {"1", "64"}
    for batch in result["batches"].values():
        assert list(batch["kernels"]) == ["numpy", "popcount", "table"]
        assert batch["bitwise_us"] == batch["kernels"][result["kernel"]]
        assert batch["from_pixels_us"] > 0
        assert {"torch_float32", "numpy_float32"} <= set(batch["ratio"])
        for name, ratio in batch["ratio"].items():
            assert ratio == pytest.approx(batch[f"{name}_us"] / batch["bitwise_us"], rel=0.02)
        for spread in batch["spread"].values():
            assert spread["low"] <= spread["high"]
            assert spread["rounds"] >= LEAST_ROUNDS
    assert {"processor", "cores", "system", "kernel", "python", "numpy"} <= set(result["machine"])
    json.dumps(result)


def test_several_threads_are_compared_with_one(small: BitwiseNetwork) -> None:
    result = bench.report(small, threads=2, seconds={64: 0.02}, start=False)
    batch = result["batches"]["64"]
    assert result["clock"] == "wall time"
    assert batch["threads_ratio"] == pytest.approx(batch["one_thread_us"] / batch["bitwise_us"], rel=0.02)


@pytest.mark.parametrize("name", measuring.timed()[1:])
def test_a_kernel_that_errs_in_one_integer_is_named(
    name: str, small: BitwiseNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    true_scores = BitwiseNetwork.scores_packed

    def one_off(self: BitwiseNetwork, words: Any, *, kernel_name: str | None = None, threads: int = 1) -> Any:
        scores = true_scores(self, words, kernel_name=kernel_name, threads=threads)
        if kernel_name == name:
            scores[-1, -1] += 1
        return scores

    assert measuring.wrong_kernels(small) == []
    monkeypatch.setattr(BitwiseNetwork, "scores_packed", one_off)
    assert measuring.wrong_kernels(small) == [name]


def test_wrong_integers_end_the_command_with_a_failure(
    result: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = result | {"correct": False, "wrong_kernels": ["table"]}
    monkeypatch.setattr(bench, "report", lambda *_args, **_kwargs: wrong)
    assert command.bench() == 1
    assert "WRONG INTEGERS from: table" in capsys.readouterr().out


def test_the_report_is_printed_with_every_baseline(
    result: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    command.print_bench(result)
    text = capsys.readouterr().out
    assert "784-65-40-10, strict, bipolar" in text
    assert "Every kernel gives the oracle's integers on 128 digits" in text
    for name in result["batches"]["1"]["ratio"]:
        assert command.BENCH_NAMES[name] in text


def test_costs_are_counted(small: BitwiseNetwork) -> None:
    value = bench.cost(small)
    assert value.float_operations == 784 * 65 + 65 * 40 + 40 * 10
    assert value.bit_operations == 65 * 13 + 40 * 2 + 10 * 1
    assert value.bit_picojoules == pytest.approx(0.6 * value.bit_operations)
    assert value.float_picojoules == pytest.approx(4.6 * value.float_operations)
    half = np.tile(np.array([0, 1], np.int8), (10, 392))
    sparse = BitwiseNetwork((PackedLayer.from_signs(half, np.ones(10, np.int32)),))
    assert bench.cost(sparse).bit_operations == 130
    assert bench.cost(sparse).bit_picojoules == pytest.approx(0.8 * 130)  # the mask's AND, too
    assert bench.cost(sparse).float_operations == 7840


def test_every_baseline_computes_the_same_network() -> None:
    sizes, rng = (100, 30, 20, 5), np.random.default_rng(3)
    inputs = rng.choice(np.array([-1, 1], np.float32), (7, 100))
    weights = random_weights(sizes, np.random.default_rng(0))
    z = bits = inputs
    for w in weights[:-1]:
        z = np.tanh(z @ w.T)
        bits = np.where(bits @ np.where(w >= 0, 1, -1).T > 0, 1, -1)
    expected = {
        "float": z @ weights[-1].T,
        "bits": bits @ np.where(weights[-1] >= 0, 1, -1).T,
    }
    calls = baselines(sizes, inputs, 1)
    assert {"torch_float32", "numpy_float32"} <= set(calls)
    for name, call in calls.items():
        got = call()
        values = np.asarray(got[0] if isinstance(got, list) else got)
        reach = 0.2 if name == "onnx_int8" else 1e-4
        np.testing.assert_allclose(values, expected["bits" if name == "bnn_lab" else "float"], atol=reach)


def test_what_is_not_installed_does_not_take_part(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_arguments: object) -> Any:
        raise ImportError("no such engine")

    monkeypatch.setitem(BASELINES, "torch_float32", missing)
    assert "torch_float32" not in baselines((20, 5), np.ones((1, 20), np.float32), 1)
    figures = bench.one_digit(bench.random_network((784, 20, 10)), seconds=0.02)
    assert figures["baseline_us"] is None
    assert figures["bitwise_us"] > 0


def test_contestants_take_turns_and_the_median_is_theirs() -> None:
    """On a clock of our own: what each call costs is known."""
    now = 0.0
    calls: list[str] = []

    def spend(name: str, microseconds: float) -> None:
        nonlocal now
        calls.append(name)
        now += microseconds * 1e-6

    watch = Clock("a clock of our own", lambda: now)
    timings = race({"a": lambda: spend("a", 10), "b": lambda: spend("b", 30)}, seconds=0.0, clock=watch)
    assert timings["a"].median == pytest.approx(10)
    assert timings["b"].median == pytest.approx(30)
    assert timings["a"].rounds == timings["b"].rounds == LEAST_ROUNDS
    turns = [name for name, before in zip(calls, [None, *calls[:-1]], strict=True) if name != before]
    assert turns == list("ab" + "ab" + "a" + "b")  # warming up; a b, b a, a b


def test_a_thread_s_own_time_is_taken_only_where_the_system_counts_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert clock(2).name == "wall time"
    coarse = type("Info", (), {"resolution": 0.0156})
    monkeypatch.setattr("time.get_clock_info", lambda _name: coarse)
    assert clock(1).name == "wall time"


def test_training_steps_are_timed_beside_a_plain_network() -> None:
    result = training_report(sizes=(784, 32, 10), seconds=0.05)
    assert set(result["epoch_s"]) == {"plain", "phase1", "phase2", "phase2_threshold", "phase2_constant"}
    for name, ratio in result["ratio"].items():
        # Seconds of an epoch are rounded.
        assert ratio == pytest.approx(result["epoch_s"][name] / result["epoch_s"]["plain"], rel=0.2)
        assert ratio > 0


def test_the_machine_is_named() -> None:
    here = machine()
    assert here["processor"]
    assert here["cores"] >= 1
    assert here["kernel"] in KERNELS


def bench_command(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bnn_core", "bench", *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL, check=False
    )


def test_a_model_that_is_not_there_is_a_sentence() -> None:
    done = bench_command("no-such-model")
    assert done.returncode == 2
    assert "no-such-model" in done.stderr
    assert not done.stdout


def test_the_time_from_the_import_to_an_answer_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "_ROUNDS", 1)
    times = start.cold_start()
    assert times["cached_s"] > 0
    assert times["compiling_s"] > 0


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_command_prints_one_json_document() -> None:
    done = bench_command("quick", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["correct"] is True
    assert set(result["batches"]) == {"1", "64", "10000"}
    assert result["network"]["sizes"] == [784, 256, 256, 10]
    assert result["memory"]["bitwise_bytes"] == BitwiseNetwork.load("quick").packed_bytes
    assert result["start"]["cached_s"] > 0
