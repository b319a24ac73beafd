"""Fixtures of the browser tests.

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
from playwright.sync_api import expect, sync_playwright

from tests.browser.harness import BROWSER_FLAGS, AppServer, Problems, find_browser

FAILED = pytest.StashKey[bool]()

# A first visit on a busy machine takes seconds; what never comes still fails.
expect.set_options(timeout=30_000)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when in ("setup", "call"):
        item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest.fixture(scope="session")
def browser_path():
    """Where the browser is. Without one, tests are skipped, or fail if BNN_REQUIRE_BROWSER is set."""
    path = find_browser()
    if path is None:
        reason = "No Chromium: install it, or name one in BNN_CHROMIUM."
        if os.environ.get("BNN_REQUIRE_BROWSER", "") not in ("", "0"):
            pytest.fail(reason)
        pytest.skip(reason)
    return path


@pytest.fixture(scope="package")
def playwright_driver(browser_path):
    """One Playwright for all browser tests; only for them, since its event loop would disturb others."""
    with sync_playwright() as driver:
        yield driver


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
def page(request, playwright_driver, browser_path, tmp_path, viewport, colour_scheme, problems):
    """A page in a browser of its own (nothing stored, nothing cached)."""
    width, height = viewport
    context = playwright_driver.chromium.launch_persistent_context(
        tmp_path / "profile",
        executable_path=browser_path,
        headless=True,
        args=BROWSER_FLAGS,
        viewport={"width": width, "height": height},
        color_scheme=colour_scheme,
        locale="en-GB",
        accept_downloads=True,
    )
    problems.watch(context)
    context.set_default_timeout(30_000)
    page = context.pages[0]
    yield page
    if request.node.stash.get(FAILED, False) or problems.unexpected:
        try:
            page.screenshot(path=tmp_path / "screenshot.png")
            print(f"screenshot: {tmp_path / 'screenshot.png'}")
        except PlaywrightError as error:  # a crashed page has no picture
            print(f"no screenshot: {error}")
        if "server" in request.fixturenames:
            print(f"server's log, its end:\n{request.getfixturevalue('server').log[-4000:]}")
    context.close()
    assert not problems.unexpected, "\n".join(problems.unexpected)
