"""One network's report: speed in batches against the baselines, memory, operations, and that it was right."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnn_core.bench.baselines import baselines, numpy_threads
from bnn_core.bench.contest import Call, clock, race
from bnn_core.bench.cost import ENERGY_SOURCE, cost
from bnn_core.bench.machine import machine
from bnn_core.bench.start import cold_start
from bnn_core.bits import WordArray, pack, unpack
from bnn_core.datasets.digits import load_mnist
from bnn_core.datasets.features import input_values
from bnn_core.kernels import KERNELS, PackedLayer, kernel_name
from bnn_core.network.bitwise import BitwiseNetwork

BATCHES = (1, 64, 10_000)
SIZES = (784, 1024, 1024, 1024, 10)
"""Of the network that is measured if none is named: the paper's."""
SECONDS = {1: 3.0, 64: 3.0, 10_000: 12.0}
"""About how long the rounds of each batch size go on."""
ORACLE_DIGITS = 128
"""Digits that the oracle, which is slow, is asked about; the kernels are compared on all of them."""

Tell = Callable[[str, float], None]


def timed() -> list[str]:
    """The kernels that are timed: all but the first, the oracle."""
    return list(KERNELS)[1:]


def random_network(sizes: Sequence[int] = SIZES, seed: int = 0) -> BitwiseNetwork:
    """A strict, dense network of random bits: what is timed does not depend on them."""
    rng = np.random.default_rng(seed)
    return BitwiseNetwork(
        tuple(
            PackedLayer.from_signs(
                rng.choice(np.array([-1, 1], np.int8), (units, inputs)),
                rng.choice(np.array([-1, 1], np.int32), units),
            )
            for inputs, units in itertools.pairwise(sizes)
        )
    )


def report(
    network: BitwiseNetwork,
    *,
    threads: int = 1,
    seconds: dict[int, float] | None = None,
    start: bool = True,
    tell: Tell = lambda _what, _share: None,
) -> dict[str, Any]:
    """Measure a network on this machine.

    Args:
        threads: that the bitwise network and every baseline may use.
        seconds: for each batch size, about how long its rounds go on; :data:`SECONDS` if left out.
        start: whether the time from the import to the first answer is measured too.
        tell: is called with what is being done and which share of it is over, 0 to 1.

    Returns:
        what ``python -m bnn_core bench --json`` prints; times in microseconds for the whole batch, ratios
        are the baseline's median divided by the bitwise median.

    Raises:
        InputError: the environment variable BNN_KERNEL names no kernel.
    """
    best = kernel_name()
    tell("checking", 0.0)
    wrong = wrong_kernels(network, threads)
    watch = clock(threads)
    batches = {
        str(size): _batch(network, size, threads, about, tell) for size, about in (seconds or SECONDS).items()
    }
    amount = cost(network)
    return {
        "machine": machine(),
        "network": {
            "sizes": list(network.sizes),
            "features": network.features,
            "variant": network.variant,
            "sparse": network.sparse,
        },
        "kernel": best,
        "threads": threads,
        "clock": watch.name,
        "correct": not wrong,
        "wrong_kernels": wrong,
        "checked": {"oracle_digits": ORACLE_DIGITS, "digits": max(BATCHES), "kernels": timed()},
        "batches": batches,
        "memory": {
            "bitwise_bytes": amount.bit_bytes,
            "float32_bytes": amount.float_bytes,
            "ratio": round(amount.float_bytes / amount.bit_bytes, 2),
        },
        "operations": {
            "word_operations": amount.bit_operations,
            "multiply_accumulates": amount.float_operations,
            "ratio": round(amount.float_operations / amount.bit_operations, 2),
        },
        "energy": {
            "bitwise_picojoules": round(amount.bit_picojoules, 1),
            "float32_picojoules": round(amount.float_picojoules, 1),
            "ratio": round(amount.float_picojoules / amount.bit_picojoules, 1),
            "source": ENERGY_SOURCE,
        },
        "start": cold_start(tell) if start else None,
    }


def wrong_kernels(network: BitwiseNetwork, threads: int = 1) -> list[str]:
    """Kernels that differ in any integer: from the oracle, or from each other on more digits."""
    images = _images(network, max(BATCHES))
    words = _words(network, images)
    slow, plain, *_ = KERNELS
    oracle = network.scores_packed(words[:ORACLE_DIGITS], kernel_name=slow)
    expected = network.scores_packed(words, kernel_name=plain)
    wrong = []
    for name in timed():
        packed = network.scores_packed(words, kernel_name=name, threads=threads)
        single = network.scores_packed(words[:1], kernel_name=name)
        pixels = network.predict(images, kernel_name=name, threads=threads)
        if not (
            np.array_equal(packed[:ORACLE_DIGITS], oracle)
            and np.array_equal(packed, expected)
            and np.array_equal(single, oracle[:1])
            and np.array_equal(pixels, expected.argmax(axis=1))
        ):
            wrong.append(name)
    return wrong


def one_digit(
    network: BitwiseNetwork, *, seconds: float = 0.3, baseline: str = "torch_float32"
) -> dict[str, Any]:
    """The figures of a single digit, in a moment: for the Watch page.

    Args:
        seconds: about how long it may take, apart from importing the baseline.
        baseline: a key of :data:`bnn_core.bench.baselines.BASELINES`.

    Returns:
        bitwise_us (pixels to label), baseline, baseline_us (floats to sums; None if it is not installed),
        both medians of one thread, measured in turns; the kernel and the clock.
    """
    images = _images(network, 1)
    inputs = _inputs(network, _words(network, images))
    calls: dict[str, Call] = {"bitwise": lambda: network.predict(images)}
    calls |= baselines(network.sizes, inputs, 1, [baseline])
    watch = clock(1)
    with numpy_threads(1):
        timings = race(calls, seconds=seconds, clock=watch)
    other = timings.get(baseline)
    return {
        "bitwise_us": round(timings["bitwise"].median, 3),
        "baseline": baseline,
        "baseline_us": None if other is None else round(other.median, 3),
        "kernel": kernel_name(),
        "clock": watch.name,
    }


def _batch(network: BitwiseNetwork, size: int, threads: int, seconds: float, tell: Tell) -> dict[str, Any]:
    """All contestants on one batch size."""
    images = _images(network, size)
    words = _words(network, images)
    calls: dict[str, Call] = {
        f"kernel {name}": partial(network.scores_packed, words, kernel_name=name, threads=threads)
        for name in timed()
    }
    calls["from pixels"] = lambda: network.predict(images, threads=threads)
    if threads > 1:
        calls["one thread"] = lambda: network.scores_packed(words)
    others = baselines(network.sizes, _inputs(network, words), threads)
    with numpy_threads(threads):
        timings = race(
            calls | others,
            seconds=seconds,
            clock=clock(threads),
            tell=lambda share: tell(f"batch {size:,}", share),
        )
    medians = {name: timing.median for name, timing in timings.items()}
    bitwise, from_pixels = medians[f"kernel {kernel_name()}"], medians["from pixels"]
    result: dict[str, Any] = {
        "bitwise_us": _rounded(bitwise),
        "from_pixels_us": _rounded(from_pixels),
        "kernels": {name: _rounded(medians[f"kernel {name}"]) for name in timed()},
        **{f"{name}_us": _rounded(medians[name]) for name in others},
        "ratio": {name: round(medians[name] / bitwise, 2) for name in others},
        "ratio_from_pixels": {name: round(medians[name] / from_pixels, 2) for name in others},
        "spread": {
            name.replace(" ", "_"): {"low": _rounded(t.low), "high": _rounded(t.high), "rounds": t.rounds}
            for name, t in timings.items()
        },
    }
    if threads > 1:
        result["one_thread_us"] = _rounded(medians["one thread"])
        result["threads_ratio"] = round(medians["one thread"] / bitwise, 2)
    return result


def _rounded(microseconds: float) -> float:
    return round(microseconds, 3)


def _images(network: BitwiseNetwork, count: int) -> NDArray[np.uint8]:
    """Test digits, or noise for a network that reads pictures of another size."""
    if network.side == 28:
        return load_mnist().test_images[:count]
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (count, network.side, network.side), np.uint8)


def _words(network: BitwiseNetwork, images: NDArray[np.uint8]) -> WordArray:
    return pack(network.input_bits(images))


def _inputs(network: BitwiseNetwork, words: WordArray) -> NDArray[np.float32]:
    """What a float network would be given for the same pictures."""
    values = input_values(unpack(words, network.sizes[0]), network.features)
    return np.ascontiguousarray(values, dtype=np.float32)
