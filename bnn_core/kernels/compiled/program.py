"""The compiled kernels in this process: fetched or made once, checked, and then one function to call."""

from __future__ import annotations

import ctypes
import hashlib
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bnn_core.kernels.compiled import cache
from bnn_core.kernels.compiled.code import Program

if TYPE_CHECKING:
    from bnn_core.kernels.compiled.machine import Machine

_SOURCES = ("emit", "layer_ir", "machine", "network_ir", "plan", "popcount_ir", "source", "table_ir")
"""The modules that machine code depends on."""


@dataclass(frozen=True)
class Status:
    """What runs the networks in this process, and why.

    Attributes:
        best: the kernel that is picked unless another is asked for.
        cpu: LLVM's name of the processor; "" without machine code.
        cached: whether the machine code came from the user's cache folder.
        reason: why there is no machine code; None if there is.
    """

    best: str
    cpu: str = ""
    cached: bool = False
    reason: str | None = None


_lock = threading.RLock()
_machine: Machine | None = None
_programs: dict[tuple[str, bool], Program | str] = {}
_status: Status | None = None


def program(kernel: str, *, masked: bool) -> Program | None:
    """A compiled kernel; None where it cannot be had (:func:`status` says why).

    Args:
        kernel: ``"popcount"`` or ``"table"``; where the processor cannot look up, that is popcount too.
        masked: whether it is to run masked layers as well as dense ones.
    """
    made = _programs.get((kernel, masked))
    if made is None:
        with _lock:
            made = _programs.get((kernel, masked))
            if made is None:
                made = _programs[kernel, masked] = _make(kernel, masked=masked)
    return made if isinstance(made, Program) else None


def status() -> Status:
    """What runs the networks here; the first call makes or fetches the machine code."""
    global _status
    if _status is None:
        with _lock:
            best = _best()
            made = _programs.get((best, False)) if program(best, masked=False) else None
            if isinstance(made, Program) and _machine is not None:
                _status = Status(best, _machine.cpu, made.cached)
            else:
                _status = Status("numpy", reason=str(_programs[best, False]))
    return _status


def _best() -> str:
    """The fastest kernel for this processor, as far as can be said without trying."""
    try:
        return _here().best
    except Exception:  # noqa: BLE001  # the same will happen again, and be said, when code is made
        return "popcount"


def _here() -> Machine:
    """The processor at hand."""
    global _machine
    if _machine is None:
        from bnn_core.kernels.compiled.machine import Machine

        _machine = Machine.here()
    return _machine


def _make(kernel: str, *, masked: bool) -> Program | str:
    """The compiled kernel, or in a few words why there is none."""
    try:
        made = load(_here(), kernel, masked=masked, folder=cache.user_folder())
        return made if _gives_the_same(made, masked=masked) else "the compiled kernel failed its check"
    except Exception as error:  # noqa: BLE001  # whatever it is, NumPy gives the same integers
        return f"{type(error).__name__}: {error}"


def source_digest() -> str:
    """SHA-256 of the modules that machine code depends on."""
    digest = hashlib.sha256()
    for name in _SOURCES:
        digest.update(Path(__file__).with_name(f"{name}.py").read_bytes())
    return digest.hexdigest()


def load(machine: Machine, kernel: str, *, masked: bool, folder: Path) -> Program:
    """A compiled kernel, from the folder if it is kept there; otherwise made and kept.

    Raises:
        ImportError: llvmlite is not there.
        OSError: the library behind llvmlite cannot be loaded.
        RuntimeError: LLVM cannot write code for this processor, or it keeps numbers the other way round.
    """
    import llvmlite.binding as llvm

    if sys.byteorder != "little":
        raise RuntimeError("the compiled kernels need a little-endian processor")
    if kernel == "table" and not machine.lookup_bytes:
        kernel = "popcount"
    identity = f"{machine.identity} {kernel} masked={masked} {source_digest()}"
    code = cache.read(folder, identity)
    cached = code is not None
    if code is None:
        from bnn_core.kernels.compiled.source import compiled

        code = compiled(machine, kernel, masked=masked)
        cache.write(folder, identity, code)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine.target())
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    run = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, *[ctypes.c_void_p] * 5)
    address = engine.get_function_address("run")
    return Program(kernel, run(address), machine.lookup_bytes, cached, engine)


def _gives_the_same(made: Program, *, masked: bool) -> bool:
    """Whether the code gives NumPy's integers: a processor may not be what it says it is."""
    from bnn_core.kernels.compiled.prepared import Prepared
    from bnn_core.kernels.layer import PackedLayer
    from bnn_core.kernels.numpy_kernel import numpy_sums

    rng = np.random.default_rng(0)
    words = rng.integers(0, 2**64, (5, 2), np.uint64)
    words[:, 1] &= np.uint64(0xFF)
    for zeros in (0.0, 0.5)[: 1 + masked]:
        signs = np.where(rng.random((200, 72)) < zeros, 0, rng.choice([-1, 1], (200, 72)))
        layer = PackedLayer.from_signs(signs.astype(np.int8), np.ones(200, np.int32))
        if not np.array_equal(Prepared([layer], made).scores(words), numpy_sums(words, layer)):
            return False
    return True
