"""``fields``: the schema of a run's configuration."""

from __future__ import annotations

from operator import itemgetter

from bnn_core.commands.options import Json
from bnn_core.commands.terminal import print_rows
from bnn_core.config import field_specs


def fields(as_json: Json = False) -> None:
    """List every field of a run's configuration: range, default, help and equation."""
    rows = [
        {
            "field": s.path,
            "allowed": s.allowed,
            "default": s.default,
            "unit": s.unit,
            "help": s.help,
            "equation": s.equation,
            "live": s.live,
        }
        for s in field_specs()
    ]
    print_rows(rows, as_json, {head: itemgetter(head) for head in ("field", "default", "allowed", "help")})
