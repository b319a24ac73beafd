"""Grey levels to bits."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bnn_core.datasets.digits import load_mnist
from bnn_core.datasets.features import FEATURES, input_bits, input_count, input_values
from bnn_core.errors import InputError
from bnn_core.kernels import KERNELS

ROOT = Path(__file__).parents[3]


@given(
    images=hnp.arrays(np.uint8, st.tuples(st.integers(0, 3), st.integers(1, 9), st.integers(1, 9))),
    threshold=st.integers(1, 255),
)
def test_bipolar_against_plain_python(images, threshold):
    bits = input_bits(images, "bipolar", threshold)
    expected = [[int(pixel >= threshold) for row in image for pixel in row] for image in images.tolist()]
    assert bits.dtype == np.uint8
    assert bits.shape == (len(images), images.shape[1] * images.shape[2])
    assert bits.tolist() == expected


def test_two_bit_is_the_grey_level_s_top_two_bits_plane_by_plane():
    images = np.array([[[0, 63], [64, 127]], [[128, 191], [192, 255]]], np.uint8)
    assert input_bits(images, "two-bit").tolist() == [[0, 0, 0, 0, 0, 0, 1, 1], [1, 1, 1, 1, 0, 0, 1, 1]]
    # The four levels, in order, from -3 to +3.
    high, low = input_values(input_bits(images, "two-bit"), "two-bit").reshape(2, 2, 4).transpose(1, 0, 2)
    assert (2 * high + low).flatten().tolist() == [-3, -3, -1, -1, 1, 1, 3, 3]


def test_zero_one_has_the_bits_of_bipolar_and_other_values():
    images = load_mnist().test_images[:20]
    bits = input_bits(images, "zero-one", 77)
    assert np.array_equal(bits, input_bits(images, "bipolar", 77))
    assert np.array_equal(input_values(bits, "zero-one"), bits)
    bipolar = input_values(bits, "bipolar")
    assert bipolar.dtype == np.int8
    assert np.array_equal(bipolar, np.where(bits, 1, -1))


def test_the_threshold_is_128_unless_said():
    images = np.array([[[127, 128], [0, 255]]], np.uint8)
    assert input_bits(images).tolist() == [[0, 1, 0, 1]]
    assert input_bits(images, threshold=127).tolist() == [[1, 1, 0, 1]]


def test_the_callers_images_stay_as_they_are():
    images = np.array([[[0, 200]]], np.uint8)
    input_bits(images)[:] = 9
    assert images.tolist() == [[[0, 200]]]


def test_mnist_is_mostly_background():
    images = load_mnist().test_images[:100]
    bits = input_bits(images)
    assert bits.shape == (100, 784)
    assert bits.sum() == (images > 127).sum() > 0


@pytest.mark.parametrize("name", FEATURES)
@pytest.mark.parametrize("side", [4, 28, 33])
def test_input_count_is_what_comes(name, side):
    bits = input_bits(np.zeros((2, side, side), np.uint8), name)
    assert bits.shape == (2, input_count(name, side))
    assert input_count("bipolar", 28) == 784


@pytest.mark.parametrize("name", ["tripolar", "", None, ["bipolar"]])
def test_unknown_features_are_refused(name):
    with pytest.raises(InputError, match=r"data\.features is .*; allowed: bipolar"):
        input_bits(np.zeros((1, 4, 4), np.uint8), name)
    with pytest.raises(InputError, match="allowed: bipolar"):
        input_count(name, 28)


@pytest.mark.parametrize("threshold", [-1, 0, 256])
def test_impossible_thresholds_are_refused(threshold):
    with pytest.raises(InputError, match=rf"data\.input_threshold is {threshold}; allowed are"):
        input_bits(np.zeros((1, 4, 4), np.uint8), threshold=threshold)


@pytest.mark.parametrize(
    "images", [np.zeros((4, 4), np.uint8), np.zeros((1, 4, 4)), np.zeros((1, 16), np.uint8)]
)
def test_other_arrays_are_refused(images):
    with pytest.raises(InputError, match="allowed is uint8 of shape"):
        input_bits(images)


A_FURTHER_KIND = """
import json, sys
from pathlib import Path
from bnn_core.datasets.features import FEATURES, Feature

FEATURES["inverted"] = Feature(
    name="inverted",
    title="inverted, −1 for ink",
    note="pixel < {threshold}",
    help="inverted is +1 for paper",
    equation="-sign(pixel - threshold)",
    planes=1,
    low=-1,
    bits=lambda pixels, threshold: (pixels < threshold).view("u1"),
)  # before anything else is imported: the schema is made of the table once

import numpy as np
from bnn_core import BitwiseNetwork, Digits, InputError, RunConfig, load_mnist
from bnn_core.config import field_spec
from bnn_core.kernels import KERNELS
from bnn_core.runs.writer import record_run
from explorer.screens.train import words as train_words
from explorer.screens.watch.words import features_note
from explorer.shared import words

mnist, folder = load_mnist(), Path(sys.argv[1]) / "run"
images, labels = mnist.test_images[:600], mnist.test_labels[:600]
changes = {"data.features": "inverted", "data.input_threshold": "100", "network.hidden": "16"}
config = RunConfig().updated({**changes, "phase1.epochs": 1, "phase2.epochs": 1})
*_, last = record_run(config, Digits(images, labels, images[:50], labels[:50]), folder)
network = BitwiseNetwork.load(folder)
by = {name: network.scores(images, kernel_name=name) for name in KERNELS}
try:
    RunConfig().updated({"data.features": "tripolar"})
except InputError as error:
    refused = str(error)
print(json.dumps({
    "status": last.status,
    "features": network.features,
    "bits": network.input_bits(images[0]).tolist() == [(images[0].ravel() < 100).astype(int).tolist()],
    "same": [np.array_equal(by["oracle"], scores) for scores in by.values()],
    "spec": [field_spec("data.features").choices, field_spec("data.features").help],
    "refused": refused,
    "told": [features_note("inverted", 100), words.network_name((784, 16, 10), "strict", "inverted"),
             train_words.choice("inverted")],
}))
"""


def test_a_further_kind_is_one_entry(tmp_path):
    """Added to the table by a program of its own: it trains, packs, runs by every kernel, and is told of."""
    done = subprocess.run(
        [sys.executable, "-c", A_FURTHER_KIND, str(tmp_path)],
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["status"] == "finished"
    assert found["features"] == "inverted"
    assert found["bits"]
    assert found["same"] == [True] * len(KERNELS)
    choices, text = found["spec"]
    assert choices == ["bipolar", "zero-one", "two-bit", "inverted"]
    assert text.endswith("two-bit takes the grey level's top two bits; inverted is +1 for paper.")
    assert found["refused"] == (
        'data.features is "tripolar": allowed is bipolar or zero-one or two-bit or inverted.'
    )
    assert found["told"] == ["pixel < 100", "1 × 16, strict, inverted", "inverted, −1 for ink"]


@pytest.mark.parametrize("feature", FEATURES.values(), ids=lambda feature: feature.name)
def test_cuts_are_the_bits(feature):
    """What machine code is told to compare gives the bits that NumPy makes."""
    pixels = np.arange(256, dtype=np.uint8)[None]
    for threshold in (1, 64, 128, 200, 255):
        cuts = feature.cuts(threshold)
        assert len(cuts) == feature.planes
        bits = [(pixels[0] & mask) >= level for mask, level in cuts]
        assert np.array_equal(feature.bits(pixels, threshold)[0], np.concatenate(bits))
