"""A layer has one name, whatever page or chart speaks of it."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path
from string import Formatter

import pytest

from explorer.shared.words import layer_choices, layer_name

EXPLORER = Path(__file__).parents[3] / "explorer"


def test_layers_are_named_from_the_input_to_the_output() -> None:
    assert [layer_name(layer, 3) for layer in range(4)] == ["Input", "Hidden 1", "Hidden 2", "Output"]
    assert layer_name(3) == "Hidden 3"  # where there is no output to speak of


@pytest.mark.parametrize("output", [False, True])
@pytest.mark.parametrize("hidden", [1, 4, 5, 8])
def test_the_chooser_has_every_layer_once_and_short_names_where_there_are_many(
    hidden: int, output: bool
) -> None:
    names = layer_choices(hidden, output=output)
    assert list(names) == list(range(1, hidden + 1 + output))
    assert names[1] == "Hidden 1"
    assert len(set(names.values())) == len(names)
    assert ("Output" in names.values()) == output
    if hidden > 1:
        assert names[2] == ("Hidden 2" if hidden <= 4 else "2")


def test_every_template_is_filled_with_its_own_fields() -> None:
    filled = 0
    for path in [*EXPLORER.glob("shared/*.py"), *EXPLORER.glob("screens/*/*.py")]:
        module = import_module(".".join(path.relative_to(EXPLORER.parent).with_suffix("").parts))
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            match call:
                case ast.Call(func=ast.Attribute(ast.Attribute(ast.Name(words), name), "format")) if (
                    name.isupper()
                ):
                    template = getattr(getattr(module, words), name)
                    fields = {field for _, field, _, _ in Formatter().parse(template) if field is not None}
                    assert {keyword.arg for keyword in call.keywords} == fields, f"{path.name}: {name}"
                    filled += 1
    assert filled > 40


def test_no_page_names_layers_on_its_own() -> None:
    files = [*EXPLORER.rglob("*.py")]
    assert files
    own = [
        path.name
        for path in files
        if re.search(r'(?<!"")["\'](Layer|Hidden) (\{|\d)', path.read_text("utf-8"))
        and path != EXPLORER / "shared" / "words.py"
    ]
    assert own == []
