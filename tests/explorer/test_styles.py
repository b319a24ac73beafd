"""The style sheets: all of them are loaded into one page sooner or later, so a name has one meaning."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

EXPLORER = Path(__file__).parents[2] / "explorer"


def test_a_piece_of_a_page_is_laid_out_in_one_place() -> None:
    sheets = {path: path.read_text("utf-8") for path in EXPLORER.glob("s*/**/*.css")}
    found = Counter(
        name for text in sheets.values() for name in set(re.findall(r"^\.(bx-[\w-]+) \{", text, re.MULTILINE))
    )
    assert len(found) > 20
    assert [name for name, sheets_with_it in found.items() if sheets_with_it > 1] == []


STREAMLIT = re.compile(
    r"data-(testid|variant|baseweb|dragging|focus-visible)|react-aria|\bst-emotion|\.st[A-Z]"
)
"""What only Streamlit's own markup has; `.st-key-...` is public."""


def test_one_sheet_knows_streamlits_own_markup() -> None:
    files = [path for kind in ("css", "js", "py") for path in EXPLORER.rglob(f"*.{kind}")]
    knowing = {path.name for path in files if STREAMLIT.search(path.read_text("utf-8"))}
    assert knowing == {"streamlit.css"}


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ('.st-key-a [data-testid="stHtml"] { gap: 0 }', True),
        ("st.html('<style>.stSlider { color: red }</style>')", True),
        (".react-aria-ComboBox, b { gap: 0 }", True),
        ('.st-key-a .bx-b [data-tile="3"] { gap: 0 }', False),
        ("st.html(text)", False),
    ],
)
def test_the_scan_sees_streamlits_markup(text: str, known: bool) -> None:
    assert bool(STREAMLIT.search(text)) is known
