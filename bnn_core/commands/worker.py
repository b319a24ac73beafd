"""The worker: trains, on behalf of a page, in a process of its own.

``python -m bnn_core worker`` imports torch and the digits ahead and then waits, so that a run starts at
once. Requests come as JSON lines on standard input, read by a thread; answers go out as JSON lines on
standard output. What a run has to say is in its folder, not here.

    run         {"command": "run", "folder": DIR, "config": {...}, "label": TEXT, "data": DIR or null}
    resume_run  {"command": "resume_run", "folder": DIR, "label": TEXT, "data": DIR or null}
    branch      {"command": "branch", "parent": DIR, "at": "phase2:3", "folder": DIR,
                 "changes": {"noise.sparsity": 0.5}, "label": TEXT, "data": DIR or null}
    measure     {"command": "measure", "key": TEXT, "model": FILE}     after the run under way, if any
    pause, resume, step, stop
    set         {"command": "set", "field": "noise.sparsity", "value": 0.3}

    {"status": "ready"}                                    idle, now or again
    {"status": "started", "folder": DIR}
    {"status": "ended", "folder": DIR, "state": "finished" | "stopped" | "failed", "reason": TEXT or null}
    {"status": "measured", "key": TEXT, "figures": {...} or null, "reason": TEXT or null}
    {"status": "refused", "reason": TEXT}                  a request that could not be taken

End of input: the step is finished, a checkpoint saved, the process ends. A dead app leaves no orphan. What
is asked of a worker that ends is not begun, and has no answer.
"""

from __future__ import annotations

import contextlib
import gc
import json
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from bnn_core.bench import one_digit
from bnn_core.commands.options import digits_of
from bnn_core.config import RunConfig
from bnn_core.datasets.digits import load_mnist
from bnn_core.errors import InputError
from bnn_core.names import LOG_FILE
from bnn_core.network.bitwise import BitwiseNetwork
from bnn_core.runs.branch import branch_run
from bnn_core.runs.past import parse_moment
from bnn_core.runs.writer import record_run, resume_run
from bnn_core.training.control import Control
from bnn_core.training.events import Event

_RUNS = ("run", "resume_run", "branch")
_QUEUED = (*_RUNS, "measure")
_LIVE = {"pause": Control.pause, "resume": Control.resume, "step": Control.one_epoch, "stop": Control.stop}


class Worker:
    """Takes one run after another from a stream of requests."""

    def __init__(self, requests: TextIO, answers: TextIO) -> None:
        self._requests = requests
        self._answers = answers
        self._requested: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._lock = threading.Lock()
        self._saying = threading.Lock()
        self._control: Control | None = None  # of the run under way
        self._ending = False

    def serve(self) -> None:
        """Work until the input ends."""
        threading.Thread(target=self._read, name="requests", daemon=True).start()
        self._say(status="ready")
        while (request := self._requested.get()) is not None:
            if request["command"] == "measure":
                self._measure(request)
            else:
                self._run(request)
            if self._ending:
                return
            self._say(status="ready")

    def end(self) -> None:
        """Stop the run under way, if any, and take no other."""
        with self._lock:
            self._ending = True
            if self._control is not None:
                self._control.stop()
        self._requested.put(None)

    def _say(self, **answer: Any) -> None:
        # A reader that is gone is no reason to lose the run.
        with contextlib.suppress(OSError, ValueError), self._saying:
            self._answers.write(json.dumps(answer) + "\n")
            self._answers.flush()

    def _read(self) -> None:
        try:
            for line in self._requests:
                try:
                    self._take(line)
                except InputError as error:
                    self._say(status="refused", reason=str(error))
        finally:  # however reading ends: nobody is left to ask for anything
            self.end()

    def _take(self, line: str) -> None:
        try:
            request = json.loads(line)
            command = request["command"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise InputError(f"{line.strip()[:80]!r} is no request: allowed is a JSON object.") from None
        if command in _QUEUED:
            self._requested.put(request)
            return
        with self._lock:
            control = self._control
        if command not in (*_LIVE, "set"):
            raise InputError(
                f"There is no command {command!r}: allowed are {', '.join((*_QUEUED, *_LIVE))}, set."
            )
        if control is None:
            raise InputError(f"No run is under way: {command} needs one.")
        if command == "set":
            control.set(str(request.get("field")), request.get("value"))
        else:
            _LIVE[command](control)

    def _run(self, request: dict[str, Any]) -> None:
        control = Control()
        with self._lock:
            if self._ending:
                return
            self._control = control
        folder = str(request.get("folder"))
        state, reason = "failed", None
        self._say(status="started", folder=folder)
        try:
            for event in self._events(request, control):
                if event.name == "run_ended":
                    state = event.record()["status"]
        except InputError as error:
            reason = str(error)
        except Exception as error:  # noqa: BLE001  (whatever a run dies of, the worker lives on)
            reason = str(error) or type(error).__name__
            self._log(folder, error)
        finally:
            with self._lock:
                self._control = None
            gc.collect()
        self._say(status="ended", folder=folder, state=state, reason=reason)

    def _measure(self, request: dict[str, Any]) -> None:
        """How long a network takes for a digit, beside torch's float32."""
        figures, reason = None, None
        try:
            figures = one_digit(BitwiseNetwork.load(str(request.get("model"))))
        except Exception as error:  # noqa: BLE001  (whatever it is, a page can do without)
            reason = str(error) or type(error).__name__
        self._say(status="measured", key=request.get("key"), figures=figures, reason=reason)

    def _events(self, request: dict[str, Any], control: Control) -> Iterator[Event]:
        data = digits_of(request.get("data"))
        folder, label = Path(str(request.get("folder"))), str(request.get("label") or "")
        if request["command"] == "resume_run":
            return resume_run(folder, data, control=control, command=label)
        if request["command"] == "branch":
            parent, moment = Path(str(request.get("parent"))), parse_moment(str(request.get("at")))
            changes = request.get("changes") or {}
            return branch_run(parent, folder, moment, changes, data, control=control, command=label)
        config = RunConfig.from_dict(request.get("config") or {})
        return record_run(config, data, folder, control=control, command=label)

    @staticmethod
    def _log(folder: str, error: Exception) -> None:
        text = "".join(traceback.format_exception(error))
        print(text, file=sys.stderr)
        with contextlib.suppress(OSError), (Path(folder) / LOG_FILE).open("a", encoding="utf-8") as log:
            log.write(text)


def worker() -> None:
    """Serve training runs to a program: JSON lines in, JSON lines out."""
    # Imports write nothing, but a stray print must not garble the answers.
    answers, sys.stdout = sys.stdout, sys.stderr
    from bnn_core.training.start import warm_up  # torch: seconds, paid ahead

    warm_up()
    _ = load_mnist().sha256
    serving = Worker(sys.stdin, answers)
    # Ctrl-C in the app's terminal reaches the worker too: the app closes our input, which ends us well.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=serving.end).start())
    serving.serve()
