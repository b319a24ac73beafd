"""The packed representation: how bits lie in words.

One home for word order, padding, packing and unpacking. A row of ``n`` bits takes ``ceil(n / 64)``
words of 64 bits; bit ``i`` is bit ``i % 64`` of word ``i // 64``, counted from the least
significant (little-endian), so word 0 holds inputs 0 to 63. 1 means +1 and 0 means -1. The bits
behind the last one are padding and always 0: two padded rows never differ there, so padding adds
nothing to a count of mismatches.

    inputs      0  1  2 ... 63 | 64 65 ... n-1  0  0  0
    words       <- word 0   -> | <- word 1,  padding ->
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

WORD_BITS = 64

BitArray = NDArray[np.uint8]
"""uint8 in {0, 1}; 1 means +1, 0 means -1."""
WordArray = NDArray[np.uint64]
"""Packed bits, the last axis in words."""


def word_count(bits: int) -> int:
    """Words that a row of that many bits takes."""
    return -(-bits // WORD_BITS)


def pack(bits: BitArray) -> WordArray:
    """Pack the last axis into words.

    Args:
        bits: (..., n) uint8 or bool in {0, 1}.

    Returns:
        (..., ceil(n / 64)) uint64, padding 0.
    """
    words = word_count(bits.shape[-1])
    packed = np.zeros((*bits.shape[:-1], words * 8), np.uint8)
    octets = np.packbits(bits, axis=-1, bitorder="little")
    packed[..., : octets.shape[-1]] = octets
    # The file format and this module are little-endian on every machine.
    return packed.view("<u8").astype(np.uint64, copy=False)


def unpack(words: WordArray, bits: int) -> BitArray:
    """The inverse of :func:`pack`.

    Args:
        words: (..., ceil(bits / 64)) uint64.
        bits: how many bits a row holds.

    Returns:
        (..., bits) uint8 in {0, 1}.
    """
    octets = np.ascontiguousarray(words, dtype="<u8").view(np.uint8)
    return np.unpackbits(octets, axis=-1, count=bits, bitorder="little")


def to_signs(bits: BitArray) -> NDArray[np.int8]:
    """Bits {0, 1} as signs {-1, +1}, int8."""
    signs = bits.view(np.int8) * np.int8(2)
    signs -= 1
    return signs


def padding_is_zero(words: WordArray, bits: int) -> bool:
    """Whether every bit behind the last one is 0."""
    used = bits % WORD_BITS
    return used == 0 or not np.any(words[..., -1] >> np.uint64(used))


def count_ones(words: WordArray) -> NDArray[np.int32]:
    """How many bits of each row are 1: (...,) int32 of (..., words)."""
    counts: NDArray[np.int32] = np.bitwise_count(words).sum(axis=-1, dtype=np.int32)
    return counts
