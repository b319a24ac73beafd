"""Writes the code of the popcount kernel: literally XOR, mask and population count.

    weights  (units / 8, words, 8) uint64: eight units side by side make a row of 64 bytes

    word 0    u0 u1 u2 u3 u4 u5 u6 u7     xor with word 0 of the input, the same for all eight; and with
    word 1    u0 u1 u2 u3 u4 u5 u6 u7     the mask, if there is one; count the bits; add them up:
     ...                                  eight units' mismatches, and never a sum across a vector

The code is generic vector code, and LLVM makes of the population count whatever the processor has: a
lookup in 16 bytes with AVX2, an instruction of its own with AVX-512, ``cnt`` on Arm.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bnn_core.kernels.compiled.emit import Emit, Module, Value, constant, vector
from bnn_core.kernels.compiled.layer_ir import LayerRow, clear_padding, layer_function
from bnn_core.kernels.compiled.machine import Machine
from bnn_core.kernels.compiled.plan import GROUP_UNITS, GROUPS_TOGETHER, KINDS, TOGETHER

_WORDS = vector("i64", GROUP_UNITS)
_OCTETS = vector("i8", 8 * GROUP_UNITS)
_SUMS = vector("i32", GROUP_UNITS)
_FLUSH = 31
"""A byte holds the counts of 31 bytes: 31 * 8 = 248."""


def write(module: Module, machine: Machine, *, masked: bool) -> dict[str, tuple[str, str]]:
    """Add the kernel's functions to the module.

    Args:
        module: to add to.
        machine: the processor.
        masked: whether it is to run masked layers as well as dense ones.

    Returns:
        by the layer's kind, the names of the function for a single digit and of the one for several.
    """
    functions = {}
    for kind in KINDS[: 1 + masked]:
        many = _layer(module, machine, kind, f"popcount_{kind}_many", digits=TOGETHER, groups=1)
        functions[kind] = (one(module, machine, kind), many)
    return functions


def one(module: Module, machine: Machine, kind: str) -> str:
    """Add ``popcount_<kind>_one``; returns its name."""
    return _layer(module, machine, kind, f"popcount_{kind}_one", digits=1, groups=GROUPS_TOGETHER)


def _layer(module: Module, machine: Machine, kind: str, name: str, *, digits: int, groups: int) -> str:
    """A function that takes so many groups of units and digits at a time: enough to keep the units busy."""
    b, layer = layer_function(module, name)
    _row, count, source, target, _work = b.arguments
    clear_padding(b, layer, count, target)
    row_bytes = b.mul(layer["words"], 8)
    group_bytes = b.mul(row_bytes, GROUP_UNITS)
    output_bytes = layer["row"]
    weight = [layer["weight"]] + ([layer["mask"]] if kind == "masked" else [])
    finish = _finisher(b, layer)

    def run_groups(group: Value) -> None:
        places = [b.add(group, g) for g in range(groups)]
        firsts = [[b.at(plane, b.mul(place, group_bytes)) for plane in weight] for place in places]

        def run_digits(digit: Value) -> None:
            numbers = [b.add(digit, d) for d in range(digits)]
            inputs = [b.at(source, b.mul(number, row_bytes)) for number in numbers]
            outputs = [b.at(target, b.mul(number, output_bytes)) for number in numbers]
            sums = iter(_mismatches(b, machine, layer["words"], firsts, inputs))
            for place in places:
                for output in outputs:
                    finish(next(sums), place, output)

        b.loop(0, count, digits, run_digits)

    b.loop(0, layer["groups"], groups, run_groups)
    return b.end()


def _mismatches(
    b: Emit,
    machine: Machine,
    words: Value,
    weights: Sequence[Sequence[Value]],
    inputs: Sequence[Value],
) -> list[Value]:
    """Mismatches of each group of units with each digit, group by group.

    Args:
        b: builder.
        machine: the processor.
        words: in a row of inputs.
        weights: for each group, where its weights begin, and its mask if there is one.
        inputs: for each digit, where its row begins.
    """
    kind = _WORDS if machine.counts_words else _OCTETS
    ones = b.module.declare(f"llvm.ctpop.v{kind[1:-1].replace(' x ', '')}", kind, [kind])
    nothing = [constant(kind, 0)] * (len(weights) * len(inputs))

    def count(word: Value, *sums: Value) -> list[Value]:
        spread = [b.splat(b.get("i64", row, b.mul(word, 8), align=8), GROUP_UNITS) for row in inputs]
        place = b.mul(word, 8 * GROUP_UNITS)
        results: list[Value] = []
        for planes in weights:
            w, *masks = (b.get(_WORDS, plane, place, align=64) for plane in planes)
            for x in spread:
                differ = b.differ(w, x)
                for mask in masks:
                    differ = b.both(differ, mask)
                counted = b.call(ones, [b.cast("bitcast", differ, kind)], kind)
                results.append(b.add(sums[len(results)], counted))
        return results

    if machine.counts_words:
        return b.loop(0, words, 1, count, nothing)

    def flush(start: Value, *totals: Value) -> list[Value]:
        counted = b.loop(start, b.smaller(b.add(start, _FLUSH), words), 1, count, nothing)
        return [
            b.add(total, _sum_octets(b, machine, part)) for total, part in zip(totals, counted, strict=True)
        ]

    return b.loop(0, words, _FLUSH, flush, [constant(_WORDS, 0)] * len(nothing))


def _sum_octets(b: Emit, machine: Machine, octets: Value) -> Value:
    """The sum of the eight bytes of each 64-bit lane."""
    if machine.x86:  # the sum of absolute differences from 0
        size = machine.lookup_bytes or 16
        name = {64: "avx512.psad.bw.512", 32: "avx2.psad.bw", 16: "sse2.psad.bw"}[size]
        part, sums = vector("i8", size), vector("i64", size // 8)
        add = b.module.declare(f"llvm.x86.{name}", sums, [part, part])
        pieces = [b.order(octets, octets, range(start, start + size)) for start in range(0, 64, size)]
        return b.joined([b.call(add, [piece, constant(part, 0)], sums) for piece in pieces])
    wide = b.cast("bitcast", octets, _WORDS)
    for width, mask in ((8, 0x00FF00FF00FF00FF), (16, 0x0000FFFF0000FFFF), (32, 0x00000000FFFFFFFF)):
        wide = b.add(b.both(wide, mask), b.both(b.right(wide, width), mask))  # neighbours
    return wide


def _finisher(b: Emit, layer: LayerRow) -> Callable[[Value, Value, Value], None]:
    """What writes a group's sums, or its bits: one byte."""
    last = b.test("ne", layer["last"], 0)
    limit, constants = layer["limit"], layer["constant"]
    cost = b.splat(b.cast("trunc", layer["cost"], "i32"), GROUP_UNITS)

    def finish(mismatches: Value, group: Value, row: Value) -> None:
        def sums() -> None:
            place = b.mul(group, 4 * GROUP_UNITS)
            lost = b.mul(b.cast("trunc", mismatches, _SUMS), cost)
            b.put(b.sub(b.get(_SUMS, constants, place, align=32), lost), row, place)

        def bits() -> None:
            most = b.get(_WORDS, limit, b.mul(group, 8 * GROUP_UNITS), align=64)
            b.put(b.cast("bitcast", b.test("sle", mismatches, most), "i8"), row, group)

        b.branch(last, sums, bits)

    return finish
