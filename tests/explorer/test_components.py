"""Components: what the browser gets of each is one script and one sheet."""

import re
from pathlib import Path

import pytest
import streamlit as st

import explorer.components
from explorer.components import component

NAMES = sorted(path.parent.name for path in Path(explorer.components.__file__).parent.glob("*/*.js"))


@pytest.mark.parametrize("name", NAMES)
def test_a_component_is_one_module_and_one_sheet(name, monkeypatch):
    monkeypatch.setattr(st.components.v2, "component", lambda name, **parts: {"name": name, **parts})
    parts = component(name)
    assert parts["name"] == f"bitwise_{name}"
    assert re.findall(r"^(?:import|export) (?:default)?", parts["js"], re.MULTILINE) == ["export default"]
    script = Path(explorer.components.__file__).with_name(name) / f"{name}.js"
    own = re.sub(r"^import [^;]*;\n", "", script.read_text("utf-8"), flags=re.MULTILINE)
    assert parts["js"].endswith(own)
    defined = re.findall(r"^(?:const|let|function) (\w+)", parts["js"], re.MULTILINE)
    assert "coloursOf" in defined
    assert len(defined) == len(set(defined))  # a name has one meaning in it
    assert parts["css"].startswith(":host {\n--bx-page: light-dark(")
    assert ".spoken {" in parts["css"]
