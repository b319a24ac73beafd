"""Results: the paper's table run again, what each setting does, and what noise in training buys."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import mean

import plotly.graph_objects as go
import streamlit as st

from bnn_core import InputError
from bnn_core.reproduce import RESULTS_FILE, Results, chosen
from explorer.palette import palette
from explorer.screens.results import html as pieces
from explorer.screens.results import words
from explorer.screens.results.charts import curve_chart, damage_chart
from explorer.screens.results.rows import Damage, Point, at, curve, damages, table_rows
from explorer.shared import html
from explorer.shared.pages import Page
from explorer.shared.widgets import show_chart

DAMAGES = {"weight-flips": ("weights", 0.1, "weight bits"), "input-flips": ("inputs", 0.1, "input bits")}
"""For each kind of noise: what is broken afterwards, the rate that the sentence tells of, and its name."""


def show_table(results: Results) -> None:
    """The paper's numbers and ours."""
    rows = table_rows(results)
    if rows:
        st.html(html.head(words.TABLE, words.TABLE_NOTE) + pieces.table(rows) + html.RULE)


def show_changes(results: Results) -> None:
    """The ablations, once there is something beside the plain network."""
    rows = table_rows(results, "ablation")
    if len(rows) > 1 and rows[0].experiment == chosen("ablation")[0]:
        st.html(html.head(words.CHANGES, words.CHANGES_NOTE) + pieces.changes(rows) + html.RULE)


def show_curves(results: Results) -> None:
    """One small chart for each setting."""
    found = {group: points for group in words.AXES if len(points := curve(results, group)) > 1}
    colours = palette(st.context.theme.type)
    charts = {}
    for group, points in found.items():
        text = f'<b>{words.HEADS[group]}.</b> <span class="muted">{said(group, points)}</span>'
        charts[group] = (curve_chart(points, colours, group), f'<div class="bx">{text}</div>')
    show_charts("curves", words.CURVES, words.CURVES_NOTE, charts)


def show_charts(key: str, head: str, note: str, charts: Mapping[str, tuple[go.Figure, str]]) -> None:
    """Charts in a row, each by its name and with the sentence below it."""
    if not charts:
        return
    st.html(html.head(head, note))
    with st.container(key=f"results-{key}", horizontal=True, gap=None):
        for name, (chart, text) in charts.items():
            with st.container(key=f"results-chart-{name}", gap=None):
                show_chart(chart, f"chart_{name}")
                st.html(text)
    st.html(html.RULE)


def said(group: str, points: list[Point]) -> str:
    """The sentence below a curve, from its own numbers."""
    first, last = points[0], points[-1]
    low, high = mean(first.bitwise), mean(last.bitwise)
    half = at(points, 0.5)
    if group == "sparsity":
        return words.sparsity_said(low, low if half is None else half, high, last.value)
    if group == "gain" and first.naive and last.naive:
        return words.gain_said((mean(first.naive), mean(last.naive)), (low, high))
    if group == "width":
        return words.width_said(first.value, last.value, low, high)
    return words.noise_said(
        words.AXES[group].name.removesuffix(" flipped in training"), low, high, last.value
    )


def show_damage(results: Results) -> None:
    """Networks trained with and without noise, with broken bits."""
    colours = palette(st.context.theme.type)
    charts = {
        f"damage-{group}": (damage_chart(lines, colours, group), html.line(damage_said(group, lines)))
        for group, (what, *_) in DAMAGES.items()
        if len(lines := damages(results, group, what)) > 1
    }
    show_charts("damage", words.DAMAGE, words.DAMAGE_NOTE, charts)


def damage_said(group: str, lines: list[Damage]) -> str:
    """The sentence below a chart of broken bits: without noise in training, and with the most."""
    _what, rate, name = DAMAGES[group]
    place = lines[0].rates.index(rate)
    plain, noisy = lines[0], lines[-1]
    return words.damage_said(rate, plain.errors[place], noisy.errors[place], noisy.value, name)


def main() -> None:
    """The page."""
    try:
        results = Results(RESULTS_FILE)
    except InputError as error:
        st.html(html.note(str(error)))
        return
    if not results.records:
        st.html(html.note(words.NONE))
        return
    with st.container(key="results-page", gap=None):
        show_table(results)
        show_changes(results)
        show_curves(results)
        show_damage(results)
        st.html(html.line(words.HOW))


PAGE = Page("Results", 6, main)
