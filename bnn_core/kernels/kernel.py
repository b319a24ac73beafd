"""Kernel: one way to a layer's integers, and everything that the rest of the project asks of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bnn_core.bits import WordArray
from bnn_core.kernels.compiled.code import Code
from bnn_core.kernels.compiled.machine import Machine
from bnn_core.kernels.layer import PackedLayer, Sums


@dataclass(frozen=True, eq=False)
class Kernel:
    """One way to a layer's integers.

    Attributes:
        name: in arguments and in ``BNN_KERNEL``.
        title: what it does, for people.
        sums: packed inputs, (n, words) uint64 with padding 0, and a layer -> (n, units) int32, the oracle's
            integers.
        note: what the title does not say, for people; "" if that is all.
        code: its machine code, which runs a whole network in one call; None where NumPy runs layer by layer.
        suits: whether it is the fastest on a processor, of those up to it in the table.
    """

    name: str
    title: str
    sums: Callable[[WordArray, PackedLayer], Sums]
    note: str = ""
    code: Code | None = None
    suits: Callable[[Machine], bool] = lambda _machine: True
