"""The XNOR page's words, sums and texts against the integers of the network that they tell of."""

import base64
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_core import BitwiseNetwork, load_mnist
from bnn_core.bench import cost
from bnn_core.bits import pack
from bnn_core.kernels import KERNELS, Kernel, PackedLayer
from explorer.components.word_stepper import decode
from explorer.screens.xnor import html as pieces
from explorer.screens.xnor import words
from explorer.screens.xnor.steps import stepper
from explorer.screens.xnor.unit import all_agree, check_layer, hex_word, near_zero, tell, telling_word
from explorer.shared.fields import hidden_field, reading
from explorer.shared.numbers import signed


def layer(rng, inputs: int, units: int, zeros: float, *, strict: bool, zero_one: bool = False) -> PackedLayer:
    signs = np.where(rng.random((units, inputs)) < zeros, 0, rng.choice([-1, 1], (units, inputs)))
    bias = rng.choice([-1, 1], units) if strict else rng.integers(-40, 41, units)
    return PackedLayer.from_signs(signs.astype(np.int8), bias.astype(np.int32), zero_one=zero_one)


@st.composite
def scenes(draw):
    """A small random network of any kind, and one digit's way through it."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    features = draw(st.sampled_from(["bipolar", "zero-one", "two-bit"]))
    side, hidden = draw(st.integers(1, 12)), draw(st.integers(1, 200))
    zeros = draw(st.sampled_from([0.0, 0.3, 0.9, 1.0]))
    strict = draw(st.booleans())
    inputs = side * side * (2 if features == "two-bit" else 1)
    network = BitwiseNetwork(
        layers=(
            layer(rng, inputs, hidden, zeros, strict=strict, zero_one=features == "zero-one"),
            layer(rng, hidden, 10, zeros, strict=strict),
        ),
        features=features,
        variant="strict" if strict else "threshold",
    )
    image = (rng.integers(0, 256, (side, side)) * rng.integers(0, 2, (side, side))).astype(np.uint8)
    return network, network.trace(image), draw(st.integers(0, hidden - 1)), draw(st.integers(0, 9))


def checks(network, traces):
    return [
        check_layer(each, trace.inputs, KERNELS.values())
        for each, trace in zip(network.layers, traces, strict=True)
    ]


@given(scenes())
def test_the_words_add_up_to_the_network_s_own_integers(scene):
    network, traces, hidden, output = scene
    for number, index in ((1, hidden), (2, output)):
        trace, unit = traces[number - 1], tell(network, traces, number, index)
        assert sum(word.agree for word in unit.words) == trace.counts[index] == unit.ledger.agree
        assert sum(word.active for word in unit.words) == trace.active[index]
        assert sum(word.bits for word in unit.words) == len(trace.inputs) == unit.inputs
        assert unit.ledger.out == len(trace.inputs) - trace.active[index]
        assert unit.ledger.total == unit.kernel.total == trace.sums[index]
        assert unit.ledger.bit == trace.bits[index]
        running = np.cumsum([word.agree - word.differ for word in unit.words])
        assert [word.sum for word in unit.words] == running.tolist()
        assert unit.output == (number == 2)


@given(scenes())
def test_the_words_are_those_of_the_core_and_padding_is_not_there(scene):
    network, traces, hidden, _ = scene
    unit = tell(network, traces, 1, hidden)
    inputs, weights = pack(traces[0].inputs), network.layers[0].weight[hidden]
    assert len(unit.words) == network.layers[0].words
    for index, word in enumerate(unit.words):
        assert (word.inputs, word.weights) == (inputs[index], weights[index])
        assert int(hex_word(word.inputs, word.bits), 16) == word.inputs
        assert word.used >> word.bits == word.xnor >> word.bits == 0
        assert len(hex_word(word.xnor, word.bits)) == 2 + -(-word.bits // 4)
        for bit in range(word.bits):
            at = word.first + bit
            used = traces[0].used(hidden)
            part = True if used is None else bool(used[at])
            alike = traces[0].inputs[at] == traces[0].weights[hidden, at]
            assert word.xnor >> bit & 1 == (part and alike)


@given(scenes())
def test_every_kernel_is_run_and_agrees(scene):
    network, traces, hidden, output = scene
    found = checks(network, traces)
    for check, trace, number, index in zip(found, traces, (1, 2), (hidden, output), strict=True):
        assert [kernel.name for kernel in check.sums] == list(KERNELS)
        for sums in check.sums.values():
            assert np.array_equal(sums, trace.sums)
        assert check.wrong == {}
        assert check.units == len(trace.sums)
        assert all_agree(tell(network, traces, number, index), check)
    assert sum(check.operations for check in found) == cost(network).bit_operations


@pytest.fixture(scope="module")
def quick():
    return BitwiseNetwork.load("quick")


@pytest.fixture(scope="module")
def traces(quick):
    return quick.trace(load_mnist().test_images[90])


def one_off(inputs, each):
    """A kernel that is wrong by one, in one unit."""
    sums = KERNELS["oracle"].sums(inputs, each).copy()
    sums[:, 3] += 1
    return sums


BAD = Kernel("bad", "Bad", one_off)


def test_a_kernel_that_is_wrong_is_named(quick, traces):
    check = check_layer(quick.layers[1], traces[1].inputs, [*KERNELS.values(), BAD])
    assert check.wrong == {BAD: 1}
    assert not all_agree(tell(quick, traces, 2, 3), check)
    assert "✕" in words.disagree("Hidden 2", check.wrong, check.units)
    assert "Bad: 1 of 256" in words.disagree("Hidden 2", check.wrong, check.units)
    assert "not the same" in pieces.summary([check])
    assert "differ" in pieces.layer_caption(check, 4)
    told = stepper(tell(quick, traces, 2, 3), traces[1], check, identity="", word=0)["ways"]
    assert told["wrong"]
    assert [same for _, _, same in told["rows"]] == [True] * len(KERNELS) + [False]


def test_kernels_that_are_wrong_alike_do_not_agree_with_the_page(quick, traces):
    check = check_layer(quick.layers[1], traces[1].inputs, [BAD, replace(BAD, name="worse")])
    assert check.wrong == {}
    assert not all_agree(tell(quick, traces, 2, 3), check)
    assert all_agree(tell(quick, traces, 2, 4), check)


def unpacked(text: str, count: int) -> list[int]:
    bits = np.frombuffer(base64.b64decode(text), np.uint8)
    return np.unpackbits(bits, count=count, bitorder="little").tolist()


@given(scenes(), st.integers(0, 4))
def test_the_browser_gets_the_bits_and_every_step(scene, word):
    network, traces, hidden, _ = scene
    unit = tell(network, traces, 1, hidden)
    word = min(word, len(unit.words))
    data = stepper(unit, traces[0], checks(network, traces)[0], identity="x", word=word)
    count = len(traces[0].inputs)
    assert unpacked(data["planes"]["inputs"], count) == traces[0].inputs.tolist()
    assert unpacked(data["planes"]["weights"], count) == traces[0].weights[hidden].tolist()
    if traces[0].mask is None:
        assert data["planes"]["mask"] is None
    else:
        assert unpacked(data["planes"]["mask"], count) == traces[0].mask[hidden].tolist()
    assert data["zero_one"] == (network.features == "zero-one")
    assert len(data["steps"]) == data["count"] == len(data["sums"]) == len(data["agree"])
    assert data["total"] == traces[0].sums[hidden]
    assert signed(int(data["total"])) in [term["text"] for term in data["end"]["ledger"]]
    for step, agree, active, total in zip(
        data["steps"], data["agree"], data["active"], data["sums"], strict=True
    ):
        assert step["agree"] == f"{agree} agree"
        assert step["differ"] == f"{active - agree} differ"
        assert step["sum"] == signed(total) == step["ledger"][-1]["text"]
        assert f"{agree} agree" in step["spoken"]
        assert signed(total) in step["spoken"]
        assert ("and" in step["hex"]) == (data["words"]["part"] != "")
    assert [value for _, value, _ in data["ways"]["rows"]] == [signed(unit.ledger.total)] * len(KERNELS)


def test_the_ledger_closes(quick, traces):
    check = checks(quick, traces)
    for number, index in ((1, 0), (2, 7), (3, 3)):
        unit = tell(quick, traces, number, index)
        data = stepper(unit, traces[number - 1], check[number - 1], identity="", word=0)
        text = " ".join(term["text"] for term in data["end"]["ledger"]).replace("−", "-")
        agree, differ, bias, total = re.match(r"(\d+) - (\d+) \+ \(?(-?\d+)\)? = ([+-]?\d+)", text).groups()
        assert int(agree) - int(differ) + int(bias) == int(total) == traces[number - 1].sums[index]
        numbers = [
            int(n) for n in re.findall(r"-?\d+", data["kernel"]["line"].replace("− ", "- ").replace("−", "-"))
        ]
        base, bias, two, mismatches, total = numbers
        assert base + bias - two * mismatches == total == traces[number - 1].sums[index]
        notes = [term["note"] for term in data["end"]["ledger"]]
        if number == 3:
            assert f"votes for {index}" in notes
            assert f"so the digit is read as {traces[-1].sums.argmax()}" in notes
        else:
            assert ("≥ 0" in text) == bool(traces[number - 1].bits[index])


def test_the_word_that_moves_the_sum_most_is_shown_first(quick, traces):
    unit = tell(quick, traces, 2, 5)
    adds = [abs(word.adds) for word in unit.words]
    assert adds[telling_word(unit.words) - 1] == max(adds)


def test_half_of_the_units_are_near_zero(traces):
    near = near_zero(traces[0].sums).astype(bool)
    size = np.abs(traces[0].sums)
    assert 0 < near.sum() <= len(near) // 2
    assert size[near].max() < size[~near].min()


def test_zero_one_words_say_what_is_absent():
    rng = np.random.default_rng(0)
    network = BitwiseNetwork(
        (layer(rng, 784, 20, 0.0, strict=True, zero_one=True), layer(rng, 20, 10, 0.0, strict=True)),
        features="zero-one",
    )
    found = network.trace(load_mnist().test_images[0])
    unit = tell(network, found, 1, 4)
    data = stepper(unit, found[0], checks(network, found)[0], identity="", word=0)
    absent = int((found[0].inputs == 0).sum())
    assert data["end"]["out"] == f"{absent} of 784 inputs take no part: absent"
    assert data["words"]["zero"] == "0, absent"
    assert "48 bits are padding" in data["steps"][-1]["note"]


def test_the_whole_network_is_one_row_in_a_window_that_is_wide_enough():
    fields = [hidden_field(1024)] * 3
    rules = pieces.flow_rules(fields)
    widths = [int(width) for width in re.findall(r"min-width: (\d+)px", rules)]
    pitches = [int(pitch) for pitch in re.findall(r"--bx-field: (\d+)", rules)]
    assert widths == sorted(widths)
    assert pitches == list(pieces.PITCHES)
    for width, pitch in zip(widths, pitches[1:], strict=True):
        assert sum(max(152, field.cols * pitch) for field in fields) + 2 * 32 < width


def test_the_summary_counts_what_was_compared(quick, traces):
    text = pieces.summary(checks(quick, traces))
    assert f"{sum(quick.sizes[1:])} integers" in text
    assert f"the same from {words.spelled(len(KERNELS))} kernels" in text
    assert f"{cost(quick).bit_operations:,}" in text
    assert f'class="digit">{traces[-1].sums.argmax()}<' in pieces.read_as(reading(traces[-1].sums))


@pytest.mark.parametrize(
    ("stepped", "word"),
    [
        ({"word": 3, "identity": "a"}, 3),
        ({"word": 0, "identity": "a"}, 0),
        ({"word": 3, "identity": "b"}, None),
        ({"word": 5, "identity": "a"}, None),
        ({"word": -1, "identity": "a"}, None),
        ({"word": True, "identity": "a"}, None),
        ({"word": "3", "identity": "a"}, None),
        ({"word": 3}, None),
        (None, None),
    ],
)
def test_only_a_word_of_this_unit_comes_back_from_the_browser(stepped, word):
    assert decode({"stepped": stepped}, identity="a", count=4) == word
    assert decode({}, identity="a", count=4) is None
    assert decode(None, identity="a", count=4) is None
