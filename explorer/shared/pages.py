"""Pages: a folder of `explorer/screens` whose page.py declares a `PAGE` is one; nothing else names it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import streamlit as st

import explorer.screens
from explorer.shared.address import Key, Table
from explorer.shared.view import KEYS


@dataclass(frozen=True)
class Page:
    """What a page's folder says of it.

    Attributes:
        title: in the menu.
        order: its place there; the first one opens.
        show: draws it.
        keys: what it adds to the address.
        apart: its address is its own: what other pages show does not stand in it.
    """

    title: str
    order: int
    show: Callable[[], None]
    keys: tuple[Key[Any], ...] = ()
    apart: bool = False


def find_pages() -> dict[str, Page]:
    """Every page by the name of its folder, as the menu has them.

    Raises:
        TypeError: a folder's page.py declares none.
    """
    found = {}
    for path in explorer.screens.__path__:
        for name in (file.parent.name for file in Path(path).glob("*/page.py")):
            page = getattr(import_module(f"explorer.screens.{name}.page"), "PAGE", None)
            if not isinstance(page, Page):
                raise TypeError(f"explorer/screens/{name}/page.py declares no PAGE.")
            found[name] = page
    return dict(sorted(found.items(), key=lambda item: item[1].order))


def address_table(pages: Mapping[str, Page]) -> Table:
    """The keys of the address that pages share, and those that pages add."""
    return Table([*KEYS, *(key for page in pages.values() if not page.apart for key in page.keys)])


@functools.cache
def style_of(name: str) -> str:
    """The page's own style sheet, as HTML; empty where it has none."""
    folder = Path(import_module(f"explorer.screens.{name}").__path__[0])
    sheet = folder / "style.css"
    return f"<style>{sheet.read_text('utf-8')}</style>" if sheet.exists() else ""


def menu_entry(name: str, page: Page, *, default: bool = False) -> st.Page:
    """The page for Streamlit's menu."""
    return st.Page(page.show, title=page.title, url_path=name, default=default)


def go_to(name: str, params: Mapping[str, str]) -> NoReturn:
    """Leave for another page, with that address."""
    pages = find_pages()
    entry = menu_entry(name, pages[name], default=name == next(iter(pages)))
    st.switch_page(entry, query_params=dict(params))
    raise AssertionError("unreachable")
