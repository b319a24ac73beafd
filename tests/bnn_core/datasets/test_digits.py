"""MNIST as it comes with the project, other sets, and splits."""

import gzip
import hashlib
import shutil
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_core.datasets import digits as module
from bnn_core.datasets.digits import Digits, load_digits, load_mnist, split
from bnn_core.errors import InputError

NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


def make(train=12, test=5, side=6, classes=3, seed=0):
    """A small set whose labels reach classes - 1."""
    random = np.random.default_rng(seed)
    images = [random.integers(0, 256, (n, side, side), np.uint8) for n in (train, test)]
    labels = [(np.arange(n) % classes).astype(np.uint8) for n in (train, test)]
    return Digits(images[0], labels[0], images[1], labels[1])


def write(folder, digits, ending="", dot=False, zipped=None):
    arrays = (digits.train_images, digits.train_labels, digits.test_images, digits.test_labels)
    for name, array in zip(NAMES, arrays, strict=True):
        content = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()
        path = folder / ((name.replace("-idx", ".idx") if dot else name) + ending)
        path.write_bytes(gzip.compress(content) if ending == ".gz" else content)


def test_mnist_is_the_genuine_one():
    digits = load_mnist()
    assert digits.train_images.shape == (60_000, 28, 28)
    assert digits.test_images.shape == (10_000, 28, 28)
    assert (digits.side, digits.classes) == (28, 10)
    # Counts as published everywhere.
    assert np.bincount(digits.train_labels).tolist() == [
        5923,
        6742,
        5958,
        6131,
        5842,
        5421,
        5918,
        6265,
        5851,
        5949,
    ]
    assert np.bincount(digits.test_labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert digits.train_labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert digits.test_labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert round(float(digits.train_images.mean()) / 255, 4) == 0.1307


def test_mnist_is_read_once_and_nobody_can_write_to_it():
    digits = load_mnist()
    assert load_mnist() is digits
    with pytest.raises(ValueError, match="read-only"):
        digits.train_images[0, 0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        split(digits).train_labels[0] = 1


@pytest.mark.parametrize("damage", ["altered", "missing"])
def test_another_file_in_place_of_mnist_is_refused(tmp_path, monkeypatch, damage):
    shutil.copytree(module.MNIST_FOLDER, tmp_path / "mnist")
    victim = tmp_path / "mnist" / "t10k-labels-idx1-ubyte.gz"
    victim.unlink()
    if damage == "altered":
        victim.write_bytes(gzip.compress(b"something else"))
    monkeypatch.setattr(module, "MNIST_FOLDER", tmp_path / "mnist")
    with pytest.raises(InputError) as caught:
        load_mnist.__wrapped__()
    assert str(victim) in str(caught.value)
    assert ("SHA-256" in str(caught.value)) == (damage == "altered")


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("dot", [False, True])
def test_any_other_set_is_read(tmp_path, ending, dot):
    digits = make()
    write(tmp_path, digits, ending, dot)
    read = load_digits(str(tmp_path))
    for name in ("train_images", "train_labels", "test_images", "test_labels"):
        np.testing.assert_array_equal(getattr(read, name), getattr(digits, name))
        assert not getattr(read, name).flags.writeable
    assert (read.side, read.classes) == (6, 3)
    assert read.sha256 == digits.sha256


@pytest.mark.parametrize("missing", NAMES)
def test_a_missing_file_is_named(tmp_path, missing):
    write(tmp_path, make())
    (tmp_path / missing).unlink()
    with pytest.raises(InputError) as caught:
        load_digits(tmp_path)
    assert f"{tmp_path} does not hold {missing};" in str(caught.value)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(InputError, match="nowhere is not a folder"):
        load_digits(tmp_path / "nowhere")


def test_files_that_do_not_agree_are_named(tmp_path):
    write(tmp_path, make(train=12))
    other = tmp_path / "other"
    other.mkdir()
    write(other, make(train=11))
    shutil.copy(other / NAMES[1], tmp_path / NAMES[1])
    with pytest.raises(InputError, match=r"train-images-idx3-ubyte holds 12 images and .*holds 11 labels"):
        load_digits(tmp_path)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"train_images": np.zeros((12, 6, 7), np.uint8)},
            "train_images holds images of 6 x 7 pixels; square images only",
        ),
        (
            {"test_images": np.zeros((5, 3, 3), np.uint8)},
            "test_images holds images of 3 x 3 pixels; allowed are 4 x 4 to",
        ),
        (
            {"train_images": np.zeros((12, 257, 257), np.uint8)},
            "257 x 257 pixels; allowed are 4 x 4 to 256 x 256",
        ),
        (
            {"test_images": np.zeros((5, 7, 7), np.uint8)},
            "test_images are 7 x 7 pixels; allowed is the size of train",
        ),
        (
            {"test_images": np.zeros((4, 6, 6), np.uint8)},
            "test_images holds 4 images and test_labels holds 5 labels",
        ),
        ({"train_images": np.zeros((12, 6, 6), np.float32)}, "train_images holds float32 of shape"),
        (
            {"train_images": np.zeros((0, 6, 6), np.uint8), "train_labels": np.zeros(0, np.uint8)},
            "at least one entry",
        ),
        (
            {"train_labels": np.zeros((12, 1), np.uint8)},
            "train_labels holds uint8 of shape (12, 1); allowed is uint8 of 1",
        ),
        (
            {"train_labels": np.zeros(12, np.uint8), "test_labels": np.zeros(5, np.uint8)},
            "makes 1 class; allowed are 2 to 256 classes",
        ),
    ],
)
def test_what_is_no_set_is_refused(change, sentence):
    good = make()
    fields = {
        name: getattr(good, name) for name in ("train_images", "train_labels", "test_images", "test_labels")
    }
    with pytest.raises(InputError) as caught:
        Digits(**fields | change)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(("side", "classes"), [(4, 2), (256, 256)])
def test_the_largest_and_smallest_sets_are_allowed(side, classes):
    digits = make(train=classes, test=1, side=side, classes=classes)
    assert (digits.side, digits.classes) == (side, classes)


def test_the_callers_array_stays_the_callers():
    images, labels = np.zeros((4, 5, 5), np.uint8), np.array([0, 1, 0, 1], np.uint8)
    digits = Digits(images, labels, images, labels)
    before = digits.sha256
    images[0, 0, 0] = 255
    assert digits.train_images[0, 0, 0] == 0
    assert before == Digits(digits.train_images, labels, digits.test_images, labels).sha256
    assert images.flags.writeable


def test_the_hash_tells_sets_apart():
    digits = make()
    assert len(digits.sha256) == 64
    assert digits.sha256 == make().sha256
    swapped = Digits(digits.test_images, digits.test_labels, digits.train_images, digits.train_labels)
    labels = digits.test_labels.copy()
    labels[-1] ^= 1
    relabelled = Digits(digits.train_images, digits.train_labels, digits.test_images, labels)
    assert len({digits.sha256, make(seed=1).sha256, swapped.sha256, relabelled.sha256}) == 4


def test_the_hash_is_over_names_shapes_and_contents():
    """Kept apart from the implementation: a model file's provenance depends on it."""
    digits, total = make(), hashlib.sha256()
    for name in ("train_images", "train_labels", "test_images", "test_labels"):
        array = getattr(digits, name)
        total.update(f"{name} {tuple(array.shape)}\n".encode() + array.tobytes())
    assert digits.sha256 == total.hexdigest()


@given(total=st.integers(2, 200), data=st.data())
def test_a_split_shares_out_every_image_once(total, data):
    digits = make(train=total, side=4, classes=2)
    train_digits = data.draw(st.none() | st.integers(1, total))
    parts = split(digits, train_digits)
    held_out = max(1, total // 6)
    count = total - held_out if train_digits is None else train_digits
    np.testing.assert_array_equal(parts.train_images, digits.train_images[:count])
    np.testing.assert_array_equal(parts.train_labels, digits.train_labels[:count])
    if count > total - held_out:
        assert parts.validation_images is None
        assert parts.validation_labels is None
    else:
        np.testing.assert_array_equal(parts.validation_images, digits.train_images[-held_out:])
        np.testing.assert_array_equal(parts.validation_labels, digits.train_labels[-held_out:])


@pytest.mark.parametrize(
    ("train_digits", "trains", "validates"),
    [
        (None, 50_000, 10_000),
        (100, 100, 10_000),
        (50_000, 50_000, 10_000),
        (50_001, 50_001, None),
        (60_000, 60_000, None),
    ],
)
def test_mnist_splits_as_agreed(train_digits, trains, validates):
    digits = load_mnist()
    parts = split(digits, train_digits)
    assert len(parts.train_images) == len(parts.train_labels) == trains
    if validates is None:
        assert parts.validation_images is None
    else:
        np.testing.assert_array_equal(parts.validation_labels, digits.train_labels[50_000:])
    assert len(parts.probe_images) == len(parts.probe_labels) == min(5_000, trains)
    np.testing.assert_array_equal(parts.probe_labels, digits.train_labels[: min(5_000, trains)])
    assert np.shares_memory(parts.train_images, digits.train_images)


@pytest.mark.parametrize("train_digits", [-1, 0, 13])
def test_impossible_numbers_of_training_digits_are_refused(train_digits):
    with pytest.raises(InputError, match=rf"data\.train_digits is {train_digits}; allowed are 1 to 12"):
        split(make(train=12), train_digits)


def test_a_set_of_one_digit_leaves_nothing_to_train_on():
    with pytest.raises(InputError, match=r"data\.train_digits is 0"):
        split(make(train=1, test=2, classes=2))
