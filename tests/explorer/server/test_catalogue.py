"""A file as one value, and the moments of a run whose bits are kept."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bnn_core import BitwiseNetwork, InputError
from bnn_core.bench import random_network
from bnn_core.models import MODELS_FOLDER
from explorer.server import catalogue
from explorer.server.catalogue import File


def save(path: Path, seed: int) -> BitwiseNetwork:
    network = random_network((784, 32, 10), seed=seed)
    network.save(path)
    return network


def test_a_network_is_read_once_until_its_file_changes(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save(path, 1)
    first, same = File.of(path), File.of(path)
    assert first == same
    assert catalogue.load_network(first) is catalogue.load_network(same)
    second = save(path, 2)
    changed = File.of(path)
    assert changed != first
    images = catalogue.digits().test_images[:50]
    scores = [network.scores(images) for network in (catalogue.load_network(changed), second)]
    assert (scores[0] == scores[1]).all()
    assert catalogue.load_network(changed) is not catalogue.load_network(first)


def test_files_with_one_version_are_told_apart_by_their_paths(tmp_path: Path) -> None:
    first, second = (File(str(tmp_path / name), (1, 1)) for name in "ab")
    save(Path(first.path), 1)
    save(Path(second.path), 2)
    assert catalogue.load_network(first) is not catalogue.load_network(second)


def test_a_file_that_is_gone_is_a_sentence_where_it_is_read(tmp_path: Path) -> None:
    gone = File.of(tmp_path / "snapshot.safetensors")
    assert gone.version == (0, 0)
    for load in (catalogue.load_network, catalogue.load_real):
        with pytest.raises(InputError, match="snapshot"):
            load(gone)


def test_the_finished_network_stands_for_the_last_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BNN_RUNS", str(tmp_path))
    shutil.copytree(MODELS_FOLDER / "quick", tmp_path / "copy")
    entry = catalogue.entries()["copy"]
    finished = catalogue.moments(entry)
    assert catalogue.is_last(entry, Path(finished[-2].file.path).stem) is False
    assert (finished[-1].name, finished[-1].phase) == ("", 2)
    assert finished[-1].file == File.of(tmp_path / "copy" / "model.safetensors")
    (tmp_path / "copy" / "model.safetensors").unlink()
    snapshots = catalogue.moments(entry)
    assert snapshots[:-1] == finished[:-1]
    assert snapshots[-1].name == Path(snapshots[-1].file.path).stem
    place = [(moment.phase, moment.epoch, moment.step) for moment in (snapshots[-1], finished[-1])]
    assert place[0] == place[1]
