"""What one looks at in a network's bits, computed on packed words or counted exactly.

:mod:`~bnn_core.measures.codes`     the bits of hidden units: class codes, distances, entropy, dead units
:mod:`~bnn_core.measures.weights`   the bits of weights: flips, balance, saturation, units alike
:mod:`~bnn_core.measures.order`     the order of units that makes them legible
"""

from bnn_core.measures.codes import class_codes
from bnn_core.measures.order import band_edges, order_by_digit

__all__ = ["band_edges", "class_codes", "order_by_digit"]
