"""The Watch page in a real browser: what is painted is what the network computes; a drawing is answered."""

import re
import shutil

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image, ImageDraw
from playwright.sync_api import Locator, expect

from bnn_core import BitwiseNetwork, load_mnist
from explorer.palette import palette
from tests.browser.harness import SCREENS

READ_BITS = """(canvas, [rows, cols, on]) => {
  // The middle of every cell: 1 where it has the colour of +1.
  const context = canvas.getContext("2d");
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
  const bits = [];
  for (let row = 0; row < rows; row++) for (let col = 0; col < cols; col++) {
    const x = Math.floor((col + 0.4) * canvas.width / cols);
    const y = Math.floor((row + 0.4) * canvas.height / rows);
    const at = 4 * (y * canvas.width + x);
    bits.push(Number(pixels[at] === on[0] && pixels[at + 1] === on[1] && pixels[at + 2] === on[2]));
  }
  return bits;
}"""


def rgb(colour: str) -> list[int]:
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def answer(page) -> Locator:
    return page.locator(".bx-answer .digit")


def painted(page, key: str, rows: int, cols: int, theme: str) -> list[int]:
    canvas = page.locator(f".st-key-{key} canvas")
    expect(canvas).to_be_visible()
    return canvas.evaluate(READ_BITS, [rows, cols, rgb(palette(theme).on_cell)])


def draw(page, points: list[tuple[float, float]]) -> None:
    """One stroke on the pad, in units of its side."""
    box = page.locator(".st-key-digit_pad canvas").bounding_box()
    at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*at[0])
    page.mouse.down()
    for point in at[1:]:
        page.mouse.move(*point, steps=5)
    page.mouse.up()


@pytest.mark.parametrize(("viewport", "colour_scheme"), SCREENS)
def test_it_opens_on_a_recognised_digit(page, server, viewport):
    page.goto(server.url)
    expect(answer(page)).to_have_text("3")
    expect(page.locator(".bx-answer")).to_contain_text("right")
    for key in ("field_input", "field_hidden_1", "field_hidden_2", "unit_close", "gallery_each"):
        expect(page.locator(f".st-key-{key} canvas")).to_be_visible()
    expect(page.locator(".bx-bars .row")).to_have_count(10)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    # Nothing hangs over the edge of the window.
    assert page.evaluate("document.scrollingElement.scrollWidth") <= viewport[0]


def test_the_time_of_a_digit_comes_without_a_click(page, server):
    page.goto(server.url)
    strip = page.locator(".bx-strip")
    expect(strip).to_contain_text("faster", timeout=60_000)
    expect(strip).to_contain_text("in float32, PyTorch")
    expect(answer(page)).to_have_text("3")


@pytest.mark.parametrize("colour_scheme", ["light", "dark"])
def test_every_painted_bit_is_the_networks(page, server, colour_scheme):
    network, image = BitwiseNetwork.load("quick"), load_mnist().test_images[90]
    page.goto(f"{server.url}/?model=quick&digit=90&order=trained")
    expect(answer(page)).to_have_text(str(network.predict(image)[0]))
    trace = network.trace(image)
    bits = painted(page, "field_input", 28, 28, colour_scheme)
    assert bits == trace[0].inputs.tolist()
    for layer in (1, 2):
        bits = painted(page, f"field_hidden_{layer}", 16, 16, colour_scheme)
        assert bits == trace[layer - 1].bits.tolist()


def test_a_drawn_digit_is_answered_and_cleared(page, server):
    page.goto(server.url)
    expect(answer(page)).to_have_text("3")
    page.locator(".st-key-digit_pad button.draw").click()
    draw(page, [(0.5, 0.15), (0.5, 0.85)])
    expect(answer(page)).to_have_text("1")
    expect(page.locator(".bx-answer .verdict")).to_have_count(0)  # nobody knows what was meant
    page.wait_for_url(re.compile(r"digit=drawn\."))

    # The drawing survives a reload: it is in the address.
    page.reload()
    expect(answer(page)).to_have_text("1")
    page.locator(".st-key-digit_pad button.clear").click()
    expect(answer(page)).to_have_text("3")
    expect(page.locator(".bx-answer .verdict")).to_contain_text("right")


def test_a_seven_takes_two_strokes(page, server):
    page.goto(f"{server.url}/?model=talk")
    page.locator(".st-key-digit_pad button.draw").click()
    draw(page, [(0.25, 0.25), (0.72, 0.25)])
    page.wait_for_url(re.compile(r"digit=drawn\."))
    draw(page, [(0.72, 0.25), (0.45, 0.85)])
    expect(answer(page)).to_have_text("7")


def test_a_digit_is_chosen_from_the_gallery_and_a_wrong_answer_is_said(page, server):
    network, data = BitwiseNetwork.load("talk"), load_mnist()
    page.goto(server.url)
    page.locator(".st-key-gallery_each button.tile").nth(5).click()
    expect(answer(page)).to_have_text("5")
    page.locator(".st-key-gallery_misread button.tile").first.click()
    expect(page.locator(".bx-answer")).to_contain_text("✕ wrong")
    page.wait_for_url(re.compile(r"digit=\d+"))
    index = int(re.search(r"digit=(\d+)", page.url)[1])
    read, label = network.predict(data.test_images[index])[0], data.test_labels[index]
    assert read != label
    expect(answer(page)).to_have_text(str(read))
    expect(page.locator(".bx-answer")).to_contain_text(f"It is a {label}.")


def test_a_picture_of_ones_own_is_read_and_another_file_is_refused(page, server, tmp_path):
    picture = Image.new("L", (200, 260), 255)
    ImageDraw.Draw(picture).line([(100, 30), (100, 230)], fill=20, width=18)
    picture.save(tmp_path / "one.png")
    (tmp_path / "nonsense.png").write_bytes(b"nonsense")
    page.goto(server.url)
    expect(answer(page)).to_have_text("3")
    page.locator(".st-key-digit_pad button.more").click()
    page.get_by_text("Bring a picture").click()
    upload = page.locator(".st-key-search_upload input[type=file]")
    upload.set_input_files(tmp_path / "nonsense.png")
    expect(page.locator(".bx-note")).to_contain_text("nonsense.png is neither a PNG nor a JPEG")
    upload.set_input_files(tmp_path / "one.png")
    expect(answer(page)).to_have_text("1")
    expect(page.locator(".st-key-watch-digit")).to_contain_text("a picture of yours")
    page.wait_for_url(re.compile(r"digit=drawn\."))
    page.locator(".st-key-digit_pad button.clear").click()
    expect(answer(page)).to_have_text("3")


@pytest.mark.slow
def test_the_newest_moment_of_a_run_under_way_comes_by_itself(start_server, page, problems):
    from bnn_core.models import MODELS_FOLDER

    problems.allow("when disconnected from server")  # the page is left while it looks for news
    server = start_server()
    run = server.runs / "under-way"
    (run / "snapshots").mkdir(parents=True)
    shots = sorted((MODELS_FOLDER / "quick" / "snapshots").iterdir())
    shutil.copy(MODELS_FOLDER / "quick" / "config.json", run)
    shutil.copy(shots[0], run / "snapshots")
    image = load_mnist().test_images[90]

    def shown(shot):
        network = BitwiseNetwork.load(shot)
        expect(page.locator(".st-key-watch-hidden-1")).to_contain_text(
            f"{int(network.trace(image)[0].bits.sum())} are +1"
        )

    with FileLock(run / "run.lock"):  # as a worker holds it
        page.goto(f"{server.url}/?model=under-way&digit=90&order=trained")
        shown(shots[0])
        shutil.copy(shots[-1], run / "snapshots")
        shown(shots[-1])
        expect(page.locator(".st-key-moment_choice")).to_contain_text("now")


def test_a_unit_is_brought_up_close_by_click_and_by_keys(page, server):
    network, image = BitwiseNetwork.load("quick"), load_mnist().test_images[11]
    page.goto(f"{server.url}/?model=quick&digit=11&order=trained")
    stage = page.locator(".st-key-field_hidden_2 .stage")
    expect(stage).to_be_visible()
    box = stage.locator("canvas").bounding_box()
    stage.click(position={"x": box["width"] * (4.5 / 16), "y": box["height"] * (2.5 / 16)})
    page.wait_for_url(re.compile(r"layer=2&unit=36|unit=36&layer=2"))
    expect(page.locator(".st-key-watch-close")).to_contain_text("unit 36 of hidden 2")
    total = int(network.trace(image)[1].sums[36])
    expect(page.locator(".bx-sum .total")).to_contain_text(f"{total:+d}".replace("-", "\N{MINUS SIGN}"))
    stage.press("ArrowRight")
    expect(page.locator(".st-key-watch-close")).to_contain_text("unit 37 of hidden 2")


def test_the_scrubber_shows_the_network_as_it_was(page, server):
    first = BitwiseNetwork.load("quick").layers  # the finished one, to differ from
    page.goto(f"{server.url}/?model=quick&digit=90&order=trained")
    expect(answer(page)).to_be_visible()
    slider = page.locator(".st-key-moment_choice input[type=range]")
    slider.focus()
    slider.press("Home")
    page.wait_for_url(re.compile(r"at=phase1-epoch0000"))
    name = re.search(r"at=([a-z0-9-]+)", page.url)[1]
    from bnn_core.models import MODELS_FOLDER

    then = BitwiseNetwork.load(MODELS_FOLDER / "quick" / "snapshots" / f"{name}.safetensors")
    assert not np.array_equal(then.layers[0].weight, first[0].weight)
    image = load_mnist().test_images[90]
    expect(answer(page)).to_have_text(str(then.predict(image)[0]))
    assert painted(page, "field_hidden_1", 16, 16, "light") == then.trace(image)[0].bits.tolist()


def test_a_broken_address_gives_a_sentence(page, server):
    page.goto(f"{server.url}/?model=no-such&digit=99999")
    expect(page.locator(".bx-note").first).to_contain_text("no-such")
    expect(answer(page)).to_have_text("3")
