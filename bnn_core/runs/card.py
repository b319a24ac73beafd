"""The card of a trained network: what it is, how it was made, how well it reads."""

from __future__ import annotations

import platform
from typing import Any

import numpy as np

from bnn_core.datasets.digits import Digits
from bnn_core.events import RunEnded
from bnn_core.network.bitwise import BitwiseNetwork


def make_card(
    name: str, network: BitwiseNetwork, end: RunEnded, data: Digits, command: str, file_bytes: int
) -> dict[str, Any]:
    """A plain dict, ready for JSON; ``confusion[i][j]`` counts test digits of class i read as j."""
    classes = network.sizes[-1]
    confusion = np.zeros((classes, classes), np.int64)
    np.add.at(confusion, (data.test_labels, network.predict(data.test_images)), 1)
    return {
        "name": name,
        "what": f"{'-'.join(map(str, network.sizes))}, {network.variant}, {network.features} input bits",
        "command": command,
        "seed": network.provenance["seed"],
        "config": network.provenance["config"],
        "changes": network.provenance["changes"],
        "error_percent": end.test_error,
        "errors": end.test_errors,
        "n": len(data.test_labels),
        "ties": end.test_ties,
        "real_error_percent": end.test_error_real,
        "confusion": confusion.tolist(),
        "bytes": file_bytes,
        "seconds": end.seconds,
        "date": network.provenance["date"],
        "machine": f"{platform.system()} {platform.machine()}",
    }
