"""The Train page, run beside a worker that only writes records: no torch, no waiting for training."""

from __future__ import annotations

import json
import re
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from bnn_core import RunConfig, preset
from bnn_core.models import MODELS_FOLDER, shipped_models
from bnn_core.runs.folder import RunFolder
from explorer.screens.train import address, plan, words
from explorer.server import jobs as jobs_module
from explorer.server import replay
from explorer.server.jobs import JobManager
from explorer.server.replay import Clock
from tests.explorer import fake_worker
from tests.explorer.pages import Open, notes, text

pytestmark = pytest.mark.usefixtures("managers")


@pytest.fixture
def managers(runs: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[JobManager]]:
    """The managers that the page makes: one, with a worker that trains nothing."""
    made: list[JobManager] = []

    def make() -> JobManager:
        made.append(JobManager(fake_worker.COMMAND))
        return made[-1]

    monkeypatch.delenv("BNN_TRAINING", raising=False)
    monkeypatch.setattr(jobs_module, "JobManager", make)
    st.cache_resource.clear()
    yield made
    for manager in made:
        manager.close()
    st.cache_resource.clear()


def again(at: AppTest) -> AppTest:
    at.run()
    assert not at.exception, at.exception
    return at


def url(at: AppTest) -> dict[str, str]:
    return {key: value[0] if isinstance(value, list) else value for key, value in at.query_params.items()}


def charts(at: AppTest) -> list[dict[str, Any]]:
    return [json.loads(chart.proto.spec) for chart in at.get("plotly_chart")]


def started(at: AppTest, managers: list[JobManager]) -> str:
    """Press Start, and wait until the run has begun."""
    at.button(key="train_start").click()
    again(at)
    return begun(at, managers)


def begun(at: AppTest, managers: list[JobManager]) -> str:
    run = url(at)["run"]
    assert managers[0].wait_for(
        lambda jobs: (job := jobs.find(run)) is not None and job.state == "running", 20
    )
    again(at)
    return run


def await_status(at: AppTest, managers: list[JobManager], run: str, state: str) -> None:
    assert managers[0].wait_for(lambda jobs: (job := jobs.find(run)) is not None and job.state == state, 20)
    again(at)


def await_text(at: AppTest, wanted: str) -> None:
    """What the worker writes is there soon: look again until it is (the test's own limit is the timeout)."""
    while wanted not in text(at):
        again(at)


def test_it_opens_ready_to_start(open_page: Open) -> None:
    at = open_page()
    assert notes(at) == []
    assert at.button(key="train_start").label == "Start"
    assert at.selectbox(key="train_preset").value == "quick"
    assert "Expect 3.4 % test error" in text(at)
    assert words.READY in text(at)
    assert url(at) == {}
    assert len(charts(at)) == 1


def test_every_field_of_the_schema_has_a_knob_or_no_choice(open_page: Open) -> None:
    from bnn_core.config import field_specs

    at = open_page()
    at.segmented_control(key="train_phase").set_value(1)
    again(at)
    keys = {
        w.key
        for kind in ("slider", "select_slider", "number_input", "selectbox", "toggle", "text_input")
        for w in at.get(kind)
    }
    at.segmented_control(key="train_phase").set_value(2)
    again(at)
    keys |= {w.key for kind in ("slider", "select_slider") for w in at.get(kind)}
    wanted = {
        "knob_" + spec.path.replace(".", "_")
        for spec in field_specs()
        if not (spec.kind == "choice" and len(spec.choices) < 2)
    }
    assert wanted <= keys


def test_the_url_says_what_is_planned(open_page: Open) -> None:
    at = open_page(preset="half-off", noise__sparsity="0.3", network__hidden="64,32")
    assert at.slider(key="knob_noise_sparsity").value == 0.3
    assert at.text_input(key="knob_network_hidden").value == "64, 32"
    assert "784-64-32-10" in text(at)
    at.slider(key="knob_noise_input_flips").set_value(0.1)
    again(at)
    assert url(at) == {
        "preset": "half-off",
        "noise.sparsity": "0.3",
        "network.hidden": "64,32",
        "noise.input_flips": "0.1",
    }
    at.selectbox(key="train_preset").select("quick")
    assert url(again(at)) == {}


def test_values_that_cannot_be_used_are_sentences(open_page: Open) -> None:
    at = open_page(preset="fast", noise__sparsity="7", run="../etc", phase1__epochs="many")
    said = notes(at)
    assert len(said) == 4
    assert any("allowed are quick" in note for note in said)
    assert any("noise.sparsity" in note and "0 to 0.97" in note for note in said)
    assert any("There is no run" in note for note in said)
    assert at.slider(key="knob_noise_sparsity").value == 0.0
    assert notes(open_page(run="20200101-000000-quick-0000")) == [
        "There is no run 20200101-000000-quick-0000 here."
    ]


def test_a_wrong_text_in_a_knob_is_a_sentence(open_page: Open) -> None:
    at = open_page()
    at.text_input(key="knob_network_hidden").set_value("two layers")
    again(at)
    assert "network.hidden is" in notes(at)[0]
    assert at.text_input(key="knob_network_hidden").value == "256, 256"


def test_a_run_under_way(open_page: Open, managers: list[JobManager]) -> None:
    at = open_page(noise__sparsity="0.3")
    run = started(at, managers)
    assert [b.label for b in at.button if b.key in ("train_pause", "train_step", "train_stop")] == [
        "Pause",
        "One epoch",
        "Stop",
    ]
    assert "Phase 2, epoch 2 of 8" in text(at)
    assert "1,000 digits a second" in text(at)
    assert re.search(r'class="large">\d+ s <small>left<', text(at))
    assert len(charts(at)) == 3
    names = {trace.get("name") for trace in charts(at)[0]["data"]}
    assert {"real network", "the same network, binarised now", "bitwise"} <= names
    assert words.repair(26.0, 4.5).replace(words.NARROW, " ") in text(at)
    # What cannot change now is greyed; what can is passed on.
    assert at.select_slider(key="knob_compression_gain_end").disabled
    assert at.select_slider(key="knob_noise_window").disabled
    assert at.selectbox(key="train_preset").disabled
    assert not at.slider(key="knob_noise_sparsity").disabled
    at.slider(key="knob_noise_sparsity").set_value(0.5)
    again(at)
    await_text(at, "is 0.5 from here on")
    assert url(at) == {"noise.sparsity": "0.5", "run": run}
    at.button(key="train_pause").click()
    again(at)
    await_text(at, "left, paused")
    at.button(key="train_go_on").click()
    again(at)
    at.button(key="train_stop").click()
    again(at)
    await_status(at, managers, run, "stopped")
    assert "Stopped in phase 2 after epoch 1" in text(at)
    assert at.button(key="train_resume").label == "Resume"


def test_a_reload_finds_the_run_again_with_or_without_its_id(
    open_page: Open, managers: list[JobManager]
) -> None:
    at = open_page(preset="half-off")
    run = started(at, managers)
    for other in (open_page(), open_page(run=run)):
        assert url(other) == {"preset": "half-off", "run": run}
        assert "Phase 2, epoch 2 of 8" in text(other)
        assert other.slider(key="knob_noise_sparsity").value == 0.5


def test_a_second_run_waits_in_sight(open_page: Open, managers: list[JobManager]) -> None:
    first = started(open_page(), managers)
    at = open_page(run="new")
    at.button(key="train_start").click()
    again(at)
    second = url(at)["run"]
    assert second != first
    assert "Waits for its turn (1): Quick" in text(at)
    at.button(key="train_cancel").click()
    again(at)
    assert managers[0].jobs().queue == ()
    assert url(at) == {"run": first}


def test_the_end_names_the_test_error_beside_the_float_network(
    open_page: Open, managers: list[JobManager]
) -> None:
    at = open_page()
    run = started(at, managers)
    at.slider(key="knob_noise_hidden_flips").set_value(0.02)
    again(at)
    await_status(at, managers, run, "finished")
    assert '<div class="large">3.21 %</div>' in text(at)
    assert "test error, 321 misread<br>real network 2.71 %" in text(at)
    assert "costs 0.50 points" in text(at)
    assert at.button(key="train_watch").label == "Open in Watch"
    # The knobs are free again for the next run.
    assert not at.selectbox(key="train_preset").disabled


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX only: the worker is killed by a signal")
def test_a_killed_worker_is_said_and_its_run_resumes(open_page: Open, managers: list[JobManager]) -> None:
    at = open_page()
    run = started(at, managers)
    at.select_slider(key="knob_phase2_learning_rate").set_value(0.01)
    again(at)
    await_status(at, managers, run, "interrupted")
    assert "ended by signal 9" in text(at)
    at.button(key="train_resume").click()
    again(at)
    begun(at, managers)
    assert at.button(key="train_pause").label == "Pause"


def test_an_earlier_run_can_be_looked_at_after_a_restart(
    open_page: Open, managers: list[JobManager], tmp_path: Path
) -> None:
    config = preset("compressed").updated({"noise.sparsity": 0.2})
    folder = tmp_path / "runs" / "20261123-101502-compressed-3f2a"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config.to_dict()))
    at = open_page()
    (choice,) = [box for box in at.selectbox if str(box.key).startswith("train_run_")]
    assert choice.options[:2] == ["New run", "Compressed hard, 23 Nov 10:15"]
    kept = [option.replace(words.NARROW, " ") for option in choice.options[2:]]
    assert kept[:2] == ["Talk, kept with the project, 2.46 %", "Quick, kept with the project, 3.44 %"]
    assert len(kept) == len(shipped_models())
    choice.select(choice.options[1])
    again(at)
    assert url(at) == {"preset": "compressed", "noise.sparsity": "0.2", "run": folder.name}
    assert "Resume goes on from there" in text(at)


# Going back in a run, playing it back, branching from it

AT = "phase2-epoch0003-step0000300"


def session(at: AppTest) -> Any:
    return at.session_state["train_session"]


def scrubber(at: AppTest) -> Any:
    (slider,) = [s for s in at.select_slider if str(s.key).startswith("train_moment_")]
    return slider


def show_at(at: AppTest, position: float, *, running: bool = False) -> AppTest:
    """Put the replay's clock somewhere: no test waits for it."""
    session(at).clock = Clock(position=position, running=running, since=time.monotonic())
    return again(at)


def test_a_shipped_run_can_be_looked_at_moment_by_moment(open_page: Open) -> None:
    at = open_page(run="quick")
    assert "344 misread" in text(at)
    assert "Phase 2, epoch 8" in text(at)
    assert at.button(key="train_to_now").disabled
    slider = scrubber(at)
    assert slider.options[-1] == "now"
    assert slider.options[slider.options.index("Phase 2, epoch 3") - 1] == "Phase 2, epoch 2"
    slider.set_value(AT)
    again(at)
    assert url(at) == {"run": "quick", "at": AT}
    errors = json.dumps(charts(at)[0], ensure_ascii=False).replace(words.NARROW, " ")
    assert "4.09 %" in errors
    assert "phase 2, epoch 3" in errors
    assert "flipped since epoch 2" in text(at)
    assert words.HAPPENED in text(at)
    assert len(charts(at)[2]["data"][0]["x"]) == 3, "flips up to that moment"
    at.button(key="train_to_now").click()
    again(at)
    assert url(at) == {"run": "quick"}
    assert words.HAPPENED not in text(at)


def test_a_moment_can_be_linked_to_and_an_unknown_one_is_told(open_page: Open) -> None:
    at = open_page(run="quick", at=AT)
    assert scrubber(at).value == AT
    assert notes(at) == []
    at = open_page(run="quick", at="phase2-epoch0077-step0009999")
    assert notes(at) == [words.NO_MOMENT.format(at="phase2-epoch0077-step0009999")]
    assert url(at) == {"run": "quick"}
    assert "no snapshot <b>" not in text(open_page(run="quick", at="<b>"))


def test_a_replay_plays_a_kept_run_as_if_it_were_live(open_page: Open) -> None:
    at = open_page(run="quick")
    at.button(key="train_replay").click()
    again(at)
    assert url(at) == {"run": "quick", "replay": "1"}
    assert "replay of Quick" in text(at)
    show_at(at, 0.0)
    assert words.FIRST_EPOCH in text(at) or words.STARTING in text(at)
    assert len(charts(at)) == 1
    tape = replay.tape(RunFolder(MODELS_FOLDER / "quick").events())
    middle = tape.time_of("phase2-epoch0001-step0000100")
    assert middle is not None
    show_at(at, middle)
    assert "Phase 2, epoch 2 of 8" in text(at)
    assert "left, paused" in text(at)
    assert "trained as bits: 26.2 % → 4.8 %" in json.dumps(charts(at)[0], ensure_ascii=False).replace(
        words.NARROW, " "
    )
    assert scrubber(at).value == "phase2-epoch0001-step0000100"
    assert at.selectbox(key="train_preset").disabled
    assert at.slider(key="knob_noise_sparsity").disabled
    # One epoch further, and there it holds.
    at.button(key="train_next_epoch").click()
    again(at)
    assert "Phase 2, epoch 3 of 8" in text(at)
    assert at.button(key="train_play").label == "Play"
    # The scrubber seeks.
    scrubber(at).set_value("phase1-epoch0002-step0000200")
    again(at)
    assert "Phase 1, epoch 3 of 6" in text(at)
    show_at(at, tape.length)
    assert "test error, 344 misread" in text(at)
    assert at.button(key="train_again").label == "Once more"
    at.button(key="train_leave_replay").click()
    again(at)
    assert url(at) == {"run": "quick"}


def test_a_replay_runs_pauses_and_changes_its_pace(open_page: Open) -> None:
    at = open_page(run="talk", replay="1")
    assert at.button(key="train_hold").label == "Pause"
    at.button(key="train_hold").click()
    again(at)
    held = session(at).clock
    assert not held.running
    at.segmented_control(key="train_pace").set_value("16")
    again(at)
    assert (session(at).clock.speed, session(at).clock.position) == (16.0, held.position)
    at.button(key="train_play").click()
    again(at)
    assert session(at).clock.running
    assert session(at).clock.position >= held.position


def test_an_echo_of_the_replays_own_slider_does_not_seek(open_page: Open) -> None:
    """The browser may still report the place where the page had put the slider before."""
    tape = replay.tape(RunFolder(MODELS_FOLDER / "quick").events())
    at = open_page(run="quick", replay="1")
    first, second = "phase1-epoch0001-step0000100", "phase1-epoch0004-step0000400"
    for name in (first, second):
        show_at(at, tape.time_of(name) or 0.0)
    scrubber(at).set_value(first)
    again(at)
    assert session(at).clock.position == tape.time_of(second)


def test_a_replay_needs_no_training(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BNN_TRAINING", "off")
    at = show_at(open_page(run="talk", replay="1"), 1e9)
    assert "246 misread" in text(at)
    assert not at.button(key="train_again").disabled
    at.button(key="train_leave_replay").click()
    again(at)
    assert at.button(key="train_start").disabled
    assert not at.button(key="train_replay").disabled


def test_a_branch_is_planned_from_a_moment_and_started(open_page: Open, managers: list[JobManager]) -> None:
    at = open_page(run="quick", at=AT)
    at.button(key="train_branch").click()
    again(at)
    assert url(at) == {"run": "quick", "at": AT, "branch": "1"}
    assert "A branch of Quick from phase 2, epoch 3: nothing changed yet." in text(at)
    assert words.BRANCH_READY.format(moment="phase 2, epoch 3") in text(at)
    # What is past is greyed, what acts later is not.
    assert at.select_slider(key="knob_compression_gain_end").disabled
    assert at.text_input(key="knob_network_hidden").disabled
    assert at.number_input(key="knob_phase1_epochs").disabled
    assert not at.number_input(key="knob_phase2_epochs").disabled
    assert not at.select_slider(key="knob_noise_window").disabled
    at.slider(key="knob_noise_sparsity").set_value(0.4)
    again(at)
    at.number_input(key="knob_phase2_epochs").set_value(10)
    again(at)
    assert "2 settings changed" in text(at)
    assert charts(at)[0]["layout"]["xaxis"]["range"] == [0.5, 16.5], "the branch's own epochs"
    at.button(key="train_start_branch").click()
    again(at)
    run = begun(at, managers)
    assert "-quick-branch-" in run
    request = managers[0].jobs().find(run)
    assert request is not None
    assert request.request["at"] == "phase2:3"
    assert request.request["changes"] == {"noise.sparsity": 0.4, "phase2.epochs": 10}
    assert "bnn_core branch quick --at phase2:3 --set noise.sparsity=0.4" in request.label
    await_text(at, "a branch of Quick from phase 2, epoch 3")
    assert words.recomputing(0.5, 2).replace(words.NARROW, " ") in text(at)
    assert "branched here" in json.dumps(charts(at)[0])


def test_a_branch_can_be_dropped_and_follows_its_moment(open_page: Open) -> None:
    at = open_page(run="quick", at=AT, branch="1", noise__sparsity="0.4", phase2__decay="none")
    assert at.slider(key="knob_noise_sparsity").value == 0.4
    assert "2 settings changed" in text(at)
    # Earlier, in phase 1: what was changed stays, and more may change.
    scrubber(at).set_value("phase1-epoch0002-step0000200")
    again(at)
    assert at.slider(key="knob_noise_sparsity").value == 0.4
    assert not at.select_slider(key="knob_compression_gain_end").disabled
    at.select_slider(key="knob_compression_gain_end").set_value(4.0)
    again(at)
    assert "3 settings changed" in text(at)
    # Later again: that one is past, and falls back.
    scrubber(at).set_value(AT)
    again(at)
    assert at.select_slider(key="knob_compression_gain_end").value == 1.0
    assert "2 settings changed" in text(at)
    at.button(key="train_leave_branch").click()
    again(at)
    assert url(at) == {"run": "quick", "at": AT}
    assert at.slider(key="knob_noise_sparsity").value == 0.0


def test_a_branch_that_cannot_be_is_a_sentence(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    at = open_page(run="quick", at=AT, branch="1", phase2__epochs="2")
    at.button(key="train_start_branch").click()
    again(at)
    assert "phase2.epochs is 2, but 3 epochs are over" in notes(at)[0]
    assert url(at)["branch"] == "1"
    monkeypatch.setenv("BNN_BUDGET", "1")
    at.number_input(key="knob_phase2_epochs").set_value(8)
    again(at)
    at.button(key="train_start_branch").click()
    again(at)
    assert "BNN_BUDGET" in notes(at)[0]
    # Within an epoch nothing can begin.
    at = open_page(run="quick", at="phase1-epoch0000-step0000025")
    assert at.button(key="train_branch").disabled


def test_a_live_run_can_be_scrubbed_and_comes_back_to_now(
    open_page: Open, managers: list[JobManager], tmp_path: Path
) -> None:
    at = open_page()
    run = started(at, managers)
    snapshots = tmp_path / "runs" / run / "snapshots"
    shutil.copytree(MODELS_FOLDER / "quick" / "snapshots", snapshots)
    for path in snapshots.glob("phase2-epoch000[2-8]*"):
        path.unlink()
    again(at)
    assert "Phase 2, epoch 1, now" in text(at)
    scrubber(at).set_value("phase1-epoch0002-step0000200")
    again(at)
    assert url(at)["at"] == "phase1-epoch0002-step0000200"
    assert at.button(key="train_to_now").label == "Back to now"
    assert at.button(key="train_pause").label == "Pause"
    # The run goes on: the moment stays.
    (snapshots / "phase2-epoch0002-step0000200.safetensors").write_bytes(
        (MODELS_FOLDER / "quick" / "snapshots" / "phase2-epoch0002-step0000200.safetensors").read_bytes()
    )
    again(at)
    assert scrubber(at).value == "phase1-epoch0002-step0000200"
    at.button(key="train_to_now").click()
    again(at)
    assert "Phase 2, epoch 2, now" in text(at)


def test_over_the_budget_start_is_refused_with_a_sentence(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BNN_BUDGET", "10")
    at = open_page()
    at.button(key="train_start").click()
    again(at)
    assert "BNN_BUDGET" in notes(at)[0]
    assert url(at) == {}


@pytest.mark.parametrize(("text", "says"), [("off", "BNN_TRAINING=off"), ("n", "allowed is on, 1")])
def test_without_training_it_says_how_to_get_it(
    open_page: Open, monkeypatch: pytest.MonkeyPatch, text: str, says: str
) -> None:
    monkeypatch.setenv("BNN_TRAINING", text)
    at = open_page()
    assert says in notes(at)[0]
    assert at.button(key="train_start").disabled


def test_a_folder_that_cannot_be_written_is_a_sentence(
    open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    at = open_page()
    monkeypatch.setenv("BNN_RUNS", str(tmp_path / "file" / "runs"))
    at.button(key="train_start").click()
    again(at)
    assert "cannot be written" in notes(at)[0]


def test_the_plan_and_the_url_are_inverse() -> None:

    config = RunConfig().updated(
        {"data.train_digits": 2000, "network.hidden": [64], "noise.sparse_output": True}
    )
    planned = plan.nearest_plan(config)
    at = "phase2-epoch0003-step0000300"
    again = address.parse(address.to_params(planned, "some-run", at, "branch"))
    assert again.complaints == ()
    assert (again.run, again.at, again.mode) == ("some-run", at, "branch")
    assert again.plan is not None
    assert again.plan.config == config
    assert "--set noise.sparse_output=true" in planned.command
