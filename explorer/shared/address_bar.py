"""The address bar of one browser session: what it asks for, and what it is made to say."""

from __future__ import annotations

import time
from collections import deque

import streamlit as st

from explorer.shared.address import Table


class AddressBar:
    """Tells a wish (an address that was opened, edited, or gone back to) from an echo of our own writing.

    A message that the browser sent before it had the new address carries an old one, which is no wish to go
    back. Streamlit's `bind="query-params"` is not used: it writes the formatted label of an option, drops
    wrong values silently, forgets them when the widget is on another page, and a bound key cannot be written
    beside others.

    Args:
        table: the keys that are read and written; others are left alone.
        echo_seconds: how long after a change the browser may still send the address before it.
    """

    def __init__(self, table: Table, echo_seconds: float) -> None:
        self.table = table
        self.echo_seconds = echo_seconds
        self._params: dict[str, str] | None = None
        self._before: deque[tuple[dict[str, str], float]] = deque(maxlen=50)

    def found(self) -> dict[str, str]:
        """What stands there now."""
        return self.table.of(st.query_params.to_dict())

    def asked(self) -> dict[str, str] | None:
        """What stands there, if it is not what we wrote; None if it is."""
        found = self.found()
        return None if found == self._params or self._echo(found) else found

    def expect(self, params: dict[str, str]) -> None:
        """This address may come once more, and means nothing then."""
        self._before.append((params, time.monotonic()))

    def write(self, params: dict[str, str]) -> None:
        """Make it say that, and nothing else in this table's keys."""
        present = st.query_params.to_dict()
        wanted = {key: value for key, value in present.items() if key not in self.table.keys} | params
        if present != wanted:
            st.query_params.from_dict(wanted)  # at once: half an address must not be read back
        if self._params is not None and params != self._params:
            self.expect(self._params)
        self._params = params

    def _echo(self, found: dict[str, str]) -> bool:
        since = time.monotonic() - self.echo_seconds
        return any(params == found and until > since for params, until in self._before)
