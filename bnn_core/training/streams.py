"""Random streams: every random number of a run is a function of its seed, its purpose and its place.

So a checkpoint needs no generator's state, and a resumed run draws what an unharmed one draws (torch).
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

_INIT, _ORDER, _NOISE = range(3)


def init_stream(seed: int) -> np.random.Generator:
    """For the first latent weights."""
    return np.random.default_rng([seed, _INIT])


def order(seed: int, phase: int, epoch: int, digits: int) -> NDArray[np.int64]:
    """(digits,) int64: the order in which an epoch, counted from 0, takes the digits."""
    return np.random.default_rng([seed, _ORDER, phase, epoch]).permutation(digits)


def noise_stream(seed: int, phase: int, step: int, device: str) -> torch.Generator:
    """For the flips and the dropout of a step, counted from the start of its phase."""
    words = np.random.SeedSequence([seed, _NOISE, phase, step]).generate_state(1, np.uint64)
    return torch.Generator(device).manual_seed(int(words[0]) >> 1)
