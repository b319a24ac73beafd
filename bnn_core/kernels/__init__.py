"""Kernels: the same integers by different roads, behind one table of names.

A kernel takes packed inputs and one packed layer and returns the integer pre-activations

    a_i = b_i + sum_j w_ij z_j  =  constant_i - cost mismatches_i

where ``mismatches_i`` counts the inputs that differ from their weight: popcount(x xor w), taken under
the mask. On inputs of -1 and +1 a mismatch costs 2 and ``constant_i`` is b_i plus the connected inputs;
on inputs of 0 and 1 it costs 1 and ``constant_i`` is b_i plus the weights that are +1
(:attr:`PackedLayer.constant` says why): zero-one inputs need no mask. The next layer's bit asks whether
a_i >= 0, and that is one comparison of integers: mismatches_i <= floor(constant_i / cost).

How the bits lie, for a layer of 1024 units on 784 inputs (13 words, 98 bytes and 48 bits of padding):

    a digit, (13,) words       | x0 .. x63 | x64 .. x127 | ... | x768 .. x783, 0 .. 0 |

    weights as stored          unit 0      | word 0 | word 1 | ... | word 12 |
    (units, words), numpy      unit 1      | word 0 | word 1 | ... | word 12 |
                                ...
    popcount: eight units      units 0-7   | word 0 of 0, 1 .. 7 | word 1 of 0, 1 .. 7 | ... |
    side by side, 64 bytes     units 8-15  | word 0 of 8, 9 .. 15 | ...
                                ...          one word of x meets eight units' words
    table: 128 units           units 0-127 | byte 0 of 0, 1 .. 127 | byte 1 of 0, 1 .. 127 | ... |
    side by side, 128 bytes     ...          four bits of x choose a table, each unit's four bits look
                                             into it: one instruction for 32 units

    next layer's input         a unit's comparison is one bit: 64 units make one word, in their order

The layouts are made once for each network (:mod:`bnn_core.kernels.compiled.prepared`), and one call
runs all of its layers on any number of digits. The stored layout is that of :mod:`bnn_core.bits`.

A kernel is one entry, :class:`Kernel`, in the table below: everything else finds it there.

``oracle`` is the obvious reference on signs {-1, 0, +1}; every other kernel must agree with it on every
integer. ``popcount`` and ``table`` are machine code, written for the processor at hand and compiled by
LLVM at first use; where that cannot be, both are ``numpy`` under another name, and :func:`status` says
why. The best kernel for the processor is picked by :func:`kernel_name`; the environment variable
``BNN_KERNEL``, read once, or an argument overrides it.
"""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass

from bnn_core.errors import InputError
from bnn_core.kernels.compiled.machine import Machine
from bnn_core.kernels.compiled.popcount import POPCOUNT
from bnn_core.kernels.compiled.program import program
from bnn_core.kernels.compiled.table import TABLE
from bnn_core.kernels.kernel import Kernel
from bnn_core.kernels.layer import PackedLayer, Sums
from bnn_core.kernels.numpy_kernel import NUMPY
from bnn_core.kernels.oracle import ORACLE

KERNELS = {kernel.name: kernel for kernel in (ORACLE, NUMPY, POPCOUNT, TABLE)}
"""Every kernel by name, from the plainest to the fastest on most processors; the first is the oracle."""

__all__ = ["KERNELS", "Kernel", "PackedLayer", "Status", "Sums", "best", "kernel", "kernel_name", "status"]


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


def best(machine: Machine) -> Kernel:
    """The fastest kernel for a processor, as far as can be said without trying."""
    return [kernel for kernel in KERNELS.values() if kernel.suits(machine)][-1]


@functools.cache
def status() -> Status:
    """What runs the networks here; the first call makes or fetches the machine code."""
    plain = [kernel.name for kernel in KERNELS.values() if kernel.code is None][-1]
    try:
        machine = Machine.here()
    except Exception as error:  # noqa: BLE001  # whatever it is, NumPy gives the same integers
        return Status(plain, reason=f"{type(error).__name__}: {error}")
    chosen = best(machine)
    if chosen.code is None:
        return Status(chosen.name)
    made = program(chosen.code, masked=False)
    if isinstance(made, str):
        return Status(plain, reason=made)
    return Status(chosen.name, machine.cpu, made.cached)


def kernel_name(name: str | None = None) -> str:
    """The kernel's name to use: the argument, else ``BNN_KERNEL``, else the fastest here.

    Raises:
        InputError: there is no kernel of that name.
    """
    chosen = name or wanted() or status().best
    if chosen not in KERNELS:
        source = "kernel" if name else "BNN_KERNEL"
        raise InputError(f"{source} is {chosen!r}: allowed are {', '.join(KERNELS)}.")
    return chosen


@functools.cache
def wanted() -> str | None:
    """What ``BNN_KERNEL`` says; read once, since asking takes a tenth of the time of a digit."""
    return os.environ.get("BNN_KERNEL") or None


def kernel(name: str | None = None) -> Kernel:
    """The kernel of that name; raises InputError for an unknown one."""
    return KERNELS[kernel_name(name)]
