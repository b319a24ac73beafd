"""The XNOR page in a real browser: what is painted and written at each word is what the network computes."""

import re
import shutil

import numpy as np
import pytest
from playwright.sync_api import Locator, expect

from bnn_core import BitwiseNetwork, load_mnist
from bnn_core.kernels import KERNELS, PackedLayer
from bnn_core.runs.find import find_run
from explorer.palette import palette
from explorer.shared.numbers import signed
from tests.browser.harness import SCREENS

# A deep link to a page makes Streamlit's own front end ask for its address twice before it finds it.
PROBES = r"404"

READ_CELLS = """(canvas, [count, on, off]) => {
  // Down the middle of every cell of the large word: each run of a bit's colour is one bit.
  const context = canvas.getContext("2d");
  const ratio = canvas.width / canvas.clientWidth;
  const pitch = (canvas.clientWidth - 7 * 6) / 64;
  const same = (pixel, colour) => pixel[3] === 255 && colour.every((value, i) => value === pixel[i]);
  const cells = [];
  for (let bit = 0; bit < count; bit++) {
    const x = Math.floor((bit * pitch + Math.floor(bit / 8) * 6 + 0.4 * pitch) * ratio);
    const column = context.getImageData(x, 0, 1, canvas.height).data;
    const runs = [];
    let before = null;
    for (let y = 0; y < canvas.height; y++) {
      const pixel = column.slice(4 * y, 4 * y + 4);
      const value = same(pixel, on) ? 1 : same(pixel, off) ? 0 : null;
      if (value !== null && value !== before) runs.push(value);
      before = value;
    }
    cells.push(runs);
  }
  return cells;
}"""


def rgb(colour: str) -> list[int]:
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def sign(bit: int) -> str:
    return "+1" if bit else "\N{MINUS SIGN}1"


def stepper(page) -> Locator:
    return page.locator(".st-key-word_stepper .word-stepper")


def open_xnor(page, server, problems, query: str = "") -> Locator:
    problems.allow(PROBES)
    page.goto(f"{server.url}/xnor?{query}")
    expect(stepper(page).locator(".ledger .term").first).to_be_visible()
    return stepper(page)


def painted(page, count: int, theme: str) -> list[list[int]]:
    colours = [rgb(palette(theme).on_cell), rgb(palette(theme).off_cell)]
    return stepper(page).locator("canvas.large-bits").evaluate(READ_CELLS, [count, *colours])


def ledger(page) -> str:
    return " ".join(stepper(page).locator(".ledger .term > div").all_inner_texts())


@pytest.mark.parametrize(("viewport", "colour_scheme"), SCREENS)
def test_it_opens_with_all_words_counted(page, server, problems, viewport):
    found = open_xnor(page, server, problems)
    expect(found).to_have_attribute("data-word", "0")
    expect(found.locator(".row")).to_have_count(13)
    expect(found.locator(".ways td:last-child")).to_have_count(len(KERNELS))
    expect(page.locator(".bx-label .digit")).to_have_text("3")
    for key in ("sums_hidden_1", "sums_hidden_2", "sums_output"):
        expect(page.locator(f".st-key-{key} canvas")).to_be_visible()
    expect(page.locator(".bx-bars .row")).to_have_count(10)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    # Nothing hangs over the edge of the window, nor over the buttons.
    assert page.evaluate("document.scrollingElement.scrollWidth") <= viewport[0]
    controls = page.locator(".st-key-xnor-unit").bounding_box()
    assert controls["x"] + controls["width"] <= found.locator(".tools").bounding_box()["x"]


@pytest.mark.parametrize("colour_scheme", ["light", "dark"])
def test_keys_step_and_every_word_is_the_networks(page, server, problems, colour_scheme):
    network, image = BitwiseNetwork.load("quick"), load_mnist().test_images[90]
    trace = network.trace(image)[1]
    x, w = trace.inputs, trace.weights[36]
    found = open_xnor(page, server, problems, "model=quick&digit=90&layer=2&unit=36")
    total = signed(int(trace.sums[36]))
    assert f"= {total}" in ledger(page)
    running = 0
    for word in range(1, 5):
        page.keyboard.press("ArrowRight")
        expect(found).to_have_attribute("data-word", str(word))
        part = slice(64 * (word - 1), 64 * word)
        alike = (x[part] == w[part]).astype(int)
        agree = int(alike.sum())
        running += 2 * agree - 64
        rows = np.array([x[part], w[part], alike, np.arange(64) < agree]).T.astype(int)
        cells = painted(page, 64, colour_scheme)
        assert cells == rows.tolist()
        expect(found.locator(".count.on")).to_have_text(f"{agree} agree")
        expect(found.locator(".count.off")).to_have_text(f"{64 - agree} differ")
        expect(found.locator(".row.now .sum")).to_have_text(signed(running))
        expect(found.locator(".spoken")).to_contain_text(f"the sum so far is {signed(running)}")
        assert ledger(page).endswith(f"= {signed(running)}")
        assert found.locator(".row .sum").count() == word  # what is to come has no sum yet
    page.wait_for_url(re.compile(r"[?&]word=4"))
    canvas = found.locator("canvas.large-bits")
    canvas.hover(position={"x": 4, "y": 4})
    expect(canvas).to_have_attribute(
        "title", f"input 192: {sign(x[192])}, weight {sign(w[192])}: they {'agree' if alike[0] else 'differ'}"
    )
    # The bias is the last step.
    page.keyboard.press("ArrowRight")
    expect(found).to_have_attribute("data-word", "0")
    expect(found.locator(".foot-text.total")).to_have_text(total)
    page.wait_for_url(lambda url: "word=" not in url)
    page.keyboard.press("Home")
    expect(found).to_have_attribute("data-word", "1")
    page.keyboard.press("End")
    expect(found).to_have_attribute("data-word", "0")


def test_buttons_and_rows_step_and_the_address_brings_the_word_back(page, server, problems):
    found = open_xnor(page, server, problems, "model=quick&digit=90&layer=1&unit=7&word=6")
    expect(found).to_have_attribute("data-word", "6")
    found.locator(".forward").click()
    found.locator(".forward").click()
    found.locator(".back").click()
    expect(found).to_have_attribute("data-word", "7")
    page.wait_for_url(re.compile(r"[?&]word=7"))
    found.locator(".row").nth(10).click()
    expect(found).to_have_attribute("data-word", "11")
    page.wait_for_url(re.compile(r"[?&]word=11"))
    page.reload()
    expect(found).to_have_attribute("data-word", "11")
    expect(found.locator(".title")).to_contain_text("Word 11 of 13")
    found.locator(".all").click()
    expect(found).to_have_attribute("data-word", "0")
    expect(found.locator(".all")).to_have_attribute("aria-pressed", "true")

    # A widget that has the focus keeps its keys.
    page.locator(".st-key-unit_choice input").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Home")
    expect(found).to_have_attribute("data-word", "0")


def test_a_unit_is_chosen_in_the_network_and_by_number(page, server, problems):
    network, image = BitwiseNetwork.load("quick"), load_mnist().test_images[11]
    traces = network.trace(image)
    found = open_xnor(page, server, problems, "model=quick&digit=11&order=trained")
    field = page.locator(".st-key-sums_hidden_2 canvas")
    box = field.bounding_box()
    field.click(position={"x": box["width"] * (4.5 / 16), "y": box["height"] * (2.5 / 16)})
    expect(found.locator(".stage")).to_have_attribute("aria-label", re.compile("^Unit 36 of hidden 2"))
    assert f"= {signed(int(traces[1].sums[36]))}" in ledger(page)
    page.get_by_test_id("stNumberInputStepUp").click()
    expect(found.locator(".stage")).to_have_attribute("aria-label", re.compile("^Unit 37 of hidden 2"))
    assert f"= {signed(int(traces[1].sums[37]))}" in ledger(page)
    page.keyboard.press("ArrowRight")  # a button that was pressed has no use for arrows: they step
    expect(found).to_have_attribute("data-word", "1")
    page.wait_for_url(re.compile(r"[?&]word=1"))
    box = page.locator(".st-key-sums_output canvas").bounding_box()
    page.locator(".st-key-sums_output canvas").click(position={"x": 8, "y": box["height"] * 0.75})
    expect(found.locator(".stage")).to_have_attribute("aria-label", re.compile("^The output for digit 7"))
    expect(found).to_have_attribute("data-word", "0")
    assert f"= {signed(int(traces[2].sums[7]))}" in ledger(page)
    values = found.locator(".ways td:last-child").all_inner_texts()
    assert values == [signed(int(traces[2].sums[7]))] * len(KERNELS)


def test_what_takes_no_part_is_not_counted(page, server, problems):
    rng = np.random.default_rng(5)
    first = PackedLayer.from_signs(
        rng.integers(-1, 2, (16, 784)).astype(np.int8),
        rng.integers(-9, 9, 16).astype(np.int32),
        zero_one=True,
    )
    last = PackedLayer.from_signs(rng.choice([-1, 1], (10, 16)).astype(np.int8), np.ones(10, np.int32))
    network = BitwiseNetwork((first, last), features="zero-one", variant="threshold")
    folder = server.runs / "xnor-zero-one"
    folder.mkdir(parents=True)
    try:
        shutil.copy(find_run("quick").path / "config.json", folder / "config.json")
        network.save(folder / "model.safetensors")
        trace = network.trace(load_mnist().test_images[90])[0]
        used, alike = trace.used(3), (trace.inputs == trace.weights[3]).astype(np.uint8)
        found = open_xnor(page, server, problems, "model=xnor-zero-one&digit=90&layer=1&unit=3&word=7")
        expect(found).to_have_attribute("data-word", "7")
        part = slice(384, 448)
        agree, active = int((used & alike)[part].sum()), int(used[part].sum())
        assert 0 < agree < active < 64
        expect(found.locator(".count.on")).to_have_text(f"{agree} agree")
        expect(found.locator(".count.off")).to_have_text(f"{active - agree} differ")
        expect(found.locator(".count.none")).to_have_text(f"{64 - active} take no part")
        # The pairs that take part stand in all four rows, the others leave XNOR empty.
        for bit, cells in enumerate(painted(page, 64, "light")):
            at = 384 + bit
            counted = [int(bit < agree)] if bit < active else []
            pair = [trace.inputs[at], trace.weights[3, at], alike[at]] if used[at] else []
            assert cells == [int(value) for value in pair] + counted
        page.keyboard.press("End")
        expect(found.locator(".out")).to_contain_text(f"{784 - int(used.sum())} of 784 inputs take no part")
        assert f"= {signed(int(trace.sums[3]))}" in ledger(page)
    finally:
        shutil.rmtree(folder)
