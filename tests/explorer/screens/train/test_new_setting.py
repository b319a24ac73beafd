"""A new setting is one more field of the schema, and all else follows: seen in a process with two more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bnn_core import config
from tests.explorer.pages import APP

FIELDS = {
    # A group, and what is put into it.
    "class NoiseConfig": """
    echo: float = _field(
        0.125,
        label="Echo",
        help="How much of a step comes back.",
        equation="z -> z + echo",
        within=(0.0, 0.5),
        live=True,
        refresh="boundaries",
        section="noise",
        percent=True,
    )
""",
    "class DataConfig": """
    grain: int = _field(3, label="Grain", help="Pixels that go together.", within=(1, 9))
""",
}

SEEN = r"""
import contextlib, importlib.util, io, json, sys

spec = importlib.util.spec_from_file_location("bnn_core.config", sys.argv[1])
sys.modules["bnn_core.config"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["bnn_core.config"])

from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from bnn_core.commands import train
from bnn_core.commands.app import app
from bnn_core.config import field_spec
from bnn_core.errors import InputError
from bnn_core.runs.branch import refusal
from bnn_core.runs.past import Moment
from bnn_core.training.control import Control
from explorer.screens.train import address

def error(call, *arguments, **options):
    try:
        call(*arguments, **options)
    except InputError as refused:
        return str(refused)

def record(config, *_arguments, **_options):
    seen["set"] = config.to_dict()
    raise SystemExit

seen = {}
train.record_run = record
with contextlib.redirect_stdout(io.StringIO()) as told:
    app(["fields", "--json"], standalone_mode=False)
seen["fields"] = json.loads(told.getvalue())
with contextlib.suppress(SystemExit):
    app(["train", "--set", "noise.echo=0.25", "--set", "data.grain=5"], standalone_mode=False)
seen["error"] = error(app, ["train", "--set", "noise.echo=7"], standalone_mode=False)
seen["near"] = error(app, ["train", "--set", "noise.ecco=0"], standalone_mode=False)
seen["live"] = error(Control().set, "noise.echo", 0.5), error(Control().set, "data.grain", 4)
seen["past"] = [refusal(field_spec(path), Moment(2, 3)) for path in ("noise.echo", "data.grain")]
asked = address.parse({"noise.echo": "0.25", "data.grain": "12"})
seen["address"] = address.to_params(asked.plan, None), asked.complaints

at = AppTest.from_file(sys.argv[2], default_timeout=120)
at._page_hash = calc_hash("train")
at.query_params["noise.echo"] = "0.25"
at.run()
assert not at.exception, at.exception
seen["sliders"] = [knob.key for knob in at.slider]
seen["folded"] = [knob.key for knob in at.expander[0].number_input]
seen["knob"] = at.slider(key="knob_noise_echo").value, at.number_input(key="knob_data_grain").value
seen["html"] = "\n".join(block.proto.body for block in at.get("html"))
at.slider(key="knob_noise_echo").set_value(0.5).run()
seen["url"] = at.query_params
print(json.dumps(seen, default=str))
"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What command line, address, errors and page make of the two fields."""
    folder = tmp_path_factory.mktemp("schema")
    source = Path(config.__file__).read_text("utf-8")
    for group, field in FIELDS.items():
        before, found, after = source.partition(group)
        assert found
        body, end, rest = after.partition("\n\n\nclass ")
        source = before + found + body + "\n" + field + end + rest
    schema = folder / "config.py"
    schema.write_text(source, "utf-8")
    done = subprocess.run(
        [sys.executable, "-c", SEEN, str(schema), str(APP)],
        env={**os.environ, "BNN_RUNS": str(folder / "runs"), "BNN_TRAINING": "off"},
        cwd=APP.parents[1],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_command_line_lists_and_takes_it(seen: dict[str, Any]) -> None:
    rows = {row["field"]: row for row in seen["fields"]}
    assert rows["noise.echo"] == {
        "field": "noise.echo",
        "allowed": "0 to 0.5",
        "default": 0.125,
        "unit": "",
        "help": "How much of a step comes back.",
        "equation": "z -> z + echo",
        "live": True,
    }
    assert rows["data.grain"]["allowed"] == "a whole number from 1 to 9"
    assert (seen["set"]["noise"]["echo"], seen["set"]["data"]["grain"]) == (0.25, 5)


def test_errors_name_it(seen: dict[str, Any]) -> None:
    assert seen["error"] == "noise.echo is 7.0: allowed is 0 to 0.5."
    assert "did you mean noise.echo" in seen["near"]
    allowed, refused = seen["live"]
    assert allowed is None
    assert "data.grain cannot change while a run is under way: allowed are" in refused
    assert "noise.echo" in refused
    assert seen["past"] == [None, "it acts at the start of a run"]


def test_the_address_says_it(seen: dict[str, Any]) -> None:
    params, (complaint,) = seen["address"]
    assert params == {"noise.echo": "0.25"}
    assert "data.grain is 12: allowed is a whole number from 1 to 9." in complaint
    assert "0.5" in str(seen["url"])


def test_the_page_has_its_knob_where_the_field_says(seen: dict[str, Any]) -> None:
    assert seen["sliders"][seen["sliders"].index("knob_noise_echo") - 1] == "knob_noise_weight_flips"
    assert "knob_data_grain" in seen["folded"]
    assert seen["knob"] == [0.25, 3]
    assert 'title="How much of a step comes back."><span>Echo</span><b>25\u202f%</b>' in seen["html"]
