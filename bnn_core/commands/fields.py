"""``fields``: the schema of a run's configuration."""

from __future__ import annotations

from operator import itemgetter

from bnn_core.commands.options import Json
from bnn_core.commands.terminal import print_rows
from bnn_core.config import field_specs


def fields(as_json: Json = False) -> None:
    """List every field of a run's configuration: range, default, help and equation."""
    said = ("allowed", "default", "unit", "help", "equation", "live")
    rows = [{"field": spec.path, **{key: getattr(spec, key) for key in said}} for spec in field_specs()]
    print_rows(rows, as_json, {head: itemgetter(head) for head in ("field", "default", "allowed", "help")})
