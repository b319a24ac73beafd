"""``fields``: the schema of a run's configuration."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from bnn_core.commands.options import Json
from bnn_core.commands.terminal import print_json
from bnn_core.config import LIVE_FIELDS, field_specs


def fields(as_json: Json = False) -> None:
    """List every field of a run's configuration: range, default, help and equation."""
    if as_json:
        print_json(
            [
                {
                    "field": s.path,
                    "allowed": s.allowed,
                    "default": s.default,
                    "unit": s.unit,
                    "help": s.help,
                    "equation": s.equation,
                    "live": s.path in LIVE_FIELDS,
                }
                for s in field_specs()
            ]
        )
        return
    table = Table("field", "default", "allowed", "help", box=None)
    for spec in field_specs():
        table.add_row(spec.path, str(spec.default), spec.allowed, spec.help)
    Console().print(table)
