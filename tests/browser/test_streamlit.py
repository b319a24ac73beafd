"""Streamlit's own markup is as our style sheet and scripts know it: each of their hooks finds a target."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.harness import ROOT

# A deep link to a page makes Streamlit's own front end ask for its address twice before it finds it.
PROBES = r"404"

SHEET = ROOT / "explorer" / "shared" / "streamlit.css"
SCRIPTS = sorted((ROOT / "explorer" / "components").glob("*/*.js"))

DRAWN = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
FOUND = "selectors => selectors.filter(selector => document.querySelector(selector))"


def hooks(sheet: str) -> list[str]:
    """Every selector of a style sheet, without the pseudo-element at its end."""
    sheet = re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL)
    found = []
    for selectors in re.findall(r"(?<=[{};])([^{};@]+)\{", ";" + sheet):
        depth, listed = 0, ""
        for sign in selectors:
            depth += (sign == "(") - (sign == ")")
            listed += ";" if sign == "," and not depth else sign
        found += [re.sub(r"::[\w-]+$", "", each.strip()) for each in listed.split(";")]
    return found


def states(page: Page, url: str) -> Iterator[None]:
    """Shows, one after another, whatever the hooks are about."""

    def go(address: str, key: str) -> None:
        page.goto(f"{url}/{address}")
        expect(page.locator(f"[class*='st-key-{key}']").first).to_be_visible()
        expect(page.locator("[data-test-script-state=notRunning]")).to_be_attached()
        # A widget's own script is fetched when it is first needed; a skeleton stands there until then.
        page.wait_for_load_state("networkidle")
        expect(page.locator("[data-testid=stSkeleton]")).to_have_count(0)
        page.evaluate(DRAWN)

    go("", "watch-gallery")
    yield
    go("weights", "weights-unit-facts")
    yield
    go("train?run=talk", "train_moment_")
    expect(page.locator("[class*='st-key-train_moment_'] input[type=range]")).to_be_attached()
    yield
    go("train", "train_knobs")
    page.locator(".st-key-train_more summary").click()
    slider = page.locator(".st-key-train_knobs input[type=range]").first
    slider.press("ArrowRight")
    yield
    box = slider.locator("..").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    yield
    page.mouse.up()


def lost(page: Page, wanted: set[str], shown: Iterator[None]) -> set[str]:
    """The hooks that no state has a target for."""
    for _ in shown:
        wanted = wanted - set(page.evaluate(FOUND, sorted(wanted)))
    return wanted


def test_every_hook_finds_its_target(page, server, problems):
    problems.allow(PROBES)
    wanted = set(hooks(SHEET.read_text("utf-8")))
    wanted |= {
        hook for path in SCRIPTS for hook in re.findall(r"\[data-test[\w-]+\]", path.read_text("utf-8"))
    }
    assert "[data-test-script-state]" in wanted
    nowhere = lost(page, wanted, states(page, server.url))
    assert not nowhere, "Nothing in Streamlit's markup matches (any more): " + "  ".join(sorted(nowhere))


def test_a_hook_without_a_target_is_named(page):
    page.set_content('<div data-testid="stHeader"><b></b></div>')
    wanted = {'[data-testid="stHeader"] > b', '[data-testid="stMadeUp"]'}
    assert lost(page, wanted, iter([None])) == {'[data-testid="stMadeUp"]'}


@pytest.mark.parametrize(
    ("sheet", "selectors"),
    [
        ("/* a { */ b,\nc d { e: f; g: h }", ["b", "c d"]),
        ('x:is(y, z:not(.w, v)):has(> u)::after { content: "t" }', ["x:is(y, z:not(.w, v)):has(> u)"]),
        ("@media (max-width: 1px) {\n  a { b: c }\n  d[e] { f: g }\n}\nh { i: j }", ["a", "d[e]", "h"]),
    ],
)
def test_the_hooks_of_a_sheet_are_read(sheet, selectors):
    assert hooks(sheet) == selectors
