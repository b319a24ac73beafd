"""The Results page, run as a page: with the project's results, with none, with a broken file."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import bnn_core.reproduce
from bnn_core.reproduce import Results
from explorer.screens.results import words
from tests.explorer.pages import APP, notes, text

PAGE = APP.parent / "screens" / "results" / "page.py"


@pytest.fixture
def open_results(runs: Path, monkeypatch: pytest.MonkeyPatch):
    """Opens the page alone, with that file of results."""

    def run(path: Path | None = None) -> AppTest:
        if path is not None:
            monkeypatch.setattr(bnn_core.reproduce, "RESULTS_FILE", path)
        at = AppTest.from_file(str(PAGE), default_timeout=60).run()
        assert not at.exception
        return at

    return run


def test_it_shows_the_project_s_results(open_results) -> None:
    at = open_results()
    assert notes(at) == []
    assert words.HOW in text(at)
    assert len(Results().records) > 0
    assert len(at.get("plotly_chart")) > 0


def test_without_results_it_says_how_to_make_them(open_results, tmp_path: Path) -> None:
    assert notes(open_results(tmp_path / "none.json")) == [words.NONE]


def test_a_broken_file_is_a_sentence(open_results, tmp_path: Path) -> None:
    broken = tmp_path / "results.json"
    broken.write_text("{", "utf-8")
    (note,) = notes(open_results(broken))
    assert "results.json is not a file of results" in note
