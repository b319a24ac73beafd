"""The style sheets: all of them are loaded into one page sooner or later, so a name has one meaning."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

EXPLORER = Path(__file__).parents[2] / "explorer"


def test_a_piece_of_a_page_is_laid_out_in_one_place() -> None:
    sheets = {path: path.read_text("utf-8") for path in EXPLORER.glob("s*/**/*.css")}
    found = Counter(
        name for text in sheets.values() for name in set(re.findall(r"^\.(bx-[\w-]+) \{", text, re.MULTILINE))
    )
    assert len(found) > 20
    assert [name for name, sheets_with_it in found.items() if sheets_with_it > 1] == []
