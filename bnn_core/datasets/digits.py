"""Sets of labelled images: MNIST, which comes with the project, and any other set of four IDX files.

Images are uint8, 0 the background, as in MNIST; any square size and any number of classes from 2 to 256.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnn_core.datasets.idx import read_idx
from bnn_core.datasets.regular import open_regular
from bnn_core.errors import InputError

MNIST_FOLDER = Path(__file__).parent / "mnist"
MNIST_SHA256 = {
    "train-images-idx3-ubyte.gz": "7ff28fd295f802eefc6d40e461175dfe4b969b1842b2abc8c6dc8c20711cf79f",
    "train-labels-idx1-ubyte.gz": "81a978ae83d39ffdba0db3ce2fcaf80a8921e9629e874428996a2b03242d4b2a",
    "t10k-images-idx3-ubyte.gz": "197e111ae341b0770be9011ac5e622d0e6cd1c640b32eb0de5dc1dd26cc6e182",
    "t10k-labels-idx1-ubyte.gz": "b91679a0acfe4ba0e50a2437a903084cba1f5f92592b016a25a7dfd00455798b",
}
"""The sums of the genuine files."""

_STANDARD_NAMES = [name.removesuffix(".gz") for name in MNIST_SHA256]

SIDES = range(4, 257)
"""Allowed sides of an image, in pixels."""

CLASSES = range(2, 257)
"""Allowed numbers of classes: the largest label is one less."""

MAX_VALIDATION = 10_000
"""MNIST's validation set: the last 10,000 training images. A smaller set gives its last sixth."""

PROBES = 5_000
"""The training error is measured on the first 5,000 training digits, always the same ones."""


@dataclass(frozen=True, eq=False)
class Digits:
    """A training and a test set of labelled square images. Every array is read-only.

    Attributes:
        train_images: uint8 (n, side, side), 0 is the background.
        train_labels: uint8 (n,), 0 to classes - 1.
        test_images: uint8 (m, side, side).
        test_labels: uint8 (m,).

    Raises:
        InputError: An array has another type or shape, or the side or the number of classes is not allowed.
    """

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.uint8]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.uint8]

    def __post_init__(self) -> None:
        for part in ("train", "test"):
            images, labels = getattr(self, f"{part}_images"), getattr(self, f"{part}_labels")
            _check_part(images, labels, f"{part}_images", f"{part}_labels")
            object.__setattr__(self, f"{part}_images", _read_only(images))
            object.__setattr__(self, f"{part}_labels", _read_only(labels))
        test_side = self.test_images.shape[1]
        if test_side != self.side:
            raise InputError(
                f"test_images are {test_side} x {test_side} pixels; "
                f"allowed is the size of train_images, {self.side} x {self.side}."
            )
        if self.classes not in CLASSES:
            raise InputError(
                f"The labels go up to {self.classes - 1}, which makes {self.classes} class; "
                f"allowed are {CLASSES[0]} to {CLASSES[-1]} classes."
            )

    @property
    def side(self) -> int:
        """Rows, and columns, of an image."""
        return int(self.train_images.shape[1])

    @cached_property
    def classes(self) -> int:
        """Number of classes: the largest label of both sets plus one."""
        return int(max(self.train_labels.max(), self.test_labels.max())) + 1

    @cached_property
    def sha256(self) -> str:
        """Hash over names, shapes and contents of the four arrays, 64 hexadecimal digits."""
        total = hashlib.sha256()
        for name in ("train_images", "train_labels", "test_images", "test_labels"):
            array = getattr(self, name)
            total.update(f"{name} {array.shape}\n".encode())
            total.update(array.data)
        return total.hexdigest()


@dataclass(frozen=True, eq=False)
class Split:
    """What trains, what chooses, and what the training error is measured on; views, nothing is copied.

    Attributes:
        train_images: uint8 (n, side, side).
        train_labels: uint8 (n,).
        validation_images: uint8 (v, side, side), or None when training reaches into the validation set.
        validation_labels: uint8 (v,), or None likewise.
    """

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.uint8]
    validation_images: NDArray[np.uint8] | None
    validation_labels: NDArray[np.uint8] | None

    @property
    def probe_images(self) -> NDArray[np.uint8]:
        """The first min(5000, n) training images: the training error is measured on these."""
        return self.train_images[:PROBES]

    @property
    def probe_labels(self) -> NDArray[np.uint8]:
        """The labels of `probe_images`."""
        return self.train_labels[:PROBES]


def split(digits: Digits, train_digits: int | None = None) -> Split:
    """Divide the training images into what trains and what chooses.

    The validation set is the last 10,000 training images, for a set below 60,000 its last sixth. The order of
    the files is kept, so a set whose files are sorted by class should be shuffled before it is written.

    Arguments:
        digits: The set.
        train_digits: How many of the first training images train. None: all before the validation set. More
            than that: training reaches into the validation set, and there is none (a final network on all).

    Raises:
        InputError: `train_digits` is below 1 or more than there are.
    """
    total = len(digits.train_images)
    before = total - max(1, min(MAX_VALIDATION, total // 6))
    count = before if train_digits is None else int(train_digits)
    if not 1 <= count <= total:
        raise InputError(
            f"data.train_digits is {count:,}; allowed are 1 to {total:,}, the training images of this set."
        )
    images, labels = digits.train_images, digits.train_labels
    validation = (images[before:], labels[before:]) if count <= before else (None, None)
    return Split(images[:count], labels[:count], *validation)


@lru_cache(maxsize=1)
def load_mnist() -> Digits:
    """MNIST, from the files that come with the project; kept in memory (55 MB) after the first call.

    Returns:
        60,000 training and 10,000 test images of 28 x 28 pixels, 10 classes.

    Raises:
        InputError: A file is missing or is not the genuine one.
    """
    for name, wanted in MNIST_SHA256.items():
        path = MNIST_FOLDER / name
        try:
            with open_regular(path) as file:
                came = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
        if came != wanted:
            raise InputError(
                f"{path} is not the genuine MNIST file: its SHA-256 is {came}, allowed is {wanted}."
            )
    return load_digits(MNIST_FOLDER)


def load_digits(folder: str | Path) -> Digits:
    """Any set in MNIST's format: four IDX files, gzipped or plain, under their standard names.

    The names are `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
    `t10k-labels-idx1-ubyte`, each with or without `.gz`; a dot before `idx` is tolerated. Where a
    file is there both plain and gzipped, the plain one is read.

    Raises:
        InputError: A file is missing or damaged, or the four do not make a set.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(
            f"{folder} is not a folder; allowed is a folder that holds the four IDX files of a set."
        )
    paths = {name: path for name in _STANDARD_NAMES if (path := _find(folder, name)) is not None}
    missing = [name for name in _STANDARD_NAMES if name not in paths]
    if missing:
        raise InputError(
            f"{folder} does not hold {', '.join(missing)}; "
            "all four files of a set are needed, with or without .gz."
        )
    arrays: dict[str, Any] = {}
    for part, prefix in (("train", "train"), ("test", "t10k")):
        images_path, labels_path = paths[f"{prefix}-images-idx3-ubyte"], paths[f"{prefix}-labels-idx1-ubyte"]
        images, labels = read_idx(images_path, 3), read_idx(labels_path, 1)
        _check_part(images, labels, str(images_path), str(labels_path))
        arrays |= {f"{part}_images": images, f"{part}_labels": labels}
    return Digits(**arrays)


def _find(folder: Path, name: str) -> Path | None:
    dotted = name.replace("-idx", ".idx")
    candidates = (folder / f"{stem}{ending}" for stem in (name, dotted) for ending in ("", ".gz"))
    return next((path for path in candidates if path.is_file()), None)


def _check_part(images: NDArray[Any], labels: NDArray[Any], images_name: str, labels_name: str) -> None:
    """One part of a set, in words that name the files (or the arguments) at fault."""
    for array, name, dimensions in ((images, images_name, 3), (labels, labels_name, 1)):
        if array.dtype != np.uint8 or array.ndim != dimensions or len(array) == 0:
            raise InputError(
                f"{name} holds {array.dtype} of shape {array.shape}; "
                f"allowed is uint8 of {dimensions} dimension{'s'[: dimensions - 1]}, at least one entry."
            )
    rows, columns = images.shape[1:]
    if rows != columns:
        raise InputError(f"{images_name} holds images of {rows} x {columns} pixels; square images only.")
    if rows not in SIDES:
        raise InputError(
            f"{images_name} holds images of {rows} x {columns} pixels; "
            f"allowed are {SIDES[0]} x {SIDES[0]} to {SIDES[-1]} x {SIDES[-1]}."
        )
    if len(images) != len(labels):
        raise InputError(
            f"{images_name} holds {len(images):,} images and {labels_name} holds {len(labels):,} labels; "
            "allowed is one label for each image."
        )


def _read_only(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The array itself where nobody can write to it, a copy otherwise."""
    if array.flags.writeable or not array.flags.c_contiguous:
        array = array.copy(order="C")
        array.flags.writeable = False
    return array
