"""Broken bits: input bits and weight bits that are flipped at random, and what is still read right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bnn_core.bits import BitArray, WordArray, pack
from bnn_core.network.bitwise import BitwiseNetwork

_DRAWS = 3
"""How often broken bits are drawn; once is enough where nothing is."""


def flipped_inputs(bits: BitArray, rate: float, rng: np.random.Generator) -> BitArray:
    """Input bits, each turned round with that probability.

    Args:
        bits: (n, inputs) uint8 in {0, 1}.
        rate: in [0, 1].
    """
    return bits ^ (rng.random(bits.shape, np.float32) < rate).view(np.uint8)


def with_flipped_weights(network: BitwiseNetwork, rate: float, rng: np.random.Generator) -> BitwiseNetwork:
    """The network with each of its weight bits turned round with that probability; zero weights stay zero.

    Args:
        rate: in [0, 1].
    """
    layers = []
    for layer in network.layers:
        turned: WordArray = pack((rng.random((layer.units, layer.inputs), np.float32) < rate).view(np.uint8))
        if layer.mask is not None:
            turned &= layer.mask
        layers.append(replace(layer, weight=layer.weight ^ turned))
    return replace(network, layers=tuple(layers))


def error_under_faults(
    network: BitwiseNetwork,
    images: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    *,
    inputs: float = 0.0,
    weights: float = 0.0,
    seed: int = 0,
) -> float:
    """Mean error in % over some draws of broken bits.

    Args:
        images: (n, side, side) uint8.
        labels: (n,).
        inputs, weights: probabilities that an input bit, or a weight bit, is turned round.
        seed: of the draws.
    """
    bits = network.input_bits(images)
    errors = []
    for draw in range(_DRAWS if inputs or weights else 1):
        rng = np.random.default_rng([seed, draw])
        broken = with_flipped_weights(network, weights, rng) if weights else network
        words = pack(flipped_inputs(bits, inputs, rng) if inputs else bits)
        guesses = broken.scores_packed(words).argmax(axis=1)
        errors.append(100.0 * np.count_nonzero(guesses != labels) / len(labels))
    return float(np.mean(errors))
