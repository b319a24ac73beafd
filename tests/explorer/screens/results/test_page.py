"""The Results page, run as a page: with the project's results, with none, with a broken file."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from bnn_core.reproduce import Results
from explorer.screens.results import page, words
from tests.explorer.pages import Open, notes, text


@pytest.fixture
def open_results(open_page: Open, monkeypatch: pytest.MonkeyPatch):
    """Opens the page with that file of results."""

    def run(path: Path) -> AppTest:
        monkeypatch.setattr(page, "RESULTS_FILE", path)
        return open_page()

    return run


def test_it_shows_the_project_s_results(open_page: Open) -> None:
    at = open_page()
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
