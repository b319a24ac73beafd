"""From the import to the first answer, in processes of their own."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_ROUNDS = 5
_SCRIPT = """
import time
started = time.perf_counter()
import sys
from pathlib import Path
import numpy as np
from bnn_core.kernels.compiled import cache
cache.user_folder = lambda: Path(sys.argv[1])
import bnn_core
network = bnn_core.BitwiseNetwork.load("quick")
network.predict(np.zeros((28, 28), np.uint8))
print(time.perf_counter() - started)
"""


def cold_start(tell: Callable[[str, float], None] = lambda _what, _share: None) -> dict[str, float]:
    """Import, load the shipped network ``quick``, read one digit: wall time in seconds, medians.

    Returns:
        compiling: with an empty cache folder; cached: with the kernels in it.
    """
    first, again = [], []
    for number in range(_ROUNDS):
        tell("start", number / _ROUNDS)
        with tempfile.TemporaryDirectory() as folder:
            first.append(_one(folder))
            again.append(_one(folder))
    return {
        "compiling_s": round(statistics.median(first), 3),
        "cached_s": round(statistics.median(again), 3),
    }


def _one(folder: str) -> float:
    path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(Path(folder) / "kernels")],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
    return float(done.stdout)
