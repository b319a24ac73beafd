"""What every function that runs a layer begins with."""

from __future__ import annotations

from bnn_core.kernels.compiled.emit import Emit, Module, Value, i64
from bnn_core.kernels.compiled.plan import ADDRESSES, LAYER_FIELDS, PLAN_FIELDS

LAYER_ARGUMENTS = ("ptr", "i64", "ptr", "ptr", "ptr")
"""The row of the layer, digits, inputs, outputs, work memory."""


class LayerRow:
    """The row of a layer, read where a field is first asked for: at the beginning of the function."""

    def __init__(self, b: Emit, row: Value) -> None:
        self._b, self._row = b, row

    def __getitem__(self, field: str) -> Value:
        kind = "ptr" if field in ADDRESSES else "i64"
        return self._b.get(kind, self._row, 8 * LAYER_FIELDS.index(field), align=8)


def plan_field(b: Emit, plan: Value, field: str) -> Value:
    """A number of the plan's row."""
    return b.get("i64", plan, 8 * PLAN_FIELDS.index(field), align=8)


def clear_padding(b: Emit, layer: LayerRow, digits: Value, target: Value) -> None:
    """Set the last word of each row of bits to 0: behind the last unit no bit may be 1."""
    row = layer["row"]
    with b.when(b.test("eq", layer["last"], 0)):
        b.loop(
            0,
            digits,
            1,
            lambda digit: b.put(i64(0), b.at(target, b.mul(b.add(digit, 1), row)), -8),
        )


def layer_function(module: Module, name: str) -> tuple[Emit, LayerRow]:
    """Begin a function that runs a layer."""
    b = Emit(module, name, LAYER_ARGUMENTS)
    return b, LayerRow(b, b.arguments[0])
