"""Compiled kernels on disk are code: only one's own, whole and meant for this very processor is used."""

import ast
import os
from pathlib import Path

import numpy as np
import pytest

from bnn_core.bits import pack
from bnn_core.kernels import KERNELS, PackedLayer
from bnn_core.kernels.compiled import cache, program
from bnn_core.kernels.compiled.code import Code, Program
from bnn_core.kernels.compiled.machine import Machine
from bnn_core.kernels.compiled.prepared import Prepared
from bnn_core.kernels.numpy_kernel import numpy_sums

POPCOUNT, TABLE = KERNELS["popcount"].code, KERNELS["table"].code
CODE = bytes(range(256)) * 4
POSIX_ONLY = pytest.mark.skipif(not hasattr(os, "getuid"), reason="POSIX only: owners and modes of files")


def kept(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A cache folder with one file in it."""
    folder = tmp_path / "user" / "kernels"
    assert cache.write(folder, "processor", CODE)
    return folder


def test_what_is_kept_is_found_again(folder: Path) -> None:
    assert cache.read(folder, "processor") == CODE
    assert cache.read(folder, "another processor") is None
    assert cache.read(folder / "elsewhere", "processor") is None


@POSIX_ONLY
def test_the_folder_is_ones_own(folder: Path) -> None:
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("place", [0, 31, 32, 500, -1])
def test_an_altered_file_is_not_used(folder: Path, place: int) -> None:
    content = bytearray(kept(folder).read_bytes())
    content[place] ^= 1
    kept(folder).write_bytes(content)
    assert cache.read(folder, "processor") is None


@pytest.mark.parametrize("length", [0, 10, 32, 100, -1])
def test_a_cut_file_is_not_used(folder: Path, length: int) -> None:
    kept(folder).write_bytes(kept(folder).read_bytes()[:length])
    assert cache.read(folder, "processor") is None


def test_another_processors_file_is_not_used(folder: Path) -> None:
    path = kept(folder)
    cache.write(folder, "another processor", CODE)
    (other,) = set(folder.iterdir()) - {path}
    os.replace(other, path)
    assert cache.read(folder, "processor") is None


@POSIX_ONLY
@pytest.mark.parametrize("mode", [0o777, 0o770, 0o755, 0o701])
def test_a_folder_that_others_reach_is_not_used(folder: Path, mode: int) -> None:
    folder.chmod(mode)
    assert cache.read(folder, "processor") is None
    assert not cache.write(folder, "another processor", CODE)


@POSIX_ONLY
@pytest.mark.parametrize("mode", [0o666, 0o620])
def test_a_file_that_others_may_write_is_not_used(folder: Path, mode: int) -> None:
    kept(folder).chmod(mode)
    assert cache.read(folder, "processor") is None


@POSIX_ONLY
def test_somebody_elses_folder_is_not_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: folder.stat().st_uid + 1)
    assert cache.read(folder, "processor") is None
    assert not cache.write(folder, "processor", CODE)


@POSIX_ONLY
def test_links_are_not_followed(folder: Path, tmp_path: Path) -> None:
    path = kept(folder)
    elsewhere = tmp_path / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    assert cache.read(folder, "processor") is None
    linked = tmp_path / "linked"
    linked.symlink_to(folder)
    assert cache.read(linked, "processor") is None
    assert not cache.write(linked, "processor", CODE)


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert not cache.write(tmp_path / "file" / "kernels", "processor", CODE)
    assert cache.read(tmp_path / "file" / "kernels", "processor") is None
    assert not cache.write(tmp_path / "file", "processor", CODE)


def test_old_files_go(tmp_path: Path) -> None:
    folder = tmp_path / "kernels"
    for number in range(20):
        assert cache.write(folder, f"processor {number}", CODE)
        path = folder / cache._name(f"processor {number}")
        os.utime(path, (number, number))
    assert len(list(folder.iterdir())) < 20
    assert cache.read(folder, "processor 19") == CODE
    assert cache.read(folder, "processor 0") is None


# --- with real code ---


def works(made: Program) -> bool:
    rng = np.random.default_rng(0)
    layer = PackedLayer.from_signs(rng.choice([-1, 1], (50, 90)).astype(np.int8), np.ones(50, np.int32))
    words = pack(rng.integers(0, 2, (9, 90), np.uint8))
    return np.array_equal(Prepared([layer], made).scores(words), numpy_sums(words, layer))


def test_code_is_made_once_and_again_when_damaged(tmp_path: Path) -> None:
    folder = tmp_path / "kernels"
    here = Machine.here()

    def load() -> Program:
        return program.load(here, POPCOUNT, masked=False, folder=folder)

    first = load()
    assert not first.cached
    second = load()
    assert second.cached
    content = bytearray(kept(folder).read_bytes())
    content[len(content) // 2] ^= 0xFF
    kept(folder).write_bytes(content)
    third = load()
    assert not third.cached
    fourth = load()
    assert fourth.cached
    assert all(works(made) for made in (first, second, third, fourth))


def test_code_is_made_where_nothing_can_be_kept(tmp_path: Path) -> None:
    (tmp_path / "kernels").write_text("in the way")
    made = program.load(Machine.here(), POPCOUNT, masked=False, folder=tmp_path / "kernels")
    assert not made.cached
    assert works(made)


@pytest.mark.parametrize("change", ["triple", "cpu", "features", "source", "llvmlite", "kernel", "masked"])
def test_code_is_kept_for_one_thing_only(
    change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the code depends on is part of what it is looked up by."""
    identities: list[str] = []

    def remember(_folder: Path, identity: str) -> bytes:
        identities.append(identity)
        raise StopIteration

    def ask(machine: Machine, code: Code, *, masked: bool) -> None:
        with pytest.raises(StopIteration):
            program.load(machine, code, masked=masked, folder=tmp_path)

    monkeypatch.setattr(cache, "read", remember)
    machine = Machine("x86_64-unknown-linux-gnu", "haswell", "+avx2,+ssse3")
    ask(machine, TABLE, masked=False)
    match change:
        case "triple":
            machine = Machine("x86_64-apple-darwin", machine.cpu, machine.features)
        case "cpu":
            machine = Machine(machine.triple, "znver3", machine.features)
        case "features":
            machine = Machine(machine.triple, machine.cpu, "+avx2,+ssse3,-gfni")
        case "source":
            monkeypatch.setattr(program, "source_digest", lambda: "other sources")
        case "llvmlite":
            monkeypatch.setattr("llvmlite.__version__", "99.0.0")
    ask(machine, POPCOUNT if change == "kernel" else TABLE, masked=change == "masked")
    assert len(set(identities)) == 2


def imported(source: str) -> set[str]:
    """Modules of the project that a source may import: a name that is imported may be one."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {name for name in found if name.startswith("bnn_core")}


def test_the_digest_covers_every_source() -> None:
    """The module that writes code, those that it calls for each kernel, and what all these import."""
    root = Path(program.__file__).parents[3]
    package = "bnn_core.kernels.compiled"
    writers = [kernel.code.writer for kernel in KERNELS.values() if kernel.code]
    waiting = {f"{package}.{name}" for name in ("network_ir", *writers)}
    found: set[Path] = set()
    while waiting:
        path = (root / waiting.pop().replace(".", "/")).with_suffix(".py")
        if path.exists() and path not in found:
            found.add(path)
            waiting |= imported(path.read_text(encoding="utf-8"))
    assert len(found) >= 7
    assert found == set(program.sources())


@pytest.mark.parametrize(
    "source",
    [
        "import bnn_core.bits",
        "from bnn_core import bits",
        "from bnn_core.bits import pack",
        "if TYPE_CHECKING:\n    from bnn_core import bits as b",
    ],
)
def test_the_scan_sees_imports(source: str) -> None:
    assert "bnn_core.bits" in imported(source)
