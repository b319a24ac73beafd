"""What the compiled code reads: a network as a table of 64-bit integers.

The compiled code knows no network. It reads one from a *plan*: a row of integers for the network and one
for each layer, sizes and addresses, filled in by :mod:`bnn_core.kernels.compiled.prepared`. Both sides
take the place of a field, and every size that they must agree on, from here.
"""

from __future__ import annotations

from dataclasses import dataclass

PLAN_FIELDS = (
    "layers",  # how many
    "rows",  # address of their rows
    "chunk",  # digits run at a time
    "planes",  # bit planes to make of the pixels; 0 when the source is packed words
    "pixels",  # pixels of a picture
    "mask0",  # first plane: the bits of a pixel to look at,
    "level0",  # and the value from which on the input bit is 1
    "mask1",  # the same for the second plane
    "level1",
    "classes",
    "input",  # offsets in the scratch memory: packed inputs,
    "even",  # outputs of layers 0, 2, 4 ...,
    "odd",  # outputs of layers 1, 3, 5 ...,
    "sums",  # sums of the last layer, in padded rows,
    "work",  # whatever a layer's function needs
)
"""The row of the network."""

LAYER_FIELDS = (
    "kind",  # which functions run it: its place in KINDS
    "words",  # 64-bit words in a row of inputs
    "row",  # bytes in a row of outputs
    "last",  # 1 if the outputs are sums, 0 if they are bits
    "constant",  # address of int32 a unit: the sum without a mismatch
    "cost",  # what a mismatch takes from the sum
    # for popcount
    "groups",  # groups of GROUP_UNITS units
    "weight",  # address of the weights, words side by side
    "mask",  # address of the mask, likewise
    "limit",  # address of int64 a unit: the most mismatches with which its bit is 1
    # for table lookup
    "octets",  # bytes of a row of inputs that are looked up
    "vectors",  # vectors of units
    "lookups",  # of one unit, whole steps
    "nibbles",  # address of the weights, bytes side by side
    "single",  # address of the tables for one digit
    "pairs",  # address of the tables for two digits
    "limit16",  # address of int16 a unit: limit + 1
    "counts",  # offset in the work memory: mismatches of a tile,
    "places",  # places in the tables of pairs for each pair of digits,
    "places_row",  # and bytes of these for one pair
)
"""The row of one layer."""

ADDRESSES = frozenset({"constant", "weight", "mask", "limit", "nibbles", "single", "pairs", "limit16"})
"""Those of a layer's fields that are addresses."""

KINDS = ("dense", "masked")
"""Of layers. Each kernel has two functions for a kind: (row of the layer, digits, inputs, outputs, work
memory) -> nothing. One takes a single digit, the other a multiple of TOGETHER."""

CHUNK = 256
"""Digits run at a time, at most: more would not pay, and should stay in the processor's second cache."""
TOGETHER = 4
"""Digits that share a load of the weights; those left over go one by one."""

# --- popcount ---

GROUP_UNITS = 8
"""Units that lie side by side in popcount's weights: one word of each, 64 bytes."""
GROUPS_TOGETHER = 2
"""Groups that a single digit goes through at once: their number is padded to a multiple."""

# --- table lookup ---


@dataclass(frozen=True)
class Lookup:
    """How a layer's mismatches are looked up.

    Attributes:
        name: of the kind of layer.
        inputs: of one lookup: an index of 4 bits holds 4 weights, or 2 weights and their masks.
        group: lookups whose counts fit into 4 bits, so that two digits share a byte.
        flush: groups whose counts fit into a byte.
        flushes: of these that a tile keeps ready in the first cache.
    """

    name: str
    inputs: int
    group: int
    flush: int
    flushes: int

    @property
    def rows(self) -> int:
        """Bytes of weights of one unit for a byte of inputs: two lookups each."""
        return 4 // self.inputs

    @property
    def period(self) -> int:
        """Lookups between two flushes."""
        return self.group * self.flush

    @property
    def segment(self) -> int:
        """Lookups that a tile keeps ready."""
        return self.period * self.flushes

    @property
    def step(self) -> int:
        """Lookups in a turn of the innermost loop."""
        return 2 * self.group

    def lookups(self, octets: int) -> int:
        """Lookups of one unit, padded to whole steps."""
        return -(-octets * 2 * self.rows // self.step) * self.step

    def places_row(self, octets: int) -> int:
        """Bytes that the places of one pair of digits take; some are written beyond the last."""
        return 2 * (self.lookups(octets) + PLACES_BEYOND)


DENSE = Lookup("dense", inputs=4, group=3, flush=20, flushes=2)
"""3 lookups count at most 12 < 16; 20 * 12 = 240 < 256."""
MASKED = Lookup("masked", inputs=2, group=7, flush=18, flushes=1)
"""7 lookups count at most 14 < 16; 18 * 14 = 252 < 256."""

PLACES_BEYOND = 32
"""Places behind the last lookup: for what is left of the last word (28 at most), or for padding lookups."""
TILE_BYTES = 128
"""Units that lie side by side in the weights for lookup, as far as there are so many: one byte of each."""
MOST_INPUTS = (1 << 15) - 2
"""Counts of mismatches, and limits, must fit into 16 bits."""


def tile_vectors(lookup_bytes: int) -> int:
    """Vectors of units in a tile: two bytes of sums and one of counts each must fit into registers."""
    return min(4, TILE_BYTES // lookup_bytes)
