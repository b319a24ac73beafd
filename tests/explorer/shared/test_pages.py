"""Pages are found by their folders: one more folder is one more page, and nothing else is touched."""

from pathlib import Path

import pytest

import explorer.screens
from explorer.shared.pages import find_pages
from tests.explorer.pages import text

FOLDER = Path(explorer.screens.__file__).parent

MADE = """
import streamlit as st

from explorer.shared import view
from explorer.shared.address import Key, Whole
from explorer.shared.pages import Page

SHADE = Key("shade", Whole, 0, "shades count from 0")


def main():
    shown = view.current({"talk"})
    st.html(f"<p>shade {shown[SHADE]} of {shown.model}</p>")
    for note in view.notes():
        st.html(note)


PAGE = Page("Made here", 3, main, keys=(SHADE,))
"""


@pytest.fixture
def made(tmp_path, monkeypatch, request):
    """A page in a folder of its own, beside the project's."""
    name = f"made_{tmp_path.name.lower()}"
    folder = tmp_path / "screens" / name
    folder.mkdir(parents=True)
    (folder / "page.py").write_text(getattr(request, "param", MADE), "utf-8")
    (folder / "style.css").write_text(".made { color: red; }", "utf-8")
    monkeypatch.setattr(explorer.screens, "__path__", [*explorer.screens.__path__, str(folder.parent)])
    return name


def test_every_folder_is_a_page():
    folders = {path.parent.name for path in FOLDER.glob("*/page.py")}
    assert set(find_pages()) == folders
    assert next(iter(find_pages())) == "watch"
    orders = [page.order for page in find_pages().values()]
    assert orders == sorted(set(orders))


def test_a_further_folder_is_a_further_page_with_keys_of_its_own(made, open_page):
    at = open_page(page=made, model="talk", shade="7")
    assert "shade 7 of talk" in text(at)
    assert ".made { color: red; }" in text(at)
    assert at.query_params == {"model": "talk", "shade": "7"}
    wrong = open_page(page=made, shade="x")
    assert "shade 0 of " in text(wrong)
    assert "The address says shade=x; shades count from 0." in text(wrong)
    assert open_page(page="watch", shade="7").query_params == {"shade": "7"}  # kept, as all keys are


@pytest.mark.parametrize("made", ["TITLE = 'no page'"], indirect=True)
def test_a_folder_without_a_page_is_named(made):
    with pytest.raises(TypeError, match=rf"screens/{made}/page.py declares no PAGE"):
        find_pages()
