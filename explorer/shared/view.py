"""What is shown, in every session: one value, read from and written to the address.

`parse` and `to_params` are pure. `current` and `change` join them to Streamlit: the view lives in the
session, the address mirrors it, and an address that changed on its own is read again.

A model is named by its shipped name or by a run's id; a shipped name wins.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Annotated, Any, Literal

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from pydantic import AfterValidator, Field, PlainValidator, StringConstraints, ValidationInfo

from explorer.shared.address import PLAIN, Key, Table, Value, Whole, whole
from explorer.shared.address_bar import AddressBar

Order = Literal["digit", "trained"]

ECHO_SECONDS = 2.0
"""How long after a change of the address the browser may still send the one before."""

SIDE = 28
"""Rows and columns of a drawn digit."""

TEST_DIGITS = 10_000

_DRAWN = "drawn."
_SESSION_KEY = "explorer_view"


def known_model(name: str, info: ValidationInfo) -> str:
    """A name that can be chosen."""
    if name not in (info.context or {}).get("models", ()):
        raise ValueError("no such model")
    return name


def _digit(text: str) -> int | bytes:
    """The number of a test digit, or a drawn one."""
    if text.startswith(_DRAWN):
        return _unpack(text.removeprefix(_DRAWN))
    try:
        index = whole(text)
    except ValueError:
        index = TEST_DIGITS
    if index >= TEST_DIGITS:
        raise ValueError(f"test digits go from 0 to {TEST_DIGITS - 1}")
    return index


def _pack(drawn: bytes) -> str:
    """A drawn digit as URL-safe text: deflated, base64 without padding; some 250 characters."""
    return base64.urlsafe_b64encode(zlib.compress(drawn, 9)).decode().rstrip("=")


def _unpack(text: str) -> bytes:
    """The drawn digit in such a text, which may be anything; raises ValueError if there is none."""
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        digit = zlib.decompressobj().decompress(packed, SIDE * SIDE + 1)
    except (binascii.Error, ValueError, zlib.error):
        digit = b""
    if len(digit) != SIDE * SIDE:
        raise ValueError("that is no drawn digit, so this is one of the test digits")
    return digit


KEYS = (
    Key(
        "model",
        Annotated[str, AfterValidator(known_model)],
        "",
        "there is no such model here, so this is the usual one",
    ),
    Key(
        "at",
        Annotated[str, StringConstraints(pattern=f"^{PLAIN}$")],
        "",
        "no snapshot has such a name, so this is the finished network",
    ),
    Key[Any](
        "digit",
        Annotated[Any, PlainValidator(_digit)],
        None,
        "{reason}",
        text=lambda digit: _DRAWN + _pack(digit) if isinstance(digit, bytes) else str(digit),
    ),
    Key(
        "layer",
        Annotated[Whole, Field(ge=1)],
        1,
        "layers count from 1, so this is the first",
        beside="unit",
        always=True,
    ),
    Key("unit", Whole | None, None, "units count from 0, so the page has picked one"),
    Key("order", Order, "digit", "units are placed by “digit” or as “trained”"),
)
"""What every page that shows a network shows; a page declares further ones of its own."""


@dataclass(frozen=True)
class View:
    """What the pages show.

    Attributes:
        model: a shipped name or a run's id; "" is the default model.
        at: a snapshot of it, by the name of its file; "" is the finished network.
        digit: index in the test set; with `drawn`, the digit to go back to.
        drawn: a drawn digit, (28, 28) uint8 as bytes; None: the test digit is shown.
        layer, unit: the unit up close, layer from 1 (the output layer is the last) and unit from 0; None: the
            page picks one.
        order: hidden units placed by the digit that they answer to, or as they were trained.
        own: what single pages show besides, by the names of their keys: `view[KEY]`.
    """

    model: str = ""
    at: str = ""
    digit: int | None = None
    drawn: bytes | None = None
    layer: int = 1
    unit: int | None = None
    order: Order = "digit"
    own: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, key: Key[Value]) -> Value:
        value: Value = self.own.get(key.name, key.default)
        return value

    @property
    def drawn_digit(self) -> NDArray[np.uint8] | None:
        """The drawn digit, (28, 28) uint8, 0 the background; None when a test digit is shown."""
        return None if self.drawn is None else np.frombuffer(self.drawn, np.uint8).reshape(SIDE, SIDE)

    def changed(self, **values: Any) -> View:
        """Another view: attributes, and by their names the keys of pages."""
        own = {name: value for name, value in values.items() if name not in _ATTRIBUTES}
        attributes = {name: value for name, value in values.items() if name in _ATTRIBUTES}
        return replace(self, **attributes, own={**self.own, **own})


_ATTRIBUTES = {item.name for item in fields(View)} - {"own"}


def parse(params: Mapping[str, str], table: Table, *, models: Collection[str]) -> tuple[View, list[str]]:
    """Read an address.

    Args:
        params: as they stand in the address, decoded; other keys are passed over.
        table: its keys, those of pages included.
        models: the names that a model may have.

    Returns:
        the view, and one sentence for each value that could not be used.
    """
    values, complaints = table.read(params, {"models": models})
    if isinstance(drawn := values.get("digit"), bytes):
        values["drawn"] = drawn
        del values["digit"]
    return View().changed(**values), complaints


def to_params(view: View, table: Table) -> dict[str, str]:
    """The address of a view; defaults are left out."""
    values = {key.name: getattr(view, key.name) for key in KEYS}
    if view.drawn is not None:
        values["digit"] = view.drawn
    return table.write({**values, **view.own})


@dataclass(frozen=True)
class Correction:
    """What of a view does not fit what it is to show: a sentence, and the values that take its place."""

    note: str
    values: Mapping[str, Any]


@dataclass
class _Session:
    """The view of one browser session, and what to tell the person.

    `turned` says that the page was changed since the view was last asked for: the menu clears the address
    then, which is not a wish for the defaults.
    """

    bar: AddressBar
    view: View | None = None
    notes: list[str] = field(default_factory=list)
    page: str = ""
    turned: bool = False


def _session() -> _Session:
    session: _Session = st.session_state[_SESSION_KEY]
    return session


def arrive(page: str, table: Table) -> None:
    """Tell the state which page runs, and the keys of the address; app.py does, at every run."""
    session: _Session | None = st.session_state.get(_SESSION_KEY)
    if session is None:
        st.session_state[_SESSION_KEY] = _Session(AddressBar(table, ECHO_SECONDS), page=page)
    elif session.page != page:
        session.page = page
        session.turned = session.view is not None


def current(models: Collection[str]) -> View:
    """The view to show now; call it once, at the start of a page's run.

    The session's view holds, unless the address changed on its own. After a change of page through the menu,
    the view is written to the address again.

    Args:
        models: the names that can be chosen.
    """
    session = _session()
    asked = session.bar.asked()
    if session.view is None or (asked is not None and (asked or not session.turned)):
        session.view, session.notes = parse(session.bar.found(), session.bar.table, models=models)
    elif session.view.model and session.view.model not in models:
        session.view = replace(session.view, model="", at="", layer=1, unit=None)
        session.notes = ["The model that was shown is gone; this is the usual one."]
    if session.turned and not session.bar.found():
        session.bar.expect({})  # as the menu left it
    session.turned = False
    _write(session)
    return session.view


def now() -> View:
    """The view as it stands, changes of this run included; the defaults before there is one."""
    return _session().view or View()


def address(view: View) -> dict[str, str]:
    """The address of a view, to go to another page with."""
    return to_params(view, _session().bar.table)


def change(**values: Any) -> None:
    """Change parts of the view, in a callback or before a rerun; the address follows at the next run."""
    session = _session()
    session.view = now().changed(**values)
    session.notes = []


def correct(note: str, **values: Any) -> None:
    """Replace values that do not fit the model, at once, and say so."""
    session = _session()
    session.view = now().changed(**values)
    session.notes = [*session.notes, note]
    _write(session)


def notes() -> list[str]:
    """What to tell the person about the address, until the view changes next."""
    return _session().notes


def _write(session: _Session) -> None:
    """Make the address say what is shown."""
    session.bar.write(to_params(session.view or View(), session.bar.table))
