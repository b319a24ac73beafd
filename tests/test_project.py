"""What holds for the project as a whole: its dependencies, its folders, who may import what."""

import ast
import graphlib
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

TOP_LEVEL = {"explorer", "bnn_core", "tests", "requirements.txt", "README.md", "pyproject.toml", "LICENSE"}
"""Besides these, only names that begin with a dot."""

MAY_IMPORT_TORCH = {
    "bnn_core/bench/baselines.py",
    "bnn_core/bench/training.py",
    "bnn_core/training/binarize.py",
    "bnn_core/training/latent.py",
    "bnn_core/training/norm.py",
    "bnn_core/reproduce/runner.py",
    "bnn_core/training/learner.py",
    "bnn_core/training/material.py",
    "bnn_core/training/measure.py",
    "bnn_core/training/run.py",
    "bnn_core/training/start.py",
    "bnn_core/training/streams.py",
}
"""Only training, what feeds it, and what bits are compared with."""

PURE = [
    "explorer/screens/*/*html.py",
    "explorer/screens/*/*chart*.py",
    "explorer/screens/*/words.py",
    "explorer/screens/activations/codes.py",
    "explorer/screens/activations/maps.py",
    "explorer/screens/results/rows.py",
    "explorer/screens/train/error_labels.py",
    "explorer/screens/train/happening.py",
    "explorer/screens/train/plan.py",
    "explorer/screens/train/templates.py",
    "explorer/screens/*/layout.py",
    "explorer/screens/xnor/steps.py",
    "explorer/screens/xnor/unit.py",
    "explorer/server/answers.py",
    "explorer/server/budget.py",
    "explorer/server/follow.py",
    "explorer/server/history.py",
    "explorer/server/jobs.py",
    "explorer/server/machine.py",
    "explorer/server/replay.py",
    "explorer/server/speed.py",
    "explorer/server/worker_process.py",
    "explorer/shared/charts.py",
    "explorer/shared/fields.py",
    "explorer/shared/html.py",
    "explorer/shared/numbers.py",
    "explorer/shared/planes.py",
    "explorer/shared/words.py",
]
"""What is tested without a page: no Streamlit in it. Each pattern must find a file."""

RUNS_CODE = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
"""Modules whose files can run code when they are read."""


def files(pattern):
    """The files of a pattern, seen from the root; a pattern that finds none fails the test that uses it."""
    found = sorted(ROOT.glob(pattern))
    assert found, f"{pattern} finds no file"
    return found


SOURCES = [path for package in ("bnn_core", "explorer") for path in files(f"{package}/**/*.py")]
CORE = [path for path in SOURCES if path.is_relative_to(ROOT / "bnn_core")]
EXPLORER = [path for path in SOURCES if path.is_relative_to(ROOT / "explorer")]


def name(path):
    return path.relative_to(ROOT).as_posix()


def imports(source):
    """Top-level names of the modules that a source imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=aliases):
                found |= {alias.name.split(".")[0] for alias in aliases}
            case ast.ImportFrom(module=str(module), level=0):
                found.add(module.split(".")[0])
            case ast.Call(func=ast.Name(id="__import__"), args=[ast.Constant(value=str(module)), *_]):
                found.add(module.split(".")[0])
            case ast.Call(
                func=ast.Attribute(attr="import_module"), args=[ast.Constant(value=str(module)), *_]
            ):
                found.add(module.split(".")[0])
    return found


def runs_code(source):
    """What in a source could run code out of a file."""
    found = {f"import {module}" for module in imports(source) & RUNS_CODE}
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.keyword(arg="allow_pickle", value=value) if not (
                isinstance(value, ast.Constant) and value.value is False
            ):
                found.add("allow_pickle")
            case ast.Attribute(value=ast.Name(id="torch"), attr="load" | "save"):
                found.add(f"torch.{node.attr}")
            case ast.ImportFrom(module="torch", names=aliases):
                found |= {f"torch.{alias.name}" for alias in aliases if alias.name in ("load", "save")}
            case ast.Attribute(attr="read_pickle"):
                found.add("read_pickle")
    return found


def requirements(file):
    """Parsed as the build does it: a line that is no requirement fails."""
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def readme():
    path = ROOT / "README.md"
    if not path.exists():
        pytest.fail("There is no README.md.")
    return path.read_text(encoding="utf-8")


# --- the checks themselves can fail ---


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import torch.nn as nn", {"torch"}),
        ("from torch.nn import functional", {"torch"}),
        ("def f():\n    import streamlit", {"streamlit"}),
        ("if TYPE_CHECKING:\n    from explorer.shared.view import x", {"explorer"}),
        ("__import__('torch')", {"torch"}),
        ("importlib.import_module('torch.nn')", {"torch"}),
        ("from .torch import x\nfrom . import torch", set()),
        ("'import torch'", set()),
    ],
)
def test_the_scan_sees_imports(source, found):
    assert imports(source) == found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import pickle", {"import pickle"}),
        ("from dill import loads", {"import dill"}),
        ("np.load(f, allow_pickle=True)", {"allow_pickle"}),
        ("np.load(f, allow_pickle=flag)", {"allow_pickle"}),
        ("np.load(f, allow_pickle=False)", set()),
        ("torch.load(f)", {"torch.load"}),
        ("from torch import load, tensor", {"torch.load"}),
        ("json.load(f)", set()),
    ],
)
def test_the_scan_sees_what_runs_code(source, found):
    assert runs_code(source) == found


def test_a_pattern_that_finds_nothing_fails():
    with pytest.raises(AssertionError, match="finds no file"):
        files("explorer/nowhere/**/*.py")


# --- dependencies ---


@pytest.mark.parametrize("file", ["requirements.txt", "tests/tools.txt"])
def test_each_dependency_has_its_reason(file):
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    for before, line in zip(["", *lines], lines, strict=False):
        if line and not line.startswith("#"):
            assert before.startswith("# "), f"{line} stands without a reason"


def test_the_build_reads_nothing_but_requirements():
    dynamic = PYPROJECT["tool"]["setuptools"]["dynamic"]
    for table in (dynamic["dependencies"], dynamic["optional-dependencies"]["test"]):
        assert all(requirements(file) for file in table["file"])


def test_nothing_undeclared_is_imported():
    modules = {"pillow": "PIL", "scikit-learn": "sklearn"}
    declared = {modules.get(each.name, each.name) for each in requirements("requirements.txt")}
    allowed = declared | {"bnn_core", "explorer"}
    compared = {"bnn", "onnx", "onnxruntime"}  # engines that the bench compares with if they are there
    for path in SOURCES:
        foreign = imports(path.read_text(encoding="utf-8")) - sys.stdlib_module_names - allowed
        if name(path) == "bnn_core/bench/baselines.py":
            foreign -= compared
        assert not foreign, f"{name(path)} imports {sorted(foreign)}, which requirements.txt does not name"


# --- folders ---


def tracked():
    """Files of the repository, those that are about to be added too."""
    command = [
        "git",
        "-c",
        "safe.directory=*",
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return sorted(file for file in output.split("\0") if file and (ROOT / file).exists())


def test_only_the_agreed_entries_at_the_top():
    entries = {file.split("/")[0] for file in tracked()}
    assert {entry for entry in entries if not entry.startswith(".")} <= TOP_LEVEL
    assert {"bnn_core", "tests", "LICENSE"} <= entries


def test_nothing_that_a_run_leaves_is_tracked():
    leavings = re.compile(
        r"(^|/)(__pycache__|\.venv[^/]*)/|^runs/|\.(pyc|lock|log|part)$|checkpoint[^/]*\.safetensors$"
    )
    assert [file for file in tracked() if leavings.search(file)] == []


def test_no_file_is_too_large():
    large = [file for file in tracked() if (ROOT / file).stat().st_size > 10_000_000]
    assert large == []


@pytest.mark.parametrize("package", ["bnn_core", "explorer"])
def test_what_is_installed_is_all_that_is_there(package):
    """Files that are no modules are found by their patterns; screenshots are the README's alone."""
    patterns = PYPROJECT["tool"]["setuptools"]["package-data"][package]
    found = {name(path) for pattern in patterns for path in files(f"{package}/{pattern}")}
    there = {file for file in tracked() if file.startswith(f"{package}/") and not file.endswith(".py")}
    assert there - found == {file for file in there if file.startswith("explorer/screenshots/")}


@pytest.mark.parametrize("package", ["bnn_core", "explorer"])
def test_tests_mirror_the_packages(package):
    tests = [
        Path(file) for file in tracked() if file.startswith(f"tests/{package}/") and file.endswith(".py")
    ]
    assert tests
    assert {file.parent for file in tests if not (ROOT / file.parent.relative_to("tests")).is_dir()} == set()


# --- who may import what ---


def uses(tree):
    """The modules that a source takes, late imports included; what is for type checkers left out."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.ImportFrom(module=str(module), level=0, names=aliases):
                yield from (module, *(f"{module}.{alias.name}" for alias in aliases))
            case ast.Import(names=aliases):
                yield from (alias.name for alias in aliases)
            case ast.If(test=ast.Name(id="TYPE_CHECKING"), orelse=otherwise):
                yield from uses(ast.Module(otherwise, []))
            case _:
                yield from uses(node)


def ordered(graph):
    """The modules, each after those that it takes; raises graphlib.CycleError where they take each other."""
    return list(graphlib.TopologicalSorter(graph).static_order())


def test_a_circle_is_seen():
    with pytest.raises(graphlib.CycleError):
        ordered({"a": {"b"}, "b": {"c"}, "c": {"a"}})


def test_no_files_take_each_other():
    modules = {name(path).removesuffix(".py").replace("/", "."): path for path in SOURCES}
    modules = {module.removesuffix(".__init__"): path for module, path in modules.items()}
    sources = {module: ast.parse(path.read_text("utf-8")) for module, path in modules.items()}
    graph = {module: {use for use in uses(tree) if use in modules} for module, tree in sources.items()}
    # A package's face hands names on: whoever takes one of its modules passes by it.
    faces = {module for module, path in modules.items() if path.name == "__init__.py"}
    files = {module: found - faces - {module} for module, found in graph.items() if module not in faces}
    assert len(ordered(files)) >= len(files) > 100


@pytest.mark.parametrize("path", CORE, ids=name)
def test_the_core_has_no_screen(path):
    assert not imports(path.read_text(encoding="utf-8")) & {"streamlit", "explorer"}


@pytest.mark.parametrize("path", EXPLORER, ids=name)
def test_the_explorer_does_without_torch(path):
    assert "torch" not in imports(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("pattern", PURE)
def test_pure_files_have_no_screen(pattern):
    for path in files(pattern):
        assert "streamlit" not in imports(path.read_text(encoding="utf-8")), name(path)


def test_the_server_knows_no_page():
    for path in files("explorer/server/*.py"):
        assert not re.search(r"explorer\.(?!server)|from explorer import", path.read_text("utf-8")), name(
            path
        )


def test_only_training_and_the_bench_import_torch():
    importing = {name(path) for path in CORE if "torch" in imports(path.read_text(encoding="utf-8"))}
    assert importing == MAY_IMPORT_TORCH  # one that does not any more leaves the list


@pytest.mark.parametrize(
    "statement",
    [
        "import bnn_core; bnn_core.BitwiseNetwork",
        "import bnn_core; bnn_core.RunConfig; bnn_core.preset; bnn_core.load_mnist",
        "import bnn_core.datasets",
    ],
)
def test_the_core_opens_without_torch(statement):
    code = f"{statement}\nimport sys\nassert 'torch' not in sys.modules and 'streamlit' not in sys.modules"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_no_file_can_run_code(path):
    assert runs_code(path.read_text(encoding="utf-8")) == set()


# --- what people read ---


def test_every_relative_link_of_the_readme_exists():
    targets = re.findall(r"!?\[[^\]]*\]\(<?([^)>\s]+)", readme())
    for target in targets:
        if not re.match(r"[a-z]+:|#", target):
            assert (ROOT / target.split("#")[0]).exists(), f"README.md links to {target}, which is not there"


def paths_of(guide):
    """What a guide names: the tree at its beginning, then what stands in backticks and has a slash."""
    found, above = [], []
    for line in re.findall(r"^ {4}( *\S.*)$", guide, re.MULTILINE):
        depth = (len(line) - len(line.lstrip())) // 2
        entries = re.split(r" {3,}", line.strip())[0].split()
        found += ["".join([*above[:depth], entry]) for entry in entries]
        above[depth:] = entries[-1:]
    return [*found, *re.findall(r"`(\.?\w[\w.-]*/[\w./-]*)`", guide)]


def test_every_path_of_the_contributors_guide_exists():
    assert paths_of("    a/    one\n      b.py  c/   two\n        d.py\n    e/\n1. in `f/g.py`, `h`") == (
        ["a/", "a/b.py", "a/c/", "a/c/d.py", "e/", "f/g.py"]
    )
    named = paths_of((ROOT / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    assert {"bnn_core/datasets/features.py", ".ci/run"} <= set(named)
    for path in named:
        files(path.replace("NAME", "*"))


def test_a_commit_is_checked_by_what_ci_runs_first():
    hooks = re.findall(r"entry: (.+)", (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    stages = (ROOT / ".ci" / "run").read_text(encoding="utf-8").replace(".venv-ci/", ".venv/")
    assert hooks
    assert [hook for hook in hooks if hook not in stages] == []


@pytest.mark.parametrize("which", ["test command", "app command"])
def test_the_readme_marks_its_commands(which):
    """CI runs exactly what people read."""
    blocks = re.findall(rf"<!-- {which} -->\n```\w*\n(.+?)\n```", readme(), re.DOTALL)
    assert len(blocks) == 1
