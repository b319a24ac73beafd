"""Pictures from outside, made as MNIST's digits were.

MNIST's digits were scaled, with their aspect ratio, to fit a box of 20 x 20 pixels, and put into 28 x 28
pixels so that their centre of mass lies in the middle. A network trained on such digits reads others only if
they are treated alike. (Measured on all 10,000 test digits: the larger side is 20 in 9,997 of them, and the
centre of mass, in pixel indices, lies within 13.5 to 14.5 both ways: the middle is index 14 = side / 2.)

A file is not trusted: its type is told by its content, what decoding costs is bounded before anything is
decoded (see `container`), one picture is decoded at a time, and a large one is reduced a band at a time. So
any file takes less than 300 MB and about a second.
"""

import io
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from bnn_core.datasets.container import Stripped, check_size, kind_of, strip
from bnn_core.datasets.regular import open_regular
from bnn_core.errors import InputError

MAX_FILE_BYTES = 10_000_000

MAX_WAIT_SECONDS = 20.0
"""One picture is decoded at a time in a process; who waits longer is told so."""

MIN_CONTRAST = 24.0
"""Ink must differ from its background by so many of 255 grey levels, or the picture is blank."""

SMALL_LEVEL = 16.0 / 255.0
"""Ink below this share of the fullest ink does not count for the crop; MNIST's boxes hold there."""

_FULL = 240.0  # ink this dark is full as it is: MNIST's own digits (peak 254 or 255) stay untouched
_THIN, _USUAL = 1.0, 1.6  # widths of strokes, in pixels of a digit of 28 x 28
_MARGIN = 2  # pixels of the result around the crop, so that faint fringes of the strokes are kept
_BAND = 1 << 19  # pixels that are composited and averaged at a time
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # what sets a picture upright, by the orientation that EXIF records
_decoding = threading.Lock()

Floats = NDArray[np.float32]


def load_image(path: str | Path, side: int = 28) -> NDArray[np.uint8]:
    """Read one digit from a PNG or JPEG file, as `decode_image` does.

    Raises:
        InputError: The file cannot be read, and whatever `decode_image` refuses.
    """
    try:
        with open_regular(path) as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
    return decode_image(content, name=str(path), side=side)


def decode_image(content: bytes, *, name: str = "The picture", side: int = 28) -> NDArray[np.uint8]:
    """One digit from the content of a PNG or JPEG file (an upload), made as MNIST's digits were.

    Dark on light or light on dark, decided by the border; what is transparent lies on white (on black where
    nothing could be seen on white); the orientation that a camera recorded is honoured.

    Arguments:
        content: The bytes of the file.
        name: What errors call it.
        side: Rows, and columns, of the result.

    Returns:
        uint8 (side, side), 0 is the background, 255 full ink.

    Raises:
        InputError: Too large, neither PNG nor JPEG, damaged, or blank; or others are being decoded for
            `MAX_WAIT_SECONDS`.
    """
    if len(content) > MAX_FILE_BYTES:
        raise InputError(f"{name} is larger than the {MAX_FILE_BYTES / 1e6:.0f} MB that are allowed.")
    kind = kind_of(content, name)
    if not _decoding.acquire(timeout=MAX_WAIT_SECONDS):
        raise InputError(
            f"{name} was not read: other pictures have been in the way for {MAX_WAIT_SECONDS:.0f} seconds, "
            "the most that is waited; try again."
        )
    try:
        for raster in _rasters(strip(content, kind, name), side):
            with suppress(_Blank):
                return _normalise(raster, None, side, name)
        raise _Blank(name)
    except InputError:
        raise
    except UnidentifiedImageError as error:  # its own words hold an address in memory
        raise InputError(f"{name} is a damaged {kind} picture (its header makes no sense).") from error
    except Exception as error:  # whatever a decoder trips over is the fault of the picture
        raise InputError(f"{name} is a damaged {kind} picture ({error}).") from error
    finally:
        _decoding.release()


def from_raster(
    raster: NDArray[np.uint8], *, ink_is_light: bool | None = None, side: int = 28
) -> NDArray[np.uint8]:
    """The same for an array of grey levels, such as a drawing.

    Arguments:
        raster: uint8 (rows, columns), any size.
        ink_is_light: True for light ink on a dark ground, as in MNIST; None: decided by the border.
        side: Rows, and columns, of the result.

    Returns:
        uint8 (side, side), 0 is the background, 255 full ink.

    Raises:
        InputError: Another type or shape, too large, or blank.
    """
    array: NDArray[Any] = np.asarray(raster)
    if array.dtype != np.uint8 or array.ndim != 2 or array.size == 0:
        raise InputError(
            f"The raster is {array.dtype} of shape {array.shape}; allowed is uint8 of shape (rows, columns)."
        )
    check_size(array.shape[1], array.shape[0], "The raster")
    return _normalise(_reduced(Image.fromarray(array), side), ink_is_light, side, "The raster")


class _Blank(InputError):
    """No ink."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is blank: no ink stands out from its background.")


def _rasters(picture: Stripped, side: int) -> Iterator[Floats]:
    """Grey levels 0 to 255: one raster, or two (on white, on black) for a transparent picture."""
    with Image.open(io.BytesIO(picture.content), formats=(picture.kind,)) as image:
        if picture.kind == "JPEG":
            image.draft("L", (16 * side, 16 * side))  # decodes a large photograph at a fraction of its size
        image.load()
        deep = image.mode.startswith(("I", "F"))  # 16 bits a pixel
        grounds = ("white", "black") if image.has_transparency_data and not deep else (None,)
        for ground in grounds:
            yield _reduced(image, side, picture.orientation, ground)


def _reduced(image: Image.Image, side: int, orientation: int = 1, ground: str | None = None) -> Floats:
    """Upright grey levels, less than 16 sides wide: blocks of pixels are averaged, which takes noise away.

    A band of whole rows of blocks at a time: of a large picture nothing is held but the picture itself.
    """
    sideways, backwards = orientation >= 5, orientation in (3, 4, 7, 8)
    width, height = image.size[::-1] if sideways else image.size
    factor = max(1, max(width, height) // (8 * side))
    result = np.empty((-(-height // factor), -(-width // factor)), np.float32)
    step = factor * max(1, _BAND // (width * factor))
    for top in range(0, height, step):
        bottom = min(top + step, height)
        first, last = (height - bottom, height - top) if backwards else (top, bottom)
        band = image.crop((first, 0, last, width) if sideways else (0, first, width, last))
        if orientation in _TURNS:
            band = band.transpose(_TURNS[orientation])
        band = _grey(band, ground)
        if factor > 1:
            band = band.convert("F").reduce(factor)
        result[top // factor : -(-bottom // factor)] = np.asarray(band)
    return result


def _grey(image: Image.Image, ground: str | None) -> Image.Image:
    """Grey levels 0 to 255, of mode L or F; what is transparent lies on the ground."""
    if image.mode.startswith(("I", "F")):
        return Image.fromarray(np.asarray(image).astype(np.float32) / 257.0)
    if ground is not None:
        colours = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, ground)
        paper.paste(colours, mask=colours)  # on an opaque ground the same as alpha_composite, and faster
        return paper.convert("L")
    if image.mode in ("P", "CMYK"):
        image = image.convert("RGB")
    return image.convert("L")


def _normalise(grey: Floats, ink_is_light: bool | None, side: int, name: str) -> NDArray[np.uint8]:
    """Grey levels of any shape -> uint8 (side, side), scaled and centred as MNIST's digits were."""
    box = round(side * 20 / 28)
    ink, level = _ink(grey, ink_is_light, name)
    top, bottom, left, right = _crop(ink, level, side)
    rows, columns = bottom - top, right - left
    scale = box / max(rows, columns)

    # The crop with a margin, as it will stand in the result; beyond the picture there is no ink.
    height, width = max(1, round(rows * scale)), max(1, round(columns * scale))
    down, across = rows / height, columns / width  # source pixels a pixel of the result
    pad = int(np.ceil((_MARGIN + 2) * max(down, across))) + 2  # the margin, and what the filter reaches
    around = np.pad(ink, pad)[top : bottom + 2 * pad, left : right + 2 * pad]
    if scale == 1.0:
        patch = around[pad - _MARGIN : pad + rows + _MARGIN, pad - _MARGIN : pad + columns + _MARGIN]
    else:
        if scale < 1.0:
            around = _thickened(around, scale)
        region = (
            pad - _MARGIN * across,
            pad - _MARGIN * down,
            pad + columns + _MARGIN * across,
            pad + rows + _MARGIN * down,
        )
        size = (width + 2 * _MARGIN, height + 2 * _MARGIN)
        patch = np.asarray(
            Image.fromarray(around).resize(size, Image.Resampling.BICUBIC, box=region), np.float32
        )
        patch = np.clip(patch, 0.0, 255.0)
        if scale < 1.0:
            patch = _stretched(patch)
    return _centred(np.rint(patch).astype(np.uint8), side)


def _ink(grey: Floats, ink_is_light: bool | None, name: str) -> tuple[Floats, float]:
    """Ink from 0 (background) to 255 (full), and the level from which on it counts for the crop."""
    width = max(1, round(min(grey.shape) / 28))
    inner = np.zeros(grey.shape, bool)
    inner[width:-width, width:-width] = True
    border = grey[~inner]
    ground = float(np.median(border))
    if ink_is_light is None:
        ink_is_light = ground < (float(grey.min()) + float(grey.max())) / 2.0
    else:  # a drawing may cover its border
        middle = float(np.median(grey))
        ground = min(ground, middle) if ink_is_light else max(ground, middle)
    ink = grey - ground if ink_is_light else ground - grey
    np.maximum(ink, 0.0, out=ink)
    peak = float(ink.max())
    if peak < MIN_CONTRAST:
        raise _Blank(name)

    # Paper, light and lens are uneven: what the border shows of that is not ink.
    noise = min(3.0 * float(np.quantile(np.abs(border - ground), 0.75)), 0.4 * peak)
    level = max(SMALL_LEVEL * peak, noise)
    ink[ink < noise] = 0.0
    if peak < _FULL:
        ink *= 255.0 / peak
        level *= 255.0 / peak
    return ink, level


def _crop(ink: Floats, level: float, side: int) -> tuple[int, int, int, int]:
    """The box of the ink: top, bottom, left, right, the ends exclusive."""
    counts = ink >= level
    # Where a stroke is wider than a pixel, a pixel with one neighbour at most is a speck.
    if max(ink.shape) > 2 * side:
        framed = np.pad(counts.astype(np.uint8), 1)
        rows, columns = counts.shape
        around = sum(framed[y : y + rows, x : x + columns] for y in range(3) for x in range(3))
        if (strokes := counts & (around >= 3)).any():
            counts = strokes
    rows_with, columns_with = np.flatnonzero(counts.any(axis=1)), np.flatnonzero(counts.any(axis=0))
    return int(rows_with[0]), int(rows_with[-1]) + 1, int(columns_with[0]), int(columns_with[-1]) + 1


def _thickened(ink: Floats, scale: float) -> Floats:
    """Strokes much thinner than MNIST's, such as a pen's in a photograph, grow to a usual width.

    The width of strokes is taken as 2 area / circumference; of MNIST's digits it is 1.8 pixels in the median,
    and 1.0 or more in 99 of 100. Thinner ones would fall below the input threshold when scaled down.
    """
    full = ink >= 128.0
    circumference = np.count_nonzero(full[1:] != full[:-1]) + np.count_nonzero(full[:, 1:] != full[:, :-1])
    width = 2.0 * int(np.count_nonzero(full)) / max(int(circumference), 1) * scale
    if width >= _THIN:
        return ink
    grown = 2 * round((_USUAL - width) / scale / 2.0) + 1  # pixels of the picture, an odd number
    return _spread(np.rint(ink).astype(np.uint8), grown // 2).astype(np.float32)


def _spread(ink: NDArray[np.uint8], reach: int) -> NDArray[np.uint8]:
    """The largest of each square of 2 reach + 1 pixels a side, in time that hardly grows with the reach."""
    for _ in range(2):
        ink = np.pad(ink.T, ((reach, reach), (0, 0)))
        seen = 1  # rows that each row already covers
        while seen <= 2 * reach:
            more = min(seen, 2 * reach + 1 - seen)
            ink = np.maximum(ink[:-more], ink[more:])
            seen += more
    return ink


def _stretched(patch: Floats) -> Floats:
    """Scaling down dims thin strokes: the fullest tenth of the ink becomes 255 again."""
    strokes = patch[patch >= SMALL_LEVEL * patch.max()]
    full = float(np.quantile(strokes, 0.9))
    return patch if full >= _FULL else np.minimum(patch * (255.0 / full), 255.0)


def _centred(patch: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """The patch in (side, side), its centre of mass in the middle as far as no ink is lost."""
    result = np.zeros((side, side), np.uint8)
    weights = patch.astype(np.float64)
    source, target = [], []
    for axis in (0, 1):
        length = patch.shape[axis]
        centre = float(weights.sum(axis=1 - axis) @ np.arange(length)) / float(weights.sum())
        shift = int(np.ceil(side // 2 - centre - 0.5))  # a symmetric digit has as much room on both sides
        shift = min(max(shift, -_MARGIN), side - length + _MARGIN)
        start, stop = max(shift, 0), min(shift + length, side)
        target.append(slice(start, stop))
        source.append(slice(start - shift, stop - shift))
    result[target[0], target[1]] = patch[source[0], source[1]]
    return result
