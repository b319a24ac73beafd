"""The harness itself: it starts a script as people do, sees what goes wrong, and leaves nothing behind."""

import os
import shutil
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from tests.browser.harness import ROOT, AppServer, Problems, find_browser, wait_until

pytestmark = pytest.mark.slow

SCRIPT = """
import os
import shutil
import subprocess
import sys
import streamlit as st

st.title("A throwaway page")
st.write("in " + os.getcwd())
st.write("runs in " + os.environ["BNN_RUNS"])
if st.button("Count", key="count"):
    st.write("counted")
if "child" in st.query_params:
    code = "import time; time.sleep(600)"
    child = subprocess.Popen([sys.executable, "-c", code])
    st.write(f"child {child.pid} started")
"""


def write_script(folder):
    """The script, and the settings beside it: without them Streamlit sends statistics."""
    (folder / ".streamlit").mkdir()
    (folder / ".streamlit" / "config.toml").write_text("[browser]\ngatherUsageStats = false\n")
    (folder / "script.py").write_text(SCRIPT)
    return folder / "script.py"


@pytest.fixture(scope="module")
def throwaway(tmp_path_factory):
    folder = tmp_path_factory.mktemp("throwaway")
    running = AppServer(folder / "server", write_script(folder))
    yield running
    running.stop()


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    if sys.platform == "linux":  # ended, but nobody has asked for its exit code yet
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    return True


def test_a_script_is_served_from_elsewhere(page, throwaway):
    page.goto(throwaway.url)
    expect(page.get_by_text("A throwaway page")).to_be_visible()
    expect(page.get_by_text(f"in {throwaway._elsewhere}")).to_be_visible()
    expect(page.get_by_text(f"runs in {throwaway.runs}")).to_be_visible()
    page.locator(".st-key-count button").click()
    expect(page.get_by_text("counted")).to_be_visible()


@pytest.mark.parametrize("viewport", [(390, 844), (1280, 800)])
@pytest.mark.parametrize("colour_scheme", ["light", "dark"])
def test_viewport_and_colour_scheme(page, viewport, colour_scheme):
    assert page.evaluate("[innerWidth, innerHeight]") == list(viewport)
    assert page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") == (colour_scheme == "dark")


@pytest.mark.parametrize(
    ("script", "seen"),
    [
        ("console.error('it is broken')", "console error: it is broken"),
        ("setTimeout(() => { throw new Error('nobody caught it') })", "page error: .*nobody caught it"),
        (
            "fetch('http://example.invalid/data').catch(() => {})",
            "leaves this machine: http://example.invalid/data",
        ),
        ("new WebSocket('ws://example.invalid/')", "leaves this machine: ws://example.invalid/"),
    ],
)
def test_what_goes_wrong_is_seen(page, problems, throwaway, script, seen):
    page.goto(f"{throwaway.url}/_stcore/health")
    assert problems.unexpected == []
    page.evaluate(f"() => {{ {script} }}")
    expected = Problems()
    expected.allow(seen)

    def recorded():
        page.evaluate("1")  # lets the events come in
        return [text for text in problems.seen if expected.allowed[0].search(text)]

    assert wait_until(recorded, 5, seen)
    assert problems.unexpected
    problems.allow(seen)
    problems.allow(
        "console error: .*(net::ERR|WebSocket connection)"
    )  # what the browser says of a failed request
    assert problems.unexpected == []


def test_console_warnings_are_no_errors(page, problems):
    page.evaluate("console.warn('careful'); console.log('fine')")
    assert problems.seen == []


@pytest.mark.skipif(os.name == "nt", reason="POSIX only: Windows ends the whole tree at once")
@pytest.mark.parametrize("at_once", [False, True])
def test_a_stopped_server_leaves_no_child(page, start_server, problems, tmp_path, at_once):
    problems.allow(
        "ERR_CONNECTION_REFUSED|WebSocket|Failed to fetch|ERR_"
    )  # the page notices that it is gone
    own = start_server(script=write_script(tmp_path))
    page.goto(f"{own.url}/?child=1")
    text = page.get_by_text("started").inner_text()
    child = int(text.split()[1])
    assert alive(child)
    own.stop(at_once=at_once)
    assert not own.healthy()
    wait_until(lambda: not alive(child), 5, "the child ended")


def test_a_server_that_does_not_start_shows_its_log(tmp_path):
    with pytest.raises(RuntimeError, match=r"(?s)server ended with code.*nothing\.py"):
        AppServer(tmp_path / "server", tmp_path / "nothing.py")


def test_wait_until_says_what_it_waited_for():
    with pytest.raises(TimeoutError, match="the moon"):
        wait_until(lambda: False, 0.05, "the moon")
    answers = iter([0, None, 7])
    assert wait_until(lambda: next(answers)) == 7


def test_the_browser_can_be_named(monkeypatch):
    monkeypatch.setenv("BNN_CHROMIUM", sys.executable)
    assert find_browser() == sys.executable
    monkeypatch.setenv("BNN_CHROMIUM", "no-such-browser")
    assert find_browser() is None


def run_pytest(tmp_path, **environment):
    """A skipped test, in a pytest of its own that uses the project's conftest."""
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    (tmp_path / "test_skips.py").write_text(
        "import pytest\n"
        "def test_because(): pytest.skip('I felt like it')\n"
        "@pytest.mark.skip(reason='Windows only')\ndef test_elsewhere(): pass\n"
        "@pytest.mark.xfail(reason='known', strict=True)\ndef test_known(): assert False\n"
    )
    (tmp_path / "test_module.py").write_text("import pytest\npytest.importorskip('no_such_module')\n")
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "CI"))}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--continue-on-collection-errors",
    ]
    done = subprocess.run(
        command, cwd=tmp_path, env=clean | environment, capture_output=True, text=True, timeout=60
    )
    return done.stdout.splitlines()[-1]


def test_ci_allows_no_skip_without_an_agreed_reason(tmp_path):
    assert run_pytest(tmp_path).startswith("3 skipped, 1 xfailed")
    assert run_pytest(tmp_path, CI="true").startswith("1 failed, 1 skipped, 1 xfailed, 1 error")
