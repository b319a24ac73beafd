"""Writes the code that runs a whole network, and has it compiled: pixels to bits, layers, the largest sum.

One call does all of it for any number of digits, a chunk at a time, so that what passes from layer to
layer stays in the processor's cache and memory does not grow with the batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from importlib import import_module

import llvmlite.binding as llvm

from bnn_core.kernels.compiled.emit import NULL, Emit, Module, Value, i64, vector
from bnn_core.kernels.compiled.layer_ir import LayerRow, plan_field
from bnn_core.kernels.compiled.machine import Machine
from bnn_core.kernels.compiled.plan import KINDS, LAYER_FIELDS, TOGETHER

_PIXELS = 64


def written(machine: Machine, writer: str, *, masked: bool) -> str:
    """A kernel in LLVM's language.

    Args:
        machine: the processor to write for.
        writer: the module of this package that writes the functions that run a layer.
        masked: whether it is to run masked layers as well as dense ones.
    """
    module = Module(machine.triple)
    run_function(module, import_module(f"{__package__}.{writer}").write(module, machine, masked=masked))
    return str(module)


def compiled(machine: Machine, writer: str, *, masked: bool) -> bytes:
    """The kernel as an object file that this process can load.

    Raises:
        RuntimeError: LLVM cannot write code for this processor.
    """
    with llvm.parse_assembly(written(machine, writer, masked=masked)) as module:
        module.verify()
        content: bytes = machine.target().emit_object(module)
    return content


def run_function(module: Module, functions: Mapping[str, tuple[str, str]]) -> None:
    """Add ``run(plan, digits, source, scores, labels, codes, scratch)`` to the module.

    source: packed words, or pixels if the plan names planes. scores: int32 (digits, classes); labels:
    int64 (digits,); either may be 0, and is then not written. codes: addresses of the packed bits of
    each hidden layer, or 0. scratch: memory as the plan divides it.

    Args:
        module: to add to.
        functions: of the module: for each kind of layer the one that takes a single digit, and the one that
            takes several.
    """
    _pack_function(module)
    _finish_function(module)
    b = Emit(module, "run", ["ptr", "i64", *["ptr"] * 5], public=True)
    plan, count, source, scores, labels, codes, scratch = b.arguments
    field = {
        name: plan_field(b, plan, name) for name in ("layers", "chunk", "planes", "pixels", "even", "odd")
    }
    rows = b.cast("inttoptr", plan_field(b, plan, "rows"), "ptr")
    words = LayerRow(b, rows)["words"]
    packed, sums, work = (b.at(scratch, plan_field(b, plan, name)) for name in ("input", "sums", "work"))
    pixels_come = b.test("sgt", field["planes"], 0)
    stride = b.choose(pixels_come, field["pixels"], b.mul(words, 8))
    hidden = b.sub(field["layers"], 1)
    codes_wanted = b.test("ne", codes, NULL)

    def run_chunk(number: Value) -> None:
        start = b.mul(number, field["chunk"])
        digits = b.smaller(field["chunk"], b.sub(count, start))
        given = b.at(source, b.mul(start, stride))
        with b.when(pixels_come):
            b.call("pack", [plan, digits, given, packed, words])

        def run_layer(index: Value, inputs: Value) -> list[Value]:
            row = b.at(rows, b.mul(index, 8 * len(LAYER_FIELDS)))
            layer = LayerRow(b, row)
            input_bytes, output_bytes = b.mul(layer["words"], 8), layer["row"]
            odd = b.test("ne", b.both(index, 1), 0)
            last = b.test("eq", index, hidden)
            passing = b.choose(last, sums, b.at(scratch, b.choose(odd, field["odd"], field["even"])))
            target = b.merge(
                passing,
                b.both(codes_wanted, b.differ(last, 1)),
                lambda: b.at(b.get("ptr", codes, b.mul(index, 8), align=8), b.mul(start, output_bytes)),
            )
            # Whole groups of digits, then what is left over one by one.
            whole = b.both(digits, -TOGETHER)
            with b.when(b.test("sgt", whole, 0)):
                call(1, layer, [row, whole, inputs, target, work])

            def run_one(digit: Value) -> None:
                its_input = b.at(inputs, b.mul(digit, input_bytes))
                call(0, layer, [row, i64(1), its_input, b.at(target, b.mul(digit, output_bytes)), work])

            b.loop(whole, digits, 1, run_one)
            return [target]

        def call(which: int, layer: LayerRow, arguments: list[Value]) -> None:
            cases = {
                KINDS.index(kind): partial(b.call, names[which], arguments)
                for kind, names in functions.items()
            }
            b.switch(layer["kind"], cases)

        b.loop(0, field["layers"], 1, run_layer, [b.choose(pixels_come, packed, given)])
        b.call("finish", [plan, rows, digits, sums, scores, labels, start])

    chunks = b.div(b.add(count, b.sub(field["chunk"], 1)), field["chunk"])
    b.loop(0, chunks, 1, run_chunk)
    b.end()


def _pack_function(module: Module) -> None:
    """pack(plan, digits, source, target, words): pixels to rows of packed bits, plane after plane."""
    b = Emit(module, "pack", ["ptr", "i64", "ptr", "ptr", "i64"])
    plan, count, source, target, words = b.arguments
    names = ("planes", "pixels", "mask0", "level0", "mask1", "level1")
    field = {name: plan_field(b, plan, name) for name in names}
    pixels = field["pixels"]
    kind = vector("i8", _PIXELS)
    whole, rest = b.both(pixels, -_PIXELS), b.both(pixels, _PIXELS - 1)
    row_bytes = b.mul(words, 8)

    def pack_digit(digit: Value) -> None:
        picture = b.at(source, b.mul(digit, pixels))
        row = b.at(target, b.mul(digit, row_bytes))
        b.loop(0, words, 1, lambda word: b.put(i64(0), row, b.mul(word, 8), align=8))

        def put_bits(bits: Value, place: Value) -> None:
            """Add up to 64 bits to the row, from any place on."""
            word = b.at(row, b.mul(b.right(place, 6), 8))
            shift = b.both(place, 63)
            b.put(b.either(b.get("i64", word, align=8), b.left(bits, shift)), word, align=8)
            # In two steps, because a shift by 64 has no meaning.
            over = b.right(b.right(bits, 1), b.sub(i64(63), shift))
            with b.when(b.test("ne", over, 0)):
                b.put(b.either(b.get("i64", word, 8, align=8), over), word, 8, align=8)

        def pack_plane(plane: Value) -> None:
            second = b.test("eq", plane, 1)
            mask, level = (
                b.cast("trunc", b.choose(second, field[f"{name}1"], field[f"{name}0"]), "i8")
                for name in ("mask", "level")
            )
            masks, levels = b.splat(mask, _PIXELS), b.splat(level, _PIXELS)
            base = b.mul(plane, pixels)

            def look(offset: Value) -> Value:
                seen = b.both(b.get(kind, picture, offset), masks)
                return b.cast("bitcast", b.test("uge", seen, levels), "i64")

            def look_at_one(pixel: Value, bits: Value) -> list[Value]:
                seen = b.both(b.get("i8", picture, pixel), mask)
                bit = b.cast("zext", b.test("uge", seen, level), "i64")
                return [b.either(bits, b.left(bit, pixel))]

            def overlap() -> None:  # the last 64 pixels, less those that were seen
                bits = b.right(look(b.sub(pixels, i64(_PIXELS))), b.sub(i64(_PIXELS), rest))
                put_bits(bits, b.add(base, whole))

            def short() -> None:  # a picture of fewer than 64 pixels
                put_bits(b.loop(0, rest, 1, look_at_one, [i64(0)])[0], base)

            b.loop(0, whole, _PIXELS, lambda pixel: put_bits(look(pixel), b.add(base, pixel)))
            with b.when(b.test("sgt", rest, 0)):
                b.branch(b.test("sgt", whole, 0), overlap, short)

        b.loop(0, field["planes"], 1, pack_plane)

    b.loop(0, count, 1, pack_digit)
    b.end()


def _finish_function(module: Module) -> None:
    """finish(plan, rows, digits, sums, scores, labels, start): sums to scores and to labels.

    Rows of sums are padded, rows of scores are not. The label is the first of the largest sums.
    """
    b = Emit(module, "finish", ["ptr", "ptr", "i64", "ptr", "ptr", "ptr", "i64"])
    plan, rows, count, sums, scores, labels, start = b.arguments
    classes = plan_field(b, plan, "classes")
    last = b.mul(b.sub(plan_field(b, plan, "layers"), 1), 8 * len(LAYER_FIELDS))
    padded = LayerRow(b, b.at(rows, last))["row"]
    scores_wanted, labels_wanted = b.test("ne", scores, NULL), b.test("ne", labels, NULL)

    def finish_digit(digit: Value) -> None:
        row = b.at(sums, b.mul(digit, padded))
        place = b.add(start, digit)

        def copy(number: Value) -> None:
            offset = b.mul(number, 4)
            b.put(
                b.get("i32", row, offset, align=4),
                b.at(scores, b.mul(b.mul(place, classes), 4)),
                offset,
                align=4,
            )

        def compare(number: Value, best: Value, label: Value) -> list[Value]:
            value = b.get("i32", row, b.mul(number, 4), align=4)
            larger = b.test("sgt", value, best)
            return [b.choose(larger, value, best), b.choose(larger, number, label)]

        with b.when(scores_wanted):
            b.loop(0, classes, 1, copy)
        with b.when(labels_wanted):
            first = b.get("i32", row, align=4)
            label = b.loop(1, classes, 1, compare, [first, i64(0)])[1]
            b.put(label, labels, b.mul(place, 8), align=8)

    b.loop(0, count, 1, finish_digit)
    b.end()
