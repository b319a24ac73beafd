"""The compiled kernels in this process: fetched or made once, checked, and then one function to call."""

from __future__ import annotations

import ctypes
import hashlib
import sys
import threading
from pathlib import Path

import numpy as np

from bnn_core.kernels.compiled import cache
from bnn_core.kernels.compiled.code import Code, Program
from bnn_core.kernels.compiled.machine import Machine

_SOURCES = ("emit.py", "machine.py", "plan.py", "*_ir.py")
"""The modules that machine code depends on."""

_lock = threading.Lock()
_programs: dict[tuple[Code, bool], Program | str] = {}


def program(code: Code, *, masked: bool) -> Program | str:
    """A compiled kernel, fetched or made at the first call; or in a few words why there is none.

    Args:
        code: the kernel's.
        masked: whether it is to run masked layers as well as dense ones.
    """
    with _lock:
        if (code, masked) not in _programs:
            _programs[code, masked] = _make(code, masked=masked)
        return _programs[code, masked]


def _make(code: Code, *, masked: bool) -> Program | str:
    """The compiled kernel, or why there is none."""
    try:
        made = load(Machine.here(), code, masked=masked, folder=cache.user_folder())
        return made if _gives_the_same(made, masked=masked) else "the compiled kernel failed its check"
    except Exception as error:  # noqa: BLE001  # whatever it is, NumPy gives the same integers
        return f"{type(error).__name__}: {error}"


def sources() -> list[Path]:
    """The files of the modules that machine code depends on."""
    return [path for pattern in _SOURCES for path in sorted(Path(__file__).parent.glob(pattern))]


def source_digest() -> str:
    """SHA-256 of the modules that machine code depends on."""
    digest = hashlib.sha256()
    for path in sources():
        digest.update(path.read_bytes())
    return digest.hexdigest()


def load(machine: Machine, code: Code, *, masked: bool, folder: Path) -> Program:
    """A compiled kernel, from the folder if it is kept there; otherwise made and kept.

    Raises:
        ImportError: llvmlite is not there.
        OSError: the library behind llvmlite cannot be loaded.
        RuntimeError: LLVM cannot write code for this processor, or it keeps numbers the other way round.
    """
    import llvmlite.binding as llvm

    if sys.byteorder != "little":
        raise RuntimeError("the compiled kernels need a little-endian processor")
    if code.instead is not None and not code.runs_on(machine):
        code = code.instead
    identity = f"{machine.identity} {code.name} masked={masked} {source_digest()}"
    content = cache.read(folder, identity)
    cached = content is not None
    if content is None:
        from bnn_core.kernels.compiled.network_ir import compiled

        content = compiled(machine, code.writer, masked=masked)
        cache.write(folder, identity, content)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine.target())
    engine.add_object_file(llvm.ObjectFileRef.from_data(content))
    engine.finalize_object()
    run = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, *[ctypes.c_void_p] * 5)
    address = engine.get_function_address("run")
    return Program(code, machine, run(address), cached, engine)


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
