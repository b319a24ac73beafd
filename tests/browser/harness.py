"""What the browser tests stand on: the app as people start it, a browser, a record of what went wrong."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
APP = ROOT / "explorer" / "app.py"
LOCAL = {"127.0.0.1", "localhost", "::1"}
WINDOWS = os.name == "nt"

SCREENS = [
    ((1280, 800), "light"),
    *(
        pytest.param(viewport, scheme, marks=pytest.mark.slow)
        for viewport in ((1280, 800), (1920, 1080), (1024, 768))
        for scheme in ("light", "dark")
        if (viewport, scheme) != ((1280, 800), "light")
    ),
]
"""A laptop, a large screen and a projector, in both themes; one of them in the quick tests."""

BROWSER_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
BROWSER_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-dev-shm-usage",
    # Nothing resolves but this machine: a request that would leave fails at once, and is on record.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
]


def find_browser() -> str | None:
    """The browser of `BNN_CHROMIUM`, or the first that is installed."""
    if chosen := os.environ.get("BNN_CHROMIUM"):
        return shutil.which(chosen)
    return next((path for name in BROWSER_NAMES if (path := shutil.which(name))), None)


def wait_until(condition: Callable[[], Any], timeout: float = 10.0, what: str | None = None) -> Any:
    """Ask again and again, ever less often, until `condition()` is true.

    Returns what `condition` returned. Raises TimeoutError, naming `what`, when time is up.
    For what happens outside the browser; inside, Playwright's `expect` waits by itself.
    """
    end, pause, never = time.monotonic() + timeout, 0.01, threading.Event()
    while not (value := condition()):
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError(
                f"Not within {timeout:g} s: {what or getattr(condition, '__name__', condition)}"
            )
        never.wait(min(pause, left))
        pause = min(pause * 1.5, 0.25)
    return value


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class AppServer:
    """`python -m streamlit run <script>`, started as people start it, from a folder of its own.

    Attributes:
        url: Where it answers.
        runs: Its folder of runs.
        log: What it printed.
        process: The server's process.
    """

    def __init__(self, folder: Path, script: Path = APP, environment: dict[str, str] | None = None) -> None:
        """Take an empty folder (for working directory, runs, log), the script, and more environment."""
        self.script = script.resolve()
        self.runs = folder / "runs"
        self.log_path = folder / "server.log"
        self._elsewhere = folder / "elsewhere"
        self._elsewhere.mkdir(parents=True)
        self._environment = environment or {}
        self.start()

    def start(self, timeout: float = 60.0) -> None:
        """Start it, on a new free port unless it had one, and wait until it is healthy."""
        self.port = getattr(self, "port", None) or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, "-m", "streamlit", "run", str(self.script)]
        command += ["--server.headless", "true", "--server.port", str(self.port)]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("STREAMLIT_")}
        environment.pop("PYTHONPATH", None)  # nobody who types the command has set it
        environment |= {"BNN_RUNS": str(self.runs), "PYTHONUNBUFFERED": "1"} | self._environment
        group: dict[str, Any] = (
            {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}  # type: ignore[attr-defined]
            if WINDOWS
            else {"start_new_session": True}
        )
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                command,
                cwd=self._elsewhere,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                **group,
            )
        try:
            wait_until(self._healthy_or_ended, timeout, "the server is healthy")
            if self.process.poll() is not None:
                raise RuntimeError(f"The server ended with code {self.process.returncode}.")
        except (TimeoutError, RuntimeError) as error:
            self.stop()
            raise RuntimeError(f"{error}\n--- {self.log_path}\n{self.log}") from None

    @property
    def log(self) -> str:
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def _healthy_or_ended(self) -> bool:
        return self.process.poll() is not None or self.healthy()

    def stop(self, *, at_once: bool = False) -> None:
        """End it and its children; `at_once` leaves it no time to tidy up."""
        if WINDOWS:
            subprocess.run(
                ["taskkill", "/F", "/T", "/PID", str(self.process.pid)], capture_output=True, check=False
            )
            self.process.wait(30)
            return
        if not at_once and self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)  # its own session: whatever is left of it
        self.process.wait(10)


@dataclass
class Problems:
    """What went wrong in a page, as it was seen.

    A test that expects one allows it: `problems.allow("regular expression")`.
    """

    seen: list[str] = field(default_factory=list)
    allowed: list[re.Pattern[str]] = field(default_factory=list)

    def allow(self, pattern: str) -> None:
        self.allowed.append(re.compile(pattern))

    @property
    def unexpected(self) -> list[str]:
        return [text for text in self.seen if not any(pattern.search(text) for pattern in self.allowed)]

    def watch(self, context: Any) -> None:
        """Record console errors, errors of the page, and requests that leave this machine."""
        context.on("console", self._console)
        context.on("weberror", lambda error: self.seen.append(f"page error: {error.error}"))
        context.on("request", lambda request: self._address(request.url))
        context.on("page", self._page)
        for page in context.pages:
            self._page(page)

    def _console(self, message: Any) -> None:
        if message.type == "error":
            self.seen.append(f"console error: {message.text} ({message.location.get('url', '')})")

    def _page(self, page: Any) -> None:
        page.on("websocket", lambda socket: self._address(socket.url))
        page.on("crash", lambda _: self.seen.append("the page crashed"))

    def _address(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https", "ws", "wss", "ftp") and parts.hostname not in LOCAL:
            self.seen.append(f"request that leaves this machine: {url}")
