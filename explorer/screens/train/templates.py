"""The first units of the first layer as pictures. Pure."""

from __future__ import annotations

import math

from bnn_core import BitwiseNetwork
from explorer.shared.planes import Planes, planes_of

UNITS = 10


def templates(network: BitwiseNetwork, before: BitwiseNetwork | None = None) -> Planes | None:
    """The weights of the first units, (units, side, side); None if the inputs are no square picture.

    Args:
        before: the same network at an earlier moment.
    """
    inputs = network.sizes[0]
    # Two-bit features are planar: the first plane is the picture's high bits.
    pixels = next((n for n in (inputs, inputs // 2) if math.isqrt(n) ** 2 == n), None)
    if pixels is None:
        return None
    side = math.isqrt(pixels)
    then = before.layers[0] if before is not None and before.sizes == network.sizes else None
    first = planes_of(network.layers[0], then).at(slice(UNITS), slice(pixels))
    return first.each(lambda plane: plane.reshape(-1, side, side))
