"""Reader of IDX files, the format of MNIST: gzipped or plain, unsigned bytes only.

An IDX file is: two zero bytes, one byte for the element type (0x08 = unsigned byte), one byte for the number
of dimensions, each dimension as a big-endian 32-bit integer, then the elements, the last dimension running
fastest.

A file is not trusted: no more is decompressed than its header promises (and one byte, to notice what should
not be there), and no header may promise more than `MAX_BYTES`.
"""

import gzip
import zlib
from math import prod
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from bnn_core.errors import InputError

MAX_BYTES = 1 << 30
"""The largest data part that a header may promise; the largest set in use (EMNIST by class) has 0.55 GB."""

_UNSIGNED_BYTE = 0x08
_CHUNK = 1 << 22
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
        with open(path, "rb") as raw:
            zipped = raw.read(2) == _GZIP_MAGIC
            raw.seek(0)
            if zipped:
                with gzip.GzipFile(fileobj=raw, mode="rb") as unzipped:
                    return _read(cast(BinaryIO, unzipped), path, dimensions)
            return _read(raw, path, dimensions)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path} is a truncated or damaged gzip file ({error}).") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error


def _read(stream: BinaryIO, path: Path, dimensions: int) -> NDArray[np.uint8]:
    magic = _exactly(stream, 4)
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

    header = _exactly(stream, 4 * dimensions)
    if len(header) < 4 * dimensions:
        raise InputError(
            f"{path} ends within its header: {4 + len(header)} bytes came, allowed are {4 + 4 * dimensions}."
        )
    shape = tuple(int(size) for size in np.frombuffer(header, ">u4"))
    promised = prod(shape)  # Python integers: cannot overflow
    shape_text = " x ".join(str(size) for size in shape)
    if not 1 <= promised <= MAX_BYTES:
        raise InputError(
            f"{path} promises {shape_text} = {promised:,} bytes; allowed are 1 to {MAX_BYTES:,}."
        )

    content = _exactly(stream, promised)
    if len(content) < promised:
        raise InputError(
            f"{path} is too short: its header promises {shape_text} = {promised:,} bytes, "
            f"{len(content):,} came."
        )
    if stream.read(1):  # reading up to the end also makes gzip check its own sum
        raise InputError(
            f"{path} is too long: more follows the {shape_text} = {promised:,} bytes of its header."
        )
    return np.frombuffer(content, np.uint8).reshape(shape)


def _exactly(stream: BinaryIO, count: int) -> bytes:
    """Up to `count` bytes, in chunks: what is held grows with what has come, not with what was promised."""
    chunks = []
    while count > 0 and (chunk := stream.read(min(count, _CHUNK))):
        chunks.append(chunk)
        count -= len(chunk)
    return b"".join(chunks)
