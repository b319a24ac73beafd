"""The table kernel: mismatches are looked up instead of counted.

:mod:`bnn_core.kernels.compiled.table_ir` writes its code, and tells what the tables hold and how the
halves of a byte are added up.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnn_core.kernels.compiled import popcount
from bnn_core.kernels.compiled.code import Code, Layout, aligned
from bnn_core.kernels.compiled.engine import layer_sums
from bnn_core.kernels.compiled.machine import Machine
from bnn_core.kernels.compiled.plan import CHUNK, DENSE, MASKED, MOST_INPUTS, TILE_BYTES, tile_vectors
from bnn_core.kernels.kernel import Kernel
from bnn_core.kernels.layer import PackedLayer

Octets = NDArray[np.uint8]


def _lay_out(layer: PackedLayer, limit: NDArray[np.int64], machine: Machine) -> Layout:
    """What the functions that look up read of a layer; those that count run a masked one's single digit."""
    lanes = machine.lookup_bytes
    lookup = DENSE if layer.mask is None else MASKED
    octets = -(-layer.inputs // 16) * 2  # even: the loop for one digit takes two at a time
    # Even units, then odd ones, of each vector: pairs of bytes are compared as 16-bit numbers.
    limit16: NDArray[np.int16] = aligned(limit.shape, np.int16)
    above = (np.clip(limit, -1, layer.inputs) + 1).reshape(-1, lanes // 2, 2)
    limit16.reshape(-1, 2, lanes // 2)[:] = above.transpose(0, 2, 1)
    # Work memory: indices of a segment, counts of a tile for each digit, places of each pair of digits.
    counts = lookup.segment * TILE_BYTES
    places = counts + 2 * TILE_BYTES * CHUNK
    places_row = lookup.places_row(octets)
    fields: dict[str, int | NDArray[Any]] = {
        "octets": octets,
        "vectors": -(-layer.units // lanes),
        "lookups": lookup.lookups(octets),
        "nibbles": _side_by_side(layer, octets, lanes),
        "single": _SINGLE,
        "pairs": _PAIRS[lookup.name],
        "limit16": limit16,
        "counts": counts,
        "places": places,
        "places_row": places_row,
    }
    if layer.mask is not None:
        fields |= popcount.lay_out(layer, limit, machine).fields
    return Layout(fields, places, places_row // 2)


def _side_by_side(layer: PackedLayer, octets: int, lanes: int) -> Octets:
    """Weights as the kernel reads them.

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


_SINGLE = _single()
_PAIRS = {"dense": _pairs(_SINGLE), "masked": _pairs(_single_masked())}
for _table in (_SINGLE, *_PAIRS.values()):
    _table.setflags(write=False)

_CODE = Code(
    "table",
    "table_ir",
    _lay_out,
    runs_on=lambda machine: machine.lookup_bytes > 0,
    most_inputs=MOST_INPUTS,
    instead=popcount.CODE,
)
TABLE = Kernel(
    "table",
    "Machine code, table of nibbles",
    partial(layer_sums, _CODE),
    note="What the table of nibbles holds: for any four input bits and any four weights, how many of them"
    " differ, 0 to 4. One instruction looks that up for 16 to 64 units: the same count, without counting.",
    code=_CODE,
    # Looking up pays where no instruction counts the bits of a whole vector.
    suits=lambda machine: machine.x86 and machine.lookup_bytes > 0 and not machine.counts_words,
)
