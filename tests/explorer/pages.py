"""What a page that was run says."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from streamlit.testing.v1 import AppTest

APP = Path(__file__).parents[2] / "explorer" / "app.py"

Open = Callable[..., AppTest]
"""What the fixture ``open_page`` gives: address keys as arguments, "__" for a dot."""


def text(at: AppTest) -> str:
    """Everything that the page writes as HTML, narrow spaces widened."""
    return "\n".join(block.proto.body for block in at.get("html")).replace("\N{NARROW NO-BREAK SPACE}", " ")


def notes(at: AppTest) -> list[str]:
    """The sentences that must be seen, without their tags."""
    found = re.findall(r'class="bx bx-note[^>]*>(.*?)</div>', text(at))
    return [re.sub("<.*?>", "", note) for note in found]
