"""Bitwise Explorer: `streamlit run explorer/app.py`, from any folder, without installing anything.

Streamlit runs this file anew at every click: it puts the project on the path, styles the page, and hands
over to the page that was chosen.
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
if str(_HERE.parent) not in sys.path:
    sys.path.insert(0, str(_HERE.parent))

import streamlit as st  # noqa: E402

from explorer.components.theme import watch_theme  # noqa: E402
from explorer.palette import css_variables, logo  # noqa: E402
from explorer.server import live  # noqa: E402
from explorer.shared import pages, view, words  # noqa: E402


@st.cache_resource(show_spinner=False)
def _set_up() -> str:
    """Once a process: the style sheet; and what is imported by now is taken out of the collector's sight.

    Streamlit collects garbage after every run while it holds the interpreter's lock; with the heavy modules
    frozen that takes a few milliseconds instead of a hundred.
    """
    import pandas  # noqa: F401  (before Plotly, which trips over one that another thread is importing)
    import plotly.graph_objects  # noqa: F401

    pages.find_pages()
    gc.collect()
    gc.freeze()
    variables = css_variables() + f'\n--bx-name: "{words.APP}";'
    sheets = [(_HERE / "shared" / name).read_text("utf-8") for name in ("streamlit.css", "style.css")]
    return f"<style>:root {{\n{variables}\n}}\n{''.join(sheets)}</style>"


st.set_page_config(page_title=words.APP, page_icon=logo(), layout="wide", menu_items={"About": words.ABOUT})
st.html(_set_up())
st.logo(logo(), size="small")  # its name is written beside it by streamlit.css

found = pages.find_pages()
first = next(iter(found))
chosen = st.navigation(
    [pages.menu_entry(name, page, default=name == first) for name, page in found.items()], position="top"
)
name = chosen.url_path or first
view.arrive(name, pages.address_table(found))
if style := pages.style_of(name):
    st.html(style)
chosen.run()
live.manager().warm_up()  # after the page: whoever goes on to Train finds a worker that has its torch
watch_theme()
