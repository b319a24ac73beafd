"""The arithmetic of the unit up close, from the trace of a digit. Pure."""

from __future__ import annotations

import numpy as np

from bnn_core.network.bitwise import LayerTrace
from explorer.shared.fields import Bits, Ledger


def unit_sum(trace: LayerTrace, unit: int) -> Ledger:
    """The integers of a unit, as the kernel counted them."""
    agree, active = int(trace.counts[unit]), int(trace.active[unit])
    return Ledger(agree, active - agree, int(trace.bias[unit]), len(trace.inputs) - active)


def agreement(trace: LayerTrace, unit: int) -> Bits:
    """(inputs,) uint8: 1 where the input bit and the unit's weight are alike (XNOR)."""
    return (trace.inputs == trace.weights[unit]).astype(np.uint8)
