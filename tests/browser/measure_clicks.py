"""How long a click takes until everything it changes is painted: `python -m tests.browser.measure_clicks`.

A measurement, not a test. The app runs as people start it, on a network of 3 x 1024 random bits with
snapshots; each action is done a few times in headless Chromium, and the time from the event to the last
change of the page (then the next frame) is taken in the browser. Figures hold for an idle machine.
"""

import argparse
import itertools
import json
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, sync_playwright

from bnn_core import BitwiseNetwork, RunConfig
from bnn_core.kernels import PackedLayer
from tests.browser.harness import BROWSER_FLAGS, AppServer, find_browser

SIZES = (784, 1024, 1024, 1024, 10)
NAME = "random-bits"

WATCH = """(quiet) => new Promise((resolve) => {
  // From the first event of the action to the last change of the page; `quiet` ms without one end it.
  let began = null, last = null, timer = null;
  const status = '[data-testid="stStatusWidget"], [data-testid="stToolbar"]';
  const seen = (mutation) => !mutation.target.closest?.(status);
  const settle = () => { clearTimeout(timer); timer = setTimeout(done, quiet); };
  const observer = new MutationObserver((list) => {
    if (began === null || !list.some(seen)) return;
    requestAnimationFrame(() => { last = performance.now(); });
    settle();
  });
  const watch = (root) => {
    observer.observe(root, { subtree: true, childList: true, attributes: true, characterData: true });
    for (const element of root.querySelectorAll("*")) if (element.shadowRoot) watch(element.shadowRoot);
  };
  watch(document.body);
  const start = () => { if (began === null) { began = performance.now(); settle(); } };
  const kinds = ["pointerdown", "keydown"];
  for (const kind of kinds) document.addEventListener(kind, start, { capture: true });
  function done() {
    observer.disconnect();
    for (const kind of kinds) document.removeEventListener(kind, start, { capture: true });
    resolve(last === null ? null : last - began);
  }
})"""


@dataclass(frozen=True)
class Action:
    """Something that people do on a page: `act(page, n)` does it for the n-th time."""

    page: str
    name: str
    act: Callable[[Page, int], None]


def random_run(folder: Path, snapshots: int = 8) -> None:
    """A run folder with a finished network and snapshots, all of random bits."""
    rng = np.random.default_rng(0)
    (folder / "snapshots").mkdir(parents=True)
    config = RunConfig().updated({"network.hidden": list(SIZES[1:-1])})
    (folder / "config.json").write_text(json.dumps(config.to_dict()), "utf-8")
    for number in range(snapshots + 1):
        layers = tuple(
            PackedLayer.from_signs(
                rng.choice(np.array([-1, 1], np.int8), (units, inputs)),
                rng.choice(np.array([-1, 1], np.int32), units),
            )
            for inputs, units in itertools.pairwise(SIZES)
        )
        name = f"snapshots/phase2-epoch{number + 1:04d}-step{number + 1:07d}.safetensors"
        BitwiseNetwork(layers).save(folder / ("model.safetensors" if number == snapshots else name))


def tile(key: str) -> Callable[[Page, int], None]:
    """Click the n-th small picture of a row."""
    return lambda page, n: page.locator(f".st-key-{key} button.tile").nth(n % 8).click()


def cell(key: str) -> Callable[[Page, int], None]:
    """Click somewhere else in a bit matrix each time."""

    def act(page: Page, n: int) -> None:
        stage = page.locator(f".st-key-{key} .stage").first
        box = stage.locator("canvas").first.bounding_box() or {"width": 100, "height": 100}
        at = {"x": box["width"] * (0.2 + 0.07 * n), "y": box["height"] * (0.3 + 0.05 * n)}
        stage.click(position=at)  # type: ignore[arg-type]

    return act


def earlier(page: Page, n: int) -> None:
    """One moment earlier on the scrubber."""
    slider = page.locator(".st-key-moment_choice input[type=range]")
    slider.focus()
    slider.press("ArrowLeft")


def press(key: str) -> Callable[[Page, int], None]:
    """A key, wherever the page has its focus."""
    return lambda page, n: page.keyboard.press(key)


def layer(page: Page, n: int) -> None:
    """Now hidden 2, now hidden 3."""
    page.locator(".st-key-layer_choice button").nth(1 + n % 2).click()


ACTIONS = (
    Action("", "another digit", tile("gallery_each")),
    Action("", "another unit", cell("field_hidden_2")),
    Action("", "an earlier moment", earlier),
    Action("weights", "another unit", tile("weights_templates")),
    Action("weights", "an earlier moment", earlier),
    Action("activations", "another digit", tile("near_digits")),
    Action("activations", "another unit", cell("code_field")),
    Action("activations", "another layer", layer),
    Action("activations", "an earlier moment", earlier),
    Action("xnor", "the next word", press("ArrowRight")),
    Action("xnor", "another layer", layer),
    Action("xnor", "an earlier moment", earlier),
)


def measure(page: Page, action: Action, rounds: int, quiet: int) -> list[float]:
    """Milliseconds of each round; the first, which fills the caches, is left out."""
    times: list[float] = []
    for n in range(rounds + 1):
        handle: Any = page.evaluate_handle(f"(quiet) => {{ window.result = ({WATCH})(quiet); }}", quiet)
        handle.dispose()
        action.act(page, n)
        took = page.evaluate("() => window.result")
        if n and took is not None:
            times.append(float(took))
    return times


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quiet", type=int, default=700, help="ms without a change that end a round")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as driver:
        folder = Path(temporary)
        random_run(folder / "server" / "runs" / NAME)
        server = AppServer(folder / "server")
        try:
            context = driver.chromium.launch_persistent_context(
                folder / "profile",
                executable_path=find_browser(),
                headless=True,
                args=BROWSER_FLAGS,
                viewport={"width": 1280, "height": 800},
            )
            page = context.pages[0]
            for action in ACTIONS:
                page.goto(f"{server.url}/{action.page}?model={NAME}&digit=90")
                page.wait_for_selector(".st-key-model_choice")
                page.wait_for_function("() => !document.querySelector('[data-testid=\"stStatusWidget\"]')")
                page.wait_for_load_state("networkidle")
                times = measure(page, action, options.rounds, options.quiet)
                row = {
                    "page": action.page or "watch",
                    "action": action.name,
                    "median_ms": round(statistics.median(times)) if times else None,
                    "most_ms": round(max(times)) if times else None,
                    "rounds": len(times),
                }
                results.append(row)
                if not options.json:
                    print(
                        f"{row['page']:12} {row['action']:24} {row['median_ms']} ms, at most {row['most_ms']}"
                    )
            context.close()
        finally:
            server.stop()
    if options.json:
        print(json.dumps(results))


if __name__ == "__main__":
    main()
