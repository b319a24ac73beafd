"""Pages, run as pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from tests.explorer.pages import APP, Open


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of runs of this test, empty."""
    folder = tmp_path / "runs"
    monkeypatch.setenv("BNN_RUNS", str(folder))
    return folder


@pytest.fixture
def open_page(request: pytest.FixtureRequest, runs: Path) -> Open:
    """Opens a page, if not told otherwise the one that the test's folder is named after, at an address."""
    folder = request.path.parent.name

    def run(page: str = folder, **params: str) -> AppTest:
        at = AppTest.from_file(str(APP), default_timeout=120)
        # By its address, as a person does; switch_page() wants a run of another page first.
        at._page_hash = calc_hash("" if page == "watch" else page)
        for key, value in params.items():
            at.query_params[key.replace("__", ".")] = value
        at.run()
        assert not at.exception, at.exception
        return at

    return run
