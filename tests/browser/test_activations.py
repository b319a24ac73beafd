"""The Activations page in a real browser: what is painted is what the network computes; the map at work."""

import re

import numpy as np
import pytest
from playwright.sync_api import Locator, expect

from bnn_core import BitwiseNetwork, load_mnist
from bnn_core.models import MODELS_FOLDER
from tests.browser.harness import SCREENS
from tests.browser.test_watch import painted

# A deep link to a page makes Streamlit's own front end ask for its address twice before it finds it.
PROBES = r"404"

READ_PICTURE = """(canvas, side) => {
  // The middle of every cell: how far its red channel is from the paper's, in the corner.
  const context = canvas.getContext("2d");
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
  const step = canvas.width / side, cells = [];
  for (let row = 0; row < side; row++) for (let col = 0; col < side; col++) {
    const at = 4 * (Math.floor((row + 0.5) * step) * canvas.width + Math.floor((col + 0.5) * step));
    cells.push(Math.abs(pixels[at] - pixels[0]));
  }
  return cells;
}"""


def open_activations(page, server, problems, query: str = "") -> None:
    problems.allow(PROBES)
    page.goto(f"{server.url}/activations?{query}")
    expect(large_map(page)).to_be_visible()


def large_map(page) -> Locator:
    return page.locator(".st-key-digit_map .large .stage")


def tip(page) -> Locator:
    return page.locator(".st-key-digit_map .tip")


@pytest.mark.parametrize(("viewport", "colour_scheme"), SCREENS)
def test_everything_finds_its_place(page, server, problems, viewport):
    open_activations(page, server, problems)
    for key in ("code_field", "class_fields", "near_digits"):
        expect(page.locator(f".st-key-{key} canvas").first).to_be_visible()
    expect(page.locator(".st-key-digit_map .small")).to_have_count(3)
    expect(page.locator(".bx-apart .nearest")).to_have_count(1)
    expect(page.locator(".bx-pairs td.own")).to_have_count(10)
    expect(page.locator(".st-key-parting_chart .main-svg").first).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)
    # Nothing hangs over the edge of the window.
    assert page.get_by_test_id("stMain").evaluate("main => main.scrollWidth - main.clientWidth") <= 0
    tops = [page.locator(f".st-key-act-{name}").bounding_box()["y"] for name in ("code", "classes", "apart")]
    assert max(tops) - min(tops) < 2  # side by side


@pytest.mark.slow
def test_the_code_is_the_networks_and_a_unit_is_chosen(page, server, problems):
    network, image = BitwiseNetwork.load("quick"), load_mnist().test_images[90]
    open_activations(page, server, problems, "model=quick&digit=90&order=trained&layer=2&unit=0")
    assert painted(page, "code_field", 16, 16, "light") == network.trace(image)[1].bits.tolist()
    stage = page.locator(".st-key-code_field .stage")
    box = stage.locator("canvas").bounding_box()
    stage.click(position={"x": box["width"] * (4.5 / 16), "y": box["height"] * (2.5 / 16)})
    page.wait_for_url(re.compile(r"unit=36"))
    expect(page.locator(".st-key-act-page")).to_contain_text("Unit 36, framed:")


def test_a_near_digit_is_chosen_and_another_class_is_crossed(page, server, problems):
    network, data = BitwiseNetwork.load("quick"), load_mnist()
    open_activations(page, server, problems, "model=quick&digit=247&layer=2&unit=9")
    codes = network.codes(data.test_images)[1]
    distances = (codes != codes[247]).sum(axis=1)
    order = [int(i) for i in np.argsort(distances, kind="stable") if i != 247][:12]
    captions = page.locator(".st-key-near_digits .caption")
    for number, index in enumerate(order):
        label = data.test_labels[index]
        cross = "✕ " if label != data.test_labels[247] else ""
        expect(captions.nth(number)).to_have_text(f"{cross}{label} · {distances[index]}")
    page.locator(".st-key-near_digits button.tile").nth(1).click()
    page.wait_for_url(re.compile(rf"digit={order[1]}\b"))
    expect(page.locator(".st-key-digit_choice")).to_contain_text(f"test digit {order[1]}")
    assert painted(page, "code_field", 16, 16, "light").count(1) == codes[order[1]].sum()


@pytest.mark.parametrize("colour_scheme", ["light", "dark"])
def test_the_map_shows_a_digit_and_chooses_it(page, server, problems, colour_scheme):
    images = load_mnist().test_images
    open_activations(page, server, problems, "model=quick&digit=90&layer=2&unit=9")
    expect(page.locator(".st-key-digit_map .digit-map[data-ready]")).to_be_visible()  # with its pictures
    expect(tip(page)).to_be_hidden()
    large_map(page).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(tip(page)).to_be_visible()
    found = re.search(r"Test digit (\d+),", tip(page).inner_text())
    assert found
    index = int(found[1])
    assert index != 90
    expect(page.locator(".st-key-digit_map .spoken")).to_contain_text(f"Test digit {index},")
    cells = np.array(tip(page).locator("canvas").evaluate(READ_PICTURE, 28)).reshape(28, 28)
    assert np.corrcoef(cells.ravel(), images[index].ravel())[0, 1] > 0.99
    expect(page.locator(".st-key-digit_map .ring:visible")).to_have_count(4)  # on every map
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(rf"digit={index}\b"))
    expect(page.locator(".st-key-digit_choice")).to_contain_text(f"test digit {index}")


def test_the_pointer_finds_digits_and_a_small_map_is_a_layer(page, server, problems):
    open_activations(page, server, problems, "model=quick&digit=90")
    large_map(page).scroll_into_view_if_needed()
    frame, whole = (
        page.locator(".st-key-digit_map .large .frame").bounding_box(),
        large_map(page).bounding_box(),
    )
    middle = {
        axis: frame[axis] + frame[size] / 2 - whole[axis] for axis, size in (("x", "width"), ("y", "height"))
    }
    large_map(page).hover(position=middle)
    expect(tip(page)).to_be_visible()
    expect(tip(page)).to_contain_text("test digit", ignore_case=True)
    page.mouse.move(2, 2)
    expect(tip(page)).to_be_hidden()
    expect(page.locator(".st-key-digit_map .large .title")).to_contain_text("Hidden 1")
    page.locator(".st-key-digit_map .small button.stage").nth(2).click()
    page.wait_for_url(re.compile(r"layer=2"))
    expect(page.locator(".st-key-digit_map .large .title")).to_contain_text("Hidden 2")
    expect(page.get_by_role("radio", name="Hidden 2")).to_be_checked()
    expect(page.locator(".st-key-digit_map .small button.stage").first).to_be_disabled()  # the input


@pytest.mark.slow
def test_the_scrubber_shows_the_codes_as_they_were(page, server, problems):
    open_activations(page, server, problems, "model=quick&digit=90&order=trained&layer=1&unit=0")
    slider = page.locator(".st-key-moment_choice input[type=range]")
    slider.focus()
    slider.press("Home")
    page.wait_for_url(re.compile(r"at=phase1-epoch0000"))
    name = re.search(r"at=([a-z0-9-]+)", page.url)[1]
    then = BitwiseNetwork.load(MODELS_FOLDER / "quick" / "snapshots" / f"{name}.safetensors")
    on = then.codes(load_mnist().test_images)[0].mean(axis=0)
    row = page.locator(".bx-use tr.own td:not([class])")
    expect(row).to_have_text([str(int((on == 0).sum())), str(int((on == 1).sum()))])
    bits = then.trace(load_mnist().test_images[90])[0].bits.tolist()
    assert painted(page, "code_field", 16, 16, "light") == bits
    expect(large_map(page)).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)
