"""Checkpoints that were written before the network was a torch module: read, and gone on from."""

from pathlib import Path

import numpy as np
import pytest

from bnn_core import Control, Digits, RunConfig, train
from bnn_core.network.bitwise import BitwiseNetwork
from bnn_core.runs.checkpoints import load_checkpoint
from bnn_core.training.events import Checkpoint, RunEnded
from bnn_core.training.run import Run

DATA = Path(__file__).parent / "data"
"""A checkpoint of each variant after the first of two epochs of phase 2, and the network at the end."""


@pytest.fixture(params=["strict", "threshold"])
def variant(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def old(variant: str) -> Checkpoint:
    return load_checkpoint(DATA / f"{variant}-halfway.safetensors")


@pytest.fixture
def config(old: Checkpoint) -> RunConfig:
    return RunConfig.from_dict(old.state["config"])


def test_an_old_checkpoint_is_taken_up_whole(small: Digits, config: RunConfig, old: Checkpoint) -> None:
    arrays = Run(config, small, Control(), old).learner.arrays()
    assert arrays.keys() == {name for name in old.tensors if not name.startswith("signs")}
    for name, array in arrays.items():
        assert array.dtype == old.tensors[name].dtype
        assert np.array_equal(array, old.tensors[name]), name


def test_a_new_checkpoint_has_the_old_ones_tensors(small: Digits, config: RunConfig, old: Checkpoint) -> None:
    checkpoints = [e for e in train(config, small, threads=1) if isinstance(e, Checkpoint)]
    (new,) = [c for c in checkpoints if (c.state["place"]["phase"], c.state["place"]["epoch"]) == (2, 1)]
    assert new.state.keys() <= old.state.keys()
    assert new.tensors.keys() == old.tensors.keys()
    for name, tensor in new.tensors.items():
        # A file makes one number a row of one.
        assert (np.atleast_1d(tensor).shape, tensor.dtype) == (
            old.tensors[name].shape,
            old.tensors[name].dtype,
        )


def test_an_old_run_goes_on_to_the_network_that_it_ended_with(
    small: Digits, config: RunConfig, old: Checkpoint, variant: str
) -> None:
    end = list(train(config, small, checkpoint=old))[-1]
    assert isinstance(end, RunEnded)
    assert end.network is not None
    expected = BitwiseNetwork.load(DATA / f"{variant}-end.safetensors")
    # Bit for bit where the files were made; elsewhere sums are rounded in another order.
    pairs = list(zip(end.network.layers, expected.layers, strict=True))
    differing = np.concatenate([(a.weight_signs() != b.weight_signs()).ravel() for a, b in pairs])
    assert differing.mean() < 0.005
    assert max(np.abs(a.bias - b.bias).max() for a, b in pairs) <= 2
