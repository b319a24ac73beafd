"""BitwiseNetwork: a trained network in packed words; predict, scores, trace, load, save."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bnn_core.bits import BitArray, WordArray, pack, unpack
from bnn_core.datasets.features import FEATURES, USUAL, input_bits, input_count
from bnn_core.errors import InputError
from bnn_core.files import write_atomically
from bnn_core.kernels import KERNELS, Kernel, PackedLayer, Sums, kernel
from bnn_core.kernels import kernel_name as chosen_kernel
from bnn_core.kernels.compiled.engine import checked_words, prepared
from bnn_core.kernels.compiled.prepared import Pixels, Prepared
from bnn_core.models import find_model
from bnn_core.network.model_file import model_bytes, read_model

_CHUNK = 4096
"""Digits run at a time, so that memory does not grow with the batch."""


@dataclass(frozen=True, eq=False)
class LayerTrace:
    """Every integer of one layer for one digit.

    Attributes:
        inputs: (n,) uint8 in {0, 1}.
        weights: (units, n) uint8 in {0, 1}.
        mask: (units, n) uint8 in {0, 1}, 1 = connected; None when dense.
        zero_one: whether an input of 0 is absent: it takes no part in any sum (first layer only).
        bias: (units,) int32.
        active: (units,) int32, inputs that take part: connected and not absent.
        counts: (units,) int32, those of them that agree with their weight: popcount(xnor).
        sums: (units,) int32, counts - (active - counts) + bias.
        bits: (units,) uint8 in {0, 1}, sums >= 0.
    """

    inputs: BitArray
    weights: BitArray
    mask: BitArray | None
    zero_one: bool
    bias: NDArray[np.int32]
    active: NDArray[np.int32]
    counts: NDArray[np.int32]
    sums: NDArray[np.int32]
    bits: BitArray

    def used(self, unit: int) -> BitArray | None:
        """(n,) uint8 in {0, 1}: which inputs take part in the unit's sum; None if all do."""
        connected = None if self.mask is None else self.mask[unit]
        if not self.zero_one:
            return connected
        return self.inputs if connected is None else self.inputs & connected


@dataclass(frozen=True, eq=False)
class BitwiseNetwork:
    """A network of single bits: packed weights, integer sums, sign(0) = +1 (equations of section 2).

    Attributes:
        layers: from the input on.
        features: how a picture becomes bits, see :mod:`bnn_core.datasets.features`.
        input_threshold: grey level from which a pixel is ink.
        variant: ``"strict"``: every bias is one bit; ``"threshold"``: one integer a unit, folded from the
            batch-norm that it was trained with.
        provenance: where it comes from: configuration, seed, data, test error, date.
    """

    layers: tuple[PackedLayer, ...]
    features: str = USUAL
    input_threshold: int = 128
    variant: str = "strict"
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Inputs, hidden units of each layer, classes."""
        return (self.layers[0].inputs, *(layer.units for layer in self.layers))

    @cached_property
    def side(self) -> int:
        """Rows (and columns) of the pictures it reads."""
        side = round((self.sizes[0] / FEATURES[self.features].planes) ** 0.5)
        if input_count(self.features, side) != self.sizes[0]:
            raise InputError(f"A network of {self.sizes[0]} inputs does not read square pictures.")
        return side

    @property
    def sparse(self) -> bool:
        """Whether any layer has zero weights."""
        return any(layer.mask is not None for layer in self.layers)

    @property
    def packed_bytes(self) -> int:
        """Bytes of the packed weights and masks, and of the biases: a bit each if strict, else four bytes."""
        planes = sum(layer.weight.nbytes * (1 if layer.mask is None else 2) for layer in self.layers)
        strict = self.variant == "strict"
        return planes + sum(-(-layer.units // 8) if strict else 4 * layer.units for layer in self.layers)

    @property
    def parameters(self) -> int:
        """Weights and biases."""
        return sum(layer.units * (layer.inputs + 1) for layer in self.layers)

    @classmethod
    def load(cls, source: str | Path) -> Self:
        """Load a model file, a run folder or a shipped network by name.

        Raises:
            InputError: no such model; a damaged, altered or foreign file.
        """
        layers, facts = read_model(find_model(source))
        return cls(layers, **facts)

    def save(self, path: str | Path) -> None:
        """Write one model file (safetensors), atomically."""
        write_atomically(Path(path), self.to_bytes())

    def to_bytes(self) -> bytes:
        """The content of its model file; the same network gives the same bytes."""
        return model_bytes(
            self.layers,
            features=self.features,
            input_threshold=self.input_threshold,
            variant=self.variant,
            provenance=dict(self.provenance),
        )

    def input_bits(self, images: NDArray[np.uint8]) -> BitArray:
        """The network's input bits.

        Args:
            images: (n, side, side) uint8, 0 is background; or one (side, side).

        Returns:
            (n, inputs) uint8 in {0, 1}.

        Raises:
            InputError: images of another type or size.
        """
        return input_bits(self._pictures(images), self.features, self.input_threshold)

    def _pictures(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The images as (n, side, side) uint8; raises InputError if they are not."""
        images = np.asarray(images)
        if images.ndim == 2:
            images = images[None]
        side = self.side
        if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != (side, side):
            raise InputError(
                f"images is {images.dtype} of shape {images.shape}:"
                f" allowed is uint8 of shape (n, {side}, {side})."
            )
        return images

    def _pixels(self) -> Pixels | None:
        """How machine code is to make input bits of pixels; None if it cannot."""
        feature = FEATURES[self.features]
        if feature.cuts is None or not 1 <= self.input_threshold <= 255:
            return None
        return Pixels(self.sizes[0] // feature.planes, feature.cuts(self.input_threshold))

    @cached_property
    def _engines(self) -> dict[str, Prepared]:
        """The network laid out for compiled kernels, as far as they were asked for."""
        return {}

    def _engine(self, name: str) -> Prepared | None:
        """The network laid out for a compiled kernel; None for the others."""
        engine = self._engines.get(name)
        if engine is None and (code := KERNELS[name].code) is not None:
            engine = prepared(self.layers, code, self._pixels())
            if engine is not None:
                self._engines[name] = engine
        return engine

    def _source(self, images: NDArray[np.uint8], engine: Prepared) -> NDArray[np.uint8] | WordArray:
        """What the engine is to read: pixels if it can, else packed bits."""
        pictures = self._pictures(images)
        if not engine.reads_pixels:
            return pack(input_bits(pictures, self.features, self.input_threshold))
        return np.ascontiguousarray(pictures.reshape(len(pictures), self.side**2))

    def _layer_sums(self, words: WordArray, by: Kernel) -> Iterator[tuple[Sums, WordArray]]:
        """Sums and packed bits, layer by layer."""
        for layer in self.layers:
            sums = by.sums(words, layer)
            words = pack((sums >= 0).view(np.uint8))
            yield sums, words

    def scores_packed(self, words: WordArray, *, kernel_name: str | None = None, threads: int = 1) -> Sums:
        """:meth:`scores` from packed inputs: (n, ceil(inputs / 64)) uint64, padding 0.

        Raises:
            InputError: words of another type or shape; an unknown kernel.
        """
        name = chosen_kernel(kernel_name)
        words = checked_words(words, self.layers[0].words)
        engine = self._engine(name)
        if engine is not None:
            return engine.scores(words, threads)
        out = np.empty((len(words), self.sizes[-1]), np.int32)
        for start in range(0, len(words), _CHUNK):
            *_, (sums, _bits) = self._layer_sums(words[start : start + _CHUNK], KERNELS[name])
            out[start : start + len(sums)] = sums
        return out

    def scores(self, images: NDArray[np.uint8], *, kernel_name: str | None = None, threads: int = 1) -> Sums:
        """Integer sums of the output units.

        Args:
            images: (n, side, side) uint8, 0 is background; or one (side, side).
            kernel_name: a name of :data:`bnn_core.kernels.KERNELS`; None picks the best.
            threads: how many threads a long batch is split over, with a compiled kernel.

        Returns:
            (n, classes) int32.

        Raises:
            InputError: images of another type or size; an unknown kernel.
        """
        name = chosen_kernel(kernel_name)
        engine = self._engine(name)
        if engine is not None:
            return engine.scores(self._source(images, engine), threads)
        return self.scores_packed(pack(self.input_bits(images)), kernel_name=name)

    def predict(
        self, images: NDArray[np.uint8], *, kernel_name: str | None = None, threads: int = 1
    ) -> NDArray[np.int64]:
        """The class with the largest sum, (n,) int64; ties go to the lowest class.

        Arguments and errors are those of :meth:`scores`.
        """
        name = chosen_kernel(kernel_name)
        engine = self._engine(name)
        if engine is not None:
            return engine.labels(self._source(images, engine), threads)
        return self.scores(images, kernel_name=name).argmax(axis=1)

    def codes(
        self, images: NDArray[np.uint8], *, kernel_name: str | None = None, threads: int = 1
    ) -> list[BitArray]:
        """The bits of every hidden layer: one (n, units) uint8 array in {0, 1} each.

        Arguments and errors are those of :meth:`scores`.
        """
        name = chosen_kernel(kernel_name)
        hidden = self.layers[:-1]
        engine = self._engine(name)
        if engine is not None:
            packed = engine.codes(self._source(images, engine), threads)
            return [unpack(words, layer.units) for words, layer in zip(packed, hidden, strict=True)]
        words = pack(self.input_bits(images))
        out = [np.empty((len(words), layer.units), np.uint8) for layer in hidden]
        for start in range(0, len(words), _CHUNK):
            layers = self._layer_sums(words[start : start + _CHUNK], KERNELS[name])
            for codes, (sums, _bits) in zip(out, layers, strict=False):
                codes[start : start + len(sums)] = sums >= 0
        return out

    def trace(self, image: NDArray[np.uint8], *, kernel_name: str | None = None) -> tuple[LayerTrace, ...]:
        """Every intermediate integer for one picture.

        Args:
            image: (side, side) uint8.

        Raises:
            InputError: an image of another type or size, or several.
        """
        inputs = self.input_bits(image)
        if len(inputs) != 1:
            raise InputError(f"{len(inputs)} images were given to trace: allowed is one.")
        words = pack(inputs)
        by_layer = self._layer_sums(words, kernel(kernel_name))
        traces = []
        for layer, ((row,), bits) in zip(self.layers, by_layer, strict=True):
            active = layer.active_under(words[0])
            traces.append(
                LayerTrace(
                    inputs=unpack(words[0], layer.inputs),
                    weights=layer.weight_bits(),
                    mask=layer.mask_bits(),
                    zero_one=layer.zero_one,
                    bias=layer.bias,
                    active=active,
                    counts=(row - layer.bias + active) >> 1,
                    sums=row,
                    bits=unpack(bits[0], layer.units),
                )
            )
            words = bits
        return tuple(traces)
