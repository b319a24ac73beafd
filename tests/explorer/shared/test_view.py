"""The state of the page in the URL: what is read back is what was written, and nothing breaks the page."""

from dataclasses import replace
from typing import get_args

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from explorer.screens.weights.address import Sort
from explorer.shared.pages import address_table, find_pages
from explorer.shared.view import View
from explorer.shared.view import parse as parse_with
from explorer.shared.view import to_params as to_params_with

MODELS = {"talk", "quick", "20261123-101502-quick-3f2a"}
TABLE = address_table(find_pages())


def parse(params, models=MODELS):
    return parse_with(params, TABLE, models=models)


def to_params(view):
    return to_params_with(view, TABLE)


views = st.builds(
    View,
    model=st.sampled_from(["", *sorted(MODELS)]),
    at=st.sampled_from(["", "phase2-epoch0003-step0000750"]),
    digit=st.none() | st.integers(0, 9999),
    layer=st.just(1),
    unit=st.none(),
    order=st.sampled_from(["digit", "trained"]),
    own=st.fixed_dictionaries(
        {}, optional={"sort": st.sampled_from(get_args(Sort)[1:]), "word": st.integers(1, 64)}
    ),
)


@given(views, st.integers(1, 8), st.integers(0, 4095))
def test_what_is_written_is_read_back(view, layer, unit):
    chosen = replace(view, layer=layer, unit=unit)
    compared = view.changed(versus="quick", versus_at="phase1-epoch0002-step0000200")
    for each in (view, chosen, compared):
        assert parse(to_params(each)) == (each, [])


def test_the_default_leaves_the_url():
    assert to_params(View()) == {}
    assert parse({}) == (View(), [])


def test_the_url_is_short_and_plain():
    view = View(model="talk", digit=90, layer=2, unit=341, order="trained")
    assert to_params(view) == {
        "model": "talk",
        "digit": "90",
        "layer": "2",
        "unit": "341",
        "order": "trained",
    }


def test_a_drawn_digit_travels_in_the_url():
    drawn = np.zeros((28, 28), np.uint8)
    drawn[4:24, 13:16] = 255
    drawn[10, 3:20] = np.arange(17) * 15
    view = View(model="talk", drawn=drawn.tobytes())
    params = to_params(view)
    assert params["digit"].startswith("drawn.")
    assert len(params["digit"]) < 400
    back, complaints = parse(params)
    assert (back, complaints) == (view, [])
    assert (back.drawn_digit == drawn).all()


def test_each_bad_value_falls_back_with_a_sentence_of_its_own():
    bad = {"model": "zz", "at": "../x", "digit": "10000", "layer": "0", "unit": "-3", "order": "none"}
    bad |= {"sort": "size", "word": "0", "versus": "zz"}
    view, complaints = parse(bad)
    assert view == View()
    assert len(complaints) == len(bad)
    for key, value in bad.items():
        assert any(f"{key}={value}" in sentence for sentence in complaints)


def test_a_long_value_is_cut_in_the_sentence():
    _, complaints = parse({"model": "m" * 5000})
    assert len(complaints[0]) < 200


@given(st.dictionaries(st.sampled_from(sorted(TABLE.keys)), st.text() | st.text().map("drawn.{}".format)))
def test_no_url_raises(params):
    view, complaints = parse(params)
    assert len(complaints) <= len(params)
    assert view.digit is None or 0 <= view.digit < 10_000
    assert view.drawn is None or len(view.drawn) == 784


def test_a_drawing_that_inflates_to_much_more_is_refused():
    bomb = to_params(View(drawn=bytes(10_000_000)))
    view, complaints = parse(bomb)
    assert view.drawn is None
    assert len(complaints) == 1
