"""The theme in config.toml and the palette are the same colours."""

import tomllib
from pathlib import Path

import pytest

from explorer.palette import DARK, LIGHT

CONFIG = Path(__file__).parents[2] / "explorer" / ".streamlit" / "config.toml"


@pytest.mark.parametrize(("theme", "colours"), [("light", LIGHT), ("dark", DARK)])
def test_the_theme_is_the_palette(theme, colours):
    found = tomllib.loads(CONFIG.read_text("utf-8"))["theme"][theme]
    assert found["primaryColor"] == colours.primary
    assert found["backgroundColor"] == colours.page
    assert found["secondaryBackgroundColor"] == colours.panel
    assert found["textColor"] == colours.ink
    assert found["borderColor"] == colours.rule
    assert found["blueColor"] == colours.on_text
    assert found["redColor"] == colours.wrong
    assert found["grayColor"] == colours.muted


def test_nothing_leaves_the_machine():
    config = tomllib.loads(CONFIG.read_text("utf-8"))
    assert config["server"]["address"] == "127.0.0.1"
    assert config["browser"]["gatherUsageStats"] is False
    assert config["client"]["showErrorLinks"] is False
