"""Batch-norm of a layer's integer sums while training, and its folding into one integer a unit (torch).

    training     y = gain (a - mean) / sqrt(var + eps) + shift      mean, var: of the batch
    evaluation   the same with running mean and variance
    hidden bit   y >= 0   <=>   a + t >= 0 for one integer t, since the gain is positive
    output       one variance and one gain for all classes, so that the largest a + t is the answer

The integer is found by bisection through the very function that is evaluated: float32 rounds, but every
step of it is monotone in a, so the packed network agrees on every bit and every integer.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

EPS = 1e-5
MOMENTUM = 0.1
"""Share of a batch's mean and variance in the running ones."""

LEAST_GAIN = 1e-2
"""Gains stay positive: a gain of the other sign would turn the bit round."""


class Norm(torch.nn.Module):
    """One layer's batch-norm.

    Attributes:
        gain: (units,) float32 > 0, or (1,) at the output; a parameter.
        shift: (units,) float32; a parameter.
        mean: (units,) float32, running; a buffer.
        var: (units,) float32, running; (1,) at the output; a buffer.
        output: whether it is the output layer's.
    """

    mean: Tensor
    var: Tensor

    def __init__(self, units: int, *, output: bool, device: torch.device | str = "cpu") -> None:
        super().__init__()
        shared = 1 if output else units
        self.gain = torch.nn.Parameter(torch.ones(shared, device=device))
        self.shift = torch.nn.Parameter(torch.zeros(units, device=device))
        self.register_buffer("mean", torch.zeros(units, device=device))
        self.register_buffer("var", torch.ones(shared, device=device))
        self.output = output
        # At hand: no step waits for the module's own look-up by name.
        self._tensors = self.gain, self.shift, self.mean, self.var

    def normalise(self, a: Tensor) -> Tensor:
        """Normalise sums by their batch, and let the running mean and variance follow.

        Args:
            a: (batch, units) float32.

        Returns:
            the same shape; differentiable.
        """
        gain, shift, running_mean, running_var = self._tensors
        if not self.output:
            return F.batch_norm(a, running_mean, running_var, gain, shift, True, MOMENTUM, EPS)
        mean = a.mean(dim=0)
        var = (a - mean).square().mean()
        with torch.no_grad():
            running_mean.lerp_(mean, MOMENTUM)
            running_var.lerp_(var.reshape(1), MOMENTUM)
        return (a - mean) / torch.sqrt(var + EPS) * gain + shift

    @torch.no_grad()
    def evaluate(self, a: Tensor) -> Tensor:
        """What sign sees in a hidden layer's evaluation: (batch, units) float32, monotone in a."""
        return (a - self.mean) * (self.gain / torch.sqrt(self.var + EPS)) + self.shift

    @torch.no_grad()
    def fold(self, inputs: int, reach: int | None = None) -> NDArray[np.int32]:
        """The integer t of each unit.

        Args:
            inputs: the layer's fan-in: sums lie in [-inputs, inputs].
            reach: where only integers up to this one, and only those of its parity, are to be had; the
                output's are rounded to them.

        Returns:
            (units,) int32 in [-inputs - 1, inputs] in a hidden layer. At the output, where sums are
            compared with each other, shift and mean in units of the sums, rounded.
        """
        if self.output:
            offset = self.shift * (torch.sqrt(self.var + EPS) / self.gain) - self.mean
            if reach is not None:
                offset = ((offset - reach) / 2).round() * 2 + reach
            return offset.round().cpu().numpy().astype(np.int32)
        low = np.full(len(self.shift), -inputs)
        high = np.full(len(self.shift), inputs + 1)  # on from there on, if ever
        while np.any(low < high):
            middle = (low + high) // 2
            on = self.evaluate(torch.from_numpy(middle).float().to(self.mean.device)).cpu().numpy() >= 0
            high = np.where(on & (low < high), middle, high)
            low = np.where(~on & (low < high), middle + 1, low)
        return (-low).astype(np.int32)

    @torch.no_grad()
    def clip(self, reach: int | None = None) -> None:
        """Keep the gains positive and, if there is a reach, the integers within it."""
        gain, shift, mean, var = self._tensors
        gain.clamp_(min=LEAST_GAIN)
        if reach is not None:
            scale = gain / torch.sqrt(var + EPS)
            torch.clamp(shift, (mean - reach) * scale, (mean + reach) * scale, out=shift)
