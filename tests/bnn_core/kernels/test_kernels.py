"""Every kernel gives the oracle's integers, and the oracle gives the paper's."""

import itertools
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_core.bench.measure import random_network, report, timed, wrong_kernels
from bnn_core.bits import WordArray, pack
from bnn_core.errors import InputError
from bnn_core.kernels import KERNELS, Kernel, PackedLayer, Sums, kernel, kernel_name, status, wanted
from bnn_core.kernels.compiled.plan import DENSE, MASKED, MOST_INPUTS, PLACES_BEYOND, Lookup
from bnn_core.kernels.numpy_kernel import numpy_sums
from bnn_core.kernels.oracle import oracle_sums

COMPILED = [name for name, each in KERNELS.items() if each.code]

# About words, bytes and nibbles; about the groups of units that go together (8, 16, 32, 64, 128).
UNITS = st.sampled_from([1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 96, 127, 128, 129, 160, 300])
# About words, and about the inputs after which counts are flushed or a new segment begins.
FLUSHES = [
    inputs + more
    for lookup in (DENSE, MASKED)
    for inputs in (lookup.inputs * lookup.period, lookup.inputs * lookup.segment)
    for more in (-1, 0, 1)
]
INPUTS = st.sampled_from(
    [1, 2, 7, 8, 9, 31, 32, 33, 63, 64, 65, 127, 128, 129, 300, 784, 1984, 1985, *FLUSHES]
)
# No zero weight; some; so many that whole words are masked; all.
ZEROS = st.sampled_from([0.0, 0.1, 0.5, 0.97, 1.0])


def random_layer(
    rng: np.random.Generator, inputs: int, units: int, zeros: float, reach: int, *, zero_one: bool
) -> PackedLayer:
    signs = np.where(rng.random((units, inputs)) < zeros, 0, rng.choice([-1, 1], (units, inputs)))
    bias = rng.integers(-reach, reach + 1, units)
    return PackedLayer.from_signs(signs.astype(np.int8), bias.astype(np.int32), zero_one=zero_one)


def test_the_oracle_adds_products_of_signs_one_by_one() -> None:
    rng = np.random.default_rng(3)
    signs = rng.integers(-1, 2, (5, 70)).astype(np.int8)
    bias = rng.choice([-1, 1], 5).astype(np.int32)
    bits = rng.integers(0, 2, (4, 70), np.uint8)
    for low in (-1, 0):
        layer = PackedLayer.from_signs(signs, bias, zero_one=low == 0)
        for row, sums in zip(bits, oracle_sums(pack(bits), layer), strict=True):
            for i in range(5):
                a = int(bias[i])
                for j in range(70):
                    a += int(signs[i, j]) * (1 if row[j] else low)
                assert sums[i] == a


@pytest.mark.parametrize("name", KERNELS)
@given(
    INPUTS,
    UNITS,
    st.integers(0, 13),
    ZEROS,
    st.sampled_from([1, 100, 1 << 29]),
    st.booleans(),
    st.integers(0, 10**6),
)
def test_every_kernel_equals_the_oracle(
    name: str, inputs: int, units: int, digits: int, zeros: float, reach: int, zero_one: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    layer = random_layer(rng, inputs, units, zeros, reach, zero_one=zero_one)
    words = pack(rng.integers(0, 2, (digits, inputs), np.uint8))
    sums = KERNELS[name].sums(words, layer)
    assert sums.dtype == np.int32
    assert np.array_equal(sums, oracle_sums(words, layer))


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("inputs", [1, 64, 65, 240, 252, 256, 784, 1024, 4096])
@pytest.mark.parametrize("masked", [False, True])
def test_counts_reach_their_bounds(name: str, inputs: int, masked: bool) -> None:
    """No mismatch or nothing but mismatches, in every mixture of neighbouring units and digits."""
    weights = np.array(list(itertools.product([-1, 1], repeat=4)), np.int8).ravel()
    signs = np.repeat(weights[:, None], inputs, axis=1)
    if masked:
        signs[0] = 0
    layer = PackedLayer.from_signs(signs, np.zeros(len(signs), np.int32))
    for row in itertools.product([0, 1], repeat=4):
        bits = np.repeat(np.array(row, np.uint8)[:, None], inputs, axis=1)
        expected = np.outer(np.array(row) * 2 - 1, signs[:, 0].astype(int)) * inputs
        assert np.array_equal(KERNELS[name].sums(pack(bits), layer), expected)


@pytest.mark.parametrize("lookup", [DENSE, MASKED], ids=["dense", "masked"])
def test_the_table_kernels_sums_fit(lookup: Lookup) -> None:
    assert lookup.group * lookup.inputs < 1 << 4  # two digits share a byte
    assert lookup.period * lookup.inputs < 1 << 8
    # Loops end where they should: whole steps between flushes, whole bytes of weights in a segment.
    assert lookup.period % lookup.step == 0
    assert lookup.segment % 2 == 0
    for octets in range(1, 300):
        padding = lookup.lookups(octets) - octets * 8 // lookup.inputs
        assert 0 <= padding < lookup.step <= PLACES_BEYOND
        assert lookup.lookups(octets) % lookup.step == 0


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("masked", [False, True])
def test_a_batch_longer_than_a_block_is_whole(name: str, masked: bool) -> None:
    rng = np.random.default_rng(1)
    layer = random_layer(rng, 100, 256, 0.3 * masked, 1, zero_one=False)
    words = pack(rng.integers(0, 2, (1003, 100), np.uint8))
    assert np.array_equal(KERNELS[name].sums(words, layer), oracle_sums(words, layer))


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("inputs", [MOST_INPUTS, MOST_INPUTS + 1])
def test_layers_wider_than_16_bits_count(name: str, inputs: int) -> None:
    rng = np.random.default_rng(4)
    layer = random_layer(rng, inputs, 9, 0.0, 1, zero_one=False)
    words = pack(np.stack([layer.weight_bits()[0], 1 - layer.weight_bits()[0]]))
    assert np.array_equal(KERNELS[name].sums(words, layer), oracle_sums(words, layer))


@pytest.mark.parametrize("name", COMPILED)
@pytest.mark.parametrize(
    "words",
    [np.zeros((2, 3), np.uint64), np.zeros((2, 2), np.int64), np.zeros(2, np.uint64)],
    ids=["too long", "signed", "one row"],
)
def test_machine_code_reads_nothing_of_another_shape(name: str, words: np.ndarray) -> None:
    layer = PackedLayer.from_signs(np.ones((3, 100), np.int8), np.ones(3, np.int32))
    with pytest.raises(InputError, match=r"allowed is uint64 of shape \(n, 2\)"):
        KERNELS[name].sums(words, layer)


@pytest.mark.parametrize("name", KERNELS)
def test_inputs_need_not_lie_in_order(name: str) -> None:
    rng = np.random.default_rng(5)
    layer = random_layer(rng, 130, 20, 0.0, 1, zero_one=False)
    words = pack(rng.integers(0, 2, (40, 130), np.uint8))
    expected = oracle_sums(words, layer)
    assert np.array_equal(KERNELS[name].sums(words[::2], layer), expected[::2])
    assert np.array_equal(KERNELS[name].sums(np.asfortranarray(words), layer), expected)
    words.setflags(write=False)
    assert np.array_equal(KERNELS[name].sums(words[:1], layer), expected[:1])


def test_signs_go_in_and_come_out() -> None:
    rng = np.random.default_rng(2)
    signs = rng.integers(-1, 2, (6, 77)).astype(np.int8)
    layer = PackedLayer.from_signs(signs, np.ones(6, np.int32))
    assert np.array_equal(layer.weight_signs(), signs)
    assert layer.active.tolist() == (signs != 0).sum(axis=1).tolist()
    dense = PackedLayer.from_signs(np.abs(signs) * 2 - 1, np.ones(6, np.int32))
    assert dense.mask is None
    assert dense.active.tolist() == [77] * 6


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Sets BNN_KERNEL, as if the process had just begun."""

    def set_to(name: str) -> None:
        monkeypatch.setenv("BNN_KERNEL", name)
        wanted.cache_clear()

    set_to("")
    yield set_to
    wanted.cache_clear()


def test_the_kernel_can_be_chosen(say: Callable[[str], None]) -> None:
    assert kernel_name() == status().best
    say("oracle")
    assert kernel_name() == "oracle"
    assert kernel_name("numpy") == "numpy"
    say("abacus")
    with pytest.raises(
        InputError, match=r"BNN_KERNEL is 'abacus': allowed are oracle, numpy, popcount, table"
    ):
        kernel()
    with pytest.raises(InputError, match=r"kernel is 'abacus'"):
        kernel("abacus")


@pytest.fixture
def abacus(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """NumPy's kernel under another name, behind all others in the table; the batches that it ran."""
    ran: list[int] = []

    def sums(inputs: WordArray, layer: PackedLayer) -> Sums:
        ran.append(len(inputs))
        return numpy_sums(inputs, layer)

    monkeypatch.setitem(KERNELS, "abacus", Kernel("abacus", "Abacus, bead by bead", sums))
    status.cache_clear()
    yield ran
    status.cache_clear()


def test_a_further_kernel_is_one_entry(abacus: list[int], say: Callable[[str], None]) -> None:
    assert kernel_name("abacus") == "abacus"
    assert kernel_name() == "abacus"  # it suits every processor, and is the last that does
    say("numpy")
    assert kernel_name() == "numpy"
    say("abacus")
    assert kernel().title == "Abacus, bead by bead"
    with pytest.raises(InputError, match="allowed are oracle, numpy, popcount, table, abacus"):
        kernel("slide rule")
    network = random_network((784, 20, 10))
    images = np.random.default_rng(6).integers(0, 256, (3, 28, 28), np.uint8)
    expected = network.scores(images, kernel_name="oracle")
    for ask in (network.scores, network.predict, network.codes):
        ask(images, kernel_name="abacus")
    assert np.array_equal(network.scores(images, kernel_name="abacus"), expected)
    network.trace(images[0], kernel_name="abacus")
    assert abacus == [3, 3, 3, 3, 3, 3, 3, 1, 1]
    assert report(network, seconds={1: 0.01}, start=False)["checked"]["kernels"] == timed()
    assert timed() == ["numpy", "popcount", "table", "abacus"]


def test_the_bench_checks_a_further_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = Kernel("abacus", "Abacus", lambda inputs, layer: numpy_sums(inputs, layer) + np.int32(1))
    monkeypatch.setitem(KERNELS, "abacus", wrong)
    assert wrong_kernels(random_network((784, 20, 10))) == ["abacus"]
