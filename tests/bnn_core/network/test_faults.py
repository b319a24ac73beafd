"""Broken bits: exactly those that were asked for, and never a weight that is not there."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_core import BitwiseNetwork, Digits
from bnn_core.kernels import PackedLayer
from bnn_core.network.faults import error_under_faults, flipped_inputs, with_flipped_weights


def layer(rng: np.random.Generator, inputs: int, units: int, zeros: float) -> PackedLayer:
    signs = np.where(rng.random((units, inputs)) < zeros, 0, rng.choice([-1, 1], (units, inputs)))
    return PackedLayer.from_signs(signs.astype(np.int8), np.ones(units, np.int32))


@given(st.integers(1, 130), st.integers(1, 20), st.sampled_from([0.0, 0.5]), st.integers(0, 10**6))
def test_at_rate_one_every_weight_that_is_there_is_turned_round(
    inputs: int, units: int, zeros: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    network = BitwiseNetwork((layer(rng, inputs, units, zeros),))
    before = network.layers[0].weight_signs()
    after = with_flipped_weights(network, 1.0, rng).layers[0]
    assert np.array_equal(after.weight_signs(), -before)
    assert np.array_equal(with_flipped_weights(network, 0.0, rng).layers[0].weight_signs(), before)
    # Padding stays 0: the kernels count on it.
    assert np.array_equal(after.weight, PackedLayer.from_signs(-before, after.bias).weight)


def test_the_rate_is_the_share_of_turned_bits(rng: np.random.Generator) -> None:
    network = BitwiseNetwork((layer(rng, 1000, 300, 0.3),))
    before = network.layers[0].weight_signs()
    after = with_flipped_weights(network, 0.1, rng).layers[0].weight_signs()
    assert np.mean(after[before != 0] != before[before != 0]) == pytest.approx(0.1, abs=0.003)
    assert np.all(after[before == 0] == 0)
    bits = rng.integers(0, 2, (300, 1000), np.uint8)
    turned = flipped_inputs(bits, 0.2, rng)
    assert np.mean(turned != bits) == pytest.approx(0.2, abs=0.004)
    assert set(np.unique(turned)) <= {0, 1}


def test_without_faults_it_is_the_network_s_error_and_with_many_it_guesses(mnist: Digits) -> None:
    network = BitwiseNetwork.load("quick")
    images, labels = mnist.test_images[:2000], mnist.test_labels[:2000]
    clean = 100 * float(np.mean(network.predict(images) != labels))
    assert error_under_faults(network, images, labels) == pytest.approx(clean)
    some = error_under_faults(network, images, labels, weights=0.1)
    many = error_under_faults(network, images, labels, weights=0.5)
    assert clean < some < many
    assert many > 75
    assert error_under_faults(network, images, labels, inputs=0.1) > clean
    # The same seed draws the same faults.
    assert error_under_faults(network, images, labels, weights=0.1) == some
    assert error_under_faults(network, images, labels, weights=0.1, seed=1) != some
