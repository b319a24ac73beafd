"""The next run as the Train page plans it: a preset and what was changed in it, to and from the URL.

    ?preset=quick&noise.sparsity=0.3&run=20261123-101502-quick-3f2a&at=phase2-epoch0003-step0000300&branch=1

The keys besides `preset`, `run`, `at`, `replay` and `branch` are the dotted fields of the schema. What equals
the preset stays out of the URL; one that cannot be used gives way to the preset's, with a sentence. Pure; no
Streamlit.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bnn_core.config import FieldSpec, RunConfig, field_specs
from bnn_core.errors import InputError
from bnn_core.names import is_run_id, is_snapshot_name
from bnn_core.presets import PRESETS, Preset, preset_info
from explorer.screens.train import words

DEFAULT_PRESET = "quick"
NEW = "new"
"""The value of `run` that shows an empty chart, although a run is under way."""

Mode = Literal["", "replay", "branch"]
"""What is done with the run shown: it is looked at, played back, or about to be left for another one."""

_SHOWING = ("run", "at", "replay", "branch")


@dataclass(frozen=True)
class Plan:
    """A preset and changed fields; `changes` holds only values that differ from the preset's.

    Attributes:
        preset: a name in `PRESETS`.
        changes: dotted field -> value.
    """

    preset: str = DEFAULT_PRESET
    changes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def info(self) -> Preset:
        """The preset."""
        return preset_info(self.preset)

    @property
    def config(self) -> RunConfig:
        """The whole configuration."""
        return self.info.config.updated(self.changes)

    def with_value(self, path: str, value: Any) -> Plan:
        """A plan with one field changed; raises InputError if the value is not allowed (here)."""
        return plan_for(self.preset, self.config.updated({path: value}))

    @property
    def command(self) -> str:
        """The command line that does the same."""
        parts = ["python", "-m", "bnn_core", "train", "--preset", self.preset]
        for path, value in self.changes.items():
            parts += ["--set", f"{path}={to_text(value)}"]
        return shlex.join(parts)


@dataclass(frozen=True)
class Address:
    """What the URL asks for.

    Attributes:
        plan: None: the URL says nothing of one.
        run: its id, or "new"; None: none is named.
        at: the snapshot shown, by its file's name without the ending; "" is the newest.
        complaints: one sentence for each value that could not be used.
    """

    plan: Plan | None = None
    run: str | None = None
    at: str = ""
    mode: Mode = ""
    complaints: tuple[str, ...] = ()


def plan_for(preset: str, config: RunConfig) -> Plan:
    """The plan that is that configuration, seen from a preset."""
    base = preset_info(preset).config
    changes = {s.path: config.get(s.path) for s in field_specs() if config.get(s.path) != base.get(s.path)}
    return Plan(preset, {path: list(v) if isinstance(v, tuple) else v for path, v in changes.items()})


def nearest_plan(config: RunConfig) -> Plan:
    """The plan with the fewest changes; of equals the first preset."""
    return min((plan_for(name, config) for name in PRESETS), key=lambda plan: len(plan.changes))


def to_text(value: Any) -> str:
    """A value as the command line and the URL write it; `FieldSpec.parse` reads it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def params(preset_params: Mapping[str, str]) -> dict[str, str]:
    """Those of the URL's values that are this page's."""
    own = {"preset", *_SHOWING, *(spec.path for spec in field_specs())}
    return {key: value for key, value in preset_params.items() if key in own}


def parse(found: Mapping[str, str]) -> Address:
    """Read the URL's values."""
    complaints: list[str] = []
    run = found.get("run") or None
    if run is not None and not is_run_id(run):
        complaints.append(words.no_run(run))
        run = None
    name = found.get("preset", DEFAULT_PRESET)
    if name not in PRESETS:
        try:
            preset_info(name[:80])
        except InputError as error:
            complaints.append(str(error))
        name = DEFAULT_PRESET
    plan = Plan(name)
    for spec in field_specs():
        if spec.path in found:
            text = found[spec.path]
            try:
                plan = plan.with_value(spec.path, spec.parse(text[:200]))
            except InputError as error:
                complaints.append(words.bad_url(spec.path, text, str(error)))
    at = found.get("at", "")
    if at and not is_snapshot_name(at):
        complaints.append(words.no_moment(at))
        at = ""
    mode: Mode = ""
    if run not in (None, NEW):
        mode = "replay" if found.get("replay") == "1" else "branch" if found.get("branch") == "1" else ""
    named = any(key not in _SHOWING for key in found)
    return Address(plan if named else None, run, at, mode, tuple(complaints))


def to_params(plan: Plan, run: str | None, at: str = "", mode: Mode = "") -> dict[str, str]:
    """The URL's values; defaults are left out."""
    result = {} if plan.preset == DEFAULT_PRESET else {"preset": plan.preset}
    result |= {path: to_text(value) for path, value in plan.changes.items()}
    if run:
        result["run"] = run
    if at:
        result["at"] = at
    if mode:
        result[mode] = "1"
    return result


# How fields become knobs

_MANTISSAS = (1, 1.5, 2, 3, 5, 7)


def stops(spec: FieldSpec, value: float | None = None) -> list[float]:
    """Where a logarithmic knob may stand, with the present value among them."""
    assert spec.minimum is not None
    assert spec.maximum is not None
    if spec.minimum >= 0.25 and spec.maximum <= 64:  # a gain: doublings and their halves
        found = [spec.minimum * 2 ** (i / 2) for i in range(64)]
        found = [float(f"{x:.2g}") for x in found]
    else:
        found = [float(f"{m}e{exponent}") for exponent in range(-6, 4) for m in _MANTISSAS]
    inside = {x for x in found if spec.minimum <= x <= spec.maximum} | {spec.minimum, spec.maximum}
    return sorted(inside if value is None else inside | {float(value)})
