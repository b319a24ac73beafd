"""The address of the Train page: the run shown, and the plan for the next one. Pure.

    ?preset=quick&noise.sparsity=0.3&run=20261123-101502-quick-3f2a&at=phase2-epoch0003-step0000300&branch=1

Besides those named here, the keys are the dotted fields of the schema. What equals the preset stays out of
the address; what cannot be used gives way to the preset's, with a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, PlainValidator

from bnn_core.config import FieldSpec, field_specs
from bnn_core.errors import InputError
from bnn_core.names import SnapshotName, is_run_id
from bnn_core.presets import preset_info
from explorer.screens.train import words
from explorer.screens.train.plan import DEFAULT_PRESET, Plan, to_text
from explorer.shared.address import Key, Table

NEW = "new"
"""The value of `run` that shows an empty chart, although a run is under way."""

Mode = Literal["", "replay", "branch"]
"""What is done with the run shown: it is looked at, played back, or about to be left for another one."""

LONGEST = 200
"""Characters of a setting's text that are read."""

_UNSET: Any = object()
"""The default of a setting is its preset's, so all that are written are told."""


def _run_id(text: str) -> str:
    if not is_run_id(text):
        raise ValueError("no plain id")
    return text


def _preset(text: str) -> str:
    preset_info(text[:80])
    return text


def _setting(spec: FieldSpec) -> Key[Any]:
    read = PlainValidator(lambda text: spec.parse(text[:LONGEST]))
    return Key(spec.path, Annotated[Any, read], _UNSET, partial(words.bad_url, spec.path), text=to_text)


PRESET = Key("preset", Annotated[str, AfterValidator(_preset)], DEFAULT_PRESET, lambda _came, reason: reason)
RUN = Key(
    "run", Annotated[str, AfterValidator(_run_id)], "", lambda came, _reason: words.NO_RUN.format(run=came)
)
AT = Key(
    "at",
    Annotated[str, AfterValidator(lambda text: SnapshotName.parse(text).text)],
    "",
    lambda came, _reason: words.NO_MOMENT.format(at=came),
)
REPLAY = Key("replay", Literal["", "1"], "", "allowed is 1, so the run is not played back")
BRANCH = Key("branch", Literal["", "1"], "", "allowed is 1, so no branch is planned")
SETTINGS = tuple(_setting(spec) for spec in field_specs())
KEYS: tuple[Key[Any], ...] = (PRESET, *SETTINGS, RUN, AT, REPLAY, BRANCH)
TABLE = Table(KEYS)


@dataclass(frozen=True)
class Address:
    """What the address asks for.

    Attributes:
        plan: None: it says nothing of one.
        run: its id, or "new"; None: none is named.
        at: the snapshot shown, by its file's name without the ending; "" is the newest.
        complaints: one sentence for each value that could not be used.
    """

    plan: Plan | None = None
    run: str | None = None
    at: str = ""
    mode: Mode = ""
    complaints: tuple[str, ...] = ()


def parse(params: Mapping[str, str]) -> Address:
    """Read an address."""
    values, complaints = TABLE.read(params)
    plan = Plan(values.get(PRESET.name, PRESET.default))
    for key in SETTINGS:
        if key.name in values:
            try:
                plan = plan.with_value(key.name, values[key.name])
            except InputError as error:
                complaints.append(key.refusal(params[key.name], error))
    planned = any(key.name in params for key in (PRESET, *SETTINGS))
    run = values.get(RUN.name)
    mode: Mode = ""
    if run not in (None, NEW):
        mode = "replay" if REPLAY.name in values else "branch" if BRANCH.name in values else ""
    return Address(plan if planned else None, run, values.get(AT.name, ""), mode, tuple(complaints))


def to_params(plan: Plan, run: str | None, at: str = "", mode: Mode = "") -> dict[str, str]:
    """The address that says so."""
    done: dict[str, Any] = {mode: "1"} if mode else {}
    return TABLE.write({PRESET.name: plan.preset, **plan.changes, RUN.name: run or "", AT.name: at, **done})
