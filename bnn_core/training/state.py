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

_MOMENTS = ("step", "exp_avg", "exp_avg_sq")


def learner_arrays(learner: Learner) -> dict[str, NDArray[Any]]:
    """Everything that a step changes.

    ``latentN`` are the network's parameters, in their order, ``adamN.*`` the optimiser's moments of them,
    ``normN.*`` the running statistics: float32 of the parameter's shape; ``adamN.step`` is one number.
    """
    tensors: dict[str, Tensor] = dict(learner.network.named_buffers())
    tensors |= {f"latent{i}": p for i, p in enumerate(learner.network.parameters())}
    for i, moments in learner.optimizer.state_dict()["state"].items():
        tensors |= {f"adam{i}.{name}": value for name, value in moments.items()}
    # A copy: training goes on in the tensors' own memory.
    return {name: tensor.detach().cpu().numpy().copy() for name, tensor in tensors.items()}


def learner_of(arrays: Mapping[str, NDArray[Any]], material: Material, device: str) -> Learner:
    """The learner whose arrays these are; its boundaries are not among them."""
    tensors = {name: torch.from_numpy(np.array(value)) for name, value in arrays.items()}
    network = LatentNetwork(material.free_sizes, device)
    if "norm0.mean" in tensors:
        network.make_norms()
    kept = {name: tensors[f"latent{i}"] for i, (name, _) in enumerate(network.named_parameters())}
    network.load_state_dict(kept | {name: tensors[name] for name, _ in network.named_buffers()})
    learner = Learner(network, material)
    moments = {
        i: {name: tensors[f"adam{i}.{name}"] for name in _MOMENTS}
        for i in range(len(kept))
        if f"adam{i}.step" in tensors  # what a loss never reached has none
    }
    learner.optimizer.load_state_dict({**learner.optimizer.state_dict(), "state": moments})
    return learner
