"""How one layer lies in memory for a compiled kernel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_ALIGNMENT = 64


def aligned(shape: Sequence[int], dtype: type[np.generic]) -> NDArray[Any]:
    """Zeros that begin at a multiple of 64 bytes, a line of the processor's cache."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = np.zeros(size + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start : start + size].view(dtype).reshape(shape)


@dataclass(frozen=True)
class Layout:
    """What a kernel reads of a layer.

    Attributes:
        fields: of the layer's row of the plan: numbers, and arrays whose addresses go there.
        work: bytes of work memory, however many digits there are.
        work_each: bytes behind these, for each digit.
    """

    fields: Mapping[str, int | NDArray[Any]]
    work: int = 0
    work_each: int = 0
