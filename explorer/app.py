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
from explorer.shared import view as state  # noqa: E402
from explorer.shared import words  # noqa: E402


@st.cache_resource(show_spinner=False)
def _set_up() -> str:
    """Once a process: the style sheet; and what is imported by now is taken out of the collector's sight.

    Streamlit collects garbage after every run while it holds the interpreter's lock; with the heavy modules
    frozen that takes a few milliseconds instead of a hundred.
    """
    import pandas  # noqa: F401  (before Plotly, which trips over one that another thread is importing)
    import plotly.graph_objects  # noqa: F401

    import explorer.server.catalogue  # noqa: F401

    gc.collect()
    gc.freeze()
    variables = css_variables() + f'\n--bx-name: "{words.APP}";'
    style = (_HERE / "shared" / "style.css").read_text("utf-8")
    return f"<style>:root {{\n{variables}\n}}\n{style}</style>"


st.set_page_config(page_title=words.APP, page_icon=logo(), layout="wide", menu_items={"About": words.ABOUT})
st.html(_set_up())
st.logo(logo(), size="small")  # its name is written beside it by style.css

# Not in a folder named pages/: Streamlit would take that for its older kind of navigation, and run a page
# without this file when a fresh server is first asked for it.
pages = [
    st.Page(_HERE / "screens" / "watch" / "page.py", title="Watch", url_path="watch", default=True),
    st.Page(_HERE / "screens" / "train" / "page.py", title="Train", url_path="train"),
    st.Page(_HERE / "screens" / "weights" / "page.py", title="Weights", url_path="weights"),
    st.Page(_HERE / "screens" / "activations" / "page.py", title="Activations", url_path="activations"),
    st.Page(_HERE / "screens" / "xnor" / "page.py", title="XNOR", url_path="xnor"),
    st.Page(_HERE / "screens" / "results" / "page.py", title="Results", url_path="results"),
]
page = st.navigation(pages, position="top")
state.arrive(page.url_path)
page.run()
live.manager().warm_up()  # after the page: whoever goes on to Train finds a worker that has its torch
watch_theme()
