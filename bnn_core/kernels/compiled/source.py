"""From a kind of processor to machine code: the kernels are written, checked and compiled."""

from __future__ import annotations

import llvmlite.binding as llvm

from bnn_core.kernels.compiled.emit import Module
from bnn_core.kernels.compiled.machine import Machine
from bnn_core.kernels.compiled.network_ir import run_function
from bnn_core.kernels.compiled.plan import DENSE, MASKED
from bnn_core.kernels.compiled.popcount_ir import popcount_functions
from bnn_core.kernels.compiled.table_ir import several_functions, single_functions


def written(machine: Machine, kernel: str, *, masked: bool) -> str:
    """A kernel in LLVM's language.

    Args:
        machine: the processor to write for.
        kernel: ``"popcount"`` or ``"table"``.
        masked: whether it is to run masked layers as well as dense ones.
    """
    module = Module(machine.triple)
    if kernel == "popcount":
        functions = {"popcount_dense_one", "popcount_dense_many"}
        popcount_functions(module, machine, "dense")
        if masked:
            functions |= {"popcount_masked_one", "popcount_masked_many"}
            popcount_functions(module, machine, "masked")
    else:
        functions = {"table_dense_one", "table_dense_many"}
        single_functions(module, machine)
        several_functions(module, machine, DENSE)
        if masked:
            # Two lookups for four inputs do not pay for one digit; counting does.
            functions |= {"popcount_masked_one", "table_masked_many"}
            popcount_functions(module, machine, "masked", only_one=True)
            several_functions(module, machine, MASKED)
    run_function(module, functions)
    return str(module)


def compiled(machine: Machine, kernel: str, *, masked: bool) -> bytes:
    """The kernel as an object file that this process can load.

    Raises:
        RuntimeError: LLVM cannot write code for this processor.
    """
    with llvm.parse_assembly(written(machine, kernel, masked=masked)) as module:
        module.verify()
        content: bytes = machine.target().emit_object(module)
    return content


def assembly(machine: Machine, kernel: str, *, masked: bool) -> str:
    """The kernel as text for any processor that LLVM knows: to look at, not to run."""
    with llvm.parse_assembly(written(machine, kernel, masked=masked)) as module:
        module.verify()
        text: str = machine.target(jit=False).emit_assembly(module)
    return text
