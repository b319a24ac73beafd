"""What tests of runs share."""

from typing import Any

UNSTABLE = {"t", "seconds", "date", "command"}


def stable(record: dict[str, Any]) -> dict[str, Any]:
    """The part of a record that two runs of the same seed share (``progress`` records share none)."""
    return {key: value for key, value in record.items() if key not in UNSTABLE}
