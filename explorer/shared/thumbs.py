"""Small digits in a row or a grid, each a button that brings the digit onto the page."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.components.bit_matrix import Cell, bit_matrix
from explorer.server import catalogue
from explorer.shared import view as state
from explorer.shared import words
from explorer.shared.scene import Scene


def show_digits(
    scene: Scene, chosen: NDArray[np.int64], *, key: str, title: str, tile_rows: int = 0
) -> Cell | None:
    """Small test digits with what they were read as; the one that was just clicked.

    Args:
        chosen: (n,) their numbers in the test set.
        tile_rows: rows of them at most; 0 is all.
    """
    answers = scene.known.answers
    captions, tones, names = [], [], []
    for index in chosen:
        label, read, margin = int(answers.labels[index]), int(answers.read[index]), int(answers.margin[index])
        captions.append(words.thumb_caption(key, label, read, margin))
        tones.append("wrong" if read != label else "")
        names.append(words.thumb_name(int(index), label, read, margin))
    return small_digits(
        chosen,
        key=key,
        label=title,
        pitch=2,
        tile_gap=8,
        tile_rows=tile_rows,
        captions=captions,
        tones=tones,
        names=names,
        selected=_selected(scene, chosen),
    )


def small_digits(chosen: NDArray[np.int64], *, key: str, label: str, **options: Any) -> Cell | None:
    """Test digits, each a button; the options are those of `bit_matrix`. Returns the one that was clicked."""

    def picked(cell: Cell) -> None:
        if 0 <= cell.tile < len(chosen):
            state.change(digit=int(chosen[cell.tile]), drawn=None)

    images = catalogue.digits().test_images[chosen]
    return bit_matrix(images, key=key, label=label, grey=True, on_pick=picked, pick="tile", **options)


def _selected(scene: Scene, chosen: NDArray[np.int64]) -> Cell | None:
    """Where the digit of the page lies among the chosen ones."""
    places = np.flatnonzero(chosen == scene.index)
    return Cell(0, 0, int(places[0])) if len(places) and scene.view.drawn is None else None
