"""Digits and networks that the core's tests share."""

import numpy as np
import pytest

from bnn_core import Digits, RunConfig, load_mnist
from bnn_core.network.bitwise import BitwiseNetwork


@pytest.fixture(scope="session")
def mnist() -> Digits:
    return load_mnist()


@pytest.fixture(scope="session")
def small(mnist: Digits) -> Digits:
    """3,000 training digits, 500 of them to validate, and 500 test digits."""
    return Digits(
        mnist.train_images[:3000], mnist.train_labels[:3000], mnist.test_images[:500], mnist.test_labels[:500]
    )


@pytest.fixture
def tiny_config() -> RunConfig:
    """Two epochs of each phase on a small network, with every kind of noise on."""
    return RunConfig().updated(
        {
            "network.hidden": [40, 33],
            "phase1.epochs": 2,
            "phase2.epochs": 2,
            "phase1.batch": 100,
            "phase2.batch": 100,
            "phase1.dropout_input": 0.1,
            "phase2.dropout_hidden": 0.1,
            "compression.gain_end": 2.0,
            "noise.sparsity": 0.3,
            "noise.input_flips": 0.02,
            "noise.hidden_flips": 0.02,
            "noise.weight_flips": 0.01,
        }
    )


@pytest.fixture(scope="session")
def quick() -> BitwiseNetwork:
    return BitwiseNetwork.load("quick")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
