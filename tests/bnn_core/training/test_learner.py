"""One step of either phase: its loss, and the nudge of its inputs."""

import numpy as np
import pytest
import torch

from bnn_core import Control, Digits, RunConfig, train
from bnn_core.datasets.digits import split
from bnn_core.datasets.features import FEATURES, input_bits
from bnn_core.network.construct import quiet_inputs
from bnn_core.training.learner import Learner
from bnn_core.training.run import Run


@pytest.mark.parametrize("phase", [1, 2])
def test_the_loss_is_the_cross_entropy_of_scaled_sums(small: Digits, phase: int) -> None:
    run = Run(RunConfig().updated({"network.hidden": [24]}), small, Control())
    run.place.phase = phase
    z = run.material.values[:50].double().numpy()
    network = run.learner.network
    W = [w.detach().double().numpy() for w in network.weights]
    B = [b.detach().double().numpy() for b in network.biases]
    if phase == 1:
        hidden = np.tanh(4 / 28 * (z @ np.tanh(W[0]).T + np.tanh(B[0])))
        logits = 4 / 24**0.5 * (hidden @ np.tanh(W[1]).T + np.tanh(B[1]))
    else:
        W, B = ([np.where(p >= 0, 1, -1) for p in ps] for ps in (W, B))
        hidden = np.where(z @ W[0].T + B[0] >= 0, 1, -1)
        logits = (hidden @ W[1].T + B[1]) / 24**0.5
    right = logits[range(50), small.train_labels[:50]]
    expected = float(np.mean(np.log(np.exp(logits).sum(axis=1)) - right))
    assert run.step(torch.arange(50)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("features", ["bipolar", "zero-one", "two-bit"])
@pytest.mark.parametrize("constants", [0, 4])
def test_a_nudge_moves_what_varies_by_its_share_towards_more_loss(
    small: Digits, monkeypatch: pytest.MonkeyPatch, features: str, constants: int
) -> None:
    seen: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = []
    nudged = Learner._nudged

    def watched(learner: Learner, z: torch.Tensor, share: float, low: int) -> torch.Tensor:
        moved = nudged(learner, z, share, low)
        assert z.grad is not None
        seen.append((z.detach(), z.grad, moved))
        return moved

    monkeypatch.setattr(Learner, "_nudged", watched)
    config = RunConfig().updated(
        {
            "data.features": features,
            "network.hidden": [16],
            "network.constant_units": constants,
            "phase1.epochs": 1,
            "phase1.nudge": 0.1,
            "phase2.epochs": 1,
            "phase2.nudge": 0.1,
        }
    )
    list(train(config, small, threads=1))
    low = FEATURES[features].low
    quiet = quiet_inputs(input_bits(split(small, None).train_images, features, 128))
    assert 0 < quiet.sum() < len(quiet)
    assert len(seen) > 2
    for z, gradient, moved in seen:
        assert torch.equal(moved[:, quiet], z[:, quiet])
        step = (moved - z)[:, ~quiet]
        assert step.abs().max() <= 0.1 * (1 - low) + 1e-6
        assert (step * gradient[:, ~quiet]).min() >= 0
        assert step.any()
        assert moved.min() >= low
        assert moved.max() <= 1
