"""Whole networks in machine code: the answers of NumPy layer by layer, whatever the batch and threads."""

import ctypes
import gc
import itertools
import threading
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import llvmlite.binding as llvm
import numpy as np
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_core import BitwiseNetwork, Digits
from bnn_core.bits import pack
from bnn_core.datasets.features import FEATURES, input_bits
from bnn_core.errors import InputError
from bnn_core.kernels import KERNELS, PackedLayer, best, status
from bnn_core.kernels.compiled import program
from bnn_core.kernels.compiled.code import Program
from bnn_core.kernels.compiled.machine import Machine
from bnn_core.kernels.compiled.network_ir import written
from bnn_core.kernels.compiled.prepared import Pixels, Prepared

CODES = {name: kernel.code for name, kernel in KERNELS.items() if kernel.code}
COMPILED = list(CODES)


def random_network(
    rng: np.random.Generator,
    side: int,
    units: list[int],
    *,
    features: str = "bipolar",
    threshold: int = 128,
    zeros: float = 0.0,
    reach: int = 1,
) -> BitwiseNetwork:
    sizes = [FEATURES[features].planes * side * side, *units]
    layers = []
    for inputs, outputs in itertools.pairwise(sizes):
        signs = np.where(rng.random((outputs, inputs)) < zeros, 0, rng.choice([-1, 1], (outputs, inputs)))
        bias = rng.integers(-reach, reach + 1, outputs).astype(np.int32)
        zero_one = FEATURES[features].low == 0 and not layers
        layers.append(PackedLayer.from_signs(signs.astype(np.int8), bias, zero_one=zero_one))
    return BitwiseNetwork(tuple(layers), features=features, input_threshold=threshold)


def assert_like_numpy(network: BitwiseNetwork, images: np.ndarray, name: str, threads: int = 1) -> None:
    words = pack(network.input_bits(images))
    expected = network.scores_packed(words, kernel_name="numpy")
    assert np.array_equal(network.scores_packed(words, kernel_name=name, threads=threads), expected)
    scores = network.scores(images, kernel_name=name, threads=threads)
    assert scores.dtype == np.int32
    assert np.array_equal(scores, expected)
    labels = network.predict(images, kernel_name=name, threads=threads)
    assert labels.dtype == np.int64
    assert np.array_equal(labels, expected.argmax(axis=1))
    codes = network.codes(images, kernel_name=name, threads=threads)
    for code, same in zip(codes, network.codes(images, kernel_name="numpy"), strict=True):
        assert code.dtype == np.uint8
        assert np.array_equal(code, same)


# --- the same answers ---


@pytest.mark.parametrize("name", COMPILED)
@given(
    st.integers(1, 17),
    st.lists(st.sampled_from([1, 8, 31, 33, 64, 65, 127, 130, 256]), min_size=1, max_size=4),
    st.sampled_from(sorted(FEATURES)),
    st.sampled_from([1, 100, 128, 255]),
    st.sampled_from([0.0, 0.0, 0.3, 0.97]),
    st.sampled_from([1, 40]),
    st.sampled_from([0, 1, 2, 3, 4, 5, 7, 8, 33]),
    st.integers(0, 10**6),
)
def test_any_network_on_any_batch(
    name: str,
    side: int,
    units: list[int],
    features: str,
    threshold: int,
    zeros: float,
    reach: int,
    digits: int,
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    network = random_network(
        rng, side, units, features=features, threshold=threshold, zeros=zeros, reach=reach
    )
    assert_like_numpy(network, rng.integers(0, 256, (digits, side, side), np.uint8), name)


@pytest.mark.parametrize("name", COMPILED)
@pytest.mark.parametrize("digits", [255, 256, 257, 511, 515])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_batches_about_a_chunk_on_several_threads(name: str, digits: int, threads: int) -> None:
    rng = np.random.default_rng(digits)
    network = random_network(rng, 9, [70, 40, 10], zeros=0.2)
    assert_like_numpy(network, rng.integers(0, 256, (digits, 9, 9), np.uint8), name, threads)


@pytest.mark.parametrize("name", COMPILED)
def test_wide_layers_make_the_chunk_smaller(name: str) -> None:
    rng = np.random.default_rng(6)
    network = random_network(rng, 64, [4096, 17])
    images = rng.integers(0, 256, (150, 64, 64), np.uint8)
    expected = network.scores(images, kernel_name="numpy")
    assert np.array_equal(network.scores(images, kernel_name=name), expected)


@pytest.mark.parametrize("features", sorted(FEATURES))
@given(st.integers(1, 30), st.integers(1, 255), st.integers(0, 10**6))
def test_pixels_become_the_same_bits(features: str, side: int, threshold: int, seed: int) -> None:
    """One unit an input, its weight the only one there: the network shows its own inputs."""
    rng = np.random.default_rng(seed)
    feature = FEATURES[features]
    inputs = feature.planes * side * side
    shown = rng.choice(inputs, min(inputs, 256), replace=False)
    signs = np.zeros((len(shown), inputs), np.int8)
    signs[np.arange(len(shown)), shown] = 1
    layer = PackedLayer.from_signs(signs, np.zeros(len(shown), np.int32), zero_one=feature.low == 0)
    network = BitwiseNetwork((layer,), features=features, input_threshold=threshold)
    # Grey levels about every threshold there is.
    levels = np.array([0, 1, 63, 64, 127, 128, 191, 192, 254, 255, threshold - 1, threshold])
    images = rng.choice(levels, (3, side, side)).astype(np.uint8)
    bits = input_bits(images, features, threshold)[:, shown].astype(int)
    assert network._pixels() is not None
    for name in COMPILED:
        assert np.array_equal(network.scores(images, kernel_name=name), np.where(bits, 1, feature.low))


def test_machine_code_writes_to_no_other_place() -> None:
    """Labels, scores and codes between guards, for every batch up to two groups of digits."""
    rng = np.random.default_rng(7)
    network = random_network(rng, 5, [33, 7])
    made = program.program(CODES["table"], masked=False)
    assert isinstance(made, Program)
    engine = Prepared(network.layers, made, Pixels(25, ((0xFF, 128),)))
    for digits in range(1, 10):
        images = rng.integers(0, 256, (digits, 25), np.uint8)
        scores = np.full((digits + 2, 7), 12345, np.int32)
        labels = np.full(digits + 2, 12345, np.int64)
        code = np.full((digits + 2, 1), 12345, np.uint64)
        engine._run_all(images, 1, scores=scores[1:-1], labels=labels[1:-1], codes=[code[1:-1]])
        for array in (scores, labels, code):
            assert (array[[0, -1]] == 12345).all()
        expected = network.scores(images.reshape(-1, 5, 5), kernel_name="numpy")
        assert np.array_equal(scores[1:-1], expected)
        assert np.array_equal(labels[1:-1], expected.argmax(axis=1))


def test_the_first_of_equal_classes_wins() -> None:
    layer = PackedLayer.from_signs(np.ones((5, 9), np.int8), np.array([-1, 3, 3, 1, 3], np.int32))
    network = BitwiseNetwork((layer,), variant="threshold")
    images = np.zeros((6, 3, 3), np.uint8)
    for name in KERNELS:
        assert network.predict(images, kernel_name=name).tolist() == [1] * 6
        assert network.predict(images[0], kernel_name=name).tolist() == [1]


@pytest.mark.parametrize("name", KERNELS)
def test_real_digits(name: str, quick: BitwiseNetwork, mnist: Digits) -> None:
    images = mnist.test_images[:500]
    expected = quick.scores(images, kernel_name="numpy")
    assert np.array_equal(quick.scores(images, kernel_name=name), expected)
    assert np.array_equal(quick.predict(images, kernel_name=name), expected.argmax(axis=1))
    for digit in range(3):
        trace = quick.trace(images[digit], kernel_name=name)
        assert np.array_equal(trace[-1].sums, expected[digit])
        codes = quick.codes(images[digit], kernel_name=name)
        assert all(np.array_equal(code[0], layer.bits) for code, layer in zip(codes, trace, strict=False))


@pytest.mark.parametrize("name", KERNELS)
def test_images_need_not_lie_in_order(name: str, quick: BitwiseNetwork, mnist: Digits) -> None:
    images = mnist.test_images[:40]
    expected = quick.scores(images, kernel_name="numpy")
    assert np.array_equal(quick.scores(images[::-1], kernel_name=name), expected[::-1])
    assert np.array_equal(quick.scores(images[::13], kernel_name=name), expected[::13])
    padded = np.zeros((40, 40, 40), np.uint8)
    padded[:, 5:33, 7:35] = images
    assert np.array_equal(quick.scores(padded[:, 5:33, 7:35], kernel_name=name), expected)


@pytest.mark.parametrize("name", KERNELS)
def test_input_of_another_kind_is_refused(name: str, quick: BitwiseNetwork) -> None:
    for images in (
        np.zeros((2, 28, 27), np.uint8),
        np.zeros((2, 28, 28), np.float32),
        np.zeros(784, np.uint8),
    ):
        for run in (quick.scores, quick.predict, quick.codes):
            with pytest.raises(InputError, match="images is"):
                run(images, kernel_name=name)
    for words in (np.zeros((2, 12), np.uint64), np.zeros((2, 13), np.int64), np.zeros(13, np.uint64)):
        with pytest.raises(InputError, match="words is"):
            quick.scores_packed(words, kernel_name=name)
    network = BitwiseNetwork(quick.layers, input_threshold=0)
    with pytest.raises(InputError, match="input_threshold is 0"):
        network.predict(np.zeros((1, 28, 28), np.uint8), kernel_name=name)


# --- several at once ---


def test_one_network_on_several_threads(mnist: Digits) -> None:
    network = random_network(np.random.default_rng(8), 28, [100, 65, 10], zeros=0.1)
    batches = [
        mnist.test_images[start : start + size] for start, size in ((0, 1), (5, 3), (9, 64), (80, 300))
    ]
    expected = [network.scores(batch, kernel_name="numpy") for batch in batches]
    wrong: list[str] = []
    begin = threading.Barrier(4)

    def work(offset: int) -> None:
        begin.wait()
        for turn in range(60):
            name = COMPILED[turn % 2]
            which = (turn + offset) % len(batches)
            scores = network.scores(batches[which], kernel_name=name, threads=1 + turn % 2)
            labels = network.predict(batches[which], kernel_name=name)
            if not np.array_equal(scores, expected[which]) or not np.array_equal(
                labels, scores.argmax(axis=1)
            ):
                wrong.append(f"{name} on batch {which}")

    threads = [threading.Thread(target=work, args=(offset,)) for offset in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_other_threads_go_on_meanwhile() -> None:
    made = program.program(CODES["table"], masked=False)
    assert isinstance(made, Program)
    keeps_the_lock = 4  # FUNCFLAG_PYTHONAPI: the function is called without releasing Python's lock
    assert isinstance(made.run, ctypes._CFuncPtr)
    assert not made.run._flags_ & keeps_the_lock


def test_what_was_prepared_goes_with_its_network() -> None:
    rng = np.random.default_rng(9)
    network = random_network(rng, 5, [20, 3])
    images = rng.integers(0, 256, (2, 5, 5), np.uint8)
    engines = []
    for name in COMPILED:
        network.predict(images, kernel_name=name)
        engine = network._engine(name)
        assert engine is network._engine(name)
        engines.append(weakref.ref(engine))
    del network, engine
    gc.collect()
    assert [engine() for engine in engines] == [None, None]


# --- other processors ---


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str, bool], Program]:
    """The kernels for this processor, and for plainer ones of its kind whose code it runs as well."""
    here = Machine.here()
    plainer = [
        features
        for features in ("+sse2", "+ssse3", "+avx2")
        if here.x86 and here.has(features.removeprefix("+"))
    ]
    folder = tmp_path_factory.mktemp("kernels")
    machines = {"here": here} | {features: Machine(here.triple, "x86-64", features) for features in plainer}
    return {
        (title, kernel, masked): program.load(machine, code, masked=masked, folder=folder)
        for title, machine in machines.items()
        for kernel, code in CODES.items()
        for masked in (False, True)
    }


@pytest.mark.parametrize("zeros", [0.0, 0.4])
@pytest.mark.parametrize("digits", [1, 6, 70])
def test_plainer_processors_give_the_same(
    programs: dict[tuple[str, str, bool], Program], zeros: float, digits: int
) -> None:
    rng = np.random.default_rng(digits)
    network = random_network(rng, 17, [200, 130, 37], zeros=zeros)
    words = pack(rng.integers(0, 2, (digits, 289), np.uint8))
    expected = network.scores_packed(words, kernel_name="numpy")
    for (title, kernel, masked), made in programs.items():
        if masked or not zeros:
            scores = Prepared(network.layers, made).scores(words)
            assert np.array_equal(scores, expected), (title, kernel, masked)


def assembly(machine: Machine, writer: str, *, masked: bool) -> str:
    """A kernel as text for any processor that LLVM knows: to look at, not to run."""
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    target = llvm.Target.from_triple(machine.triple).create_target_machine(
        cpu=machine.cpu, features=machine.features, opt=2, codemodel="default"
    )
    with llvm.parse_assembly(written(machine, writer, masked=masked)) as module:
        module.verify()
        return target.emit_assembly(module)


ARM = Machine("aarch64-unknown-linux-gnu", "", "+neon")


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(
    ("machine", "kernel", "has", "has_not"),
    [
        (ARM, "popcount", ["\tcnt\t"], ["\ttbl\t"]),
        (ARM, "table", ["\ttbl\t"], []),
        (Machine("arm64-apple-darwin", "apple-m1", "+neon"), "table", ["tbl."], []),
        (Machine("x86_64-unknown-linux-gnu", "x86-64", "+sse2"), "popcount", ["psadbw"], ["%ymm", "pshufb"]),
        (Machine("x86_64-unknown-linux-gnu", "x86-64", "+ssse3"), "table", ["pshufb"], ["%ymm"]),
        (Machine("x86_64-unknown-linux-gnu", "haswell", "+avx2"), "table", ["vpshufb"], ["%zmm"]),
        (
            Machine("x86_64-pc-windows-msvc", "skylake-avx512", "+avx512bw"),
            "table",
            ["vpshufb", "%zmm"],
            ["__chkstk"],
        ),
        (
            Machine("x86_64-unknown-linux-gnu", "icelake-server", "+avx512bw,+avx512vpopcntdq"),
            "popcount",
            ["vpopcntq"],
            ["vpsadbw"],
        ),
        (Machine("riscv64-unknown-linux-gnu", "", "+m,+v"), "popcount", [], []),
        (Machine("powerpc64le-unknown-linux-gnu"), "popcount", ["vpopcnt"], []),
    ],
    ids=lambda value: value.triple.split("-")[0] + value.features if isinstance(value, Machine) else None,
)
def test_code_for_other_processors(
    machine: Machine, kernel: str, masked: bool, has: list[str], has_not: list[str]
) -> None:
    """It can be written, with the instructions that it is meant to have, and calls nothing outside itself."""
    text = assembly(machine, CODES[kernel].writer, masked=masked)
    assert "run" in text
    for instruction in has:
        assert instruction in text
    for instruction in has_not:
        assert instruction not in text


@pytest.mark.parametrize(
    ("machine", "name"),
    [
        (Machine("x86_64-unknown-linux-gnu", "haswell", "+avx2"), "table"),
        (Machine("x86_64-unknown-linux-gnu", "x86-64", "+sse2"), "popcount"),
        (Machine("x86_64-pc-windows-msvc", "icelake-server", "+avx2,+avx512bw,+avx512vpopcntdq"), "popcount"),
        (Machine("x86_64-apple-darwin", "znver4", "+avx2,-avx512vpopcntdq"), "table"),
        (Machine("arm64-apple-darwin", "apple-m1", "+neon"), "popcount"),
        (Machine("riscv64-unknown-linux-gnu"), "popcount"),
    ],
)
def test_the_best_kernel_for_a_processor(machine: Machine, name: str) -> None:
    assert best(machine).name == name


# --- where there is no machine code ---


@pytest.fixture
def no_machine_code(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def fail(*_arguments: object, **_keywords: object) -> None:
        raise RuntimeError("no such processor")

    monkeypatch.setattr(program, "_programs", {})
    monkeypatch.setattr(program, "load", fail)
    monkeypatch.delenv("BNN_KERNEL", raising=False)
    status.cache_clear()
    yield
    status.cache_clear()


@pytest.mark.usefixtures("no_machine_code")
def test_numpy_is_the_last_resort() -> None:
    assert status().best == "numpy"
    assert status().reason == "RuntimeError: no such processor"
    rng = np.random.default_rng(10)
    for features in FEATURES:
        network = random_network(rng, 6, [20, 5], features=features, zeros=0.2)
        images = rng.integers(0, 256, (9, 6, 6), np.uint8)
        for name in (None, *COMPILED):
            assert np.array_equal(
                network.scores(images, kernel_name=name), network.scores(images, kernel_name="oracle")
            )
        assert np.array_equal(
            network.predict(images), network.scores(images, kernel_name="oracle").argmax(axis=1)
        )


def test_code_that_gives_other_integers_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = program.load(Machine.here(), CODES["popcount"], masked=False, folder=tmp_path)
    assert program._gives_the_same(made, masked=False)

    def nothing(*_arguments: int) -> None:
        pass

    broken = replace(made, run=nothing)
    monkeypatch.setattr(program, "_programs", {})
    monkeypatch.setattr(program, "load", lambda *_arguments, **_keywords: broken)
    assert program.program(CODES["popcount"], masked=False) == "the compiled kernel failed its check"


# --- in the long run ---


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", COMPILED)
def test_a_million_images(name: str, quick: BitwiseNetwork, mnist: Digits) -> None:
    """In batches of every kind, on one thread and two: no wrong answer, and no more memory at the end."""
    expected = quick.predict(mnist.test_images, kernel_name="numpy")
    process = psutil.Process()
    rng = np.random.default_rng(11)
    done = 0
    at_first = 0
    while done < 1_000_000:
        size = int(rng.choice([1, 2, 3, 4, 63, 64, 65, 1000, 10_000]))
        start = int(rng.integers(0, len(expected) - size + 1))
        labels = quick.predict(
            mnist.test_images[start : start + size], kernel_name=name, threads=1 + int(rng.integers(2))
        )
        assert np.array_equal(labels, expected[start : start + size])
        done += size
        if not at_first and done > 100_000:
            gc.collect()
            at_first = process.memory_info().rss
    gc.collect()
    assert process.memory_info().rss - at_first < 8 << 20
