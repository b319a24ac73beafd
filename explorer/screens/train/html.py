"""The Train page's text and numbers as HTML; everything from outside is escaped. Pure."""

from __future__ import annotations

from html import escape

import numpy as np

from bnn_core.config import FieldSpec
from bnn_core.datasets.features import input_count
from bnn_core.runs.recompute import WayBack
from bnn_core.training.events import RunStarted
from explorer.screens.train import words
from explorer.screens.train.plan import Plan
from explorer.server.budget import CLASSES, SIDE, duration
from explorer.server.history import History

MOST_SEGMENTS = 30
"""Longer phases are one bar."""


def title(text: str, note: str = "", *, lit: bool = False) -> str:
    """A chart's head and the line under it; `lit` puts the colour of flips before the line."""
    mark = '<i class="bx-lit"></i>' if lit else ""
    small = f'<div class="bx-small">{mark}{escape(note)}</div>' if note else ""
    return f'<div class="bx-title">{escape(text)}</div>{small}'


def happening(sentence: str, *, then: bool = False) -> str:
    """The sentence; `then`: it is of an earlier moment."""
    head = words.HAPPENED if then else words.HAPPENING
    return f'<div class="bx-happening" role="status"><b>{head}</b>{escape(sentence)}</div>'


def progress(history: History, *, active: bool) -> str:
    """A segment an epoch, both phases; the epoch under way fills as it goes."""
    parts = []
    for phase, planned in enumerate(history.planned, start=1):
        if not planned:
            continue
        done = history.done(phase)
        whole = len(history.of_phase(phase))
        now = active and history.phase == phase and whole < planned
        cells = planned if planned <= MOST_SEGMENTS else 1
        filled = np.clip(done * cells / planned - np.arange(cells), 0, 1)
        bars = "".join(f'<i><b style="width:{100 * share:.1f}%"></b></i>' for share in filled)
        text = words.phase_progress(phase, whole, planned, now)
        spoken = words.PROGRESS_SPOKEN.format(phase=phase, done=whole, planned=planned)
        style = "phase" + (" real" if phase == 1 else "") + (" now" if now else "")
        parts.append(
            f'<div class="{style}" style="flex:{planned}">'
            f'<div class="epochs" role="img" aria-label="{escape(spoken)}">{bars}</div>'
            f'<div class="text">{escape(text)}</div></div>'
        )
    return f'<div class="bx-progress">{"".join(parts)}</div>'


def stats(history: History, status: str) -> str:
    """Speed, loss and the time left; of a finished run its result."""
    if status == "finished" and history.end is not None and history.end.test_error is not None:
        end = history.end
        large, note = words.test_result(end.test_error or 0.0, end.test_errors, end.test_error_real)
        result = f'<div class="large">{large}</div><div>{escape(note).replace("; ", "<br>")}</div>'
        return f'<div class="bx-stats" role="status">{result}</div>'
    rows = []
    now = history.progress
    if status == "running" and now is not None and history.speed:
        rows.append(words.speed(history.speed))
    if status in ("running", "paused"):
        facts = [words.RUNNING_LOSS.format(loss=history.loss)] if history.loss is not None else []
        if history.learning_rate is not None:
            facts.append(words.RATE.format(rate=words.number(history.learning_rate)))
        rows.append(", ".join(facts))
    small = "<br>".join(escape(row) for row in rows if row)
    left = history.seconds_left if status in ("running", "paused") else None
    word = words.LEFT_PAUSED if status == "paused" else words.LEFT
    large = "" if left is None else f'<div class="large">{duration(left)} <small>{word}</small></div>'
    return f'<div class="bx-stats"><div>{small}</div>{large}</div>'


def price(way: WayBack | None) -> str:
    """What has to be trained again before a branch begins."""
    lines = words.price(way.epochs, way.seconds) if way is not None else ()
    return f'<div class="bx-stats"><div>{"<br>".join(map(escape, lines))}</div></div>'


def moment(name: str) -> str:
    """The moment that the scrubber stands at."""
    return f'<div class="bx-moment">{escape(name)}</div>'


def waiting(name: str, place: int) -> str:
    """A run in the queue."""
    return f'<div class="bx-wait">{escape(words.WAITING.format(title=name, place=place))}</div>'


def group(name: str, note: str, equation: str) -> str:
    """A group's head, what may change, and its equation."""
    return f'<div class="bx-group"><b>{escape(name)}</b> {escape(note)}<code>{escape(equation)}</code></div>'


def knob_label(label: str, value: str, dead: bool = False, help: str = "") -> str:
    """A knob's name and value on one line."""
    style = "bx-knob dead" if dead else "bx-knob"
    text = f"<span>{escape(label)}</span><b>{escape(value)}</b>"
    return f'<div class="{style}" title="{escape(help)}">{text}</div>'


def value_text(spec: FieldSpec, value: float) -> str:
    """A knob's value."""
    return f"{100 * value:.3g}{words.NARROW}%" if spec.percent else words.number(value)


def plan_note(plan: Plan, started: RunStarted | None, leaving: str = "") -> str:
    """What will be trained (or is), and what to expect; of a branch, what it leaves."""
    config = plan.config
    digits = held = None
    sizes = [input_count(config.data.features, SIDE), *config.network.hidden, CLASSES]
    if started is not None:
        sizes, digits, held = started.sizes, started.train_digits, started.validation_digits
    lines = words.data_note(sizes, config.network.variant, config.seed, digits, held)
    info = plan.info
    if leaving:
        last = leaving
    elif plan.changes:
        last = words.changed_from(info.title, len(plan.changes))
    else:
        last = words.EXPECTED.format(error=words.percent(info.error_percent, 1), time=duration(info.seconds))
    text = "<br>".join(escape(line) for line in (*lines, last) if line)
    return f'<div class="bx-small bx-plan">{text}</div>'
