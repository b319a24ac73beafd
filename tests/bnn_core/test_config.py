"""The schema: ranges, text, errors that name the field, what came and what is allowed."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_core.config import LIVE_FIELDS, FieldSpec, RunConfig, field_specs, parse_assignments, parse_config
from bnn_core.errors import InputError
from bnn_core.presets import PRESETS, preset

NUMBERS = [s for s in field_specs() if s.kind in ("int", "float")]


def test_a_configuration_goes_through_json_and_back() -> None:
    for p in PRESETS.values():
        assert RunConfig.from_dict(p.config.to_dict()) == p.config


@pytest.mark.parametrize("spec", field_specs(), ids=lambda s: s.path)
def test_every_field_explains_itself(spec: FieldSpec) -> None:
    assert spec.label
    assert spec.help.endswith(".")
    assert spec.allowed
    assert RunConfig().get(spec.path) == spec.default
    if spec.kind in ("int", "float"):
        assert spec.minimum is not None
        assert spec.maximum is not None


@pytest.mark.parametrize("spec", NUMBERS, ids=lambda s: s.path)
def test_limits_are_allowed_and_what_lies_beyond_is_not(spec: FieldSpec) -> None:
    assert spec.minimum is not None
    assert spec.maximum is not None
    for value in (spec.minimum, spec.maximum):
        number = int(value) if spec.kind == "int" else value
        wide = RunConfig().updated({"network.hidden": (1024,)})
        assert wide.updated({spec.path: number}).get(spec.path) == number
        assert wide.updated({spec.path: repr(number)}).get(spec.path) == number
    for value in (spec.minimum - 1, spec.maximum + 1):
        with pytest.raises(InputError, match=rf"^{spec.path} is .*: allowed is ") as caught:
            RunConfig().updated({spec.path: value})
        assert spec.allowed in str(caught.value)


@pytest.mark.parametrize(
    ("field", "text", "message"),
    [
        ("noise.sparsity", "2", "noise.sparsity is 2.0: allowed is 0 to 0.97."),
        ("noise.sparsity", "nan", "noise.sparsity is NaN: allowed is 0 to 0.97."),
        ("noise.sparsity", "half", "noise.sparsity is 'half': allowed is 0 to 0.97."),
        ("noise.pseudo_gradient", "relu", '"relu": allowed is identity or clipped or tanh.'),
        ("network.hidden", "4", "network.hidden is [4]: allowed are 1 to 8 layers of 8 to 4096 units."),
        ("network.hidden", "", "network.hidden is []: allowed are 1 to 8 layers of 8 to 4096 units."),
        ("network.hidden", "a,b", "network.hidden is 'a,b': allowed is 1 to 8 layers"),
        ("noise.sparse_output", "maybe", "noise.sparse_output is 'maybe': allowed is true or false."),
        ("phase1.epochs", "1.5", "phase1.epochs is '1.5': allowed is a whole number from 0 to 2000."),
        ("noise.sparsty", "0", "There is no field 'noise.sparsty': did you mean noise.sparsity"),
        ("zzz", "0", "There is no field 'zzz': allowed are seed,"),
    ],
)  # fmt: skip
def test_errors_name_the_field_what_came_and_what_is_allowed(field: str, text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        RunConfig().updated({field: text})
    assert message in str(caught.value)


def test_text_is_parsed_by_the_fields_type() -> None:
    config = RunConfig().updated(
        {
            "network.hidden": "64, 32",
            "data.train_digits": "20_000",
            "noise.sparse_output": "true",
            "noise.pseudo_gradient": "tanh",
        }
    )
    assert config.network.hidden == (64, 32)
    assert config.data.train_digits == 20_000
    assert config.noise.sparse_output is True
    assert config.updated({"data.train_digits": "none"}).data.train_digits is None


def test_a_run_without_epochs_is_refused() -> None:
    with pytest.raises(InputError, match="at least one epoch is needed"):
        RunConfig().updated({"phase1.epochs": 0, "phase2.epochs": 0})


def test_unknown_parts_and_broken_json_are_refused() -> None:
    with pytest.raises(InputError, match="has no part 'colour'"):
        RunConfig.from_dict({"colour": "blue"})
    with pytest.raises(InputError, match="noise is 3: allowed is an object of fields"):
        RunConfig.from_dict({"noise": 3})
    for text in ("{", "[]", "null", ""):
        with pytest.raises(InputError, match="here is not a run's configuration"):
            parse_config(text, "here")


def test_settings_are_field_equals_value() -> None:
    assert parse_assignments(["a.b=1", "c=x=y"]) == {"a.b": "1", "c": "x=y"}
    for bad in ("a", "=1", ""):
        with pytest.raises(InputError, match="is no setting: allowed is FIELD=VALUE"):
            parse_assignments([bad])


def test_the_live_fields_are_those_of_the_design() -> None:
    assert set(LIVE_FIELDS) == {
        "compression.gain_end",
        "noise.sparsity",
        "noise.input_flips",
        "noise.hidden_flips",
        "noise.weight_flips",
        *(
            f"phase{n}.{f}"
            for n in (1, 2)
            for f in ("learning_rate", "dropout_input", "dropout_hidden", "nudge")
        ),
    }


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(
        InputError, match=r"There is no preset 'quik' \(did you mean quick\?\): allowed are quick, talk"
    ):
        preset("quik")


@given(st.text(max_size=20))
def test_no_text_breaks_the_parser(text: str) -> None:
    for spec in field_specs():
        # Either a value of the field, or a refusal that names it.
        with contextlib.suppress(InputError):
            RunConfig().updated({spec.path: text})
