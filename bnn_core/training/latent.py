"""LatentNetwork: the real weights that the optimiser holds, and the two networks made from them (torch).

Scales act inside the training only and change no sign, so inference stays bitwise: over a fan-in n,
a sum of n bits has a spread of a few sqrt(n), and sums are divided by sqrt(n) before tanh, the
pseudo-gradient's window or softmax see them. In the threshold variant's phase 2 a batch-norm does that
instead, and takes the biases' place (:mod:`bnn_core.training.norm`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from bnn_core.config import RunConfig
from bnn_core.datasets.features import FEATURES
from bnn_core.kernels import PackedLayer
from bnn_core.network.bitwise import BitwiseNetwork
from bnn_core.network.real import SLOPE, RealNetwork
from bnn_core.training.binarize import (
    Boundary,
    boundary,
    compress,
    drop,
    flip,
    sign_bit,
    tanh,
    ternarise,
    ternary_values,
)
from bnn_core.training.norm import Norm


class LatentNetwork(torch.nn.Module):
    """Latent weights and biases of every layer.

    Its parameters are in this order: weights and biases, layer by layer; then gain and shift of each norm.

    Args:
        sizes: inputs, hidden units of each layer, classes.
        device: torch's name of where it lies.

    Attributes:
        weights: (units, inputs) float32 a layer, 0 at first.
        biases: (units,) float32 a layer, 0 at first.
        edges: the boundary of each layer's weights, see :meth:`set_boundaries`.
        norms: one a layer in phase 2 of the threshold variant, or with constant units; else empty.
        reaches: with constant units the largest integer that each layer's units can have, else empty.
    """

    def __init__(self, sizes: Sequence[int], device: str = "cpu") -> None:
        super().__init__()
        # Lists at hand: no step waits for the module's own look-up by name.
        self.weights: list[torch.nn.Parameter] = []
        self.biases: list[torch.nn.Parameter] = []
        for i, (inputs, units) in enumerate(pairwise(sizes)):
            self.weights.append(torch.nn.Parameter(torch.zeros(units, inputs, device=device)))
            self.biases.append(torch.nn.Parameter(torch.zeros(units, device=device)))
            self.register_parameter(f"weight{i}", self.weights[i])
            self.register_parameter(f"bias{i}", self.biases[i])
        self.edges = [Boundary() for _ in self.weights]
        self.norms: list[Norm] = []
        self.reaches: list[int] = []

    def _reach(self, layer: int) -> int | None:
        return self.reaches[layer] if self.reaches else None

    @classmethod
    @torch.no_grad()
    def random(
        cls, sizes: Sequence[int], width: float, rng: np.random.Generator, device: str = "cpu"
    ) -> LatentNetwork:
        """Latents drawn from U(-width, width)."""
        network = cls(sizes, device)
        for p in (*network.weights, *network.biases):
            p.copy_(torch.from_numpy(rng.uniform(-width, width, tuple(p.shape)).astype(np.float32)))
        return network

    @property
    def sizes(self) -> tuple[int, ...]:
        """Inputs, hidden units of each layer, classes."""
        return (self.weights[0].shape[1], *(w.shape[0] for w in self.weights))

    @property
    def logit_scale(self) -> float:
        """What the last pre-activation of :meth:`bitwise_forward` is multiplied by before the softmax."""
        return 1.0 if self.norms else 1 / math.sqrt(self.sizes[-2])

    def real_forward(
        self,
        z: Tensor,
        gain: float,
        *,
        dropout: tuple[float, float] = (0.0, 0.0),
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Phase 1: logits of the real network with compressed weights (section 3.1).

        Args:
            z: (batch, inputs) float32 in {-1, +1}, or {0, 1} for zero-one features.
            gain: k of tanh(k w_bar).
            dropout: probabilities at the input and at hidden layers; 0 to evaluate.

        Returns:
            (batch, classes) float32.
        """
        last = len(self.weights) - 1
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            if generator is not None:
                z = drop(z, dropout[i > 0], generator)
            a = F.linear(z, compress(weight, gain), compress(bias, gain))  # (batch, units)
            a = a * (SLOPE / math.sqrt(weight.shape[1]))
            z = a if i == last else tanh(a)
        return z

    def bitwise_forward(
        self, z: Tensor, config: RunConfig, generator: torch.Generator | None = None
    ) -> list[Tensor]:
        """Phase 2: the binarised network, whose error trains the latents (section 3.2).

        Args:
            z: (batch, inputs) float32 in {-1, +1}, or {0, 1} for zero-one features.
            config: pseudo-gradient and, in training, flips and dropout.
            generator: randomness of flips and dropout; None evaluates: no flips, no dropout, norms by
                their running statistics, and every sum is the packed network's integer.

        Returns:
            the pre-activations of every layer, (batch, units) float32: in training what sign (or, at the
            last layer, softmax) sees, in evaluation the integers.
        """
        noise, phase = config.noise, config.phase2
        low = FEATURES[config.data.features].low
        last = len(self.weights) - 1
        sums = []
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            w = ternarise(weight, self.edges[i])
            norm = self.norms[i] if self.norms else None
            b = ternarise(bias, Boundary()) if norm is None else None
            if generator is not None:
                if i:
                    z = flip(z, noise.hidden_flips, generator)
                else:
                    z = flip(z, noise.input_flips, generator, low=low)
                z = drop(z, phase.dropout_hidden if i else phase.dropout_input, generator)
                w = flip(w, noise.weight_flips, generator)
            a = F.linear(z, w, b)  # (batch, units)
            if norm is None:
                seen, limit = a, noise.window * math.sqrt(weight.shape[1])
            else:
                seen, limit = norm.evaluate(a) if generator is None else norm.normalise(a), noise.window
            if generator is not None or norm is None:
                sums.append(seen)
            else:
                sums.append(a + torch.from_numpy(norm.fold(weight.shape[1], self._reach(i))).to(a.device))
            if i < last:
                z = sign_bit(seen, noise.pseudo_gradient, limit)
        return sums

    @torch.no_grad()
    def start_phase2(self, gain: float, *, norms: bool) -> None:
        """Latents become phase 1's compressed weights, tanh(k w_bar).

        Args:
            gain: k, phase 1's last.
            norms: whether integers are to be learned.
        """
        for p in self.parameters():
            p.copy_(torch.tanh(p * gain))  # the exact one: no small weight may lose its sign
        if norms:
            self.make_norms()

    def make_norms(self) -> None:
        """Fresh norms for every layer."""
        units = self.sizes[1:]
        device = self.weights[0].device
        self.norms = [Norm(n, output=i == len(units) - 1, device=device) for i, n in enumerate(units)]
        for i, norm in enumerate(self.norms):
            self.add_module(f"norm{i}", norm)

    @torch.no_grad()
    def clip(self) -> None:
        """Keep the latents in [-1, 1], where a flip is possible, and the norms to what can be folded."""
        for p in (*self.weights, *self.biases):
            p.clamp_(-1, 1)
        for i, norm in enumerate(self.norms):
            norm.clip(self._reach(i))

    @torch.no_grad()
    def set_boundaries(self, sparsity: float, sparse_output: bool) -> None:
        """Choose each layer's boundary anew, so that the share of zeros is the sparsity."""
        last = len(self.weights) - 1
        self.edges = [
            boundary(w, sparsity if i < last or sparse_output else 0.0) for i, w in enumerate(self.weights)
        ]

    @torch.no_grad()
    def signs(self) -> list[NDArray[np.int8]]:
        """The binarised weights as they stand: (units, inputs) int8 in {-1, 0, +1} a layer."""
        return [
            ternary_values(w, edge).to(torch.int8).cpu().numpy()
            for w, edge in zip(self.weights, self.edges, strict=True)
        ]

    @torch.no_grad()
    def to_bitwise(
        self, config: RunConfig, signs: Sequence[NDArray[np.int8]] | None = None
    ) -> BitwiseNetwork:
        """The packed network as it stands now; ``signs`` saves binarising again."""
        if self.norms:
            biases = [norm.fold(self.sizes[i], self._reach(i)) for i, norm in enumerate(self.norms)]
        else:
            biases = [np.where(b.detach().cpu().numpy() >= 0, 1, -1).astype(np.int32) for b in self.biases]
        zero_one = FEATURES[config.data.features].low == 0
        layers = tuple(
            PackedLayer.from_signs(w, b, zero_one=zero_one and i == 0)
            for i, (w, b) in enumerate(zip(signs or self.signs(), biases, strict=True))
        )
        variant = "threshold" if self.reaches else config.network.variant
        return BitwiseNetwork(layers, config.data.features, config.data.input_threshold, variant)

    @torch.no_grad()
    def to_real(
        self, config: RunConfig, gain: float, left_out: NDArray[np.bool_] | None = None
    ) -> RealNetwork:
        """Phase 1's network with its weights rounded to float16; those of inputs that were left out are 0."""

        def rounded(p: Tensor) -> NDArray[np.float32]:
            return torch.tanh(p * gain).to(torch.float16).to(torch.float32).cpu().numpy()

        weights = [rounded(w) for w in self.weights]
        if left_out is not None:
            weights[0][:, left_out] = 0
        return RealNetwork(
            tuple(weights),
            tuple(rounded(b) for b in self.biases),
            config.data.features,
            config.data.input_threshold,
        )
