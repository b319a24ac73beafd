"""A shipped run: small, whole enough to be looked at, and the same network."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bnn_core import BitwiseNetwork, Digits, InputError, RunConfig
from bnn_core.runs.folder import RunFolder
from bnn_core.runs.ship import ship
from bnn_core.runs.writer import record_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, mnist: Digits) -> RunFolder:
    config = RunConfig().updated(
        {"data.train_digits": 500, "network.hidden": [20], "phase1.epochs": 2, "phase2.epochs": 3}
    )
    folder = tmp_path_factory.mktemp("runs") / "finished"
    list(record_run(config, mnist, folder, threads=1))
    return RunFolder(folder)


@pytest.mark.parametrize("count", [1, 3, 100])
def test_what_is_shipped_reads_as_the_run_did(
    run: RunFolder, tmp_path: Path, mnist: Digits, count: int
) -> None:
    folder = ship(run, "small", snapshots=count, root=tmp_path)
    images = mnist.test_images[:300]
    shipped = RunFolder(folder)
    assert shipped.state() == "finished"
    network = BitwiseNetwork.load(folder)
    assert np.array_equal(network.scores(images), BitwiseNetwork.load(run.path).scores(images))
    moments = shipped.snapshots()
    names = [moment.path.name for moment in run.snapshots()]
    ends = {[m.path.name for m in run.snapshots() if m.name.phase == phase][-1] for phase in (1, 2)}
    assert ends <= {moment.path.name for moment in moments}
    assert len({m.path.name for m in moments} - ends) <= max(0, count - 1)
    assert len(moments) >= min(count, len(names))
    assert moments[-1].path.name == run.snapshots()[-1].path.name
    if count > 1:
        assert moments[0].path.name == run.snapshots()[0].path.name
    card = shipped.card()
    assert card is not None
    assert card["name"] == "small"
    assert {k: v for k, v in card.items() if k != "name"} == {
        k: v for k, v in (run.card() or {}).items() if k != "name"
    }
    assert not any(r["event"] == "progress" for r in shipped.events())
    assert [r for r in run.events() if r["event"] != "progress"] == shipped.events()
    assert not shipped.resumable
    json.loads((folder / "config.json").read_text("utf-8"))
    assert (folder / "real.safetensors").exists()
    assert not (ship(run, "smaller", real=False, root=tmp_path) / "real.safetensors").exists()


def test_a_name_that_is_taken_or_no_id_is_refused(run: RunFolder, tmp_path: Path) -> None:
    ship(run, "once", root=tmp_path)
    for name in ("once", "../up", "Upper"):
        with pytest.raises(InputError, match="is taken or is no plain id"):
            ship(run, name, root=tmp_path)


def test_a_run_that_has_not_finished_is_refused(run: RunFolder, tmp_path: Path) -> None:
    unfinished = tmp_path / "unfinished"
    unfinished.mkdir()
    (unfinished / "config.json").write_bytes((run.path / "config.json").read_bytes())
    (unfinished / "events.jsonl").write_bytes(b"")
    with pytest.raises(InputError, match="has not finished"):
        ship(RunFolder(unfinished), "early", root=tmp_path / "models")
