"""Fixtures of the browser tests: pytest-playwright's, with the machine's own browser under watch.

    def test_watch(page, server):
        page.goto(server.url)
        expect(page.get_by_text("...")).to_be_visible()

`viewport` and `colour_scheme` are parametrised by name, without being arguments of the test:

    @pytest.mark.parametrize("viewport", [(1280, 800), (390, 844)])
    @pytest.mark.parametrize("colour_scheme", ["light", "dark"])

A test fails at its end if the page logged an error, threw one, or asked for anything outside this machine;
one that expects such a thing says so with `problems.allow(...)`. A failed test leaves `screenshot.png` in its
`tmp_path`.
"""

import os

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import expect

from tests.browser.harness import BROWSER_FLAGS, AppServer, Problems, find_browser

# A first visit on a busy machine takes seconds; what never comes still fails.
expect.set_options(timeout=30_000)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    """The machine's own browser. Without one, tests are skipped, or fail if BNN_REQUIRE_BROWSER is set."""
    path = find_browser()
    if path is None:
        reason = "No Chromium: install it, or name one in BNN_CHROMIUM."
        if os.environ.get("BNN_REQUIRE_BROWSER", "") not in ("", "0"):
            pytest.fail(reason)
        pytest.skip(reason)
    return {**browser_type_launch_args, "executable_path": path, "args": BROWSER_FLAGS}


@pytest.fixture
def browser_context_args(viewport, colour_scheme):
    """What a test's context is made with: nothing is stored or cached in it by another test."""
    width, height = viewport
    return {
        "viewport": {"width": width, "height": height},
        "color_scheme": colour_scheme,
        "locale": "en-GB",
    }


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The app, running for the whole session: `.url`, `.runs`, `.log`."""
    running = AppServer(tmp_path_factory.mktemp("server"))
    yield running
    running.stop()


@pytest.fixture
def start_server(tmp_path):
    """Starts a server of the test's own: `start_server(script=..., environment={"BNN_TRAINING": "off"})`."""
    running = []

    def start(**options):
        running.append(AppServer(tmp_path / f"server-{len(running)}", **options))
        return running[-1]

    yield start
    for each in running:
        each.stop()


@pytest.fixture
def viewport():
    """Width and height of the page."""
    return 1280, 800


@pytest.fixture
def colour_scheme():
    """`light` or `dark`: what the browser says that its user prefers."""
    return "light"


@pytest.fixture
def problems():
    """What went wrong in the page; `problems.allow(pattern)` for what a test expects."""
    return Problems()


@pytest.fixture
def page(request, context, tmp_path, problems):
    """A page in a context of its own, under watch."""
    problems.watch(context)
    context.set_default_timeout(30_000)
    page = context.new_page()
    yield page
    call = getattr(request.node, "rep_call", None)  # pytest-playwright's; none if the set-up failed
    if call is None or call.failed or problems.unexpected:
        try:
            page.screenshot(path=tmp_path / "screenshot.png")
            print(f"screenshot: {tmp_path / 'screenshot.png'}")
        except PlaywrightError as error:  # a crashed page has no picture
            print(f"no screenshot: {error}")
        if "server" in request.fixturenames:
            print(f"server's log, its end:\n{request.getfixturevalue('server').log[-4000:]}")
    context.close()
    assert not problems.unexpected, "\n".join(problems.unexpected)
