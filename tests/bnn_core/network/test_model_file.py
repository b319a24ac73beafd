"""The model file: whole, or refused with a sentence."""

import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import save_file

from bnn_core import BitwiseNetwork, InputError, RealNetwork
from bnn_core.datasets.features import FEATURES, input_count
from bnn_core.kernels import PackedLayer
from bnn_core.network.model_file import FORMAT, _digest


def network(sizes: list[int], zeros: float = 0.0, seed: int = 0) -> BitwiseNetwork:
    rng = np.random.default_rng(seed)
    layers = []
    for inputs, units in itertools.pairwise(sizes):
        signs = np.where(rng.random((units, inputs)) < zeros, 0, rng.choice([-1, 1], (units, inputs)))
        layers.append(PackedLayer.from_signs(signs.astype(np.int8), rng.choice([-1, 1], units)))
    return BitwiseNetwork(tuple(layers), provenance={"seed": seed})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.safetensors"


@pytest.mark.parametrize("zeros", [0.0, 0.4])
@pytest.mark.parametrize("sizes", [[784, 256, 10], [49, 65, 63, 2], [16, 8, 200]])
def test_what_is_saved_is_loaded(path: Path, sizes: list[int], zeros: float) -> None:
    saved = network(sizes, zeros)
    saved.save(path)
    loaded = BitwiseNetwork.load(path)
    assert loaded.sizes == tuple(sizes)
    assert loaded.provenance == {"seed": 0}
    side = saved.side
    images = np.random.default_rng(1).integers(0, 256, (20, side, side), np.uint8)
    assert np.array_equal(loaded.scores(images), saved.scores(images))
    assert list(path.parent.iterdir()) == [path]  # no half-written file beside it


@pytest.mark.parametrize("zeros", [0.0, 0.4])
@pytest.mark.parametrize("variant", ["strict", "threshold"])
@pytest.mark.parametrize("features", FEATURES)
def test_every_kind_of_network_is_saved_and_loaded(
    path: Path, features: str, variant: str, zeros: float, rng: np.random.Generator
) -> None:
    first, *rest = network([input_count(features, 9), 33, 10], zeros).layers
    zero_one = features == "zero-one"
    layers = [replace(first, zero_one=zero_one), *rest]
    if variant == "threshold":
        layers = [
            replace(layer, bias=rng.integers(-99, 99, layer.units).astype(np.int32)) for layer in layers
        ]
    saved = BitwiseNetwork(tuple(layers), features, 50, variant)
    saved.save(path)
    loaded = BitwiseNetwork.load(path)
    assert (loaded.features, loaded.variant, loaded.side) == (features, variant, 9)
    assert [layer.zero_one for layer in loaded.layers] == [zero_one, False]
    images = rng.integers(0, 256, (20, 9, 9), np.uint8)
    assert np.array_equal(loaded.scores(images), saved.scores(images))


def test_a_bias_beyond_all_sums_is_refused(path: Path) -> None:
    layers = network([784, 33, 10]).layers
    layers = (replace(layers[0], bias=np.full(33, 2**31 - 1, np.int32)), layers[1])
    BitwiseNetwork(layers, variant="threshold").save(path)
    with pytest.raises(InputError, match=r"layer0\.bias is beyond"):
        BitwiseNetwork.load(path)


def test_the_file_is_what_the_contract_says(path: Path) -> None:
    network([784, 33, 10], zeros=0.4).save(path)
    with safe_open(path, "np") as file:
        metadata = {k: json.loads(v) for k, v in file.metadata().items()}
        assert metadata.keys() == {
            "format", "sizes", "features", "input_threshold", "variant", "provenance", "sha256"
        }  # fmt: skip
        assert metadata["format"] == "bitwise-network/1"
        assert metadata["sizes"] == [784, 33, 10]
        assert set(file.keys()) == {f"layer{i}.{p}" for i in (0, 1) for p in ("weight", "mask", "bias")}
        assert file.get_tensor("layer0.weight").dtype == np.uint64
        assert file.get_tensor("layer0.weight").shape == (33, 13)
        assert set(file.get_tensor("layer1.bias").tolist()) <= {-1, 1}


def test_a_dense_network_has_no_masks(path: Path) -> None:
    network([64, 8, 10]).save(path)
    with safe_open(path, "np") as file:
        assert not [k for k in file.keys() if "mask" in k]  # noqa: SIM118


def test_the_file_is_as_small_as_its_bits(path: Path) -> None:
    net = network([784, 256, 256, 10])
    net.save(path)
    assert path.stat().st_size < 1.2 * net.packed_bytes + 3000
    assert path.stat().st_size < net.parameters * 4 / 25


WHOLE = network([49, 33, 10], zeros=0.2).to_bytes()


@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
def test_a_changed_byte_anywhere_is_noticed(
    tmp_path_factory: pytest.TempPathFactory, at: int, by: int
) -> None:
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    damaged = bytearray(WHOLE)
    damaged[at] ^= by
    path.write_bytes(damaged)
    with pytest.raises(InputError, match=r"model\.safetensors"):
        BitwiseNetwork.load(path)


@given(st.integers(0, len(WHOLE) - 1))
def test_a_truncated_file_is_refused(tmp_path_factory: pytest.TempPathFactory, length: int) -> None:
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    path.write_bytes(WHOLE[:length])
    with pytest.raises(InputError, match=r"model\.safetensors"):
        BitwiseNetwork.load(path)


def test_another_safetensors_file_is_refused(path: Path) -> None:
    save_file({"weight": np.zeros((2, 2), np.float32)}, path)
    with pytest.raises(InputError, match="is not a model file: its metadata has no readable 'format'"):
        BitwiseNetwork.load(path)


def test_missing_and_unwritable(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no model 'no-such'"):
        BitwiseNetwork.load("no-such")
    with pytest.raises(InputError, match=r"holds no model\.safetensors"):
        BitwiseNetwork.load(tmp_path)
    with pytest.raises(InputError, match="cannot be written"):
        network([16, 8, 2]).save(tmp_path / "no-such-folder" / "model.safetensors")


def test_images_of_another_size_are_refused(rng: np.random.Generator) -> None:
    net = network([784, 8, 10])
    for bad in (np.zeros((2, 27, 28), np.uint8), np.zeros((2, 28, 28), np.float32), np.zeros(784, np.uint8)):
        with pytest.raises(InputError, match=r"allowed is uint8 of shape \(n, 28, 28\)"):
            net.predict(bad)


def test_one_digit_is_traced_at_a_time() -> None:
    with pytest.raises(InputError, match="3 images were given to trace: allowed is one"):
        network([16, 8, 2]).trace(np.zeros((3, 4, 4), np.uint8))


def test_ties_go_to_the_lowest_class() -> None:
    signs = np.tile(np.array([[1, -1] * 8], np.int8), (4, 1))
    net = BitwiseNetwork((PackedLayer.from_signs(signs, np.ones(4, np.int32)),))
    assert net.predict(np.zeros((1, 4, 4), np.uint8)).tolist() == [0]


def test_a_long_batch_equals_its_digits_one_by_one(rng: np.random.Generator) -> None:
    net = network([64, 70, 10])
    images = rng.integers(0, 256, (5000, 8, 8), np.uint8)
    scores = net.scores(images)
    for i in (0, 4095, 4096, 4999):
        assert np.array_equal(net.scores(images[i]), scores[i : i + 1])
    codes = net.codes(images)
    assert np.array_equal(codes[0][4096], net.trace(images[4096])[0].bits)


def crafted(path: Path, **metadata: object) -> Path:
    """A file whose sum is right and whose facts are not."""
    tensors = load_file_of(network([16, 8, 2]))
    texts = {"format": FORMAT, "sizes": [16, 8, 2], "features": "bipolar", "input_threshold": 128}
    texts |= {"variant": "strict", "provenance": {}} | metadata
    encoded = {key: json.dumps(value) for key, value in texts.items()}
    encoded["sha256"] = json.dumps(_digest(tensors, encoded))
    save_file(tensors, path, encoded)
    return path


def load_file_of(net: BitwiseNetwork) -> dict[str, np.ndarray]:
    return {
        f"layer{i}.{part}": getattr(layer, part)
        for i, layer in enumerate(net.layers)
        for part in ("weight", "bias")
    }


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        ({"format": "bitwise-network/2"}, "has format 'bitwise-network/2'"),
        ({"features": ["bipolar"]}, "has features"),
        ({"features": "rainbow"}, "has features 'rainbow': allowed are"),
        ({"input_threshold": "abc"}, "has input_threshold 'abc'"),
        ({"input_threshold": 0}, "has input_threshold 0"),
        ({"variant": "loose"}, "has variant 'loose'"),
        ({"provenance": [1]}, "has a provenance"),
        ({"sizes": [16, 9, 2]}, r"layer0\.weight is uint64"),
        ({"sizes": "many"}, "has sizes 'many'"),
        ({"sizes": [16, True, 2]}, "has sizes"),
    ],
)
def test_a_crafted_file_is_refused_with_a_sentence(
    path: Path, metadata: dict[str, object], says: str
) -> None:
    assert BitwiseNetwork.load(crafted(path)).sizes == (16, 8, 2)
    with pytest.raises(InputError, match=says):
        BitwiseNetwork.load(crafted(path, **metadata))


def test_the_same_network_is_the_same_file() -> None:
    net = network([784, 33, 10], zeros=0.3)
    assert len({net.to_bytes() for _ in range(8)}) == 1


def test_a_real_networks_file_is_whole_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "real.safetensors"
    rng = np.random.default_rng(0)
    weights = tuple(rng.uniform(-1, 1, s).astype(np.float16).astype(np.float32) for s in ((5, 16), (3, 5)))
    biases = tuple(np.zeros(n, np.float32) for n in (5, 3))
    RealNetwork(weights, biases).save(path)
    assert all(np.array_equal(a, b) for a, b in zip(RealNetwork.load(path).weights, weights, strict=True))
    content = path.read_bytes()
    path.write_bytes(content[:-7])
    with pytest.raises(InputError, match="is not a real network's file"):
        RealNetwork.load(path)
    save_file({"x": np.zeros(3, np.float32)}, path)
    with pytest.raises(InputError, match="has format None"):
        RealNetwork.load(path)
    RealNetwork((weights[0], weights[0]), biases).save(path)
    with pytest.raises(InputError, match="its layers do not fit each other"):
        RealNetwork.load(path)
