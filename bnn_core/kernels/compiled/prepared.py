"""Layers laid out for the compiled kernels once, and run on any number of digits in one call."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnn_core.bits import WordArray, word_count
from bnn_core.kernels.compiled.code import Layout, Program, aligned
from bnn_core.kernels.compiled.plan import CHUNK, KINDS, LAYER_FIELDS, PLAN_FIELDS, TOGETHER
from bnn_core.kernels.layer import PackedLayer, Sums

_LINE = 64
_CHUNK_BYTES = 1 << 20
"""About what they may take; wide layers make the chunk smaller."""
_SHARE = 128
"""Digits below which a batch is not split over another thread."""
_PADDING = 128
"""Units are padded to a multiple of this in whatever there is one of for each unit."""


@dataclass(frozen=True)
class Pixels:
    """How pixels become input bits: one plane of bits after the other.

    Attributes:
        count: pixels of a picture.
        planes: one or two of (mask, level): the bit is 1 where (pixel & mask) >= level.
    """

    count: int
    planes: tuple[tuple[int, int], ...]


class _Scratch:
    """Memory of one call at a time; a single digit goes through its own arrays, whose addresses are known."""

    def __init__(self, size: int, words: int, pixels: int, classes: int) -> None:
        self.memory = aligned((size,), np.uint8)
        self.words = aligned((1, words), np.uint64)
        self.pixels = aligned((1, pixels), np.uint8)
        self.scores: Sums = aligned((1, classes), np.int32)
        self.labels: NDArray[np.int64] = aligned((1,), np.int64)
        self.address = self.memory.ctypes.data
        self.words_address = self.words.ctypes.data
        self.pixels_address = self.pixels.ctypes.data
        self.scores_address = self.scores.ctypes.data
        self.labels_address = self.labels.ctypes.data


class Prepared:
    """Layers in a row, the last one giving sums.

    Safe to use from several threads at once: each call borrows scratch memory of its own.

    Attributes:
        reads_pixels: whether it makes input bits of pixels.
    """

    def __init__(self, layers: Sequence[PackedLayer], program: Program, pixels: Pixels | None = None) -> None:
        """Lay the weights out.

        Args:
            layers: from the input on.
            program: the compiled kernel; masked if any of the layers is.
            pixels: how to make input bits of pixels, if it is to.
        """
        self.reads_pixels = pixels is not None
        self._program = program  # the machine code lives as long as this
        self._run = program.run
        self._kept: list[NDArray[Any]] = []  # what the plan's addresses point to
        self._words = layers[0].words
        self._pixels = pixels.count if pixels else 0
        self._hidden = [layer.units for layer in layers[:-1]]
        self._classes = layers[-1].units
        rows = aligned((len(layers), len(LAYER_FIELDS)), np.int64)
        layouts = [
            self._lay_out(layer, row, last=number == len(self._hidden))
            for number, (layer, row) in enumerate(zip(layers, rows, strict=True))
        ]
        self._fill_plan(rows, layouts, pixels)
        self._free: list[_Scratch] = []

    def _keep(self, array: NDArray[Any]) -> int:
        """The array's address; it lives as long as this object."""
        self._kept.append(array)
        return int(array.ctypes.data)

    def _lay_out(self, layer: PackedLayer, row: NDArray[np.int64], *, last: bool) -> Layout:
        """Fill one layer's row of the plan."""
        padded = -(-layer.units // _PADDING) * _PADDING
        limit = aligned((padded,), np.int64)
        limit[: layer.units] = layer.constant // layer.cost
        limit[layer.units :] = -1  # padding has bits of 0
        constant = aligned((padded,), np.int32)
        constant[: layer.units] = layer.constant
        layout = self._program.code.lay_out(layer, limit, self._program.machine)
        values = {
            "kind": KINDS.index("dense" if layer.mask is None else "masked"),
            "words": layer.words,
            "row": 4 * padded if last else 8 * word_count(layer.units),
            "last": last,
            "constant": constant,
            "cost": layer.cost,
            **layout.fields,
        }
        for field, value in values.items():
            row[LAYER_FIELDS.index(field)] = self._keep(value) if isinstance(value, np.ndarray) else value
        return layout

    def _fill_plan(self, rows: NDArray[np.int64], layouts: Sequence[Layout], pixels: Pixels | None) -> None:
        """The network's rows of the plan: one for packed words, one for pixels."""
        row_bytes = rows[:, LAYER_FIELDS.index("row")]
        each = {
            "input": 8 * self._words,
            "even": int(max(row_bytes[:-1:2], default=0)),
            "odd": int(max(row_bytes[1:-1:2], default=0)),
            "sums": int(row_bytes[-1]),
            "work": max(layout.work_each for layout in layouts),
        }
        chunk = min(CHUNK, _CHUNK_BYTES // sum(each.values()))
        chunk = max(TOGETHER, chunk - chunk % TOGETHER)
        sizes = {name: size * chunk for name, size in each.items()}
        sizes["work"] += max(layout.work for layout in layouts)
        offsets, self._scratch_bytes = {}, 0
        for name, size in sizes.items():
            offsets[name] = self._scratch_bytes
            self._scratch_bytes += -(-size // _LINE) * _LINE
        values = {
            "layers": len(rows),
            "rows": self._keep(rows),
            "chunk": chunk,
            "classes": self._classes,
            **offsets,
        }
        plans = aligned((2, len(PLAN_FIELDS)), np.int64)
        for plan in plans:
            _fill(plan, values)
        if pixels is not None:
            planes = {"planes": len(pixels.planes), "pixels": pixels.count}
            for number, (mask, level) in enumerate(pixels.planes):
                planes |= {f"mask{number}": mask, f"level{number}": level}
            _fill(plans[1], planes)
        self._words_plan = self._keep(plans)
        self._pixels_plan = self._words_plan + plans.strides[0]

    def scores(self, source: NDArray[np.uint8] | WordArray, threads: int = 1) -> Sums:
        """Sums of the last layer.

        Args:
            source: packed inputs, (n, words) uint64, or pictures, (n, pixels) uint8; in C order.
            threads: how many threads a long batch is split over.

        Returns:
            (n, units) int32.
        """
        if len(source) == 1:
            scratch = self._borrow()
            self._run_one(source, scratch, scratch.scores_address, 0)
            out = scratch.scores.copy()
            self._free.append(scratch)
            return out
        out = np.empty((len(source), self._classes), np.int32)
        self._run_all(source, threads, scores=out)
        return out

    def labels(self, source: NDArray[np.uint8] | WordArray, threads: int = 1) -> NDArray[np.int64]:
        """The unit of the last layer with the largest sum, the first of equals: (n,) int64."""
        if len(source) == 1:
            scratch = self._borrow()
            self._run_one(source, scratch, 0, scratch.labels_address)
            label = scratch.labels.copy()
            self._free.append(scratch)
            return label
        labels = np.empty(len(source), np.int64)
        self._run_all(source, threads, labels=labels)
        return labels

    def codes(self, source: NDArray[np.uint8] | WordArray, threads: int = 1) -> list[WordArray]:
        """The packed bits of every layer but the last: (n, words) uint64 each."""
        codes = [np.empty((len(source), word_count(units)), np.uint64) for units in self._hidden]
        self._run_all(source, threads, codes=codes)
        return codes

    def _run_one(
        self, source: NDArray[np.uint8] | WordArray, scratch: _Scratch, scores: int, labels: int
    ) -> None:
        """One digit, through arrays whose addresses are known: asking NumPy for one takes a microsecond."""
        if source.dtype == np.uint64:
            scratch.words[:] = source
            plan, address = self._words_plan, scratch.words_address
        else:
            scratch.pixels[:] = source
            plan, address = self._pixels_plan, scratch.pixels_address
        self._run(plan, 1, address, scores, labels, 0, scratch.address)

    def _run_all(
        self,
        source: NDArray[np.uint8] | WordArray,
        threads: int,
        *,
        scores: Sums | None = None,
        labels: NDArray[np.int64] | None = None,
        codes: Sequence[WordArray] = (),
    ) -> None:
        """Any number of digits, the calling thread taking the first share."""
        count = len(source)
        if not count:
            return
        plan = self._words_plan if source.dtype == np.uint64 else self._pixels_plan
        share = -(-count // max(1, min(threads, count // _SHARE)))
        share += -share % TOGETHER
        shares = [(start, self._borrow()) for start in range(0, count, share)]

        def address(array: NDArray[Any] | None, start: int) -> int:
            return 0 if array is None else array.ctypes.data + start * array.strides[0]

        def run(start: int, scratch: _Scratch) -> None:
            parts = np.array([address(code, start) for code in codes], np.int64)
            self._run(
                plan,
                min(share, count - start),
                address(source, start),
                address(scores, start),
                address(labels, start),
                parts.ctypes.data if codes else 0,
                scratch.address,
            )

        others = [threading.Thread(target=run, args=arguments) for arguments in shares[1:]]
        for thread in others:
            thread.start()
        run(*shares[0])
        for thread in others:
            thread.join()
        self._free.extend(scratch for _start, scratch in shares)

    def _borrow(self) -> _Scratch:
        """Scratch memory that no other call uses; it goes back to the list after the call."""
        try:
            return self._free.pop()
        except IndexError:
            return _Scratch(self._scratch_bytes, self._words, self._pixels, self._classes)


def _fill(plan: NDArray[np.int64], values: Mapping[str, int]) -> None:
    """Put the values of fields into their places."""
    for field, value in values.items():
        plan[PLAN_FIELDS.index(field)] = value
