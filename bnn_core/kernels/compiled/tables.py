"""How weights lie for the compiled kernels, and what the tables hold that they look up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnn_core.bits import WordArray
from bnn_core.kernels.compiled.plan import GROUP_UNITS, GROUPS_TOGETHER, tile_vectors
from bnn_core.kernels.layer import PackedLayer

_ALIGNMENT = 64

Octets = NDArray[np.uint8]


def aligned(shape: Sequence[int], dtype: type[np.generic]) -> NDArray[Any]:
    """Zeros that begin at a multiple of 64 bytes, a line of the processor's cache."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = np.zeros(size + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start : start + size].view(dtype).reshape(shape)


def words_side_by_side(rows: WordArray) -> WordArray:
    """Weights, or a mask, as popcount reads them.

    Args:
        rows: (units, words) uint64.

    Returns:
        (units / 8, words, 8) uint64: a word of eight units, then the next word of the same eight; units
        are padded with zeros.
    """
    units, words = rows.shape
    groups = popcount_groups(units)
    full = np.zeros((groups * GROUP_UNITS, words), np.uint64)
    full[:units] = rows
    out: WordArray = aligned((groups, words, GROUP_UNITS), np.uint64)
    out[:] = full.reshape(groups, GROUP_UNITS, words).transpose(0, 2, 1)
    return out


def popcount_groups(units: int) -> int:
    """Groups of eight units that hold them, whole turns of popcount's loop."""
    return -(-units // (GROUP_UNITS * GROUPS_TOGETHER)) * GROUPS_TOGETHER


def octets_side_by_side(layer: PackedLayer, octets: int, lanes: int) -> Octets:
    """Weights as the table kernel reads them.

    Args:
        layer: the layer; with a mask, a byte holds two weights and their masks, then two more.
        octets: bytes of a row of inputs that are looked up.
        lanes: bytes that the processor looks up at a time.

    Returns:
        (bytes,) uint8, tile after tile: a byte of each unit of the tile, then the next byte of the same
        units. A tile has `tile_vectors` times as many units as there are lanes; what is left over is
        in tiles of one vector each, the last one padded with zeros.
    """
    rows = layer.weight.astype("<u8", copy=False).view(np.uint8)[:, :octets]
    if layer.mask is not None:
        mask = layer.mask.astype("<u8", copy=False).view(np.uint8)[:, :octets]
        two = [rows >> shift & 3 | (mask >> shift & 3) << 2 for shift in (0, 2, 4, 6)]
        rows = np.stack([two[0] | two[1] << 4, two[2] | two[3] << 4], axis=2).reshape(layer.units, -1)
    vectors = -(-layer.units // lanes)
    full = np.zeros((vectors * lanes, rows.shape[1]), np.uint8)
    full[: layer.units] = rows
    width = full.shape[1]
    out: Octets = aligned((full.size,), np.uint8)
    many = tile_vectors(lanes)
    whole = vectors // many * many * lanes  # units in whole tiles
    for part, place, side in (
        (full[:whole], out[: whole * width], many * lanes),
        (full[whole:], out[whole * width :], lanes),
    ):
        tiles = len(part) // side
        place.reshape(tiles, width, side)[:] = part.reshape(tiles, side, width).transpose(0, 2, 1)
    return out


def _single() -> Octets:
    """Mismatches of one digit's bits with a unit's weights: [x][w] = popcount(x xor w), (16, 16)."""
    x = np.arange(16, dtype=np.uint8)
    table: Octets = aligned((16, 16), np.uint8)
    table[:] = np.bitwise_count(x[:, None] ^ x)
    return table


def _single_masked() -> Octets:
    """The same under a mask: [x][w + 4 m] = popcount((x xor w) and m), (4, 16), as the first rows of 16."""
    x, index = np.arange(4, dtype=np.uint8)[:, None], np.arange(16, dtype=np.uint8)
    table = np.zeros((16, 16), np.uint8)
    table[:4] = np.bitwise_count((x ^ index & 3) & index >> 2)
    return table


def _pairs(single: Octets) -> Octets:
    """Mismatches of two digits in one byte: [y][x][w] = single[x][w] + 16 single[y][w], (16, 16, 16)."""
    table: Octets = aligned((16, 16, 16), np.uint8)
    table[:] = single + 16 * single[:, None]
    return table


SINGLE = _single()
PAIRS = {"dense": _pairs(SINGLE), "masked": _pairs(_single_masked())}
for _table in (SINGLE, *PAIRS.values()):
    _table.setflags(write=False)
