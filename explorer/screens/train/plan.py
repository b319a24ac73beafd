"""The next run as the Train page plans it: a preset and what was changed in it. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bnn_core.config import RunConfig, field_specs
from bnn_core.presets import PRESETS, Preset, preset_info

DEFAULT_PRESET = "quick"


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
