"""What harm an IDX file can do: its promise must fit its size before anything is reserved, or unpacked."""

import gzip
import os
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_core.datasets import digits
from bnn_core.datasets import idx as module
from bnn_core.datasets.digits import load_digits
from bnn_core.datasets.idx import MAX_RATIO, read_idx
from bnn_core.errors import InputError


def header(*shape):
    return struct.pack(f">BBBB{len(shape)}I", 0, 0, 8, len(shape), *shape)


def zeros(shape, count):
    """A gzipped file of so many zero bytes behind a header; a gigabyte of them takes a megabyte."""
    packer = zlib.compressobj(9, wbits=31)
    parts = [packer.compress(header(*shape))]
    parts += [packer.compress(bytes(min(1 << 24, count - at))) for at in range(0, count, 1 << 24)]
    return b"".join((*parts, packer.flush()))


@pytest.fixture
def reserved(monkeypatch):
    """Sizes of the arrays that were reserved for content."""
    sizes = []
    empty = np.empty

    def counted(size, *rest):
        sizes.append(size)
        return empty(size, *rest)

    monkeypatch.setattr(module.np, "empty", counted)
    return sizes


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (zeros((100_000, 28, 28), 78_400_000), "promises 100000 x 28 x 28 = 78,400,000 bytes in"),
        (
            zeros((1 << 20, 32, 32), 100),
            r"= 1,073,741,824 bytes in \d+ gzipped ones; allowed are at most 16,",
        ),
        (zeros((1 << 21, 32, 32), 100), "= 2,147,483,648 bytes; allowed are 1 to 1,073,741,824"),
        (
            gzip.compress(header(1, 4, 4) + bytes(16)) + bytes(100_000),
            "is too long: 100,0.. gzipped bytes came",
        ),
    ],
    ids=["what it holds", "a promise of 1 GB", "a promise of 2 GB", "zeros behind"],
)
def test_a_gzipped_file_that_does_not_fit_its_header_is_not_unpacked(tmp_path, content, sentence, reserved):
    (tmp_path / "bomb").write_bytes(content)
    with pytest.raises(InputError, match=f"bomb .*{sentence}"):
        read_idx(tmp_path / "bomb", 3)
    assert not reserved


@pytest.mark.parametrize(("held", "said"), [(999, "999 came"), (1001, "more follows the 10 x 10 x 10")])
def test_a_plain_file_that_does_not_fit_its_header_is_not_read(tmp_path, held, said, reserved):
    (tmp_path / "plain").write_bytes(header(10, 10, 10) + bytes(held))
    with pytest.raises(InputError, match=said):
        read_idx(tmp_path / "plain", 3)
    assert reserved == [0]


def test_what_is_reserved_is_bounded_by_the_files_size(tmp_path, reserved):
    """A whole set of zeros, the most that a file may promise, and labels in order are read."""
    (tmp_path / "zeros").write_bytes(zeros((20_000, 28, 28), 15_680_000))
    (tmp_path / "labels").write_bytes(
        gzip.compress(header(700_000) + np.arange(7, dtype=np.uint8).repeat(100_000).tobytes())
    )
    assert not read_idx(tmp_path / "zeros", 3).any()
    assert read_idx(tmp_path / "labels", 1)[-1] == 6
    assert reserved == [15_680_000, 700_000]
    for name, size in zip(("zeros", "labels"), reserved, strict=True):
        assert size <= module._SMALL + MAX_RATIO * (tmp_path / name).stat().st_size


def test_a_name_without_end_is_not_followed(tmp_path):
    (tmp_path / "named").write_bytes(b"\x1f\x8b\x08\x08" + bytes(6) + b"a" * 1_000_000)
    with pytest.raises(
        InputError, match=r"truncated or damaged gzip file \(no content within 65,536 bytes\)"
    ):
        read_idx(tmp_path / "named", 3)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="POSIX only: named pipes")
def test_a_pipe_or_a_device_is_refused_at_once(tmp_path, monkeypatch):
    pipe = tmp_path / "train-images-idx3-ubyte.gz"
    os.mkfifo(pipe)
    for path in (pipe, "/dev/zero"):
        with pytest.raises(InputError, match=r"(gz|zero) is a pipe or a device; allowed is a file\.$"):
            read_idx(path, 3)
    with pytest.raises(InputError, match="does not hold train-images-idx3-ubyte"):
        load_digits(tmp_path)
    monkeypatch.setattr(digits, "MNIST_FOLDER", tmp_path)
    with pytest.raises(InputError, match="is a pipe or a device"):
        digits.load_mnist.__wrapped__()


CONTENT = header(3, 4, 4) + bytes(range(48))
NAMED = b"\x1f\x8b\x08\x08" + gzip.compress(CONTENT)[4:10] + b"name\0" + gzip.compress(CONTENT)[10:]


@given(
    st.sampled_from([CONTENT, gzip.compress(CONTENT), gzip.compress(CONTENT, 0), NAMED]),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 3), st.binary(min_size=1, max_size=6)), max_size=4),
)
def test_mutated_files_give_an_array_or_a_sentence(tmp_path_factory, content, changes):
    path = tmp_path_factory.getbasetemp() / "mutated"
    for place, cut, put in changes:
        at = int(place * len(content))
        content = content[:at] + put + content[at + cut * len(put) :]
    path.write_bytes(content)
    try:
        array = read_idx(path, 3)
    except InputError as error:
        said = str(error)
    else:
        assert array.dtype == np.uint8
        assert array.ndim == 3
        assert array.size < 1_000
        return
    assert said.startswith(str(path))
    assert "\n" not in said
