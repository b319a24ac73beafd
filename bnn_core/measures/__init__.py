"""What one looks at in a network's bits, computed on packed words or counted exactly.

:mod:`~bnn_core.measures.codes`     the bits of hidden units: class codes, distances, entropy, dead units
:mod:`~bnn_core.measures.weights`   the bits of weights: flips, balance, saturation, units alike
:mod:`~bnn_core.measures.order`     the order of units that makes them legible
"""

from bnn_core.measures.codes import (
    Nearest,
    always_on_units,
    class_codes,
    class_counts,
    class_distances,
    dead_units,
    hamming,
    majority,
    nearest,
    shares,
    unit_entropy,
    within_and_between,
)
from bnn_core.measures.order import band_edges, order_by_digit
from bnn_core.measures.weights import (
    balance,
    differences,
    flipped,
    flips,
    order_alike,
    order_by_value,
    reader_counts,
    saturation,
    sign_counts,
)

__all__ = [
    "Nearest",
    "always_on_units",
    "balance",
    "band_edges",
    "class_codes",
    "class_counts",
    "class_distances",
    "dead_units",
    "differences",
    "flipped",
    "flips",
    "hamming",
    "majority",
    "nearest",
    "order_alike",
    "order_by_digit",
    "order_by_value",
    "reader_counts",
    "saturation",
    "shares",
    "sign_counts",
    "unit_entropy",
    "within_and_between",
]
