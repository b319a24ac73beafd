"""The keys of the address bar as a table of rows: reading, writing and refusing follow from it. Pure.

    ?model=talk&at=phase2-epoch0003-step0000375&digit=90&layer=2&unit=341&order=trained

A value that equals its default stays out of the address. One that cannot be used falls back to its default,
with one sentence that says so: an address never leads to a stack trace.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BeforeValidator, TypeAdapter, ValidationError

Value = TypeVar("Value")

_SHOWN = 40
"""Characters of a refused value that its sentence repeats."""


def whole(text: Any) -> int:
    """A whole number of at most nine digits; raises ValueError on anything else."""
    if not re.fullmatch(r"[0-9]{1,9}", str(text)):
        raise ValueError("no whole number")
    return int(text)


Whole = Annotated[int, BeforeValidator(whole)]
"""For a key whose values count: `Annotated[Whole, Field(ge=1)]`."""

PLAIN = r"[a-z0-9][a-z0-9-]{0,80}"
"""What the name of a snapshot may look like; whether there is such a one, its run knows."""


@dataclass(frozen=True)
class Key(Generic[Value]):
    """One key of the address.

    Attributes:
        name: as it stands there.
        type: what the values are; pydantic reads a text as that, with the reader's context.
        default: what holds where the key is absent, or its value of no use.
        wrong: what is said of such a value, after "The address says KEY=VALUE; "; "{reason}" is what the
            type says of it. Or a function of the text that came and the reason that makes the whole sentence.
        text: how a value is written.
        beside: another key, without which this one is not written.
        always: whether it is written beside that one even where it is the default.
    """

    name: str
    type: Any
    default: Value
    wrong: str | Callable[[str, str], str]
    text: Callable[[Any], str] = str
    beside: str = ""
    always: bool = False

    @cached_property
    def _adapter(self) -> TypeAdapter[Value]:
        return TypeAdapter(self.type)

    def read(self, text: str, context: Mapping[str, Any] | None = None) -> Value:
        """The value that a text stands for; raises ValueError if it is not allowed."""
        return self._adapter.validate_python(text, context=dict(context or {}))

    def refusal(self, came: str, error: ValueError) -> str:
        """What is said of a text that could not be read."""
        reason = str(error)
        if isinstance(error, ValidationError):
            reason = str(error.errors()[0].get("ctx", {}).get("error", ""))
        if callable(self.wrong):
            return self.wrong(came, reason)
        shown = came if len(came) <= _SHOWN else came[:_SHOWN] + "…"
        return f"The address says {self.name}={shown}; {self.wrong.format(reason=reason)}."


class Table:
    """The keys of an address, in the order in which they are written.

    Raises:
        ValueError: two keys have one name.
    """

    def __init__(self, keys: Iterable[Key[Any]]) -> None:
        self.keys: dict[str, Key[Any]] = {}
        for key in keys:
            if key.name in self.keys:
                raise ValueError(f"The address has two keys called {key.name!r}.")
            self.keys[key.name] = key

    def of(self, params: Mapping[str, str]) -> dict[str, str]:
        """Those of the address's values that are this table's."""
        return {name: params[name] for name in self.keys if name in params}

    def read(
        self, params: Mapping[str, str], context: Mapping[str, Any] | None = None
    ) -> tuple[dict[str, Any], list[str]]:
        """The values that an address holds, defaults left out, and a sentence for each that is of no use.

        Args:
            params: as they stand in the address, decoded; other keys are passed over.
            context: what the types of the keys ask for.
        """
        values: dict[str, Any] = {}
        complaints: list[str] = []
        for name, key in self.keys.items():
            if text := params.get(name):
                try:
                    values[name] = key.read(text, context)
                except ValueError as error:
                    complaints.append(key.refusal(text, error))
        return values, complaints

    def write(self, values: Mapping[str, Any]) -> dict[str, str]:
        """The address for these values; raises KeyError for one that has no key here."""
        if unknown := values.keys() - self.keys.keys():
            raise KeyError(f"The address has no key {', '.join(sorted(unknown))}.")
        different = {name for name, value in values.items() if value != self.keys[name].default}
        return {
            name: key.text(values[name])
            for name, key in self.keys.items()
            if name in values
            and (not key.beside or key.beside in different)
            and (key.always or name in different)
        }
