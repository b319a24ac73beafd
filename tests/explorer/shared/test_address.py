"""The table of the address: what a row says, reading, writing and refusing follow from it."""

from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from explorer.shared.address import Key, Table, Whole

SIZE = Key("size", Annotated[Whole, Field(ge=1, le=9)], 3, "sizes go from 1 to 9")
KIND = Key("kind", Literal["plain", "bold"], "plain", "it is plain or bold")
PLACE = Key("place", Whole, 0, "places count from 0", beside="kind")
SHADE = Key("shade", Whole, 0, "shades count from 0", beside="kind", always=True)
OWN = Key("own", Whole, 0, lambda came, reason: f"{came}: {reason}.")
TABLE = Table([SIZE, KIND, PLACE, SHADE, OWN])


def test_values_come_with_their_types():
    assert TABLE.read({"size": "4", "kind": "bold", "other": "x"}) == ({"size": 4, "kind": "bold"}, [])


@pytest.mark.parametrize("text", ["0", "10", "-1", "1.0", " 4", "4 ", "+4", "1_0", "9" * 5000, "four"])
def test_a_value_of_no_use_is_told_with_its_key(text):
    values, (sentence,) = TABLE.read({"size": text})
    assert values == {}
    assert sentence.startswith(f"The address says size={text[:40]}")
    assert sentence.endswith("; sizes go from 1 to 9.")
    assert len(sentence) < 120


def test_a_row_may_make_its_own_sentence():
    assert TABLE.read({"own": "x"}) == ({}, ["x: no whole number."])


def test_defaults_stay_out_of_the_address():
    assert TABLE.write({"size": 3, "kind": "plain"}) == {}
    assert TABLE.write({"size": 4, "kind": "bold"}) == {"size": "4", "kind": "bold"}


def test_a_key_stands_beside_another():
    assert TABLE.write({"kind": "plain", "place": 7, "shade": 7}) == {}
    assert TABLE.write({"kind": "bold", "place": 0, "shade": 0}) == {"kind": "bold", "shade": "0"}


def test_a_name_means_one_thing():
    with pytest.raises(ValueError, match="two keys called 'size'"):
        Table([SIZE, KIND, SIZE])


def test_a_value_without_a_key_is_a_mistake():
    with pytest.raises(KeyError, match="no key colour"):
        TABLE.write({"colour": "red"})


@given(st.dictionaries(st.sampled_from(sorted(TABLE.keys)), st.text()))
def test_what_was_read_is_written_and_read_again(params):
    values, _ = TABLE.read(params)
    again, complaints = TABLE.read(TABLE.write(values))
    assert complaints == []
    assert again.items() <= values.items()
