"""bnn_core is built in layers: each takes from those below it, and none from above, not even late."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAYERS = (
    ("errors", "bits"),
    ("files", "names", "datasets", "config"),
    ("presets", "kernels", "models"),
    ("network",),
    ("measures",),
    ("training",),
    ("runs", "bench"),
    ("reproduce",),
    ("commands",),
)
"""From the bottom up; within a layer only what stands before may be taken."""

ORDER = {room: place for place, room in enumerate(room for layer in LAYERS for room in layer)}


def room(module: str) -> str:
    """The part of bnn_core that a module belongs to; empty for others and for the package itself."""
    first, _, rest = module.partition(".")
    return rest.partition(".")[0] if first == "bnn_core" else ""


def taken(source: str) -> set[str]:
    """The parts of bnn_core that a source imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {room(alias.name) for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "bnn_core":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(room(node.module))
    return found - {""}


def upward(source: str, place: str) -> set[str]:
    """What a source of that part takes from above, or from what has no place yet."""
    return {other for other in taken(source) if ORDER.get(other, len(ORDER)) > ORDER[place]}


def test_the_scan_sees_what_runs_back_up() -> None:
    assert upward("def f():\n    from bnn_core.runs.find import find_run", "network") == {"runs"}
    assert upward("from bnn_core import bench", "training") == {"bench"}
    assert upward("import bnn_core.config", "bits") == {"config"}
    assert upward("from bnn_core.network.bitwise import x\nimport numpy", "runs") == set()


@pytest.mark.parametrize("place", ORDER)
def test_no_part_takes_from_above(place: str) -> None:
    core = ROOT / "bnn_core"
    paths = [*core.glob(f"{place}.py"), *core.glob(f"{place}/**/*.py")]
    assert paths
    for path in paths:
        assert upward(path.read_text("utf-8"), place) == set(), path


def test_every_part_has_its_place() -> None:
    parts = {
        p.stem
        for p in (ROOT / "bnn_core").glob("[a-z]*")
        if p.suffix == ".py" or (p / "__init__.py").exists()
    }
    assert parts == set(ORDER)


def test_a_shipped_network_is_loaded_without_the_schema_and_without_torch() -> None:
    """A network answers within a moment of its start."""
    code = (
        "import sys, bnn_core; bnn_core.BitwiseNetwork.load('talk');"
        "print(sorted({'torch', 'pydantic', 'bnn_core.config', 'bnn_core.runs'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
