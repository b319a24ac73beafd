"""Control: how another thread pauses, steps, stops and sets a run under way."""

from __future__ import annotations

import threading
from typing import Any

from bnn_core.config import check_live


class Control:
    """Thread-safe requests to a running ``train()``, which looks at them before every step."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._paused = False
        self._stopping = False
        self._pause_at_epoch_end = False
        self._settings: list[tuple[str, Any]] = []

    def pause(self) -> None:
        """Hold before the next step."""
        with self._changed:
            self._paused = True

    def resume(self) -> None:
        """Go on."""
        with self._changed:
            self._paused = self._pause_at_epoch_end = False
            self._changed.notify_all()

    def one_epoch(self) -> None:
        """Go on to the end of the epoch, then hold."""
        with self._changed:
            self._paused = False
            self._pause_at_epoch_end = True
            self._changed.notify_all()

    def stop(self) -> None:
        """Finish the step, save a checkpoint, end. Safe to call from a signal handler's thread."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def set(self, field: str, value: Any) -> None:
        """Change a live setting; raises InputError if the field is not live or the value not allowed."""
        checked = check_live(field, value)
        with self._changed:
            self._settings.append((field, checked))

    # What train() asks.

    @property
    def paused(self) -> bool:
        return self._paused and not self._stopping

    @property
    def stopping(self) -> bool:
        return self._stopping

    def wait_while_paused(self) -> None:
        """Block until resumed, stepped or stopped."""
        with self._changed:
            self._changed.wait_for(lambda: not self.paused)

    def epoch_ended(self) -> None:
        """Hold here if one epoch was asked for."""
        with self._changed:
            if self._pause_at_epoch_end:
                self._pause_at_epoch_end, self._paused = False, True

    def take_settings(self) -> list[tuple[str, Any]]:
        """The settings asked for since the last call, in order."""
        if not self._settings:
            return []
        with self._changed:
            taken, self._settings = self._settings, []
            return taken
