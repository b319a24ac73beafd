"""From a kind of processor to machine code: the kernels are written, checked and compiled."""

from __future__ import annotations

from importlib import import_module

import llvmlite.binding as llvm

from bnn_core.kernels.compiled.emit import Module
from bnn_core.kernels.compiled.machine import Machine
from bnn_core.kernels.compiled.network_ir import run_function


def written(machine: Machine, writer: str, *, masked: bool) -> str:
    """A kernel in LLVM's language.

    Args:
        machine: the processor to write for.
        writer: the module of this package that writes the functions that run a layer.
        masked: whether it is to run masked layers as well as dense ones.
    """
    module = Module(machine.triple)
    run_function(module, import_module(f"{__package__}.{writer}").write(module, machine, masked=masked))
    return str(module)


def compiled(machine: Machine, writer: str, *, masked: bool) -> bytes:
    """The kernel as an object file that this process can load.

    Raises:
        RuntimeError: LLVM cannot write code for this processor.
    """
    with llvm.parse_assembly(written(machine, writer, masked=masked)) as module:
        module.verify()
        content: bytes = machine.target().emit_object(module)
    return content
