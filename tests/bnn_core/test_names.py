"""What things on disk are called."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_core import InputError
from bnn_core.names import SnapshotName, is_run_id, is_snapshot_name, new_branch_id, new_run_id

NAMES = st.builds(SnapshotName, st.sampled_from([1, 2]), st.integers(0, 9999), st.integers(0, 9_999_999))


def test_a_branch_is_named_after_what_it_left() -> None:
    assert re.fullmatch(r"\d{8}-\d{6}-quick-branch-[0-9a-f]{4}", new_branch_id("quick"))
    once = new_branch_id("20261123-101502-quick-3f2a")
    assert "-quick-branch-" in once
    assert new_branch_id(once).count("branch") == 1
    assert is_run_id(new_branch_id("a-name-that-is-much-longer-than-an-id-should-be"))


def test_ids_are_plain() -> None:
    assert is_run_id(new_run_id("Half the weights: off!"))
    for bad in ("", ".", "..", "a/b", "a\\b", "-a", "a-", "A", "a b", "x" * 65, "é"):
        assert not is_run_id(bad)


def test_a_snapshot_is_named_after_its_moment() -> None:
    """Addresses and old run folders hold this very text."""
    name = SnapshotName(2, 3, 375)
    assert name.text == "phase2-epoch0003-step0000375"
    assert name.file == "phase2-epoch0003-step0000375.safetensors"


@given(NAMES, NAMES)
def test_snapshot_names_are_read_back_and_sort_in_time(one: SnapshotName, other: SnapshotName) -> None:
    assert SnapshotName.parse(one.text) == one
    assert (one < other) == (one.text < other.text)


@pytest.mark.parametrize(
    "text",
    ["", "phase3-epoch0001-step0000001", "phase1-epoch1-step1", "phase1-epoch0001-step0000001.safetensors",
     "phase1-epoch000\u0661-step0000001", "../phase1-epoch0001-step0000001"],
)  # fmt: skip
def test_what_is_no_snapshot_s_name(text: str) -> None:
    assert not is_snapshot_name(text)
    with pytest.raises(InputError, match=r"is no snapshot's name: allowed is one as phase1-epoch0003"):
        SnapshotName.parse(text)


def test_a_record_tells_of_a_snapshot_or_of_none() -> None:
    record = {"event": "snapshot", "t": 1.5, "phase": 1, "epoch": 0, "step": 40}
    assert SnapshotName.of(record) == (1, 0, 40)
    assert SnapshotName.of({**record, "event": "progress"}) is None
    assert SnapshotName.of({**record, "step": None}) is None
    assert SnapshotName.of({"event": "snapshot"}) is None
