"""What a network costs in memory and operations, counted exactly; time is measured elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from bnn_core import BitwiseNetwork

WORD = 64
"""Bits of a machine word."""


@dataclass(frozen=True)
class Cost:
    """The bitwise network beside the same network in float32.

    Attributes:
        bit_bytes, float_bytes: weights and biases: packed bits (and masks), or four bytes each.
        bit_operations: XNOR and popcount, one for each word of each unit.
        float_operations: multiply and add, one for each weight.
    """

    bit_bytes: int
    float_bytes: int
    bit_operations: int
    float_operations: int


def cost(network: BitwiseNetwork) -> Cost:
    """Count them for one digit."""
    pairs = list(zip(network.sizes[1:], network.sizes[:-1], strict=True))
    return Cost(
        bit_bytes=network.packed_bytes,
        float_bytes=4 * network.parameters,
        bit_operations=sum(units * -(-inputs // WORD) for units, inputs in pairs),
        float_operations=sum(units * inputs for units, inputs in pairs),
    )
