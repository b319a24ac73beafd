"""Learner: the latent network, its optimiser, one step of either phase, and all that as arrays (torch)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from bnn_core.config import RunConfig
from bnn_core.datasets.features import FEATURES
from bnn_core.network.bitwise import BitwiseNetwork
from bnn_core.network.construct import layer_means, strict_network, without_inputs
from bnn_core.network.real import RealNetwork
from bnn_core.training.latent import LatentNetwork
from bnn_core.training.material import Material

_MOMENTS = ("step", "exp_avg", "exp_avg_sq")


class Learner:
    """What is trained, and how one step trains it.

    Attributes:
        network: the latent weights.
        optimizer: Adam, fused; a phase begins with a fresh one.
        material: what it learns from.
    """

    def __init__(self, network: LatentNetwork, material: Material) -> None:
        self.network = network
        self.network.reaches = material.reaches
        self.material = material
        self.renew_optimizer()

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]], material: Material, device: str) -> Self:
        """The learner that has these :meth:`arrays`; its boundaries are not among them."""
        tensors = {name: torch.from_numpy(np.array(value)) for name, value in arrays.items()}
        network = LatentNetwork(material.free_sizes, device)
        if "norm0.mean" in tensors:
            network.make_norms()
        kept = {name: tensors[f"latent{i}"] for i, (name, _) in enumerate(network.named_parameters())}
        network.load_state_dict(kept | {name: tensors[name] for name, _ in network.named_buffers()})
        learner = cls(network, material)
        moments = {
            i: {name: tensors[f"adam{i}.{name}"] for name in _MOMENTS}
            for i in range(len(kept))
            if f"adam{i}.step" in tensors  # what a loss never reached has none
        }
        learner.optimizer.load_state_dict({**learner.optimizer.state_dict(), "state": moments})
        return learner

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything that a step changes, for a checkpoint.

        ``latentN`` are the network's parameters, in their order, ``adamN.*`` the optimiser's moments of them,
        ``normN.*`` the running statistics: float32 of the parameter's shape; ``adamN.step`` is one number.
        """
        tensors: dict[str, Tensor] = dict(self.network.named_buffers())
        tensors |= {f"latent{i}": p for i, p in enumerate(self.network.parameters())}
        for i, moments in self.optimizer.state_dict()["state"].items():
            tensors |= {f"adam{i}.{name}": value for name, value in moments.items()}
        # A copy: training goes on in the tensors' own memory.
        return {name: tensor.detach().cpu().numpy().copy() for name, tensor in tensors.items()}

    def renew_optimizer(self) -> None:
        """Forget the moments; take up parameters that are new."""
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=0.0, fused=True)

    def set_boundaries(self, config: RunConfig) -> None:
        """Choose each layer's boundary anew, so that the share of zeros is the configuration's."""
        self.network.set_boundaries(config.noise.sparsity, config.noise.sparse_output)

    def start_phase2(self, config: RunConfig, gain: float) -> None:
        """Phase 2 starts from the compressed weights with phase 1's last gain."""
        self.network.start_phase2(gain, norms=config.network.batch_norm)
        self.set_boundaries(config)
        self.renew_optimizer()

    def step(
        self,
        batch: Tensor,
        config: RunConfig,
        *,
        phase: int,
        rate: float,
        gain: float,
        noise: torch.Generator,
    ) -> float:
        """One step of Adam on the mean cross-entropy.

        Args:
            batch: (n,) int64: which of the material's digits.
            config: as it stands now.
            phase: 1 or 2.
            rate: the learning rate.
            gain: k of tanh(k w_bar), in phase 1.
            noise: the stream of this step's flips and dropout.

        Returns:
            that mean, of the digits as they are.
        """
        network, nudge = self.network, (config.phase1 if phase == 1 else config.phase2).nudge
        z = self.material.values[batch].float().requires_grad_(nudge > 0)  # (batch, inputs)
        labels = self.material.labels[batch]

        def loss_of(z: Tensor) -> Tensor:
            if phase == 1:
                dropout = (config.phase1.dropout_input, config.phase1.dropout_hidden)
                logits = network.real_forward(z, gain, dropout=dropout, generator=noise)
            else:
                logits = network.bitwise_forward(z, config, noise)[-1] * network.logit_scale
            return F.cross_entropy(logits, labels)  # as training sees them: with noise and dropout

        self.optimizer.zero_grad()
        loss = loss_of(z)
        if nudge == 0:
            loss.backward()
        else:
            (loss / 2).backward()
            (loss_of(self._nudged(z, nudge, FEATURES[config.data.features].low)) / 2).backward()
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        if phase == 2:
            network.clip()
        return float(loss.detach())

    @torch.no_grad()
    def _nudged(self, z: Tensor, share: float, low: int) -> Tensor:
        """Inputs moved towards more loss, each by that share of the way between its two values.

        Those that are never on stay: a network that learned to bear their moves would learn nothing for it.
        """
        assert z.grad is not None
        return (z + share * (1 - low) * z.grad.sign() * self.material.varied).clamp_(low, 1)

    def packed(self, config: RunConfig, signs: list[NDArray[np.int8]] | None = None) -> BitwiseNetwork:
        """The packed network as it stands now, constant units put in; ``signs`` saves binarising again."""
        network = self.network.to_bitwise(config, signs)
        constants, quiet = config.network.constant_units, self.material.quiet
        if not constants:
            return network
        network = without_inputs(network, quiet)
        return strict_network(network, constants, quiet, layer_means(network, self.material.images))

    def real(self, config: RunConfig, gain: float) -> RealNetwork:
        """Phase 1's network, to be kept beside the packed one."""
        return self.network.to_real(
            config, gain, self.material.quiet if config.network.constant_units else None
        )
