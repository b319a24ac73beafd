"""Class codes and the order of units."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bnn_core import BitwiseNetwork, Digits
from bnn_core.measures.codes import class_codes
from bnn_core.measures.order import band_edges, order_by_digit


def test_class_codes_are_means_of_bits(mnist: Digits, quick: BitwiseNetwork) -> None:
    images, labels = mnist.train_images[:400], mnist.train_labels[:400]
    codes = class_codes(quick, images, labels)
    bits = quick.codes(images)
    assert [c.shape for c in codes] == [(10, 256), (10, 256)]
    for layer in (0, 1):
        for digit in (0, 7):
            assert np.allclose(codes[layer][digit], bits[layer][labels == digit].mean(axis=0))


@given(st.integers(2, 12), st.integers(1, 200), st.integers(0, 10**6))
def test_the_order_is_a_permutation_with_equal_bands(classes: int, units: int, seed: int) -> None:
    codes = np.random.default_rng(seed).random((classes, units))
    assert sorted(order_by_digit(codes)) == list(range(units))
    sizes = np.diff(band_edges(classes, units))
    assert sizes.sum() == units
    assert sizes.max() - sizes.min() <= 1


def test_a_unit_stands_in_the_band_of_its_digit() -> None:
    codes = np.full((4, 8), 0.1)
    owners = [3, 1, 0, 2, 2, 0, 1, 3]
    codes[owners, range(8)] = [0.9, 0.8, 0.7, 0.9, 0.6, 0.95, 0.5, 0.4]
    assert order_by_digit(codes).tolist() == [5, 2, 1, 6, 3, 4, 0, 7]


def test_the_own_band_lights_up(mnist: Digits, quick: BitwiseNetwork) -> None:
    """In the last hidden layer most of a digit's own band is on, and less than half of the others."""
    codes = class_codes(quick, mnist.train_images[:10_000], mnist.train_labels[:10_000])[-1]
    order = order_by_digit(codes)
    edges = band_edges(10, 256)
    own = np.mean([codes[d, order[edges[d] : edges[d + 1]]].mean() for d in range(10)])
    assert own > 0.8
    assert codes.mean() < 0.6
