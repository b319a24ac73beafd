"""Input features: how grey levels become bits. One table, `FEATURES`, of all the names there are."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnn_core.errors import InputError

INPUT_THRESHOLD = 128
"""The grey level from which on a pixel counts as ink, unless a configuration says otherwise."""


@dataclass(frozen=True)
class Feature:
    """One way to turn pixels into input bits.

    Attributes:
        name: The name in configurations and model files.
        help: One line for people.
        planes: Input bits a pixel; the planes follow each other: all pixels of the first, then of the second.
        low: What a bit of 0 stands for: -1, or 0 where it takes no part in a sum. A bit of 1 is always +1.
        bits: (uint8 (n, pixels), threshold) -> uint8 (n, planes * pixels) in {0, 1}.
    """

    name: str
    help: str
    planes: int
    low: int
    bits: Callable[[NDArray[np.uint8], int], NDArray[np.uint8]]


def _at_least(pixels: NDArray[np.uint8], threshold: int) -> NDArray[np.uint8]:
    return (pixels >= threshold).view(np.uint8)


def _top_two(pixels: NDArray[np.uint8], _threshold: int) -> NDArray[np.uint8]:
    return np.concatenate([pixels >> 7, pixels >> 6 & 1], axis=1)


FEATURES = {
    feature.name: feature
    for feature in (
        Feature(
            name="bipolar",
            help="One bit a pixel: 1 (ink, +1) from the threshold on, 0 (background, -1) below.",
            planes=1,
            low=-1,
            bits=_at_least,
        ),
        Feature(
            name="zero-one",
            help="The same bit a pixel, but 0 means absent: background takes no part in a sum.",
            planes=1,
            low=0,
            bits=_at_least,
        ),
        Feature(
            name="two-bit",
            help="The grey level's top two bits, each +1 or -1. First all high bits, then all low bits.",
            planes=2,
            low=-1,
            bits=_top_two,
        ),
    )
}


def input_bits(
    images: NDArray[np.uint8], features: str = "bipolar", threshold: int = INPUT_THRESHOLD
) -> NDArray[np.uint8]:
    """The input bits of images.

    Arguments:
        images: uint8 (n, rows, columns), 0 is the background.
        features: A name in `FEATURES`.
        threshold: Grey level, 1 to 255: a bit is pixel >= threshold; two-bit features have no use for it.

    Returns:
        uint8 (n, inputs) in {0, 1}, where 1 means +1 and 0 means -1, or 0 (absent) for zero-one features;
        inputs = planes * rows * columns, plane by plane, row by row.

    Raises:
        InputError: Images of another type or shape, an unknown name, or a threshold that is not a grey level.
    """
    feature = _feature(features)
    array: NDArray[Any] = np.asarray(images)
    if array.dtype != np.uint8 or array.ndim != 3:
        raise InputError(
            f"images are {array.dtype} of shape {array.shape}; allowed is uint8 of shape (n, rows, columns)."
        )
    if not 1 <= threshold <= 255:
        raise InputError(f"data.input_threshold is {threshold}; allowed are the grey levels 1 to 255.")
    pixels = array.reshape(len(array), array.shape[1] * array.shape[2])
    return feature.bits(pixels, threshold)


def input_values(bits: NDArray[np.uint8], features: str = "bipolar") -> NDArray[np.int8]:
    """The numbers that input bits stand for.

    Arguments:
        bits: uint8 (n, inputs) in {0, 1}.
        features: A name in `FEATURES`.

    Returns:
        int8 (n, inputs) in {-1, +1}, or {0, 1} for zero-one features.

    Raises:
        InputError: An unknown name.
    """
    low = _feature(features).low
    values: NDArray[np.int8] = bits.astype(np.int8) * np.int8(1 - low)
    values += np.int8(low)
    return values


def input_count(features: str, side: int) -> int:
    """How many input bits a square image of this side gives: 784 for bipolar and 28.

    Raises:
        InputError: An unknown name.
    """
    return _feature(features).planes * side * side


def _feature(name: str) -> Feature:
    try:
        return FEATURES[name]
    except (KeyError, TypeError):
        raise InputError(f"data.features is {name!r}; allowed: {', '.join(FEATURES)}.") from None
