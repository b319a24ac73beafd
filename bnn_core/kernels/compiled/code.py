"""Machine code in memory: one function that runs a network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Program:
    """Machine code, ready to run.

    Attributes:
        kernel: ``"popcount"`` or ``"table"``.
        run: (plan, digits, source, scores, labels, codes, scratch) -> nothing, integers and addresses as
            :func:`bnn_core.kernels.compiled.network_ir.run_function` says. Calling it releases Python's lock:
            other threads go on meanwhile.
        lookup_bytes: bytes that the processor looks up at a time.
        cached: whether the code came from the cache.
    """

    kernel: str
    run: Callable[..., None]
    lookup_bytes: int
    cached: bool
    _engine: Any  # the code lives as long as this
