"""Writes the code of the table kernel: mismatches are looked up, for two digits at a time.

    weights  one byte of each unit side by side, a byte of eight inputs; each byte is two indices of 4 bits
    table    16 bytes for each pair (x, y) of two digits' input bits at the same four inputs:

             T[w] = popcount(x xor w) + 16 popcount(y xor w)      w = 0 ... 15, the weights of a unit

    index    u0 u1 u2 ... u31      one instruction looks up T for 32 units (16 or 64 on other processors):
             T  T  T  ... T        two digits' mismatches at four inputs, in the two halves of a byte
             +  +  +      +        three such bytes are added before a half could run over: S

S is added up in two ways, modulo 256: as it is (A), and shifted right by 4 as pairs of bytes (B). With a
and b the two digits' mismatches, even and odd the neighbours in a pair,

    A_even = a_even + 16 b_even         A_odd = a_odd + 16 b_odd
    B_even = b_even + 16 a_odd          B_odd = b_odd

so that b_odd gives a_odd, which gives b_even, which gives a_even: four counts out of two sums, exactly as
long as each is below 256. Then they are flushed to 16 bits.

Masked layers look up four bits that are two weights and their two masks:
T[w, m] = popcount((x xor w) and m) + 16 popcount((y xor w) and m).

A single digit has a table of its own, T[w] = popcount(x xor w).
"""

from __future__ import annotations

from bnn_core.kernels.compiled import popcount_ir
from bnn_core.kernels.compiled.emit import Emit, Module, Value, constant, i64, vector
from bnn_core.kernels.compiled.layer_ir import LAYER_ARGUMENTS, LayerRow, clear_padding, layer_function
from bnn_core.kernels.compiled.machine import Machine
from bnn_core.kernels.compiled.plan import DENSE, MASKED, Lookup, tile_vectors

_TABLE = vector("i8", 16)
_FLUSH_ONE = 30
"""A byte holds the counts of 30 bytes, an even number: 30 * 8 = 240."""


class _Lanes:
    """The processor's vectors, and the instruction that looks up."""

    def __init__(self, b: Emit, machine: Machine) -> None:
        self.b = b
        self.size = machine.lookup_bytes
        self.octets = vector("i8", self.size)
        self.words = vector("i16", self.size // 2)
        names = {64: "x86.avx512.pshuf.b.512", 32: "x86.avx2.pshuf.b", 16: "x86.ssse3.pshuf.b.128"}
        name = "aarch64.neon.tbl1.v16i8" if machine.arm else names[self.size]
        self._name = b.module.declare(f"llvm.{name}", self.octets, [self.octets, self.octets])
        self.nothing = constant(self.octets, 0)

    def table(self, address: Value) -> Value:
        """A table of 16 bytes, once for every 16 lanes."""
        one = self.b.get(_TABLE, address, align=16)
        return one if self.size == 16 else self.b.order(one, one, [lane % 16 for lane in range(self.size)])

    def lookup(self, table: Value, index: Value) -> Value:
        """table[index] in every lane."""
        return self.b.call(self._name, [table, index], self.octets)

    def load(self, base: Value, offset: Value | int = 0) -> Value:
        """A vector of bytes."""
        return self.b.get(self.octets, base, offset, align=self.size)

    def as_words(self, value: Value) -> Value:
        """Pairs of bytes as 16-bit numbers; the even byte is the lower one."""
        return self.b.cast("bitcast", value, self.words)

    def right(self, value: Value, by: int) -> Value:
        """Pairs of bytes, shifted right."""
        return self.b.cast("bitcast", self.b.right(self.as_words(value), by), self.octets)

    def left(self, value: Value, by: int) -> Value:
        """Pairs of bytes, shifted left."""
        return self.b.cast("bitcast", self.b.left(self.as_words(value), by), self.octets)

    def keep(self, value: Value, mask: int) -> Value:
        """Pairs of bytes, under a mask of 16 bits."""
        return self.b.cast("bitcast", self.b.both(self.as_words(value), mask), self.octets)

    def even_odd(self, value: Value) -> tuple[Value, Value]:
        """The even bytes and the odd bytes as 16-bit numbers."""
        words = self.as_words(value)
        return self.b.both(words, 0x00FF), self.b.right(words, 8)


def write(module: Module, machine: Machine, *, masked: bool) -> dict[str, tuple[str, str]]:
    """Add the kernel's functions to the module; arguments and result as those of popcount's `write`."""
    functions = {"dense": (_single(module, machine), _several(module, machine, DENSE))}
    if masked:
        # Two lookups for four inputs do not pay for one digit; counting does.
        functions["masked"] = (popcount_ir.one(module, machine, "masked"), _several(module, machine, MASKED))
    return functions


def _single(module: Module, machine: Machine) -> str:
    """Add ``table_dense_one``; returns its name."""
    _finish_function(module, machine)
    sizes = sorted({1, tile_vectors(machine.lookup_bytes)})
    for vectors in sizes:
        _single_tile(module, machine, vectors)
    b, layer = layer_function(module, "table_dense_one")
    clear_padding(b, layer, b.arguments[1], b.arguments[3])
    _each_tile(b, layer, "table_dense_one", sizes)
    return b.end()


def _several(module: Module, machine: Machine, lookup: Lookup) -> str:
    """Add ``table_<kind>_many``; returns its name."""
    _finish_function(module, machine)
    _places_function(module, lookup)
    sizes = sorted({1, tile_vectors(machine.lookup_bytes)})
    for vectors in sizes:
        _several_tile(module, machine, lookup, vectors)
    name = f"table_{lookup.name}_many"
    b, layer = layer_function(module, name)
    row, count, source, target, work = b.arguments
    row_bytes = b.mul(layer["words"], 8)
    places, places_row = b.at(work, layer["places"]), layer["places_row"]

    def find_places(pair: Value) -> None:
        first = b.at(source, b.mul(b.mul(pair, 2), row_bytes))
        second = b.at(first, row_bytes)
        to = b.at(places, b.mul(pair, places_row))
        b.call(f"table_{lookup.name}_places", [row, first, second, to])

    b.loop(0, b.right(count, 1), 1, find_places)
    clear_padding(b, layer, count, target)
    _each_tile(b, layer, name, sizes)
    return b.end()


def _each_tile(b: Emit, layer: LayerRow, name: str, sizes: list[int]) -> None:
    """Call a tile's function for as many whole tiles as there are, and for the vectors left over."""
    vectors, start = layer["vectors"], i64(0)
    for size in reversed(sizes):

        def run_tile(first: Value, size: int = size) -> None:
            b.call(f"{name}_{size}", [*b.arguments, first])

        stop = b.both(vectors, -size)
        b.loop(start, stop, size, run_tile)
        start = stop


def _single_tile(module: Module, machine: Machine, vectors: int) -> None:
    """table_dense_one_<vectors>(layer's arguments, first vector)."""
    b = Emit(module, f"table_dense_one_{vectors}", [*LAYER_ARGUMENTS, "i64"])
    row, _count, source, target, work, first = b.arguments
    layer, lanes = LayerRow(b, row), _Lanes(b, machine)
    octets, tables = layer["octets"], layer["single"]
    weights = b.at(layer["nibbles"], b.mul(first, b.mul(octets, lanes.size)))
    counts = b.at(work, layer["counts"])
    nothing = constant(lanes.words, 0)

    def look_up(octet: Value, sums: tuple[Value, ...]) -> list[Value]:
        x = b.cast("zext", b.get("i8", source, octet), "i64")
        low = lanes.table(b.at(tables, b.left(b.both(x, 15), 4)))
        high = lanes.table(b.at(tables, b.both(x, 240)))
        base = b.at(weights, b.mul(octet, vectors * lanes.size))
        results = []
        for v, before in enumerate(sums):
            w = lanes.load(base, v * lanes.size)
            partial = b.add(before, lanes.lookup(low, b.both(w, 15)))
            results.append(b.add(partial, lanes.lookup(high, b.both(lanes.right(w, 4), 15))))
        return results

    def flush(start: Value, *totals: Value) -> list[Value]:
        stop = b.smaller(b.add(start, _FLUSH_ONE), octets)
        sums = b.loop(
            start,
            stop,
            2,
            lambda octet, *sums: look_up(b.add(octet, 1), tuple(look_up(octet, sums))),
            [lanes.nothing] * vectors,
        )
        parts = [half for total in sums for half in lanes.even_odd(total)]
        return [b.add(total, part) for total, part in zip(totals, parts, strict=True)]

    for place, total in enumerate(b.loop(0, octets, _FLUSH_ONE, flush, [nothing] * (2 * vectors))):
        b.put(total, counts, place * lanes.size, align=lanes.size)
    b.call("table_finish", [row, i64(1), counts, target, first, i64(vectors)])
    b.end()


def _places_function(module: Module, lookup: Lookup) -> None:
    """table_<kind>_places(layer, a, b, target): where the tables of two digits' pairs lie, int16 each.

    The pairs (x, y) are numbered x + 16 y, and each has a table of 16 bytes.
    """
    b = Emit(module, f"table_{lookup.name}_places", ["ptr"] * 4)
    row, first, second, target = b.arguments
    layer = LayerRow(b, row)
    narrow, wide = vector("i8", 8), vector("i16", 8)
    shifts = range(0, 8, lookup.inputs)

    def each_word(word: Value) -> None:
        place = b.mul(word, 8)
        x, y = (b.cast("zext", b.get(narrow, digit, place, align=8), wide) for digit in (first, second))
        parts = []
        for shift in shifts:
            low, high = (b.both(b.right(z, shift), (1 << lookup.inputs) - 1) for z in (x, y))
            parts.append(b.either(b.left(low, 4), b.left(high, 8)))
        joined = b.joined(parts)
        mixed = b.order(
            joined, joined, [8 * part + octet for octet in range(8) for part in range(len(parts))]
        )
        b.put(mixed, target, b.mul(place, 2 * len(parts)), align=2)

    b.loop(0, layer["words"], 1, each_word)
    # Padding lookups, fewer than a step, find 0: the first table, and there the index 0.
    end = b.at(target, b.mul(layer["octets"], 2 * len(shifts)))
    for place in range(0, lookup.step, 8):
        b.put(constant(wide, 0), end, 2 * place, align=2)
    b.end()


def _several_tile(module: Module, machine: Machine, lookup: Lookup, vectors: int) -> None:
    """table_<kind>_many_<vectors>(layer's arguments, first vector)."""
    b = Emit(module, f"table_{lookup.name}_many_{vectors}", [*LAYER_ARGUMENTS, "i64"])
    row, count, _source, target, work, first = b.arguments
    layer, lanes = LayerRow(b, row), _Lanes(b, machine)
    size, index_bytes = lanes.size, vectors * lanes.size
    rows = b.mul(layer["octets"], lookup.rows)
    weights = b.at(layer["nibbles"], b.mul(first, b.mul(rows, size)))
    lookups, tables = layer["lookups"], layer["pairs"]
    pairs = b.right(count, 1)
    indices, counts, places = work, b.at(work, layer["counts"]), b.at(work, layer["places"])
    places_row = layer["places_row"]
    pair_bytes = 4 * index_bytes  # two digits, 16 bits a unit

    b.loop(0, b.mul(pairs, pair_bytes), size, lambda at: b.put(lanes.nothing, counts, at, align=size))

    def segment(start: Value) -> None:
        stop = b.smaller(b.add(start, lookup.segment), lookups)
        first_row = b.right(start, 1)

        def split(number: Value) -> None:
            """A row of weight bytes to two rows of indices."""
            to = b.mul(b.sub(b.mul(number, 2), start), index_bytes)
            for v in range(vectors):
                w = lanes.load(weights, b.add(b.mul(number, index_bytes), v * size))
                b.put(b.both(w, 15), indices, b.add(to, v * size), align=size)
                b.put(b.both(lanes.right(w, 4), 15), indices, b.add(to, (vectors + v) * size), align=size)

        def blank(number: Value) -> None:
            for v in range(vectors):
                to = b.add(b.mul(b.sub(number, start), index_bytes), v * size)
                b.put(lanes.nothing, indices, to, align=size)

        b.loop(first_row, b.smaller(b.add(first_row, lookup.segment // 2), rows), 1, split)
        b.loop(b.larger(start, b.mul(rows, 2)), stop, 1, blank)

        def run_pair(pair: Value) -> None:
            its_places = b.at(places, b.mul(pair, places_row))
            its_counts = b.at(counts, b.mul(pair, pair_bytes))
            _look_up_pair(b, lanes, lookup, vectors, indices, tables, its_places, its_counts, start, stop)

        b.loop(0, pairs, 1, run_pair)

    b.loop(0, lookups, lookup.segment, segment)
    b.call("table_finish", [row, count, counts, target, first, i64(vectors)])
    b.end()


def _look_up_pair(
    b: Emit,
    lanes: _Lanes,
    lookup: Lookup,
    vectors: int,
    indices: Value,
    tables: Value,
    places: Value,
    counts: Value,
    start: Value,
    stop: Value,
) -> None:
    """Add a segment's mismatches with two digits to their counts."""
    size = lanes.size

    def flush(begin: Value) -> None:
        end = b.smaller(b.add(begin, lookup.period), stop)

        def step(place: Value, *sums: Value) -> list[Value]:
            base = b.at(indices, b.mul(b.sub(place, start), vectors * size))
            here = b.at(places, b.mul(place, 2))
            results = list(sums)
            for group in range(0, lookup.step, lookup.group):
                partial: list[Value] = []
                for number in range(group, group + lookup.group):
                    offset = b.cast("zext", b.get("i16", here, 2 * number, align=2), "i64")
                    table = lanes.table(b.at(tables, offset))
                    index = [lanes.load(base, (number * vectors + v) * size) for v in range(vectors)]
                    found = [lanes.lookup(table, i) for i in index]
                    partial = [b.add(p, f) for p, f in zip(partial, found, strict=True)] if partial else found
                for v, both in enumerate(partial):
                    results[2 * v] = b.add(results[2 * v], both)
                    results[2 * v + 1] = b.add(results[2 * v + 1], lanes.right(both, 4))
            return results

        sums = b.loop(begin, end, lookup.step, step, [lanes.nothing] * (2 * vectors))
        for v in range(vectors):
            plain, shifted = sums[2 * v], sums[2 * v + 1]
            # The docstring's four steps, two of them at a time: a of both bytes, then b of both.
            a = b.sub(plain, lanes.left(lanes.keep(shifted, 0xFF0F), 4))
            other = b.sub(shifted, lanes.keep(lanes.right(a, 4), 0x00F0))
            for digit, octets in enumerate((a, other)):
                for half, found in enumerate(lanes.even_odd(octets)):
                    place = 2 * size * (digit * vectors + v) + size * half
                    b.put(
                        b.add(b.get(lanes.words, counts, place, align=size), found), counts, place, align=size
                    )

    b.loop(start, stop, lookup.period, flush)


def _finish_function(module: Module, machine: Machine) -> None:
    """table_finish(layer, digits, counts, target, first vector, vectors): counts to bits, or to sums.

    Counts are 16 bits a unit: for each digit and vector its even units, then its odd ones.
    """
    b = Emit(module, "table_finish", ["ptr", "i64", "ptr", "ptr", "i64", "i64"])
    row, digits, counts, target, first, vectors = b.arguments
    layer, lanes = LayerRow(b, row), _Lanes(b, machine)
    size = lanes.size
    sums = vector("i32", size)
    output_bytes, limits, constants = layer["row"], layer["limit16"], layer["constant"]
    cost = b.splat(b.cast("trunc", layer["cost"], "i32"), size)
    last = b.test("ne", layer["last"], 0)

    def finish_digit(digit: Value) -> None:
        output = b.at(target, b.mul(digit, output_bytes))

        def finish_vector(number: Value) -> None:
            from_counts = b.at(counts, b.mul(b.add(b.mul(digit, vectors), number), 2 * size))
            even, odd = (b.get(lanes.words, from_counts, half * size, align=size) for half in range(2))
            place = b.add(first, number)

            def write_sums() -> None:
                mixed = b.order(even, odd, [lane // 2 + lane % 2 * (size // 2) for lane in range(size)])
                to = b.mul(place, 4 * size)
                lost = b.mul(b.cast("zext", mixed, sums), cost)
                b.put(b.sub(b.get(sums, constants, to, align=16), lost), output, to, align=4)

            def write_bits() -> None:
                base = b.at(limits, b.mul(place, 2 * size))
                halves = []
                for half, (found, mask) in enumerate(((even, 0x00FF), (odd, 0xFF00))):
                    most = b.get(lanes.words, base, half * size, align=size)
                    halves.append(b.both(b.cast("sext", b.test("sgt", most, found), lanes.words), mask))
                ones = b.cast("bitcast", b.either(*halves), lanes.octets)
                bits = b.cast("bitcast", b.test("slt", ones, 0), f"i{size}")
                b.put(bits, output, b.mul(place, size // 8))

            b.branch(last, write_sums, write_bits)

        b.loop(0, vectors, 1, finish_vector)

    b.loop(0, digits, 1, finish_digit)
    b.end()
