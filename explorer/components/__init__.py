"""The browser components: matrix, map, pad and stepper are drawn in the browser; `theme` shows nothing.

Each is a folder: script, style, and the Python that mounts it.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from explorer.palette import css_variables

_HERE = Path(__file__).parent


def component(name: str) -> Any:
    """Register the component of a folder: the palette and what all share come before its script and style.

    The browser gets one script, since a component's module cannot import another file.
    """

    def joined(kind: str) -> str:
        files = [_HERE / f"shared.{kind}", *(_HERE / name).glob(f"*.{kind}")]
        return "".join(path.read_text("utf-8") for path in files)

    return st.components.v2.component(
        f"bitwise_{name}",
        css=f":host {{\n{css_variables()}\n}}\n{joined('css')}",
        js=re.sub(r"^import [^;]*;\n|^export (?!default )", "", joined("js"), flags=re.MULTILINE),
    )


def pack(header: Mapping[str, Any], *planes: bytes) -> bytes:
    """A message for a component: uint32 little-endian length of the header, the header (JSON), the planes.

    A dataclass in the header goes as its fields.
    """
    head = json.dumps(header, default=vars).encode()
    head += b" " * (-len(head) % 4)  # the planes begin at a whole word
    return struct.pack("<I", len(head)) + head + b"".join(planes)
