"""The identity test: the training network in evaluation mode equals the packed network, every integer."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bnn_core import Digits, RunConfig
from bnn_core.bits import pack, to_signs
from bnn_core.kernels import KERNELS
from bnn_core.latent import LatentNetwork


def assert_identical(latent: LatentNetwork, images: np.ndarray, config: RunConfig) -> None:
    packed = latent.to_bitwise(config)
    bits = packed.input_bits(images)
    with torch.no_grad():
        sums = latent.bitwise_forward(torch.from_numpy(to_signs(bits)).float(), config)
    for name, run in KERNELS.items():
        words = pack(bits)
        for layer, expected in zip(packed.layers, sums, strict=True):
            got = run(words, layer)
            assert np.array_equal(got, expected.numpy()), name
            words = pack((got >= 0).astype(np.uint8))
    # The trace of one digit tells the same story.
    for layer, expected in zip(packed.trace(images[0]), sums, strict=True):
        assert np.array_equal(layer.sums, expected[0].numpy())
        assert np.array_equal(layer.counts - (layer.active - layer.counts) + layer.bias, layer.sums)
        assert np.array_equal(layer.bits, layer.sums >= 0)


@pytest.mark.parametrize("sparsity", [0.0, 0.5, 0.97])
@pytest.mark.parametrize("sparse_output", [False, True])
def test_on_real_digits(mnist: Digits, sparsity: float, sparse_output: bool) -> None:
    config = RunConfig().updated({"noise.sparsity": sparsity, "noise.sparse_output": sparse_output})
    latent = LatentNetwork.random((784, 200, 129, 10), 1.0, np.random.default_rng(0))
    latent.set_boundaries(sparsity, sparse_output)
    packed = latent.to_bitwise(config)
    assert packed.sparse == (sparsity > 0)
    assert (packed.layers[-1].mask is None) == (not sparse_output or sparsity == 0)
    assert_identical(latent, mnist.test_images[:300], config)


@given(
    st.integers(4, 11),
    st.lists(st.integers(8, 70), min_size=1, max_size=3),
    st.integers(2, 12),
    st.sampled_from([0.0, 0.2, 0.9]),
    st.integers(0, 10**6),
)
def test_on_odd_sizes(side: int, hidden: list[int], classes: int, sparsity: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = (side * side, *hidden, classes)
    latent = LatentNetwork.random(sizes, 1.0, rng)
    with torch.no_grad():  # exact ties and zeros among the latents
        for w in latent.weights:
            w.copy_(torch.round(w * 4) / 4)
    latent.set_boundaries(sparsity, True)
    images = rng.integers(0, 256, (5, side, side), np.uint8)
    config = RunConfig().updated({"noise.sparsity": sparsity})
    assert_identical(latent, images, config)


def test_gradients_of_both_phases_follow_the_paper(rng: np.random.Generator) -> None:
    """Back-propagation by the paper's equations, written out in float64, against what training uses."""
    config = RunConfig()
    latent = LatentNetwork.random((50, 9, 30, 4), 0.8, rng)
    z0 = rng.choice([-1.0, 1.0], (6, 50))
    W = [w.detach().numpy().astype(np.float64) for w in latent.weights]
    B = [b.detach().numpy().astype(np.float64) for b in latent.biases]
    sent = rng.normal(size=(6, 4))

    def check(expected: list[np.ndarray]) -> None:
        for p, grad in zip(latent.parameters(), expected, strict=True):
            assert p.grad is not None
            assert np.allclose(p.grad.numpy(), grad, rtol=1e-4, atol=1e-5)
            p.grad = None

    # Phase 1: w = tanh(k w_bar), z = tanh(4 a / sqrt(n)).
    k = 3.0
    scale = [4 / w.shape[1] ** 0.5 for w in W]
    z = [z0]
    for w, b, s in zip(W, B, scale, strict=True):
        z.append(np.tanh(s * (z[-1] @ np.tanh(k * w).T + np.tanh(k * b))))
    latent.real_forward(torch.from_numpy(z0).float(), k).backward(torch.from_numpy(sent).float())
    delta, grads = sent * scale[-1], []
    for i in (2, 1, 0):
        grads[:0] = [
            (delta.T @ z[i]) * k * (1 - np.tanh(k * W[i]) ** 2),
            delta.sum(axis=0) * k * (1 - np.tanh(k * B[i]) ** 2),
        ]
        if i:
            delta = (delta @ np.tanh(k * W[i])) * scale[i - 1] * (1 - z[i] ** 2)
    check(grads)

    # Phase 2: w = sign(w_bar), z = sign(a), the error through |a| <= sqrt(n) only.
    S = [np.where(w >= 0, 1.0, -1.0) for w in W]
    T = [np.where(b >= 0, 1.0, -1.0) for b in B]
    z, a = [z0], []
    for s, t in zip(S, T, strict=True):
        a.append(z[-1] @ s.T + t)
        z.append(np.where(a[-1] >= 0, 1.0, -1.0))
    latent.bitwise_forward(torch.from_numpy(z0).float(), config)[-1].backward(torch.from_numpy(sent).float())
    delta, grads = sent, []
    for i in (2, 1, 0):
        grads[:0] = [delta.T @ z[i], delta.sum(axis=0)]
        if i:
            delta = (delta @ S[i]) * (np.abs(a[i - 1]) <= S[i - 1].shape[1] ** 0.5)
    check(grads)


def test_the_real_network_in_numpy_is_phase_1s(mnist: Digits) -> None:
    config = RunConfig()
    latent = LatentNetwork.random((784, 64, 10), 0.3, np.random.default_rng(1))
    real = latent.to_real(config, 2.0)
    images = mnist.test_images[:200]
    with torch.no_grad():
        z = torch.from_numpy(to_signs(latent.to_bitwise(config).input_bits(images))).float()
        expected = latent.real_forward(z, 2.0).numpy()
    assert np.allclose(real.scores(images), expected, atol=5e-3)  # float16 weights


@pytest.mark.parametrize(
    ("field", "first_changed"),
    [
        ("noise.input_flips", 0),
        ("noise.hidden_flips", 1),
        ("noise.weight_flips", 0),
        ("phase2.dropout_input", 0),
        ("phase2.dropout_hidden", 1),
    ],
)
def test_each_noise_acts_where_it_says(rng: np.random.Generator, field: str, first_changed: int) -> None:
    latent = LatentNetwork.random((50, 30, 20, 4), 0.8, rng)
    z = torch.from_numpy(rng.choice([-1.0, 1.0], (8, 50))).float()
    quiet = latent.bitwise_forward(z, RunConfig(), torch.Generator().manual_seed(0))
    still = latent.bitwise_forward(z, RunConfig())
    assert all(torch.equal(a, b) for a, b in zip(quiet, still, strict=True))
    config = RunConfig().updated({field: 0.5})
    noisy = latent.bitwise_forward(z, config, torch.Generator().manual_seed(0))
    changed = [not torch.equal(a, b) for a, b in zip(quiet, noisy, strict=True)]
    assert changed.index(True) == first_changed
    # Without a generator nothing is noisy: that is evaluation.
    assert all(torch.equal(a, b) for a, b in zip(still, latent.bitwise_forward(z, config), strict=True))


def test_phase_1s_dropout_acts_where_it_says(rng: np.random.Generator) -> None:
    latent = LatentNetwork.random((50, 4), 0.8, rng)
    z = torch.from_numpy(rng.choice([-1.0, 1.0], (8, 50))).float()
    still = latent.real_forward(z, 1.0)
    for dropout, same in (((0.0, 0.9), True), ((0.9, 0.0), False)):
        out = latent.real_forward(z, 1.0, dropout=dropout, generator=torch.Generator().manual_seed(0))
        assert torch.equal(out, still) == same
