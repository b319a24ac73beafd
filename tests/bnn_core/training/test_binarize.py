"""Values and pseudo-gradients, against formulas written independently in NumPy."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bnn_core.training.binarize import (
    Boundary,
    boundary,
    compress,
    drop,
    flip,
    sign_bit,
    ternarise,
    ternary_values,
)

SPECIAL = [
    0.0,
    -0.0,
    1e-45,
    -1e-45,
    1.0,
    -1.0,
    2.0,
    -2.0,
    np.nextafter(2.0, 3.0),
    np.nextafter(2.0, 1.0),
    50.0,
]


def special() -> torch.Tensor:
    rng = np.random.default_rng(0)
    values = np.concatenate([SPECIAL, rng.normal(0, 3, 500)]).astype(np.float32)
    return torch.from_numpy(values).requires_grad_()


def gradient_of(output: torch.Tensor, leaf: torch.Tensor, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """(the error sent in, the error that arrives)."""
    sent = np.random.default_rng(seed).normal(size=tuple(output.shape)).astype(np.float32)
    output.backward(torch.from_numpy(sent))
    assert leaf.grad is not None
    return sent, leaf.grad.numpy()


def test_sign_of_zero_is_plus_one_everywhere() -> None:
    zeros = torch.tensor([0.0, -0.0])
    assert sign_bit(zeros, "identity", 1.0).tolist() == [1.0, 1.0]
    assert ternary_values(zeros[None], Boundary()).tolist() == [[1.0, 1.0]]


@pytest.mark.parametrize("kind", ["identity", "clipped", "tanh"])
def test_sign_bit_forward_and_pseudo_gradient(kind: str) -> None:
    a, limit = special(), 2.0
    z = sign_bit(a, kind, limit)
    values = a.detach().numpy()
    assert np.array_equal(z.detach().numpy(), [1.0 if v >= 0 else -1.0 for v in values])
    sent, arrived = gradient_of(z, a)
    expected = {
        "identity": sent,
        "clipped": np.where((values >= -limit) & (values <= limit), sent, 0),
        "tanh": sent / np.cosh(values.astype(np.float64) / limit) ** 2,
    }[kind]
    assert np.allclose(arrived, expected, rtol=1e-4, atol=2e-7)
    if kind != "tanh":
        assert np.array_equal(arrived, expected)


@pytest.mark.parametrize("gain", [0.5, 1.0, 16.0])
def test_compress_and_its_true_derivative(gain: float) -> None:
    w = special()
    out = compress(w, gain)
    values = w.detach().numpy().astype(np.float64)
    assert np.allclose(out.detach().numpy(), np.tanh(gain * values), atol=1e-6)
    sent, arrived = gradient_of(out, w)
    assert np.allclose(arrived, sent * gain * (1 - np.tanh(gain * values) ** 2), rtol=1e-3, atol=1e-5 * gain)


@given(
    st.lists(st.sampled_from([-1.0, -0.5, -0.25, 0.0, 0.25, 0.5, 1.0]), min_size=1, max_size=60),
    st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.9, 0.97]),
)
def test_the_share_of_zeros_is_exact_even_with_ties(values: list[float], sparsity: float) -> None:
    latent = torch.tensor([values])
    signs = ternary_values(latent, boundary(latent, sparsity))[0].numpy()
    off = round(sparsity * len(values))
    # The smallest go first, of equal ones the earliest: a stable sort says which.
    expected = np.where(np.array(values) >= 0, 1.0, -1.0)
    expected[np.argsort(np.abs(values), kind="stable")[:off]] = 0
    assert signs.tolist() == expected.tolist()


def test_ternarise_passes_the_error_on_unchanged() -> None:
    w = special()[None].detach().requires_grad_()
    out = ternarise(w, boundary(w.detach(), 0.5))
    assert set(out.unique().tolist()) == {-1.0, 0.0, 1.0}
    sent, arrived = gradient_of(out, w)
    assert np.array_equal(sent, arrived)


@given(st.floats(0.01, 0.5), st.integers(0, 1000))
def test_flips_turn_about_that_share_and_pass_the_error(probability: float, seed: int) -> None:
    bits = torch.ones(4000).requires_grad_()
    out = flip(bits, probability, torch.Generator().manual_seed(seed))
    assert set(out.unique().tolist()) <= {-1.0, 1.0}
    share = float((out == -1).float().mean())
    assert abs(share - probability) < 6 * (probability / 4000) ** 0.5
    sent, arrived = gradient_of(out, bits)
    assert np.array_equal(sent, arrived)


def test_flips_of_zero_one_inputs_stay_zero_one() -> None:
    bits = torch.tensor([0.0, 1.0]).repeat(2000)
    out = flip(bits, 0.25, torch.Generator().manual_seed(0), low=0)
    assert set(out.unique().tolist()) == {0.0, 1.0}
    for value in (0.0, 1.0):
        assert abs(float((out[bits == value] != value).float().mean()) - 0.25) < 0.06


def test_a_switched_off_weight_is_not_flipped() -> None:
    weights = torch.tensor([-1.0, 0.0, 1.0]).repeat(1000)
    out = flip(weights, 0.5, torch.Generator().manual_seed(0))
    assert torch.equal(out == 0, weights == 0)


def test_no_flip_and_no_dropout_change_nothing() -> None:
    bits = torch.tensor([1.0, -1.0])
    generator = torch.Generator()
    assert flip(bits, 0, generator) is bits
    assert drop(bits, 0, generator) is bits


def test_dropout_keeps_the_mean() -> None:
    out = drop(torch.ones(100_000), 0.2, torch.Generator().manual_seed(0))
    assert set(out.unique().tolist()) == {0.0, 1.25}
    assert abs(float(out.mean()) - 1) < 0.02
