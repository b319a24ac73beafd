"""Digits: loading, splits, input features, and pictures from outside."""

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
