"""The identity test: the training network in evaluation mode equals the packed network, every integer."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bnn_core import Digits, RunConfig
from bnn_core.bits import pack
from bnn_core.datasets.features import FEATURES, input_count, input_values
from bnn_core.kernels import KERNELS
from bnn_core.training.latent import LatentNetwork


def assert_identical(latent: LatentNetwork, images: np.ndarray, config: RunConfig) -> None:
    packed = latent.to_bitwise(config)
    bits = packed.input_bits(images)
    values = torch.from_numpy(input_values(bits, config.data.features)).float()
    with torch.no_grad():
        sums = latent.bitwise_forward(values, config)
    for name, kernel in KERNELS.items():
        words = pack(bits)
        for layer, expected in zip(packed.layers, sums, strict=True):
            got = kernel.sums(words, layer)
            assert np.array_equal(got, expected.numpy()), name
            words = pack((got >= 0).astype(np.uint8))
    # The trace of one digit tells the same story.
    for layer, expected in zip(packed.trace(images[0]), sums, strict=True):
        assert np.array_equal(layer.sums, expected[0].numpy())
        assert np.array_equal(layer.counts - (layer.active - layer.counts) + layer.bias, layer.sums)
        assert np.array_equal(layer.bits, layer.sums >= 0)
        for unit in range(0, len(layer.sums), 7):
            used = layer.used(unit)
            agree = layer.inputs == layer.weights[unit]
            assert layer.counts[unit] == (agree if used is None else agree & used.astype(bool)).sum()
            assert layer.active[unit] == (len(agree) if used is None else used.sum())


def give_norms(latent: LatentNetwork, rng: np.random.Generator) -> None:
    """Norms as training might leave them: any mean and spread, gains from tiny to large."""
    latent.make_norms()
    with torch.no_grad():
        for norm, inputs in zip(latent.norms, latent.sizes, strict=False):
            for tensor, values in (
                (norm.gain, 10.0 ** rng.uniform(-2, 1, len(norm.gain))),
                (norm.shift, rng.normal(0, 1, len(norm.shift))),
                (norm.mean, rng.normal(0, inputs**0.5, len(norm.mean))),
                (norm.var, inputs * 10.0 ** rng.uniform(-3, 1, len(norm.var))),
            ):
                tensor.copy_(torch.from_numpy(values))


@pytest.mark.parametrize("sparsity", [0.0, 0.5, 0.97])
@pytest.mark.parametrize("variant", ["strict", "threshold"])
@pytest.mark.parametrize("features", FEATURES)
def test_on_real_digits(mnist: Digits, features: str, variant: str, sparsity: float) -> None:
    rng = np.random.default_rng(0)
    sparse_output = sparsity == 0.97
    config = RunConfig().updated(
        {
            "data.features": features,
            "network.variant": variant,
            "noise.sparsity": sparsity,
            "noise.sparse_output": sparse_output,
        }
    )
    latent = LatentNetwork.random((input_count(features, 28), 200, 129, 10), 1.0, rng)
    latent.set_boundaries(sparsity, sparse_output)
    if variant == "threshold":
        give_norms(latent, rng)
    packed = latent.to_bitwise(config)
    assert packed.sparse == (sparsity > 0)
    assert (packed.layers[-1].mask is None) == (not sparse_output or sparsity == 0)
    assert (np.abs(packed.layers[0].bias).max() > 1) == (variant == "threshold")
    assert_identical(latent, mnist.test_images[:200], config)


@given(
    st.sampled_from(list(FEATURES)),
    st.sampled_from(["strict", "threshold"]),
    st.integers(4, 11),
    st.lists(st.integers(8, 70), min_size=1, max_size=3),
    st.integers(2, 12),
    st.sampled_from([0.0, 0.2, 0.9]),
    st.integers(0, 10**6),
)
def test_on_odd_sizes(
    features: str, variant: str, side: int, hidden: list[int], classes: int, sparsity: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    sizes = (input_count(features, side), *hidden, classes)
    latent = LatentNetwork.random(sizes, 1.0, rng)
    with torch.no_grad():  # exact ties and zeros among the latents
        for w in latent.weights:
            w.copy_(torch.round(w * 4) / 4)
    latent.set_boundaries(sparsity, True)
    if variant == "threshold":
        give_norms(latent, rng)
    images = rng.integers(0, 256, (5, side, side), np.uint8)
    config = RunConfig().updated(
        {"data.features": features, "network.variant": variant, "noise.sparsity": sparsity}
    )
    assert_identical(latent, images, config)


@given(st.integers(1, 3000), st.integers(1, 20), st.integers(0, 10**6))
def test_folding_finds_the_smallest_sum_that_is_on(inputs: int, units: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    latent = LatentNetwork.random((inputs, units, 2), 1.0, rng)
    give_norms(latent, rng)
    norm = latent.norms[0]
    with torch.no_grad():
        norm.shift[::3] = torch.from_numpy(rng.choice([-1e6, 1e6, 0.0], len(norm.shift[::3]))).float()
    every = torch.arange(-inputs, inputs + 1).float()
    on = norm.evaluate(every[:, None].expand(-1, units)).numpy() >= 0
    folded = norm.fold(inputs)
    assert np.array_equal(on, every.numpy()[:, None] + folded >= 0)
    assert np.all(np.abs(folded) <= inputs + 1)


def test_an_output_norm_leaves_the_order_of_the_classes(rng: np.random.Generator) -> None:
    latent = LatentNetwork.random((50, 8, 4), 1.0, rng)
    give_norms(latent, rng)
    norm = latent.norms[-1]
    a = torch.from_numpy(rng.integers(-8, 9, (500, 4))).float()
    real = norm.evaluate(a)
    # The integers are the logits, up to rounding by half a unit of the sums.
    scale = norm.gain / torch.sqrt(norm.var + 1e-5)
    folded = (a + torch.from_numpy(norm.fold(8))) * scale
    assert torch.all((folded - real).abs() <= 0.5 * scale + 1e-4)


def test_a_norm_in_training_is_batch_norm(rng: np.random.Generator) -> None:
    latent = LatentNetwork.random((50, 8, 4), 1.0, rng)
    give_norms(latent, rng)
    hidden, output = latent.norms
    a = rng.normal(3, 5, (64, 8)).astype(np.float32)
    seen = hidden.normalise(torch.from_numpy(a)).detach().numpy()
    expected = (a - a.mean(axis=0)) / np.sqrt(a.var(axis=0) + 1e-5) * hidden.gain.detach().numpy()
    assert np.allclose(seen, expected + hidden.shift.detach().numpy(), rtol=1e-4, atol=1e-4)
    a = a[:, :4]
    seen = output.normalise(torch.from_numpy(a)).detach().numpy()
    spread = np.sqrt(a.var(axis=0).mean() + 1e-5)
    expected = (a - a.mean(axis=0)) / spread * output.gain.detach().numpy() + output.shift.detach().numpy()
    assert np.allclose(seen, expected, rtol=1e-4, atol=1e-4)


def test_the_norms_gains_stay_positive() -> None:
    latent = LatentNetwork.random((50, 8, 4), 1.0, np.random.default_rng(0))
    latent.make_norms()
    with torch.no_grad():
        for norm in latent.norms:
            norm.gain.fill_(-1)
    latent.clip()
    assert all(torch.all(norm.gain > 0) for norm in latent.norms)


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


@pytest.mark.parametrize("features", FEATURES)
def test_the_real_network_in_numpy_is_phase_1s(mnist: Digits, features: str) -> None:
    config = RunConfig().updated({"data.features": features})
    sizes = (input_count(features, 28), 64, 10)
    latent = LatentNetwork.random(sizes, 0.3, np.random.default_rng(1))
    real = latent.to_real(config, 2.0)
    images = mnist.test_images[:200]
    with torch.no_grad():
        bits = latent.to_bitwise(config).input_bits(images)
        z = torch.from_numpy(input_values(bits, features)).float()
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
