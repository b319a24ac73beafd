"""What a run says of its networks at the end of an epoch: errors on a probe, weights by layer (torch)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from bnn_core.network.bitwise import BitwiseNetwork
from bnn_core.training.binarize import compress
from bnn_core.training.events import HISTOGRAM_BINS
from bnn_core.training.latent import LatentNetwork
from bnn_core.training.material import Probe

_DIGITS = 2000
"""As many at a time pass the real network."""


class BitwiseError(NamedTuple):
    """How a packed network does: error in %, digits it gets wrong, digits on which its best classes tie."""

    error: float
    errors: int
    ties: int


def bitwise_error(network: BitwiseNetwork, probe: Probe) -> BitwiseError:
    """Error of a packed network; of classes that tie it answers the first."""
    scores = network.scores_packed(probe.words)
    ties = int(((scores == scores.max(axis=1, keepdims=True)).sum(axis=1) > 1).sum())
    errors = int((scores.argmax(axis=1) != probe.labels).sum())
    return BitwiseError(100.0 * errors / len(probe.labels), errors, ties)


@torch.no_grad()
def real_error(network: LatentNetwork, gain: float, probe: Probe) -> float:
    """Error in % of phase 1's network as it stands."""
    guesses = [
        network.real_forward(chunk.float(), gain).argmax(dim=1) for chunk in probe.values.split(_DIGITS)
    ]
    return percent_wrong(torch.cat(guesses).cpu().numpy(), probe.labels)


def percent_wrong(guesses: NDArray[Any], labels: NDArray[Any]) -> float:
    """Share of guesses, (n,), that are not their labels, in %."""
    return 100.0 * float(np.count_nonzero(guesses != labels)) / len(labels)


@torch.no_grad()
def weights_by_layer(
    network: LatentNetwork,
    signs: Sequence[NDArray[np.int8]],
    before: Sequence[NDArray[np.int8]],
    gain: float | None,
) -> dict[str, list[Any]]:
    """How the weights of each layer stand, by the fields of :class:`bnn_core.training.events.EpochEnded`.

    Args:
        signs, before: (units, inputs) int8 in {-1, 0, +1} a layer, now and an epoch ago.
        gain: k of tanh(k w_bar), in phase 1; None in phase 2, whose latents are compressed already.
    """
    compressed = [w if gain is None else compress(w, gain) for w in network.weights]
    betas = [edge.beta or 0.0 for edge in network.edges]
    return {
        "flips": [float(np.mean(a != b)) for a, b in zip(signs, before, strict=True)],
        "zeros": [float(np.mean(w == 0)) for w in signs],
        "saturation": [float(w.abs().mean()) for w in compressed],
        "histogram": [_histogram(w.cpu().numpy()) for w in compressed],
        "boundary": [beta if gain is None else math.tanh(gain * beta) for beta in betas],
    }


def _histogram(values: NDArray[np.float32]) -> list[float]:
    """Share of values in each of 40 equal bins over [-1, 1]; the outer bins take what lies beyond."""
    scaled = np.clip((values.ravel() + 1) * (HISTOGRAM_BINS / 2), 0, HISTOGRAM_BINS - 1)
    counts = np.bincount(scaled.astype(np.int64), minlength=HISTOGRAM_BINS)
    return [round(float(c) / values.size, 6) for c in counts]
