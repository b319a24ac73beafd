"""Kernels: the same integers by different roads, behind one table of names.

A kernel takes packed inputs and one packed layer and returns the integer pre-activations

    a_i = b_i + sum_j w_ij z_j  =  constant_i - cost mismatches_i

where ``mismatches_i`` counts the inputs that differ from their weight: popcount(x xor w), taken under
the mask. On inputs of -1 and +1 a mismatch costs 2 and ``constant_i`` is b_i plus the connected inputs;
on inputs of 0 and 1 it costs 1 and ``constant_i`` is b_i plus the weights that are +1
(:attr:`PackedLayer.constant` says why): zero-one inputs need no mask.

    inputs   (n, words)      one row a digit
    weights  (units, words)  one row a unit      -> sums (n, units) int32
    mask     (units, words)  1 = connected, or None

Both layouts are those of :mod:`bnn_core.bits`. ``oracle`` is the obvious reference on signs
{-1, 0, +1}; every other kernel must agree with it on every integer. The best kernel for the
processor is picked by :func:`kernel`; the environment variable ``BNN_KERNEL`` or an argument
overrides it.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from bnn_core.bits import WordArray
from bnn_core.errors import InputError
from bnn_core.kernels.layer import PackedLayer, Sums
from bnn_core.kernels.numpy_kernel import numpy_sums
from bnn_core.kernels.oracle import oracle_sums

Kernel = Callable[[WordArray, PackedLayer], Sums]

KERNELS: dict[str, Kernel] = {"oracle": oracle_sums, "numpy": numpy_sums}
"""Every kernel by name, from the plainest to the fastest."""

__all__ = ["KERNELS", "Kernel", "PackedLayer", "Sums", "kernel", "kernel_name"]


def kernel_name(name: str | None = None) -> str:
    """The kernel's name to use: the argument, else ``BNN_KERNEL``, else the fastest here."""
    chosen = name or os.environ.get("BNN_KERNEL") or next(reversed(KERNELS))
    if chosen not in KERNELS:
        source = "kernel" if name else "BNN_KERNEL"
        raise InputError(f"{source} is {chosen!r}: allowed are {', '.join(KERNELS)}.")
    return chosen


def kernel(name: str | None = None) -> Kernel:
    """The kernel of that name; raises InputError for an unknown one."""
    return KERNELS[kernel_name(name)]
