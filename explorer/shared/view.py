"""What the address bar holds: one declared schema of what is shown, read from and written to the URL.

    ?model=talk&at=phase2-epoch0003-step0000375&digit=90&layer=2&unit=341&order=trained&sort=balance
    &word=9&versus=quick&versus_at=phase1-epoch0002-step0000200

A value that equals its default stays out of the URL. A value that cannot be used falls back to its default,
with one sentence that says so; a URL never leads to a stack trace.

`parse` and `to_params` are pure. `current` and `change` join them to Streamlit: the state lives in the
session, the URL mirrors it, and a URL that changed on its own (opened, edited, Back) is read again.
Streamlit's `bind="query-params"` is not used for these keys: it writes the formatted label of an option,
drops wrong values silently, forgets them when the widget is on another page, and a bound key in the address
cannot be written beside others.

A model is named by its shipped name or by a run's id; a shipped name wins.
"""

from __future__ import annotations

import base64
import binascii
import re
import time
import zlib
from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, get_args

import numpy as np
import streamlit as st
from numpy.typing import NDArray

Order = Literal["digit", "trained"]
Sort = Literal["digit", "balance", "use", "alike", "trained"]
Map = Literal["near", "flat"]

ECHO_SECONDS = 2.0
"""How long after a change of the URL the browser may still send the one before."""

SIDE = 28
"""Rows and columns of a drawn digit."""

_DRAWN = "drawn."
_SESSION_KEY = "explorer_view"
_PLAIN = re.compile(r"[a-z0-9][a-z0-9-]{0,80}")


@dataclass(frozen=True)
class View:
    """What every page shows.

    Attributes:
        model: a shipped name or a run's id; "" is the default model.
        at: a snapshot of it, by the name of its file; "" is the finished network.
        digit: index in the test set; with `drawn`, the digit to go back to.
        drawn: a drawn digit, (28, 28) uint8 as bytes; None: the test digit is shown.
        layer, unit: the unit up close, layer from 1 (the output layer is the last) and unit from 0; None: the
            page picks one.
        order: hidden units placed by the digit that they answer to, or as they were trained.
        sort: the order of units on the Weights page.
        word: the word of the unit's inputs that the XNOR page stands at, from 1; None: all are counted.
        versus, versus_at: what the Weights page compares with, as `model` and `at`; "" is nothing.
        map: how the Activations page places digits: along neighbours, or flat.
    """

    model: str = ""
    at: str = ""
    digit: int | None = None
    drawn: bytes | None = None
    layer: int = 1
    unit: int | None = None
    order: Order = "digit"
    sort: Sort = "digit"
    word: int | None = None
    versus: str = ""
    versus_at: str = ""
    map: Map = "near"

    @property
    def drawn_digit(self) -> NDArray[np.uint8] | None:
        """The drawn digit, (28, 28) uint8, 0 the background; None when a test digit is shown."""
        return None if self.drawn is None else np.frombuffer(self.drawn, np.uint8).reshape(SIDE, SIDE)


PARAMS = ("model", "at", "digit", "layer", "unit", "order", "sort", "word", "versus", "versus_at", "map")
"""The keys in the URL."""


def parse(
    params: Mapping[str, str], *, models: Collection[str], digits: int = 10_000
) -> tuple[View, list[str]]:
    """Read the URL's values.

    Args:
        params: as they stand in the URL, decoded; other keys are ignored.
        models: the names that `model` may have.
        digits: how many test digits there are.

    Returns:
        the view, and one sentence for each value that could not be used.
    """
    values: dict[str, Any] = {}
    complaints: list[str] = []

    def refuse(key: str, allowed: str) -> None:
        came = params[key] if len(params[key]) <= 40 else params[key][:40] + "…"
        complaints.append(f"The address says {key}={came}; {allowed}.")

    if name := params.get("model"):
        if name in models:
            values["model"] = name
        else:
            refuse("model", "there is no such model here, so this is the usual one")
    if at := params.get("at"):
        if _PLAIN.fullmatch(at):
            values["at"] = at
        else:
            refuse("at", "no snapshot has such a name, so this is the finished network")
    if name := params.get("versus"):
        if name in models:
            values["versus"] = name
        else:
            refuse("versus", "there is no such model here, so nothing is compared")
    if (at := params.get("versus_at")) and "versus" in values:
        if _PLAIN.fullmatch(at):
            values["versus_at"] = at
        else:
            refuse("versus_at", "no snapshot has such a name, so the finished network is compared")
    if text := params.get("digit"):
        if text.startswith(_DRAWN):
            values["drawn"] = _unpack(text.removeprefix(_DRAWN))
            if values["drawn"] is None:
                refuse("digit", "that is no drawn digit, so this is one of the test digits")
        elif (index := _whole(text)) is not None and index < digits:
            values["digit"] = index
        else:
            refuse("digit", f"test digits go from 0 to {digits - 1}")
    if text := params.get("layer"):
        if (layer := _whole(text)) is not None and layer >= 1:
            values["layer"] = layer
        else:
            refuse("layer", "layers count from 1, so this is the first")
    if text := params.get("unit"):
        if (unit := _whole(text)) is not None:
            values["unit"] = unit
        else:
            refuse("unit", "units count from 0, so the page has picked one")
    if order := params.get("order"):
        if order in ("digit", "trained"):
            values["order"] = order
        else:
            refuse("order", "units are placed by “digit” or as “trained”")
    if sort := params.get("sort"):
        if sort in get_args(Sort):
            values["sort"] = sort
        else:
            refuse("sort", f"units are sorted by {', '.join(get_args(Sort))}")
    if kind := params.get("map"):
        if kind in get_args(Map):
            values["map"] = kind
        else:
            refuse("map", f"digits are placed as {' or '.join(get_args(Map))}")
    if text := params.get("word"):
        if (word := _whole(text)) is not None and word >= 1:
            values["word"] = word
        else:
            refuse("word", "words count from 1, so all are counted")
    return View(**values), complaints


def to_params(view: View) -> dict[str, str]:
    """The URL's values for a view; defaults are left out."""
    params: dict[str, str] = {}
    for item in fields(View):
        value = getattr(view, item.name)
        if value != item.default and item.name in PARAMS:
            params[item.name] = str(value)
    if view.unit is None:
        params.pop("layer", None)
    elif view.layer == View.layer:
        params["layer"] = str(view.layer)
    if view.drawn is not None:
        params["digit"] = _DRAWN + _pack(view.drawn)
    return params


def _whole(text: str) -> int | None:
    """A whole number of at most nine digits, else None."""
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


def _pack(drawn: bytes) -> str:
    """A drawn digit as URL-safe text: deflated, base64 without padding; some 250 characters."""
    return base64.urlsafe_b64encode(zlib.compress(drawn, 9)).decode().rstrip("=")


def _unpack(text: str) -> bytes | None:
    """The drawn digit in such a text; None if there is none (a URL may hold anything, of any size)."""
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        digit = zlib.decompressobj().decompress(packed, SIDE * SIDE + 1)
    except (binascii.Error, ValueError, zlib.error):
        return None
    return digit if len(digit) == SIDE * SIDE else None


@dataclass
class _Session:
    """The view of one browser session, what was last written to its URL, and what to tell the person.

    `written` are the addresses before this one and until when each stood: a message that the browser sent
    before it had the new address carries an old one, which is no wish to go back.
    `turned` says that the page was changed since the view was last asked for: the menu clears the URL then,
    which is not a wish for the defaults.
    """

    view: View
    params: dict[str, str] = field(default_factory=dict)
    written: deque[tuple[dict[str, str], float]] = field(default_factory=lambda: deque(maxlen=50))
    notes: list[str] = field(default_factory=list)
    page: str = ""
    turned: bool = False


def arrive(page: str) -> None:
    """Tell the state which page runs; app.py does, at every run."""
    session: _Session | None = st.session_state.get(_SESSION_KEY)
    if session is not None and session.page != page:
        session.page = page
        session.turned = True


def current(models: Collection[str]) -> View:
    """The view to show now; call it once, at the start of a page's run.

    The session's view holds, unless the URL changed on its own. After a change of page through the menu, the
    view is written to the URL again.

    Args:
        models: the names that can be chosen.
    """
    found = {key: st.query_params[key] for key in PARAMS if key in st.query_params}
    session: _Session | None = st.session_state.get(_SESSION_KEY)
    if session is None:
        view, complaints = parse(found, models=models)
        session = st.session_state[_SESSION_KEY] = _Session(view, notes=complaints)
    elif found != session.params and (found or not session.turned) and not _echo(session, found):
        session.view, session.notes = parse(found, models=models)
    elif session.view.model and session.view.model not in models:
        session.view = replace(session.view, model="", at="", layer=1, unit=None)
        session.notes = ["The model that was shown is gone; this is the usual one."]
    if session.turned and not found:
        session.written.append((found, time.monotonic()))  # as the menu left it; it may come once more
    session.turned = False
    _write(session)
    return session.view


def now() -> View:
    """The view as it stands, changes of this run included; `current` was called before."""
    session: _Session = st.session_state[_SESSION_KEY]
    return session.view


def change(**values: Any) -> None:
    """Change parts of the view, in a callback or before a rerun; the URL follows at the next run."""
    session: _Session = st.session_state[_SESSION_KEY]
    session.view = replace(session.view, **values)
    session.notes = []


def correct(note: str, **values: Any) -> None:
    """Replace values that do not fit the model, at once, and say so."""
    session: _Session = st.session_state[_SESSION_KEY]
    session.view = replace(session.view, **values)
    session.notes = [*session.notes, note]
    _write(session)


def notes() -> list[str]:
    """What to tell the person about the URL, until the view changes next."""
    session: _Session | None = st.session_state.get(_SESSION_KEY)
    return [] if session is None else session.notes


def _echo(session: _Session, found: dict[str, str]) -> bool:
    """Whether that address is one that stood there a moment ago."""
    since = time.monotonic() - ECHO_SECONDS
    return any(params == found and until > since for params, until in session.written)


def _write(session: _Session) -> None:
    """Make the URL say what is shown."""
    params = to_params(session.view)
    present = st.query_params.to_dict()
    wanted = {key: value for key, value in present.items() if key not in PARAMS} | params
    if present != wanted:
        st.query_params.from_dict(wanted)  # at once: half an address must not be read back
    if params != session.params:
        session.written.append((session.params, time.monotonic()))
    session.params = params
