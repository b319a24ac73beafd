"""Machine code: how layers lie for a kernel's, how it is made, and one function that runs a network."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnn_core.kernels.compiled.machine import Machine
from bnn_core.kernels.layer import PackedLayer

_ALIGNMENT = 64


def aligned(shape: Sequence[int], dtype: type[np.generic]) -> NDArray[Any]:
    """Zeros that begin at a multiple of 64 bytes, a line of the processor's cache."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = np.zeros(size + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start : start + size].view(dtype).reshape(shape)


@dataclass(frozen=True)
class Layout:
    """What a kernel reads of a layer, as it lies in memory.

    Attributes:
        fields: of the layer's row of the plan: numbers, and arrays whose addresses go there.
        work: bytes of work memory, however many digits there are.
        work_each: bytes behind these, for each digit.
    """

    fields: Mapping[str, int | NDArray[Any]]
    work: int = 0
    work_each: int = 0


@dataclass(frozen=True, eq=False)
class Code:
    """A kernel as machine code: what writes it, how layers lie for it, what it cannot run.

    Attributes:
        name: the kernel's.
        writer: the module of this package that writes it, ``"..._ir"``: its ``write(module, machine,
            masked=...)`` adds the functions that run a layer and returns their names, by the layer's kind the
            one for a single digit and the one for several.
        lay_out: a layer; for each unit, padded, the most mismatches with which its bit is 1, int64; and the
            processor -> what the functions read.
        runs_on: whether a processor has the instructions.
        most_inputs: of a layer.
        instead: what runs where these two say no.
    """

    name: str
    writer: str
    lay_out: Callable[[PackedLayer, NDArray[np.int64], Machine], Layout]
    runs_on: Callable[[Machine], bool] = lambda _machine: True
    most_inputs: int = sys.maxsize
    instead: Code | None = None


@dataclass(frozen=True)
class Program:
    """Machine code, ready to run.

    Attributes:
        code: what it is.
        machine: the processor that it is for.
        run: (plan, digits, source, scores, labels, codes, scratch) -> nothing, integers and addresses as
            :func:`bnn_core.kernels.compiled.network_ir.run_function` says. Calling it releases Python's lock:
            other threads go on meanwhile.
        cached: whether the code came from the cache.
    """

    code: Code
    machine: Machine
    run: Callable[..., None]
    cached: bool
    _engine: Any  # the machine code lives as long as this
