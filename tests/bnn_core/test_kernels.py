"""Every kernel gives the oracle's integers, and the oracle gives the paper's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_core.bits import pack
from bnn_core.errors import InputError
from bnn_core.kernels import KERNELS, PackedLayer, kernel, kernel_name
from bnn_core.kernels.oracle import oracle_sums

SIZES = st.sampled_from([1, 2, 31, 32, 33, 63, 64, 65, 127, 128, 129, 300])


def test_the_oracle_adds_products_of_signs_one_by_one() -> None:
    rng = np.random.default_rng(3)
    signs = rng.integers(-1, 2, (5, 70)).astype(np.int8)
    bias = rng.choice([-1, 1], 5).astype(np.int32)
    bits = rng.integers(0, 2, (4, 70), np.uint8)
    layer = PackedLayer.from_signs(signs, bias)
    for row, sums in zip(bits, oracle_sums(pack(bits), layer), strict=True):
        for i in range(5):
            a = int(bias[i])
            for j in range(70):
                a += int(signs[i, j]) * (1 if row[j] else -1)
            assert sums[i] == a


@pytest.mark.parametrize("name", KERNELS)
@given(SIZES, SIZES, st.integers(0, 9), st.sampled_from([0.0, 0.1, 0.5, 0.97, 1.0]), st.integers(0, 10**6))
def test_every_kernel_equals_the_oracle(
    name: str, inputs: int, units: int, digits: int, zeros: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    signs = np.where(rng.random((units, inputs)) < zeros, 0, rng.choice([-1, 1], (units, inputs)))
    layer = PackedLayer.from_signs(signs.astype(np.int8), rng.choice([-1, 1], units).astype(np.int32))
    words = pack(rng.integers(0, 2, (digits, inputs), np.uint8))
    sums = KERNELS[name](words, layer)
    assert sums.dtype == np.int32
    assert np.array_equal(sums, oracle_sums(words, layer))


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("inputs", [1, 64, 65, 784])
@pytest.mark.parametrize("x", [0, 1])
@pytest.mark.parametrize("w", [-1, 1])
def test_all_ones_and_all_minus_ones(name: str, inputs: int, x: int, w: int) -> None:
    layer = PackedLayer.from_signs(np.full((3, inputs), w, np.int8), np.array([1, -1, 1], np.int32))
    sums = KERNELS[name](pack(np.full((2, inputs), x, np.uint8)), layer)
    agreement = inputs * w * (1 if x else -1)
    assert sums.tolist() == [[agreement + 1, agreement - 1, agreement + 1]] * 2


def test_a_batch_longer_than_a_block_is_whole() -> None:
    rng = np.random.default_rng(1)
    layer = PackedLayer.from_signs(rng.choice([-1, 1], (256, 100)).astype(np.int8), np.ones(256, np.int32))
    words = pack(rng.integers(0, 2, (1000, 100), np.uint8))
    assert np.array_equal(KERNELS["numpy"](words, layer), oracle_sums(words, layer))


def test_signs_go_in_and_come_out() -> None:
    rng = np.random.default_rng(2)
    signs = rng.integers(-1, 2, (6, 77)).astype(np.int8)
    layer = PackedLayer.from_signs(signs, np.ones(6, np.int32))
    assert np.array_equal(layer.weight_signs(), signs)
    assert layer.active.tolist() == (signs != 0).sum(axis=1).tolist()
    dense = PackedLayer.from_signs(np.abs(signs) * 2 - 1, np.ones(6, np.int32))
    assert dense.mask is None
    assert dense.active.tolist() == [77] * 6


def test_the_kernel_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BNN_KERNEL", "oracle")
    assert kernel_name() == "oracle"
    assert kernel_name("numpy") == "numpy"
    monkeypatch.setenv("BNN_KERNEL", "abacus")
    with pytest.raises(InputError, match=r"BNN_KERNEL is 'abacus': allowed are oracle, numpy"):
        kernel()
