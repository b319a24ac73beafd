"""What one digit costs in memory, operations and energy: counted exactly, whatever the machine."""

from __future__ import annotations

from dataclasses import dataclass

from bnn_core.bits import word_count
from bnn_core.network.bitwise import BitwiseNetwork

FLOAT_PICOJOULES = 3.7 + 0.9
"""Energy of a float32 multiplication and an addition, in pJ.

Horowitz, *Computing's energy problem*, ISSCC 2014: a 45 nm process at 0.9 V.
"""
ADD32_PICOJOULES = 0.1
"""Energy of a 32-bit integer addition, in pJ; the same source."""
WORD_STEPS = 3
"""XNOR (or XOR), popcount, addition; the mask's AND is one more."""
ENERGY_SOURCE = (
    "Horowitz, Computing's energy problem, ISSCC 2014 (45 nm, 0.9 V): float32 multiply 3.7 pJ, add 0.9 pJ,"
    " 32-bit integer add 0.1 pJ. It has no popcount: every step of a 64-bit word is counted as two 32-bit"
    " additions. Arithmetic only, without reading memory."
)


@dataclass(frozen=True)
class Cost:
    """The bitwise network beside the same network in float32, for one digit.

    Attributes:
        bit_bytes, float_bytes: weights and biases: packed bits (and masks), or four bytes each.
        bit_operations: words of 64 bits that are XNORed and counted, one for each word of each unit.
        float_operations: multiply-accumulates, one for each weight, switched off or not.
        bit_picojoules, float_picojoules: their arithmetic, by :data:`ENERGY_SOURCE`.
    """

    bit_bytes: int
    float_bytes: int
    bit_operations: int
    float_operations: int
    bit_picojoules: float
    float_picojoules: float


def cost(network: BitwiseNetwork) -> Cost:
    """Count them for one digit."""
    words = macs = steps = 0
    for layer in network.layers:
        of_layer = layer.units * word_count(layer.inputs)
        words += of_layer
        steps += of_layer * (WORD_STEPS if layer.mask is None else WORD_STEPS + 1)
        macs += layer.units * layer.inputs
    return Cost(
        bit_bytes=network.packed_bytes,
        float_bytes=4 * network.parameters,
        bit_operations=words,
        float_operations=macs,
        bit_picojoules=steps * 2 * ADD32_PICOJOULES,
        float_picojoules=macs * FLOAT_PICOJOULES,
    )
