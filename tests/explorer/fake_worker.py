"""A worker that trains nothing: it answers as the real one does, and writes what a run would have written.

    python -m tests.explorer.fake_worker [LOG]

With a log it keeps there what it is asked, and writes no runs. It fails what says "fail" in its label or key,
dies of what says "die", is killed by a new learning rate, and takes new hidden flips for the end of the run.
Of what says "choke" it dies before it has answered, of "choke once" if the log is new. It exits when a run
that says "last" has ended; one that says "deaf" leaves it ready, but hearing nothing any more.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import threading
from pathlib import Path
from typing import Any

COMMAND = (sys.executable, "-m", "tests.explorer.fake_worker")
FIGURES = {"bitwise_us": 2.0, "baseline_us": 50.0, "baseline": "torch_float32"}


def say(**answer: Any) -> None:
    print(json.dumps(answer), flush=True)


def append(path: Path | str, *lines: str) -> None:
    with open(path, "a", encoding="utf-8") as file:
        file.writelines(lines)


def end(folder: str, state: str, label: str, reason: str | None = None) -> None:
    say(status="ended", folder=folder, state=state, reason=reason)
    if "last" in label:
        os._exit(0)
    if "deaf" in label:
        os.close(0)
    say(status="ready")
    if "deaf" in label:
        threading.Event().wait()


def die() -> None:
    print("the last words", file=sys.stderr, flush=True)
    os._exit(3)


def record(folder: Path, request: dict[str, Any]) -> None:
    """Write what has happened in the run by the time the request is answered."""
    from tests.explorer import records as r  # with NumPy and pydantic: only where someone looks at runs

    command = request["command"]
    under_way = r.progress(2, 2, 5, steps=10, speed=1000.0, paused=command == "pause")
    match command:
        case "run":
            folder.mkdir(parents=True)
            (folder / "checkpoint.safetensors").write_bytes(b"")
            phase1 = [r.epoch(1, count, 20.0 + count, 5.0 - count / 3) for count in range(1, 7)]
            written = [r.started() | {"config": request["config"]}, r.phase(1, 6, 10), *phase1]
            written += [r.phase(2, 8, 10), r.epoch(2, 1, 4.5), under_way]
        case "branch":
            parent, moment = Path(request["parent"]), tuple(map(int, re.findall(r"\d+", request["at"])))
            shutil.copytree(parent / "snapshots", folder / "snapshots")
            lines = (parent / "events.jsonl").read_text("utf-8").splitlines()
            past = [each for each in map(json.loads, lines) if each["event"] != "run_ended"]
            written = [each for each in past if (each.get("phase", 0), each.get("epoch", 0)) <= moment]
            written += [r.branched(parent.name, *moment, request["config"], request["changes"])]
            written += [r.recomputing(0.5, 2)]
        case "set":
            written = [r.changed(2, 2, request["field"], request["value"])]
            written += [r.END] if request["field"] == "noise.hidden_flips" else []
        case "stop":
            written = [r.STOPPED]
        case "pause" | "resume" | "step" | "resume_run":
            written = [under_way]
        case _:
            return
    append(folder / "events.jsonl", *(json.dumps(each) + "\n" for each in written))
    if "config" in request:
        (folder / "config.json").write_text(json.dumps(request["config"]), "utf-8")


def main(log: str | None = None) -> None:
    """Serve standard input until it ends."""
    if os.environ.get("FAKE_BROKEN"):
        sys.exit("cannot import what training needs")
    print("a stray line that is no answer", flush=True)
    say(status="ready")
    folder = label = ""
    asked_before = log is not None and Path(log).exists()
    for line in sys.stdin:
        request = json.loads(line)
        folder, label = request.get("folder", folder), request.get("label", label)
        if log is None:
            record(Path(folder), request)
        else:
            append(log, line)
        match request:
            case {"command": "run" | "branch" | "resume_run"}:
                if "choke" in label and not ("once" in label and asked_before):
                    die()
                say(status="started", folder=folder)
                if "fail" in label:
                    end(folder, "failed", label, "The disk is full.")
                elif "die" in label:
                    die()
            case {"command": "stop"}:
                end(folder, "stopped", label)
            case {"command": "measure", "key": key}:
                if "die" in key:
                    die()
                say(status="measured", key=key, figures=None if "fail" in key else FIGURES, reason=None)
                say(status="ready")
            case {"command": "set", "field": "phase2.learning_rate"}:
                os.kill(os.getpid(), 9)
            case {"command": "set", "field": "noise.hidden_flips"}:
                end(folder, "finished", label)
    if log is not None:
        append(log, "end of input\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
