"""Errors of the networks of a run on a probe (torch for the real one)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from bnn_core.network.bitwise import BitwiseNetwork
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
