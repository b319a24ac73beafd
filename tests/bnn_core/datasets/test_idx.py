"""IDX files: what is read is what was written, and every kind of damage is refused in one sentence."""

import gzip
import struct
import tracemalloc
from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bnn_core.datasets.idx import MAX_BYTES, read_idx
from bnn_core.errors import InputError


def idx(shape, content=None, kind=8):
    """The bytes of an IDX file."""
    header = struct.pack(f">BBBB{len(shape)}I", 0, 0, kind, len(shape), *shape)
    return header + (bytes(prod(shape)) if content is None else content)


@given(array=hnp.arrays(np.uint8, hnp.array_shapes(min_dims=1, max_dims=3, max_side=9)), zipped=st.booleans())
def test_reads_back_what_was_written(tmp_path_factory, array, zipped):
    path = tmp_path_factory.mktemp("idx") / "file"
    content = idx(array.shape, array.tobytes())
    path.write_bytes(gzip.compress(content, 1) if zipped else content)
    read = read_idx(path, array.ndim)
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, array)
    assert not read.flags.writeable


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "begins with nothing, allowed is 00 00 08 03"),
        (b"\0\0\x08", "begins with 00 00 08, allowed"),
        (b"PK\x03\x04rest", "not an IDX file: it begins with 50 4b 03 04"),
        (idx((2, 4, 4), kind=0x0D), "type 0x0d; allowed is 0x08"),
        (idx((7,)), "has 1 dimensions; allowed is 3"),
        (idx((2, 4, 4))[:11], "ends within its header: 11 bytes came, allowed are 16"),
        (idx((2, 4, 4))[:-1], "too short: its header promises 2 x 4 x 4 = 32 bytes, 31 came"),
        (idx((2, 4, 4)) + b"\0", "too long: more follows the 2 x 4 x 4 = 32 bytes"),
        (idx((0, 4, 4)), "promises 0 x 4 x 4 = 0 bytes; allowed are 1 to"),
        (idx((2**32 - 1,) * 3, b"x"), "allowed are 1 to 1,073,741,824"),
        (idx((MAX_BYTES + 1, 1, 1), b"x"), "allowed are 1 to 1,073,741,824"),
    ],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_damage_is_named(tmp_path, content, sentence, zipped):
    path = tmp_path / "damaged"
    path.write_bytes(gzip.compress(content) if zipped else content)
    with pytest.raises(InputError) as caught:
        read_idx(path, 3)
    assert str(path) in str(caught.value)
    assert sentence in str(caught.value)


@pytest.mark.parametrize("kept", [3, 12, 25, -9, -8, -1])
def test_truncated_gzip_is_refused(tmp_path, kept):
    content = idx((10, 8, 8), np.random.default_rng(0).bytes(640))
    path = tmp_path / "short.gz"
    path.write_bytes(gzip.compress(content)[:kept])
    with pytest.raises(InputError, match=r"short\.gz is a truncated or damaged gzip file"):
        read_idx(path, 3)


def test_a_flipped_bit_inside_gzip_is_refused(tmp_path):
    damaged = bytearray(gzip.compress(idx((10, 8, 8), np.random.default_rng(0).bytes(640)), 0))
    damaged[300] ^= 1  # stored, not deflated: only gzip's own sum can tell
    path = tmp_path / "flipped.gz"
    path.write_bytes(bytes(damaged))
    with pytest.raises(InputError, match="truncated or damaged gzip file"):
        read_idx(path, 3)


def test_no_more_is_decompressed_than_promised(tmp_path):
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(idx((2, 4, 4)) + bytes(200_000_000), 1))
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="too long"):
            read_idx(path, 3)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_a_great_promise_reserves_nothing(tmp_path):
    path = tmp_path / "liar"
    path.write_bytes(idx((MAX_BYTES, 1, 1), b"few"))
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="3 came"):
            read_idx(path, 3)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("make", ["nothing", "folder"])
def test_what_is_no_file_is_refused(tmp_path, make):
    path = tmp_path / "there"
    if make == "folder":
        path.mkdir()
    with pytest.raises(InputError, match=r"there cannot be read: \w+"):
        read_idx(path, 3)
