"""Packing: order, padding, and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_core.bits import pack, padding_is_zero, to_signs, unpack, word_count

EDGES = [1, 31, 32, 33, 63, 64, 65, 127, 128, 129, 784, 1000, 1024]


@given(st.integers(1, 300), st.integers(0, 5), st.integers(0, 2**32 - 1))
def test_unpack_inverts_pack(bits: int, rows: int, seed: int) -> None:
    values = np.random.default_rng(seed).integers(0, 2, (rows, bits), np.uint8)
    words = pack(values)
    assert words.dtype == np.uint64
    assert words.shape == (rows, word_count(bits))
    assert np.array_equal(unpack(words, bits), values)
    assert padding_is_zero(words, bits)


@pytest.mark.parametrize("bits", EDGES)
def test_all_ones_leave_the_padding_zero(bits: int) -> None:
    words = pack(np.ones((1, bits), np.uint8))
    assert padding_is_zero(words, bits)
    assert int(np.bitwise_count(words).sum()) == bits


def test_bit_i_is_bit_i_mod_64_of_word_i_div_64() -> None:
    for i in (0, 1, 7, 8, 63, 64, 70, 127):
        bits = np.zeros(128, np.uint8)
        bits[i] = 1
        words = [int(w) for w in pack(bits)]
        assert words[i // 64] == 1 << (i % 64)
        assert words[1 - i // 64] == 0


def test_a_set_padding_bit_is_seen() -> None:
    assert not padding_is_zero(np.array([[1 << 33]], np.uint64), 33)
    assert padding_is_zero(np.array([[1 << 32]], np.uint64), 33)
    assert padding_is_zero(np.array([[2**64 - 1]], np.uint64), 64)


def test_signs_are_minus_one_and_plus_one() -> None:
    assert to_signs(np.array([0, 1], np.uint8)).tolist() == [-1, 1]
