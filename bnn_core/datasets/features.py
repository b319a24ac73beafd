"""Input features: how grey levels become bits. One table, `FEATURES`, of all the names there are."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnn_core.errors import InputError

INPUT_THRESHOLD = 128
"""The grey level from which on a pixel counts as ink, unless a configuration says otherwise."""


Cuts = tuple[tuple[int, int], ...]
"""(mask, level) of each plane of bits: a bit is 1 where (pixel & mask) >= level."""


@dataclass(frozen=True)
class Feature:
    """One way to turn pixels into input bits: what is said of it elsewhere follows from here.

    Attributes:
        name: The name in configurations and model files.
        title: Its name with a word on the values, for people.
        note: How a pixel becomes bits, for people; ``{threshold}`` stands for the grey level.
        help: Its part of the sentence that explains all of them.
        equation: Its part of the equation of the input bits.
        planes: Input bits a pixel; the planes follow each other: all pixels of the first, then of the second.
        low: What a bit of 0 stands for: -1, or 0 where it takes no part in a sum. A bit of 1 is always +1.
        bits: (uint8 (n, pixels), threshold) -> uint8 (n, planes * pixels) in {0, 1}.
        cuts: threshold -> the same as comparisons, which machine code makes by itself: one or two; None if
            that cannot be.
    """

    name: str
    title: str
    note: str
    help: str
    equation: str
    planes: int
    low: int
    bits: Callable[[NDArray[np.uint8], int], NDArray[np.uint8]]
    cuts: Callable[[int], Cuts] | None = None


def _at_least(pixels: NDArray[np.uint8], threshold: int) -> NDArray[np.uint8]:
    return (pixels >= threshold).view(np.uint8)


def _top_two(pixels: NDArray[np.uint8], _threshold: int) -> NDArray[np.uint8]:
    return np.concatenate([pixels >> 7, pixels >> 6 & 1], axis=1)


FEATURES = {
    feature.name: feature
    for feature in (
        Feature(
            name="bipolar",
            title="bipolar, +1 or \N{MINUS SIGN}1",
            note="pixel ≥ {threshold}",
            help="bipolar is +1 for ink and -1 for background",
            equation="sign(pixel - threshold)",
            planes=1,
            low=-1,
            bits=_at_least,
            cuts=lambda threshold: ((0xFF, threshold),),
        ),
        Feature(
            name="zero-one",
            title="zero-one, 1 or absent",
            note="pixel ≥ {threshold}, else 0",
            help="in zero-one background is 0 and takes no part",
            equation="0 for background",
            planes=1,
            low=0,
            bits=_at_least,
            cuts=lambda threshold: ((0xFF, threshold),),
        ),
        Feature(
            name="two-bit",
            title="two-bit, four greys",
            note="high bits, low bits",
            help="two-bit takes the grey level's top two bits",
            equation="two bits a pixel",
            planes=2,
            low=-1,
            bits=_top_two,
            cuts=lambda _threshold: ((0x80, 0x80), (0x40, 0x40)),
        ),
    )
}
USUAL = next(iter(FEATURES))
"""The features unless a configuration says otherwise."""


def input_bits(
    images: NDArray[np.uint8], features: str = USUAL, threshold: int = INPUT_THRESHOLD
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


def input_values(bits: NDArray[np.uint8], features: str = USUAL) -> NDArray[np.int8]:
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
