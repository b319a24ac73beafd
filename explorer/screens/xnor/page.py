"""XNOR: one unit at work, word by word, then the whole network; every kernel's integers beside each other."""

from __future__ import annotations

import streamlit as st

from bnn_core import InputError
from bnn_core.kernels import KERNELS
from explorer.screens.xnor import html as pieces
from explorer.screens.xnor import words
from explorer.screens.xnor.address import WORD
from explorer.screens.xnor.network import show_network
from explorer.screens.xnor.stage import choose_unit, show_unit
from explorer.screens.xnor.unit import LayerCheck, Unit, all_agree, check_layer, tell
from explorer.server import catalogue
from explorer.shared import html
from explorer.shared import view as state
from explorer.shared import words as common
from explorer.shared.controls import apply, choose_moment, choose_network, refuse, show_notes
from explorer.shared.digit import choose_digit
from explorer.shared.pages import Page
from explorer.shared.scene import Scene, compose


@st.cache_resource(show_spinner=False, max_entries=32)
def run_kernels(
    file: catalogue.File, digit: bytes, kernels: tuple[str, ...], _scene: Scene
) -> list[LayerCheck]:
    """Every layer of a network for one digit, by every kernel; once for all the words and units looked at."""
    return [
        check_layer(layer, trace.inputs, [KERNELS[name] for name in kernels])
        for layer, trace in zip(_scene.network.layers, _scene.traces, strict=True)
    ]


def alarms(unit: Unit, checks: list[LayerCheck]) -> list[str]:
    """What to say if integers differ that must be the same: among the kernels, or from this page."""
    found = [
        words.disagree(common.layer_name(layer, len(checks)), check.wrong, check.units)
        for layer, check in enumerate(checks, start=1)
        if check.wrong
    ]
    check = checks[unit.layer - 1]
    if not check.wrong and not all_agree(unit, check):
        told = {unit.kernel.total, *(int(sums[unit.unit]) for sums in check.sums.values())}
        found.append(words.told_wrong(unit.ledger.total, sorted(told)))
    return found


def main() -> None:
    """The page."""
    entries = catalogue.entries()
    view = state.current(entries)
    if not entries:
        st.html(html.note(common.NO_NETWORK))
        return
    with st.container(key="xnor-controls", horizontal=True, gap=None):
        entry = choose_network(view, entries)
        moment = choose_moment(view, entry)
        digit = st.container(key="xnor-digit", width="content")
    try:
        scene = compose(view, entry, moment, outputs=True)
    except InputError as error:
        refuse(error)
        return
    apply(scene.correction)
    with digit:
        choose_digit(scene)
    notes = st.container(key="xnor-notes")
    checks = run_kernels(moment.file, scene.image.tobytes(), tuple(KERNELS), scene)
    unit = tell(scene.network, scene.traces, scene.layer, scene.unit)
    st.html(f"<style>{pieces.flow_rules(scene.fields)}</style>")
    with st.container(key="xnor-page", gap=None):
        choose_unit(scene)
        show_unit(scene, unit, checks[scene.layer - 1], view[WORD])
        st.html(html.RULE)
        show_network(scene, checks)
    with notes:
        for text in alarms(unit, checks):
            st.html(pieces.alarm(text))
        show_notes()


PAGE = Page("XNOR", 5, main, keys=(WORD,))
