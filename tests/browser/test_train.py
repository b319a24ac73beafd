"""The Train page in a real browser: a run is started, paused, found again, finished, watched."""

import re

import psutil
import pytest
from playwright.sync_api import expect

from bnn_core.runs.folder import RunFolder
from bnn_core.runs.past import parent_of
from tests.browser.harness import SCREENS, wait_until

# A deep link to a page makes Streamlit's own front end ask for its address twice before it finds it.
PROBES = r"404"

# A page that is left while it refreshes itself has nobody to send that to.
LEFT = r"when disconnected from server"

TINY = (
    "network.hidden=32&phase1.epochs=4&phase2.epochs=3&data.train_digits=6000&phase1.batch=50&phase2.batch=50"
)


def open_train(page, server, problems, query: str) -> None:
    problems.allow(PROBES)
    page.goto(f"{server.url}/train?{query}")
    expect(page.locator(".st-key-train_start button")).to_be_enabled()


def press(page, name: str) -> None:
    page.locator(f".st-key-train_{name} button").first.click()


def only_run(server) -> RunFolder:
    """The newest run of the server."""
    return RunFolder(max(server.runs.glob("*/config.json")).parent)


def epochs(run: RunFolder) -> int:
    return sum(r["event"] == "epoch_ended" for r in run.events())


@pytest.fixture
def fresh(start_server):
    """A server of the test's own, with no run yet."""
    return start_server()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_run_from_start_to_watch(fresh, page, problems):
    problems.allow(LEFT)
    open_train(page, fresh, problems, TINY.replace("phase1.epochs=4", "phase1.epochs=40"))
    press(page, "start")
    page.wait_for_url(re.compile(r"run=[a-z0-9-]+"))
    points = page.locator(".st-key-train_errors .scatterlayer .point")
    expect(points.first).to_be_visible()
    wait_until(lambda: points.count() >= 4, 60, "the chart moves")  # two lines, two epochs

    press(page, "pause")
    expect(page.locator(".st-key-train_go_on button")).to_be_visible()
    run = only_run(fresh)
    wait_until(lambda: run.state() == "paused", 30)
    held = epochs(run)
    press(page, "step")
    wait_until(lambda: epochs(run) == held + 1 and run.state() == "paused", 30, "one epoch, then held")

    # The tab is closed; another one finds the run, without an address that names it.
    page.goto("about:blank")
    page.goto(f"{fresh.url}/train")
    expect(page.locator(".st-key-train_go_on button")).to_be_visible()
    expect(points.first).to_be_visible()
    press(page, "go_on")
    wait_until(lambda: epochs(run) > held + 1, 60, "it goes on")

    expect(page.locator(".st-key-train_watch button")).to_be_visible(timeout=120_000)
    assert run.state() == "finished"
    errors = run.card()["errors"]
    expect(page.locator(".st-key-train_transport")).to_contain_text(f"{errors:,} misread")
    press(page, "watch")
    page.wait_for_url(re.compile(rf"model={run.id}"))
    expect(page.locator(".bx-answer .digit")).to_be_visible()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_closing_the_tab_does_not_stop_a_run_and_a_killed_worker_is_told(fresh, page, problems):
    problems.allow(LEFT)
    open_train(page, fresh, problems, TINY.replace("phase1.epochs=4", "phase1.epochs=400"))
    press(page, "start")
    page.wait_for_url(re.compile(r"run=[a-z0-9-]+"))
    run = wait_until(lambda: next(iter(fresh.runs.glob("*/events.jsonl")), None), 60) and only_run(fresh)
    page.goto("about:blank")
    before = epochs(run)
    wait_until(lambda: epochs(run) > before + 1, 60, "it goes on without a page")

    page.goto(f"{fresh.url}/train")
    expect(page.locator(".st-key-train_pause button")).to_be_visible()
    kill_workers(fresh.process.pid)
    expect(page.locator(".st-key-train_resume button")).to_be_visible()
    assert run.state() == "interrupted"
    held = epochs(run)
    press(page, "resume")
    wait_until(lambda: epochs(run) > held, 60, "it goes on after Resume")
    # Rows came and went: the browser built knobs anew, and none of them fell back to its least value.
    expect(page.locator(".st-key-train_pause button")).to_be_visible()
    assert f"run={run.id}" in page.url
    assert "learning_rate" not in page.url
    press(page, "stop")
    wait_until(lambda: run.state() == "stopped", 30)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_replay_is_held_sought_and_plays_to_its_end(page, server, problems):
    problems.allow(PROBES)
    page.goto(f"{server.url}/train?run=quick&replay=1")
    expect(page.locator(".st-key-train_head")).to_contain_text("replay of Quick")
    press(page, "hold")
    expect(page.locator(".st-key-train_play button").first).to_be_visible()
    # It stands: one epoch further, then back to the first moment there is.
    press(page, "next_epoch")
    moment = page.locator(".bx-moment")
    expect(moment).to_have_text(re.compile(r"Phase [12], epoch [1-8]"))
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    page.locator("[class*=st-key-train_moment_] input[type=range]").focus()
    page.keyboard.press("Home")
    expect(moment).to_have_text("Phase 1, step 6")
    expect(page.locator(".st-key-train_transport")).to_contain_text("Phase 1, epoch 1 of 6")
    # To the end, as fast as it goes.
    page.locator(".st-key-train_pace button", has_text="max").click()
    press(page, "play")
    expect(page.locator(".st-key-train_transport")).to_contain_text("344 misread", timeout=60_000)
    # Two lines of six points, one of eight, and where that one begins.
    expect(page.locator(".st-key-train_errors .scatterlayer .point")).to_have_count(2 * 6 + 8 + 1)
    press(page, "leave_replay")
    expect(page.locator(".st-key-train_replay button").first).to_be_visible()
    page.wait_for_url(lambda url: "replay" not in url)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_back_to_a_moment_and_on_from_there_as_a_branch(fresh, page, problems):
    problems.allow(LEFT)
    open_train(page, fresh, problems, TINY)
    press(page, "start")
    expect(page.locator(".st-key-train_transport")).to_contain_text("misread", timeout=120_000)
    parent = only_run(fresh)
    slider = page.locator("[class*=st-key-train_moment_] input[type=range]")
    expect(slider).to_have_count(1)  # that of the run under way goes when the finished one's comes
    slider.focus()
    page.keyboard.press("ArrowLeft")
    before = parent.config.phase2.epochs - 1
    expect(page.locator(".bx-moment")).to_have_text(f"Phase 2, epoch {before}")
    press(page, "branch")
    expect(page.locator(".st-key-train_start_branch button").first).to_be_visible()
    page.locator(".st-key-knob_noise_sparsity input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".bx-plan")).to_contain_text("1 setting changed")
    press(page, "start_branch")
    expect(page.locator(".st-key-train_head")).to_contain_text("a branch of")
    branch = only_run(fresh)
    wait_until(lambda: branch.state() == "finished", 120, "the branch is trained")
    assert parent_of(branch.events()) == {"run": parent.id, "phase": 2, "epoch": before}
    assert branch.config.noise.sparsity == 0.01
    expect(page.locator(".st-key-train_transport")).to_contain_text("misread")


def kill_workers(server: int) -> None:
    """Kill the server's worker processes, as a machine that runs out of memory would."""
    for child in psutil.Process(server).children(recursive=True):
        if "worker" in child.cmdline():
            child.kill()


@pytest.mark.parametrize(("viewport", "colour_scheme"), SCREENS)
def test_nothing_hangs_over_the_edge(page, server, problems, viewport):
    open_train(page, server, problems, "run=new")
    expect(page.locator(".st-key-train_errors .main-svg").first).to_be_visible()
    assert page.evaluate("document.scrollingElement.scrollWidth") <= viewport[0]


def test_a_shared_address_sets_the_knobs_and_a_bad_one_is_told(page, server, problems):
    open_train(page, server, problems, "run=new&preset=half-off&noise.sparsity=0.3")
    expect(page.locator(".st-key-knob_noise_sparsity")).to_contain_text("0.3")
    page.goto(f"{server.url}/train?run=new&noise.sparsity=7")
    expect(page.locator(".bx-note").first).to_contain_text("noise.sparsity=7")


def test_without_training_the_page_says_so(start_server, page, problems):
    problems.allow(PROBES)
    server = start_server(environment={"BNN_TRAINING": "off"})
    page.goto(f"{server.url}/train")
    expect(page.locator(".st-key-train_start button")).to_be_disabled()
    expect(page.locator(".bx-note").first).to_contain_text(re.compile("[Tt]raining"))
    page.goto(server.url)
    expect(page.locator(".bx-answer .digit")).to_have_text("3")
