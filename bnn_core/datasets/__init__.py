"""Digits: loading, splits, input features, and pictures from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bnn_core.lazy import lazy_names

if TYPE_CHECKING:
    from bnn_core.datasets.digits import Digits, Split, load_digits, load_mnist, split
    from bnn_core.datasets.features import FEATURES, INPUT_THRESHOLD, input_bits, input_count, input_values
    from bnn_core.datasets.image import decode_image, from_raster, load_image

__all__ = [
    "FEATURES",
    "INPUT_THRESHOLD",
    "Digits",
    "Split",
    "decode_image",
    "from_raster",
    "input_bits",
    "input_count",
    "input_values",
    "load_digits",
    "load_image",
    "load_mnist",
    "split",
]

__getattr__ = lazy_names(
    __name__,
    {
        "Digits": "digits",
        "FEATURES": "features",
        "INPUT_THRESHOLD": "features",
        "Split": "digits",
        "decode_image": "image",
        "from_raster": "image",
        "input_bits": "features",
        "input_count": "features",
        "input_values": "features",
        "load_digits": "digits",
        "load_image": "image",
        "load_mnist": "digits",
        "split": "digits",
    },
)
