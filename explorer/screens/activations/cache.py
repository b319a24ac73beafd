"""What the Activations page keeps between two clicks: the codes of all test digits, and maps of some of them.

Codes are counted once a network file and version, while the page waits. Maps take longer, and scikit-learn
takes seconds to import, so a thread makes them behind the page. It makes the newest wish first: moving the
scrubber does not queue up maps that nobody waits for any more.
"""

from __future__ import annotations

import contextlib
import gc
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from bnn_core import BitwiseNetwork, Digits
from bnn_core.bits import pack, word_count
from bnn_core.kernels import kernel
from bnn_core.measures.codes import class_counts, hamming
from explorer.components.digit_map import sheet
from explorer.screens.activations import maps
from explorer.screens.activations.codes import LayerCodes, layer_codes
from explorer.server import catalogue
from explorer.server.answers import Answers
from explorer.server.catalogue import File

CHUNK = 2048
"""Digits run at a time, so that memory does not grow with their number."""

KEPT = 24
"""Network files whose codes are kept: 5 MB each at 3 x 1024 units."""

EACH = 50
"""Digits of each class on the map: enough to see where they lie, few enough to tell them apart."""


@dataclass(frozen=True, eq=False)
class Codes:
    """All test digits in one network.

    Attributes:
        layers: the input first, then the hidden layers.
        answers: what each digit is read as.
    """

    layers: tuple[LayerCodes, ...]
    answers: Answers


@st.cache_resource(show_spinner="Reading 10,000 test digits", max_entries=KEPT)
def codes(file: File) -> Codes:
    """All test digits in a network file, once a file and version."""
    return _codes(file)


@st.cache_resource(show_spinner=False, max_entries=KEPT)
def _codes(file: File) -> Codes:
    """The same without a sign on the page: the thread behind it has none."""
    return count_codes(catalogue.load_network(file), catalogue.digits())


def count_codes(network: BitwiseNetwork, data: Digits) -> Codes:
    """The codes of all test digits, and the answers, in one pass."""
    images, labels = data.test_images, data.test_labels
    classes = network.sizes[-1]
    sizes = network.sizes[:-1]
    words = [np.empty((len(images), word_count(units)), np.uint64) for units in sizes]
    counts = [np.zeros((classes, units), np.int64) for units in sizes]
    for start in range(0, len(images), CHUNK):
        part = slice(start, start + CHUNK)
        bits = [network.input_bits(images[part]), *network.codes(images[part])]
        for rows, total, layer in zip(words, counts, bits, strict=True):
            rows[part] = pack(layer)
            total += class_counts(layer, labels[part], classes)
    digits = np.bincount(labels, minlength=classes)
    layers = tuple(layer_codes(rows, total, digits) for rows, total in zip(words, counts, strict=True))
    scores = kernel().sums(words[-1], network.layers[-1])
    return Codes(layers, Answers.of(scores, labels))


@st.cache_resource(show_spinner=False)
def shown_digits() -> tuple[NDArray[np.int64], bytes]:
    """The test digits on the map, (n,) their numbers, and their pictures on one sheet."""
    data = catalogue.digits()
    chosen = maps.sample(data.test_labels, data.classes, EACH)
    return chosen, sheet(data.test_images[chosen])


@st.cache_resource(show_spinner=False)
def _load_sklearn() -> None:
    """Once a process: scikit-learn, out of the collector's sight, as app.py does it with what it imports.

    Otherwise it would cost every run of every page from then on some 30 milliseconds.
    """
    import sklearn.decomposition
    import sklearn.manifold  # noqa: F401

    gc.collect()
    gc.freeze()


def make_planes(known: Codes, chosen: NDArray[np.int64], kind: maps.Kind) -> list[maps.Plane]:
    """One map a layer, the input first."""
    _load_sklearn()
    words = [layer.words[chosen] for layer in known.layers]
    return maps.planes([hamming(rows, rows) for rows in words], kind)


class Maker:
    """Makes things in one thread behind the page, the newest wish first; keeps the last few.

    Args:
        kept: how many results are kept. waiting: how many wishes may wait; older ones are dropped.
    """

    def __init__(self, kept: int = KEPT, waiting: int = 4) -> None:
        self._kept, self._waiting = kept, waiting
        self._changed = threading.Condition()
        self._made: OrderedDict[Hashable, Any] = OrderedDict()
        self._wished: OrderedDict[Hashable, Callable[[], Any]] = OrderedDict()
        self._making: Hashable | None = None
        self._thread: threading.Thread | None = None

    def ask(
        self, key: Hashable, make: Callable[[], Any], wait: float = 0.0, *, ahead: bool = False
    ) -> Any | None:
        """What `make` returned for this key; None while it is not there yet.

        Args:
            make: called without arguments, in the thread.
            wait: seconds to wait for it.
            ahead: nobody waits for it yet: everything else is made before it.

        Raises:
            Exception: what `make` raised; it is kept like any result.
        """
        with self._changed:
            if key not in self._made and key != self._making:
                self._wished[key] = make
                self._wished.move_to_end(key, last=not ahead)
                while len(self._wished) > self._waiting:
                    self._wished.popitem(last=False)
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="maps", daemon=True)
                    self._thread.start()
            self._changed.wait_for(lambda: key in self._made, timeout=wait)
            if key not in self._made:
                return None
            self._made.move_to_end(key)
            made = self._made[key]
            if isinstance(made, Exception):
                raise made
            return made

    def _run(self) -> None:
        """Make what is wished for until nothing is."""
        while True:
            with self._changed:
                if not self._wished:
                    self._thread = self._making = None
                    return
                self._making, make = self._wished.popitem()
            try:
                made = make()
            except Exception as error:  # noqa: BLE001  (whoever asked raises it)
                made = error
            with self._changed:
                self._made[self._making] = made
                while len(self._made) > self._kept:
                    self._made.popitem(last=False)
                self._making = None
                self._changed.notify_all()


@st.cache_resource(show_spinner=False)
def maker() -> Maker:
    """The one that makes the maps, for all sessions."""
    return Maker()


def planes(file: File, kind: maps.Kind, wait: float, *, ahead: bool = False) -> list[maps.Plane] | None:
    """The maps of a network file, one a layer; None while they are being made.

    Args:
        wait: seconds to wait for them. ahead: nobody looks at them yet.
    """
    chosen, _ = shown_digits()
    made: list[maps.Plane] | None = maker().ask(
        (file, kind), lambda: make_planes(_codes(file), chosen, kind), wait, ahead=ahead
    )
    return made


def look_ahead(entry: catalogue.Entry, moment: catalogue.KeptMoment, kind: maps.Kind) -> None:
    """Have the moments before and after this one made too, behind the page: the scrubber goes there next."""
    found = catalogue.moments(entry)
    at = found.index(moment) if moment in found else 0
    for near in (*found[at + 1 : at + 2], *found[max(0, at - 1) : at]):
        # A file that cannot be read is told when it is shown.
        with contextlib.suppress(Exception):
            planes(near.file, kind, 0.0, ahead=True)
