"""Constant units: the strict network decides as the threshold network it was made from."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bnn_core import BitwiseNetwork, Digits, InputError, RunConfig, train
from bnn_core.datasets.features import FEATURES
from bnn_core.kernels import PackedLayer
from bnn_core.network.construct import (
    _within_reach,
    constant_margin,
    input_constants,
    layer_means,
    quiet_inputs,
    reach,
    strict_network,
    without_inputs,
)
from bnn_core.training.events import RunEnded

SIDE = 12


def digit_like(rng: np.random.Generator, count: int) -> NDArray[np.uint8]:
    """Pictures with a dark margin, mostly background, some pixels always ink."""
    images = np.zeros((count, SIDE, SIDE), np.uint8)
    images[:, 3:9, 3:9] = rng.integers(0, 256, (count, 6, 6)) * (rng.random((count, 6, 6)) < 0.4)
    images[:, 5, 4:8] = 255
    return images


def threshold_network(
    rng: np.random.Generator, features: str, hidden: list[int], *, far: int, zeros: float = 0.0
) -> BitwiseNetwork:
    """Random weights; integers of up to `far` either way."""
    sizes = [FEATURES[features].planes * SIDE**2, *hidden, 5]
    layers = []
    for place, (inputs, units) in enumerate(itertools.pairwise(sizes)):
        signs = rng.choice(np.array([-1, 1], np.int8), (units, inputs))
        signs[rng.random(signs.shape) < zeros] = 0
        integers = rng.integers(-far, far + 1, units).astype(np.int32)
        layers.append(PackedLayer.from_signs(signs, integers, zero_one=place == 0 and features == "zero-one"))
    return BitwiseNetwork(tuple(layers), features, 128, "threshold")


def constant_digits(strict: BitwiseNetwork, images: NDArray[np.uint8], constants: int) -> NDArray[np.bool_]:
    """On which digits every added unit is on."""
    on = [codes[:, codes.shape[1] - constants :].all(axis=1) for codes in strict.codes(images)]
    result: NDArray[np.bool_] = np.logical_and.reduce(on)
    return result


@given(
    st.sampled_from(["bipolar", "two-bit"]),
    st.lists(st.integers(9, 70), min_size=1, max_size=3),
    st.integers(1, 20),
    st.sampled_from([0.0, 0.4]),
    st.integers(0, 10**6),
)
def test_every_free_bit_is_the_threshold_network_s(
    features: str, hidden: list[int], constants: int, zeros: float, seed: int
) -> None:
    """On digits on which the constant units are on; and they are on nearly all of them."""
    rng = np.random.default_rng(seed)
    images = digit_like(rng, 300)
    network = threshold_network(rng, features, hidden, far=constants, zeros=zeros)
    quiet = quiet_inputs(network.input_bits(images))
    first = network.layers[0]
    # The first layer's integers: within reach once what the quiet inputs add is in them.
    taken = first.weight_signs()[:, quiet].sum(axis=1, dtype=np.int32)
    layers = (PackedLayer(first.inputs, first.weight, first.mask, first.bias + taken), *network.layers[1:])
    network = BitwiseNetwork(layers, features, 128, "threshold")
    strict = strict_network(network, constants, quiet, layer_means(network, images))
    assert strict.variant == "strict"
    assert all(np.isin(layer.bias, (-1, 1)).all() for layer in strict.layers)
    assert strict.sizes[1:-1] == tuple(units + constants for units in hidden)
    on = constant_digits(strict, images, constants)
    for ours, theirs, units in zip(strict.codes(images), network.codes(images), hidden, strict=True):
        assert np.array_equal(ours[on, :units], theirs[on])
    # Sums of classes: up to the one that their parity takes.
    off_by = strict.scores(images[on]) - network.scores(images[on])
    assert np.abs(off_by).max(initial=0) <= 1
    assert np.all(off_by == off_by[:1])


def test_a_first_layer_of_constants_is_on_for_every_digit(rng: np.random.Generator) -> None:
    images = digit_like(rng, 400)
    network = threshold_network(rng, "bipolar", [50, 40], far=8)
    quiet = quiet_inputs(network.input_bits(images))
    strict = strict_network(network, 8, quiet, layer_means(network, images))
    sums = [trace.sums[-8:].min() for trace in strict.trace(images[0])[:-1]]
    assert constant_margin(strict, 8, images[:1]) == min(sums)
    assert constant_margin(strict, 8, images) <= min(sums)
    assert sums[0] > 50


@given(st.integers(0, 40), st.integers(0, 12), st.integers(0, 10**6))
def test_the_integers_that_are_taken_decide_alike(inputs: int, constants: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    far = reach(constants)
    integers = rng.integers(-far, far + 1, 30)
    parity = np.full(30, inputs)
    taken = _within_reach(integers, constants, parity)
    assert np.all(np.abs(taken) <= far)
    assert np.all((taken - constants) % 2 == 1)  # a bias of one bit and so many more
    sums = np.arange(-inputs, inputs + 1, 2)[:, None]
    inside = np.abs(integers) < far
    assert np.array_equal((sums + integers >= 0)[:, inside], (sums + taken >= 0)[:, inside])


def test_beyond_reach_the_nearest_is_taken() -> None:
    assert _within_reach(np.array([-100, 100]), 6, np.array([0, 0])).tolist() == [-7, 7]


def test_zero_one_inputs_carry_nothing(rng: np.random.Generator) -> None:
    images = digit_like(rng, 200)
    network = threshold_network(rng, "zero-one", [30, 20], far=1)
    quiet = quiet_inputs(network.input_bits(images))
    assert input_constants("zero-one", quiet) == 0
    assert input_constants("bipolar", quiet) == quiet.sum() > 80
    assert without_inputs(network, quiet) is network
    strict = strict_network(network, 6, quiet, layer_means(network, images))
    assert np.array_equal(strict.layers[0].weight_signs()[:30], network.layers[0].weight_signs())
    assert (constant_digits(strict, images, 6)).all()


def test_what_takes_no_part_is_taken_out(rng: np.random.Generator) -> None:
    images = digit_like(rng, 100)
    network = threshold_network(rng, "bipolar", [40], far=20)
    quiet = quiet_inputs(network.input_bits(images))
    first = network.layers[0]
    signs = first.weight_signs().astype(np.int64)
    signs[:, quiet] = 0
    expected = (2 * network.input_bits(images).astype(np.int64) - 1) @ signs.T + first.bias >= 0
    assert np.array_equal(without_inputs(network, quiet).codes(images)[0], expected)


def constructed(features: str, **changes: Any) -> RunConfig:
    return RunConfig().updated(
        {
            "data.features": features,
            "data.train_digits": 2000,
            "network.hidden": [64, 48],
            "network.constant_units": 12,
            "phase1.epochs": 1,
            "phase2.epochs": 2,
            **changes,
        }
    )


@pytest.mark.parametrize("features", FEATURES)
@pytest.mark.parametrize("sparsity", [0.0, 0.4])
def test_training_gives_a_strict_network_of_the_size_that_was_asked_for(
    mnist: Digits, features: str, sparsity: float
) -> None:
    config = constructed(features, **{"noise.sparsity": sparsity, "phase2.nudge": 0.05})
    events = list(train(config, mnist, threads=1))
    networks = [event.network for event in events if event.name == "snapshot"]
    end = events[-1]
    assert isinstance(end, RunEnded)
    assert end.network is not None
    for network in (*networks, end.network):
        assert network.variant == "strict"
        assert network.sizes[1:] == (64, 48, 10)
        assert all(np.isin(layer.bias, (-1, 1)).all() for layer in network.layers)
        assert network.sparse == (sparsity > 0)
    assert end.test_error is not None
    assert end.test_error < 60
    train_images = mnist.train_images[:2000]
    # So small and little trained, its constant units are not on for every digit yet.
    assert constant_digits(end.network, train_images, 12).mean() > 0.7


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"network.variant": "threshold", "network.constant_units": 8}, "integers of their own"),
        ({"network.hidden": [64, 20], "network.constant_units": 11}, "smallest hidden layer, which has 20"),
    ],
)
def test_what_makes_no_sense_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=rf"network\.constant_units is \d+.*{says}"):
        RunConfig().updated(changes)
