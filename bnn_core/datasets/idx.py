"""Reader of IDX files, the format of MNIST: gzipped or plain, unsigned bytes only.

An IDX file is: two zero bytes, one byte for the element type (0x08 = unsigned byte), one byte for the number
of dimensions, each dimension as a big-endian 32-bit integer, then the elements, the last dimension running
fastest.

A file is not trusted: the header is read first, and what it promises must fit the file's size before anything
is reserved or unpacked; no more is unpacked than promised (and one byte, to notice what should not be there).
"""

import gzip
import os
import zlib
from io import BufferedReader
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bnn_core.datasets.regular import open_regular
from bnn_core.errors import InputError

MAX_BYTES = 1 << 30
"""The largest data part that a header may promise; the largest set in use (EMNIST by class) has 0.55 GB."""

MAX_RATIO = 100
"""A gzipped file may promise so many bytes for each of its own, and `_SMALL` besides: MNIST's images shrink
to a fifth, of two colours only to a twentieth; labels in order to a thousandth."""

_UNSIGNED_BYTE = 0x08
_SMALL = 1 << 24
_CHUNK = 1 << 22
_BEGINNING = 1 << 16
_GZIP_MAGIC = b"\x1f\x8b"


def read_idx(path: str | Path, dimensions: int) -> NDArray[np.uint8]:
    """Read an IDX file of unsigned bytes.

    Arguments:
        path: The file. Whether it is gzipped is told by its content, not by its name.
        dimensions: How many dimensions it must have: 3 for images, 1 for labels.

    Returns:
        uint8 array of the shape that the header states, read-only.

    Raises:
        InputError: The file cannot be read, is damaged, or is not such a file.
    """
    path = Path(path)
    try:
        with open_regular(path) as raw:
            size = os.fstat(raw.fileno()).st_size
            begin = raw.read(_BEGINNING)
            raw.seek(0)
            if not begin.startswith(_GZIP_MAGIC):
                return _read(raw, path, dimensions, size, zipped=False)
            if not zlib.decompressobj(31).decompress(begin, 1) and len(begin) == _BEGINNING:
                raise EOFError(f"no content within {_BEGINNING:,} bytes")  # a name or a comment without end
            with gzip.GzipFile(fileobj=raw, mode="rb") as unzipped:
                return _read(unzipped, path, dimensions, size, zipped=True)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path} is a truncated or damaged gzip file ({error}).") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error


def _read(
    stream: BufferedReader | gzip.GzipFile, path: Path, dimensions: int, size: int, zipped: bool
) -> NDArray[np.uint8]:
    """Read from the stream of what is in a file of so many bytes."""
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0":
        raise InputError(
            f"{path} is not an IDX file: it begins with {magic.hex(' ') or 'nothing'}, "
            f"allowed is 00 00 {_UNSIGNED_BYTE:02x} {dimensions:02x}."
        )
    if magic[2] != _UNSIGNED_BYTE:
        raise InputError(
            f"{path} holds elements of IDX type 0x{magic[2]:02x}; "
            f"allowed is 0x{_UNSIGNED_BYTE:02x} (unsigned byte)."
        )
    if magic[3] != dimensions:
        raise InputError(f"{path} has {magic[3]} dimensions; allowed is {dimensions}.")

    header = stream.read(4 * dimensions)
    if len(header) < 4 * dimensions:
        raise InputError(
            f"{path} ends within its header: {4 + len(header)} bytes came, allowed are {4 + 4 * dimensions}."
        )
    shape = tuple(int(size) for size in np.frombuffer(header, ">u4"))
    promised = prod(shape)  # Python integers: cannot overflow
    shape_text = " x ".join(map(str, shape))
    if not 1 <= promised <= MAX_BYTES:
        raise InputError(
            f"{path} promises {shape_text} = {promised:,} bytes; allowed are 1 to {MAX_BYTES:,}."
        )

    need = f"{shape_text} = {promised:,} bytes"
    held = size - 4 - len(header)  # of a plain file, this is the content
    if zipped and promised > (allowed := _SMALL + MAX_RATIO * size):
        raise InputError(f"{path} promises {need} in {size:,} gzipped ones; allowed are at most {allowed:,}.")
    if zipped and size > (allowed := promised + promised // 100 + _BEGINNING):
        raise InputError(
            f"{path} is too long: {size:,} gzipped bytes came, for {need} are allowed at most {allowed:,}."
        )
    content = np.empty(promised if zipped or held == promised else 0, np.uint8)
    came, view = 0, content.data
    while more := stream.readinto(view[came : came + _CHUNK]):
        came += more
    came = came if zipped or held == promised else held
    if came < promised:
        raise InputError(f"{path} is too short: its header promises {need}, {came:,} came.")
    if came > promised or stream.read(1):  # reading up to the end also makes gzip check its own sum
        raise InputError(f"{path} is too long: more follows the {need} of its header.")
    content.flags.writeable = False
    return content.reshape(shape)
