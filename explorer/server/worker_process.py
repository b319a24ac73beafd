"""The worker's process as the app holds it: lines of JSON in and out, and how it ends."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from bnn_core.errors import InputError

PROJECT = Path(__file__).resolve().parents[2]
WORKER = (sys.executable, "-m", "bnn_core", "worker")
CLOSE_SECONDS = 10.0
"""How long a worker may take to save its run when the app ends."""

Answer = Mapping[str, Any] | None
"""What the worker says to a question; None if it ended before."""


class WorkerProcess:
    """One worker process and the threads that read what it says."""

    def __init__(
        self,
        command: Sequence[str],
        answered: Callable[[WorkerProcess, Mapping[str, Any]], None],
        died: Callable[[WorkerProcess, str], None],
    ) -> None:
        self.ready = False
        self._answered = answered
        self._died = died
        self._asked: dict[str, Future[Answer]] = {}
        self._complaints: deque[str] = deque(maxlen=50)
        path = os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH")]))
        try:
            self._process = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
                bufsize=1,
                env={**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"},
                # Ctrl-C in the app's terminal is for the app: it ends the worker in its own way.
                start_new_session=os.name == "posix",
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            raise InputError(f"The training process cannot be started: {error.strerror or error}.") from None
        self._complaining = threading.Thread(target=self._listen, name="worker-errors", daemon=True)
        self._complaining.start()
        threading.Thread(target=self._read, name="worker-answers", daemon=True).start()

    def send(self, message: Mapping[str, Any]) -> None:
        """One JSON line to the worker. One that hears nothing is ended; the reader notices."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
        except (OSError, ValueError):
            threading.Thread(target=self.close, name="worker-end", daemon=True).start()

    def ask(self, question: Mapping[str, Any]) -> Future[Answer]:
        """A request whose answer is for whoever asks; it may have to wait for a run to end.

        Args:
            question: for the worker; its "key", a text, comes back with the answer. While one is under way
                with that key, nothing else is asked.
        """
        asked = self._asked.get(question["key"])
        if asked is None:
            asked = self._asked[question["key"]] = Future()
            self.send(question)
        return asked

    def close(self) -> None:
        """Close its input and wait; a worker that does not end is ended."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError, ValueError):
            self._process.stdin.close()
        for force in (None, self._process.terminate, self._process.kill):
            if force is not None:
                force()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(CLOSE_SECONDS if force is None else 2.0)
                return

    def _read(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with contextlib.suppress(ValueError):
                answer = json.loads(line)
                if isinstance(answer, dict):
                    self._tell(answer)
        code = self._process.wait()
        self._complaining.join(1.0)  # what it wrote last is on its way
        self._process.stdout.close()
        with contextlib.suppress(OSError, ValueError):
            self._process.stdin.close()
        self._died(self, self._last_words(code))  # nothing is asked from here on
        for asked in self._asked.values():
            asked.set_result(None)

    def _tell(self, answer: Mapping[str, Any]) -> None:
        """Give an answer to whoever waits for it."""
        asked = self._asked.pop(str(answer.get("key")), None)
        if asked is not None:
            asked.set_result(answer)
        else:
            self._answered(self, answer)

    def _listen(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if line.strip():
                self._complaints.append(line.rstrip())
        self._process.stderr.close()

    def _last_words(self, code: int) -> str:
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        said = f" It last said: {self._complaints[-1]}" if self._complaints and code >= 0 else ""
        return f"The training process ended {how}.{said}"
