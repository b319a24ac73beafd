"""A learner as a checkpoint's arrays, and back (torch)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bnn_core.training.latent import LatentNetwork
from bnn_core.training.learner import Learner
from bnn_core.training.material import Material


def learner_arrays(learner: Learner) -> dict[str, NDArray[Any]]:
    """Everything that a step changes.

    ``latentN`` are the parameters in :meth:`LatentNetwork.parameters`' order, ``adamN.*`` the optimiser's
    moments of them, ``normN.*`` the running statistics.
    """
    arrays: dict[str, NDArray[Any]] = {}

    def keep(name: str, tensor: Tensor) -> None:
        # A copy: training goes on in the tensor's own memory.
        arrays[name] = tensor.detach().cpu().numpy().copy()

    for i, parameter in enumerate(learner.network.parameters()):
        keep(f"latent{i}", parameter)
        for name, value in learner.optimizer.state.get(parameter, {}).items():
            keep(f"adam{i}.{name}", value)
    for i, norm in enumerate(learner.network.norms):
        for name, value in norm.buffers().items():
            keep(f"norm{i}.{name}", value)
    return arrays


def learner_of(arrays: Mapping[str, NDArray[Any]], layers: int, material: Material, device: str) -> Learner:
    """The learner whose arrays these are; its boundaries are not among them."""
    tensors = {name: torch.from_numpy(np.array(value)).to(device) for name, value in arrays.items()}
    network = LatentNetwork(
        [tensors[f"latent{2 * i}"] for i in range(layers)],
        [tensors[f"latent{2 * i + 1}"] for i in range(layers)],
    )
    if "norm0.mean" in tensors:
        _restore_norms(network, tensors)
    learner = Learner(network, material)
    for i, parameter in enumerate(network.parameters()):
        prefix = f"adam{i}."
        moments = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
        if moments:
            learner.optimizer.state[parameter] = moments
    return learner


@torch.no_grad()
def _restore_norms(network: LatentNetwork, tensors: Mapping[str, Tensor]) -> None:
    network.make_norms()
    first = 2 * len(network.weights)
    for i, norm in enumerate(network.norms):
        for place, parameter in enumerate(norm.parameters()):
            parameter.copy_(tensors[f"latent{first + 2 * i + place}"])
        for name, value in norm.buffers().items():
            value.copy_(tensors[f"norm{i}.{name}"])
