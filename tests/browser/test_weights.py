"""The Weights page in a real browser: clicks choose units and places, and what is lit is what flipped."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from bnn_core import BitwiseNetwork, load_mnist
from bnn_core.measures.codes import class_codes
from bnn_core.measures.order import order_by_digit
from bnn_core.measures.weights import flips
from bnn_core.models import MODELS_FOLDER
from bnn_core.runs.find import find_run
from explorer.palette import palette
from tests.browser.harness import SCREENS

# A deep link to a page makes Streamlit's own front end ask for its address twice before it finds it.
PROBES = r"404"

HAS_COLOUR = """(canvas, [rows, cols, wanted]) => {
  // The middle of every cell: 1 where it has that colour.
  const context = canvas.getContext("2d");
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
  const cells = [];
  for (let row = 0; row < rows; row++) for (let col = 0; col < cols; col++) {
    const x = Math.floor((col + 0.4) * canvas.width / cols);
    const y = Math.floor((row + 0.4) * canvas.height / rows);
    const at = 4 * (y * canvas.width + x);
    cells.push(Number(wanted.every((value, i) => pixels[at + i] === value)));
  }
  return cells;
}"""


PIXELS = "(c) => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]"


def rgb(role: str, theme: str = "light") -> list[int]:
    colour = getattr(palette(theme), role)
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


@pytest.fixture(scope="module")
def quick():
    return BitwiseNetwork.load("quick")


@pytest.fixture(scope="module")
def by_digit(quick):
    data = load_mnist()
    codes = class_codes(quick, data.train_images[:5000], data.train_labels[:5000])
    return [order_by_digit(code) for code in codes]


@pytest.fixture
def open_page(page, server, problems):
    def go(query: str) -> None:
        problems.allow(PROBES)
        page.goto(f"{server.url}/weights?{query}")
        expect(page.locator(".bx-figures")).to_be_visible()

    return go


def cells(page, key: str, rows: int, cols: int, role: str, theme: str = "light") -> list[int]:
    """Where a matrix is painted in a colour of the palette."""
    canvas = page.locator(f".st-key-{key} canvas")
    expect(canvas).to_be_visible()
    return canvas.evaluate(HAS_COLOUR, [rows, cols, rgb(role, theme)])


def wait_for_address(page, **params: object) -> None:
    """Wait until the address has these values, in any order."""
    parts = "".join(rf"(?=.*[?&]{key}={value}(&|$))" for key, value in params.items())
    page.wait_for_url(re.compile(parts))


def click_at(page, key: str, across: float, down: float) -> None:
    """Click a place of a matrix, in shares of its width and height."""
    canvas = page.locator(f".st-key-{key} canvas")
    expect(canvas).to_be_visible()
    box = canvas.bounding_box()
    canvas.click(position={"x": across * box["width"], "y": down * box["height"]}, force=True)


@pytest.mark.parametrize(("viewport", "colour_scheme"), SCREENS)
def test_everything_is_painted_and_nothing_overflows(
    page, open_page, viewport, colour_scheme, quick, by_digit
):
    open_page("model=quick")
    for key in ("weights_templates", "weights_texture_2", "weights_lens_2", "weights_unit_1"):
        expect(page.locator(f".st-key-{key} canvas")).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)
    assert page.evaluate("document.scrollingElement.scrollWidth") <= viewport[0]
    main = page.locator('[data-testid="stMain"]')
    assert main.evaluate("(element) => element.scrollWidth - element.clientWidth") <= 0
    # The lens: true bits about the middle of the block in which the 3s' units (76 to 102) read each other.
    rows, columns = by_digit[1][68:110], by_digit[0][68:110]
    painted = cells(page, "weights_lens_2", 42, 42, "on_cell", colour_scheme)
    assert painted == quick.layers[1].weight_bits()[rows][:, columns].ravel().tolist()


def test_a_template_is_clicked_and_its_unit_shown(page, open_page, quick, by_digit):
    open_page("model=quick")
    page.locator(".st-key-weights_templates button.tile").nth(15).click()  # row 1, the second 5
    unit = by_digit[0][5 * 256 // 10 + 1]
    wait_for_address(page, layer=1, unit=unit)
    expect(page.locator(".st-key-weights-right")).to_contain_text(f"Unit {unit} of hidden 1")
    plus = int(quick.layers[0].weight_bits()[unit].sum())
    expect(page.locator(".st-key-weights-unit")).to_contain_text(f"Weights: {plus} +1")
    # On to the next pages, and the unit stays.
    page.get_by_role("button", name="Next page").click()
    expect(page.locator(".st-key-weights_page [aria-current]")).to_have_text("2")
    expect(page.locator(".st-key-weights-right")).to_contain_text(f"Unit {unit} of hidden 1")


def test_the_texture_brings_the_lens_and_the_lens_a_unit(page, open_page, quick, by_digit):
    open_page("model=quick&layer=2&unit=9")
    weights = quick.layers[1].weight_bits()[by_digit[1]][:, by_digit[0]]
    corner = weights[:42, -42:].ravel().tolist()
    assert cells(page, "weights_lens_2", 42, 42, "on_cell") != corner
    click_at(page, "weights_texture_2", 0.99, 0.01)
    count = f"{sum(corner):,} +1"
    expect(page.locator(".st-key-weights-lens")).to_contain_text(count)
    assert cells(page, "weights_lens_2", 42, 42, "on_cell") == corner
    click_at(page, "weights_lens_2", 0.5, 7.5 / 42)
    unit = by_digit[1][7]
    wait_for_address(page, layer=2, unit=unit)
    expect(page.locator(".st-key-weights-right")).to_contain_text(f"Unit {unit} of hidden 2")


def test_a_dot_is_the_mean_of_its_weights(page, open_page, quick, by_digit):
    open_page("model=quick&layer=2&unit=9")
    signs = quick.layers[1].weight_signs()[by_digit[1]][:, by_digit[0]].astype(int)
    means = signs.reshape(128, 2, 128, 2).sum(axis=(1, 3)) / 4
    canvas = page.locator(".st-key-weights_texture_2 canvas")
    painted = np.array(canvas.evaluate(PIXELS)).reshape(256, 256, 4)[::2, ::2, :3]
    on, off, back = (np.array(rgb(role)) for role in ("on_cell", "off_cell", "page"))
    strength = np.minimum(1, 1.9 * np.abs(means))[..., np.newaxis]
    wanted = back + (np.where(means[..., np.newaxis] > 0, on, off) - back) * strength
    assert np.abs(painted - wanted).max() <= 0.5


def test_two_moments_are_compared_and_the_flips_are_lit(page, open_page, quick):
    open_page("model=quick&layer=1&unit=17")
    page.locator(".st-key-versus_choice input").click()
    page.get_by_role("option", name="another moment of this run").click()
    before = find_run("quick").snapshots()[-2].path
    wait_for_address(page, versus="quick", versus_at=before.stem)
    slider = page.locator(".st-key-versus_moment input[type=range]")
    slider.focus()
    slider.press("Home")
    page.wait_for_url(re.compile(r"versus_at=phase1-epoch0000"))
    name = re.search(r"versus_at=([a-z0-9-]+)", page.url)[1]
    then = BitwiseNetwork.load(MODELS_FOLDER / "quick" / "snapshots" / f"{name}.safetensors")
    lit = quick.layers[0].weight_bits()[17] != then.layers[0].weight_bits()[17]
    expect(page.locator(".st-key-weights-unit")).to_contain_text(f"{lit.sum()} of 784 flipped")
    assert cells(page, "weights_unit_1", 28, 28, "changed") == lit.astype(int).tolist()
    total = int(flips(then, quick)[1].sum())
    expect(page.locator(".bx-layers")).to_contain_text(f"{total:,}")


def test_every_bit_is_painted_and_a_row_can_be_chosen(page, open_page, quick, by_digit):
    open_page("model=quick&layer=2&unit=9&sort=trained")
    page.locator(".st-key-weights_every label").click()
    painted = cells(page, "weights_every_2", 256, 256, "on_cell")
    assert painted == quick.layers[1].weight_bits().ravel().tolist()
    page.locator(".st-key-weights_every_2 .stage").click(position={"x": 300, "y": 4 * 40 + 1})
    wait_for_address(page, layer=2, unit=40)
    expect(page.locator(".st-key-weights-right")).to_contain_text("Unit 40 of hidden 2")
    page.locator(".st-key-weights_every_2 .stage").press("ArrowDown")
    expect(page.locator(".st-key-weights-right")).to_contain_text("Unit 41 of hidden 2")


def test_the_scrubber_and_the_link_keep_what_is_shown(page, open_page):
    open_page("model=quick&layer=2&unit=9")
    slider = page.locator(".st-key-moment_choice input[type=range]")
    slider.focus()
    slider.press("ArrowLeft")
    page.wait_for_url(re.compile(r"at=phase2-epoch"))
    expect(page.locator(".st-key-weights-right")).to_contain_text("Unit 9 of hidden 2")
    page.locator(".st-key-at_work button").click()
    page.wait_for_url(re.compile("/xnor"))
    wait_for_address(page, model="quick", layer=2, unit=9, at="phase2-epoch[0-9a-z-]+")
