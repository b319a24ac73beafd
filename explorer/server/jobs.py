"""Jobs: the queue of training runs and the one worker process that takes them.

The pages never train. They ask a `JobManager`, which keeps one worker (`python -m bnn_core worker`) warm,
hands it one run after another and passes pause, stop and changed settings on. What a run has to say is read
from its folder, not from here; the manager only knows which run is under way, which ones wait, and how the
last ones ended.

    start, branch, resume_run -> waiting -> starting -> under way -> finished | stopped | failed | interrupted

A worker that dies leaves its run *interrupted*, to be resumed; the next request starts a new worker. A run
is handed to a worker that is ready, and is under way once the worker says so: one that is left unanswered
goes to the next worker, once. When the app ends, the worker's input is closed: it finishes the step, saves
the run and ends.
"""

from __future__ import annotations

import atexit
import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from bnn_core.config import RunConfig, check_live
from bnn_core.errors import InputError
from bnn_core.names import new_branch_id, new_run_id, runs_root
from bnn_core.runs.past import Moment
from bnn_core.training.schedule import check_batches
from explorer.server import budget, machine
from explorer.server.worker_process import WORKER, Answer, WorkerProcess

JobState = Literal["waiting", "starting", "running", "finished", "stopped", "failed", "interrupted"]

ENDED_KEPT = 20
"""How many ended jobs the manager remembers; their folders say the rest."""


@dataclass(frozen=True)
class Job:
    """One run that was asked for.

    Attributes:
        id: the run's id, and its folder's name.
        label: what it is, for people and for the card.
        request: the command for the worker.
        reason: why it failed or was interrupted, one sentence.
        left: whether a worker has gone without an answer to it.
    """

    id: str
    folder: Path
    label: str
    request: Mapping[str, Any]
    state: JobState = "waiting"
    reason: str | None = None
    left: bool = False

    @property
    def active(self) -> bool:
        """Whether the worker has it."""
        return self.state in ("starting", "running")


@dataclass(frozen=True)
class Jobs:
    """How the jobs stand at one moment.

    Attributes:
        current: the run that the worker has.
        queue: those that wait, the next one first.
        ended: how the last ones ended, by id.
        worker: "none", "warming" (it loads PyTorch), "ready" or "busy".
    """

    current: Job | None
    queue: tuple[Job, ...]
    ended: Mapping[str, Job]
    worker: Literal["none", "warming", "ready", "busy"]

    def find(self, run_id: str) -> Job | None:
        """A job by its run's id."""
        known = (job for job in (self.current, *self.queue) if job is not None and job.id == run_id)
        return next(known, self.ended.get(run_id))


class JobManager:
    """Keeps the worker and the queue; safe to call from any thread.

    Args:
        command: the worker's command line; for tests.
    """

    def __init__(self, command: Sequence[str] = WORKER) -> None:
        self._command = list(command)
        self._changed = threading.Condition(threading.RLock())
        self._worker: WorkerProcess | None = None
        self._current: Job | None = None
        self._queue: list[Job] = []
        self._ended: dict[str, Job] = {}
        self._early: list[dict[str, Any]] = []  # what the current run was told before it had started
        self._free = False  # the worker has said so, or is new: its input waits for it
        self._broken = False  # the last worker never came to life
        self._closed = False
        atexit.register(self.close)

    # What the pages ask

    @property
    def available(self) -> bool:
        """Whether runs can be started, see `machine.unavailable`."""
        return machine.unavailable() is None

    def jobs(self) -> Jobs:
        """How everything stands now."""
        with self._changed:
            worker: Literal["none", "warming", "ready", "busy"] = "none"
            if self._worker is not None:
                worker = "busy" if self._current else "ready" if self._worker.ready else "warming"
            return Jobs(self._current, tuple(self._queue), dict(self._ended), worker)

    def wait_for(self, condition: Callable[[Jobs], bool], timeout: float) -> bool:
        """Block until the jobs stand so; returns whether they do."""
        with self._changed:
            return self._changed.wait_for(lambda: condition(self.jobs()), timeout)

    # What the pages want

    def warm_up(self) -> None:
        """Start a worker ahead of need, so that the first run starts at once; never raises."""
        if self.available:
            with contextlib.suppress(InputError), self._changed:
                self._ensure_worker()

    def ask(self, question: Mapping[str, Any]) -> Future[Answer] | None:
        """Ask the worker something that is no run, see `WorkerProcess.ask`; never raises.

        Returns:
            the answer to come; None while there is no worker: whoever wants to know asks again.
        """
        with self._changed:
            if not self._broken:
                return None if self._worker is None else self._worker.ask(question)
        nothing: Future[Answer] = Future()
        nothing.set_result(None)
        return nothing

    def start(self, config: RunConfig, *, label: str = "", name: str = "run", data: str | None = None) -> str:
        """Start a run, or let it wait for its turn.

        Args:
            label: what the user asked for, for the card (a command line).
            name: a word for the run's id, such as its preset.
            data: folder of other digits than MNIST's.

        Returns:
            the run's id; its folder is made by the worker.

        Raises:
            InputError: training is off, the run is over the machine's budget, or the runs' folder cannot be
                written.
        """
        machine.check_available()
        budget.check(config)
        return self._submit_new(new_run_id(name), config, {"command": "run", "data": data}, label)

    def branch(
        self,
        parent: Path,
        moment: Moment,
        config: RunConfig,
        changes: Mapping[str, Any],
        *,
        label: str = "",
        data: str | None = None,
    ) -> str:
        """Leave a run at a moment of it, as a run of its own; starts it, or lets it wait for its turn.

        Args:
            parent: the run's folder.
            config: what the branch is trained with.
            changes: what differs in it from the parent at that moment; the worker checks them.

        Returns:
            the branch's id.

        Raises:
            InputError: as :meth:`start`.
        """
        machine.check_available()
        budget.check_branch(config, parent, moment)
        request = {"command": "branch", "parent": str(parent), "at": moment.text, "changes": dict(changes)}
        return self._submit_new(new_branch_id(parent.name), config, {**request, "data": data}, label)

    def resume_run(self, folder: Path, *, label: str = "", data: str | None = None) -> None:
        """Go on with a stopped, interrupted or failed run, now or when its turn comes.

        Raises:
            InputError: training is off, what is left is over the machine's budget, the run is under way or
                waits, or its folder cannot be written.
        """
        machine.check_available()
        budget.check_resumed(folder)
        machine.check_writable(folder)
        with self._changed:
            job = self.jobs().find(folder.name)
            if job is not None and (job.active or job.state == "waiting"):
                raise InputError(f"Run {folder.name} is under way already, or waits for its turn.")
            self._submit(folder.name, folder, {"command": "resume_run", "data": data}, label)

    def pause(self, run_id: str) -> None:
        """Hold the run before its next step."""
        self._tell(run_id, {"command": "pause"})

    def resume(self, run_id: str) -> None:
        """Let a paused run go on."""
        self._tell(run_id, {"command": "resume"})

    def one_epoch(self, run_id: str) -> None:
        """Let the run go on to the end of its epoch, and hold there."""
        self._tell(run_id, {"command": "step"})

    def stop(self, run_id: str) -> None:
        """Save and end the run."""
        self._tell(run_id, {"command": "stop"})

    def set(self, run_id: str, field: str, value: Any) -> None:
        """Change a live setting of the run; raises InputError if it is not live or not allowed."""
        self._tell(run_id, {"command": "set", "field": field, "value": check_live(field, value)})

    def cancel(self, run_id: str) -> None:
        """Take a waiting run out of the queue; raises InputError if it does not wait."""
        with self._changed:
            for job in self._queue:
                if job.id == run_id:
                    self._queue.remove(job)
                    self._changed.notify_all()
                    return
        raise InputError(f"Run {run_id} does not wait for its turn, so it cannot be taken out of the queue.")

    def close(self) -> None:
        """End the worker: its run is saved and can be resumed. Waits at most some seconds."""
        with self._changed:
            self._closed = True
            worker, self._worker = self._worker, None
            self._queue.clear()
            self._changed.notify_all()
        atexit.unregister(self.close)
        if worker is not None:
            worker.close()

    # Inside; the lock is held

    def _submit_new(self, run_id: str, config: RunConfig, request: Mapping[str, Any], label: str) -> str:
        """Submit a run that has no folder yet; returns its id."""
        check_batches(config, config.data.train_digits or budget.DIGITS)
        root = runs_root()
        machine.check_writable(root)
        self._submit(run_id, root / run_id, {**request, "config": config.to_dict()}, label)
        return run_id

    def _submit(self, run_id: str, folder: Path, request: Mapping[str, Any], label: str) -> None:
        job = Job(run_id, folder, label, {**request, "folder": str(folder), "label": label})
        with self._changed:
            if self._closed:
                raise InputError("The app is ending: no run can be started.")
            self._ensure_worker()
            self._ended.pop(run_id, None)
            self._queue.append(job)
            self._changed.notify_all()
            self._next()

    def _ensure_worker(self) -> None:
        if self._worker is None and not self._closed:
            self._worker = WorkerProcess(self._command, self._answered, self._died)
            self._free = True
            self._changed.notify_all()

    def _next(self) -> None:
        """Hand the next run to a worker that is free."""
        if self._current is not None or not self._queue or self._worker is None or not self._free:
            return
        self._current = replace(self._queue.pop(0), state="starting")
        self._free = False
        self._worker.send(self._current.request)
        self._changed.notify_all()

    def _tell(self, run_id: str, command: dict[str, Any]) -> None:
        with self._changed:
            if self._current is None or self._current.id != run_id or self._worker is None:
                raise InputError(f"Run {run_id} is not under way in this app, so it cannot be told anything.")
            if self._current.state == "starting":
                self._early.append(command)  # the worker takes commands once it has begun
            else:
                self._worker.send(command)

    def _finish(self, state: JobState, reason: str | None) -> None:
        if self._current is None:
            return
        job = replace(self._current, state=state, reason=reason)
        self._ended[job.id] = job
        while len(self._ended) > ENDED_KEPT:
            del self._ended[next(iter(self._ended))]
        self._current = None
        self._early = []
        self._changed.notify_all()

    def _answered(self, worker: WorkerProcess, answer: Mapping[str, Any]) -> None:
        """One line of the worker's output (called by its reader thread)."""
        with self._changed:
            if worker is not self._worker:
                return
            status = answer.get("status")
            if status == "ready":
                worker.ready = True
                self._broken = False
                # Of a question, perhaps, that came before the run that it is to take next.
                self._free = self._current is None
                self._changed.notify_all()
                self._next()
            elif status == "started" and self._current is not None:
                self._current = replace(self._current, state="running")
                for command in self._early:
                    worker.send(command)
                self._early = []
                self._changed.notify_all()
            elif status == "ended":
                state = answer.get("state")
                reason = answer.get("reason")
                self._finish(state if state in ("finished", "stopped") else "failed", reason)

    def _died(self, worker: WorkerProcess, reason: str) -> None:
        """The worker has gone (called by its reader thread)."""
        with self._changed:
            if worker is not self._worker:
                return
            self._worker = None
            self._broken = not worker.ready
            job, again = self._current, False
            if job is None or job.state == "running":
                self._finish("interrupted", reason)
            elif job.left:
                self._finish("failed", f"Two training processes ended before they began it. {reason}")
            else:
                again, self._current = True, None
                self._queue.insert(0, replace(job, state="waiting", left=True))
            if self._broken and not again:  # the next one would not come to life either
                self._give_up(reason)
            elif self._queue:
                try:
                    self._ensure_worker()
                    self._next()
                except InputError as error:
                    self._give_up(str(error))
            self._changed.notify_all()

    def _give_up(self, reason: str) -> None:
        """Nothing that waits can begin."""
        self._ended |= {job.id: replace(job, state="failed", reason=reason) for job in self._queue}
        self._queue.clear()
        self._early = []
