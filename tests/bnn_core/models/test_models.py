"""Every network that comes with the project does what its card says, exactly."""

import numpy as np
import pytest

from bnn_core import BitwiseNetwork, Digits, RealNetwork, RunConfig
from bnn_core.models import ShippedModel, shipped_models
from bnn_core.names import REAL_FILE
from bnn_core.presets import PRESETS
from bnn_core.reproduce.experiments import PAPER
from bnn_core.runs.folder import RunFolder

MODELS = shipped_models()


def test_the_networks_that_the_project_promises_are_there() -> None:
    assert {m.name for m in MODELS} >= {
        "quick",
        "talk",
        "paper",
        "paper-sparse",
        "paper-threshold",
        "zero-one",
        "two-bit",
    }
    assert {m.name for m in MODELS if (m.path / REAL_FILE).exists()} >= {"quick", "talk", "paper"}


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_a_card_says_what_the_network_does(model: ShippedModel, mnist: Digits) -> None:
    network = BitwiseNetwork.load(model.name)
    labels = network.predict(mnist.test_images)
    confusion = np.zeros((10, 10), int)
    np.add.at(confusion, (mnist.test_labels, labels), 1)
    assert confusion.tolist() == model.card["confusion"]
    assert int((labels != mnist.test_labels).sum()) == model.card["errors"]
    assert model.card["error_percent"] == model.card["errors"] / 100
    assert (model.path / "model.safetensors").stat().st_size == model.card["bytes"]
    assert network.provenance["data_sha256"] == mnist.sha256
    assert model.card["command"].startswith(("python -m bnn_core train ", "python -m bnn_core reproduce "))


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_a_strict_network_is_made_of_bits_alone(model: ShippedModel) -> None:
    network = BitwiseNetwork.load(model.name)
    config = RunConfig.from_dict(model.card["config"])
    assert network.variant == config.network.variant
    assert network.sizes[1:-1] == config.network.hidden
    biases = np.concatenate([layer.bias for layer in network.layers])
    assert (set(biases.tolist()) <= {-1, 1}) == (network.variant == "strict")
    sparse = [layer.mask is not None for layer in network.layers]
    assert any(sparse) == (config.noise.sparsity > 0)


def test_the_paper_s_network_is_no_worse_than_the_paper_s() -> None:
    card = next(m.card for m in MODELS if m.name == "paper")
    assert RunConfig.from_dict(card["config"]) == PRESETS["paper"].config
    assert card["error_percent"] <= PAPER["bipolar"][1]


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_a_shipped_network_is_a_whole_run(model: ShippedModel, mnist: Digits) -> None:
    run = RunFolder(model.path)
    assert run.state() == "finished"
    epochs = [r for r in run.events() if r["event"] == "epoch_ended"]
    assert len(epochs) == run.config.phase1.epochs + run.config.phase2.epochs
    assert RunConfig.from_dict(model.card["config"]) == run.config
    # The last snapshot, replayed, is the network; both ends of phases have one, in a short run every epoch.
    known = {(r["phase"], r["epoch"]) for r in epochs}
    whole_epochs = {s.name[:2] for s in run.snapshots() if s.name.epoch}
    assert whole_epochs <= known
    assert whole_epochs >= {(n, p.epochs) for n, p in enumerate((run.config.phase1, run.config.phase2), 1)}
    assert len(whole_epochs) >= min(len(known), 5)
    assert whole_epochs == known or len(known) > 20
    network, last = BitwiseNetwork.load(model.path), BitwiseNetwork.load(run.snapshots()[-1].path)
    images = mnist.test_images[:500]
    assert np.array_equal(network.scores(images), last.scores(images))


@pytest.mark.parametrize("model", [m for m in MODELS if (m.path / REAL_FILE).exists()], ids=lambda m: m.name)
def test_the_real_twin_is_as_good_as_its_card(model: ShippedModel, mnist: Digits) -> None:
    real = RealNetwork.load(model.path / REAL_FILE)
    errors = int((real.predict(mnist.test_images) != mnist.test_labels).sum())
    # A processor's own float sums may turn a digit or two that stands on the edge.
    assert abs(errors - 100 * model.card["real_error_percent"]) <= 3


@pytest.mark.parametrize(("name", "limit"), [("quick", 3.6), ("talk", 2.8)])
def test_the_shipped_presets_reach_their_error(name: str, limit: float) -> None:
    card = next(m.card for m in MODELS if m.name == name)
    assert card["error_percent"] <= limit
    assert RunConfig.from_dict(card["config"]) == PRESETS[name].config
    # What a preset promises is what its own run gave.
    assert abs(card["error_percent"] - PRESETS[name].error_percent) <= 0.05
    assert abs(card["seconds"] - PRESETS[name].seconds) <= 0.1 * card["seconds"]


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("name", "limit"), [("quick", 3.6), ("talk", 2.8)])
def test_training_a_preset_anew_reaches_its_error(name: str, limit: float, mnist: Digits) -> None:
    from bnn_core import train
    from bnn_core.training.events import RunEnded

    end = None
    for event in train(PRESETS[name].config, mnist):
        end = event
    assert isinstance(end, RunEnded)
    assert end.test_error is not None
    assert end.test_error <= limit
