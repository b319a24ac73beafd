"""What the Weights page keeps between two clicks: units' orders, how often they are on, matrices in order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from bnn_core import InputError
from bnn_core.bits import pack
from bnn_core.kernels import kernel
from bnn_core.measures.weights import balance, order_alike, order_by_value, saturation
from explorer.screens.weights.address import Sort
from explorer.server import catalogue
from explorer.server.catalogue import File
from explorer.shared.planes import Order, Planes, planes_of


@dataclass(frozen=True, eq=False)
class Habits:
    """How often units are on, over the first training digits.

    Attributes:
        on: one (classes, units) int64 a layer: digits of each class that switch the unit on; for the output
            layer, digits that are read as the unit's class.
        digits: (classes,) int64, how many of each class there are.
    """

    on: list[NDArray[np.int64]]
    digits: NDArray[np.int64]

    def share(self, layer: int) -> NDArray[np.float64]:
        """(units,) how often each unit of a layer (from 1) is on, over all digits."""
        return self.on[layer - 1].sum(axis=0) / max(1, int(self.digits.sum()))


@st.cache_resource(show_spinner=False, max_entries=64)
def habits(file: File) -> Habits:
    """Run the training digits that decide the order of units through a network, once a file and version."""
    data = catalogue.digits()
    network = catalogue.load_network(file)
    images = data.train_images[: catalogue.CODE_DIGITS]
    labels = data.train_labels[: catalogue.CODE_DIGITS]
    classes = network.sizes[-1]
    codes = network.codes(images)
    read = kernel().sums(pack(codes[-1]), network.layers[-1]).argmax(axis=1)
    codes.append((read[:, np.newaxis] == np.arange(classes)).astype(np.uint8))
    members = [labels == label for label in range(classes)]
    on = [np.stack([bits[each].sum(axis=0, dtype=np.int64) for each in members]) for bits in codes]
    return Habits(on, np.array([int(each.sum()) for each in members]))


@st.cache_resource(show_spinner="Putting alike units side by side", max_entries=64)
def _alike(file: File, layer: int) -> Order:
    return order_alike(catalogue.load_network(file).layers[layer - 1])


def order_of(last: File, layer: int, sort: Sort) -> Order:
    """The order of a layer's units, position -> unit.

    Args:
        last: the run's last network; it decides, so that units keep their places while the scrubber moves.
        layer: from 1; the classes of the output layer keep their own order.
    """
    network = catalogue.load_network(last)
    units = network.sizes[layer]
    if layer == len(network.layers) or sort == "trained":
        return np.arange(units)
    match sort:
        case "digit":
            return catalogue.orders(last)[layer - 1]
        case "balance":
            return order_by_value(balance(network.layers[layer - 1]))
        case "use":
            return order_by_value(habits(last).share(layer))
        case _:
            return _alike(last, layer)


@st.cache_resource(show_spinner=False, max_entries=6)
def matrix(shown: File, before: File | None, last: File, layer: int, sort: Sort) -> Planes:
    """A layer's weights with rows (its units) and columns (those of the layer before) in their order.

    The first layer's columns are the input bits as they come.
    """
    then = None if before is None else catalogue.load_network(before).layers[layer - 1]
    planes = planes_of(catalogue.load_network(shown).layers[layer - 1], then)
    columns = None if layer == 1 else order_of(last, layer - 1, sort)
    return planes.placed(order_of(last, layer, sort), columns)


@st.cache_resource(show_spinner=False, max_entries=16)
def _saturation(file: File) -> list[float]:
    return saturation(catalogue.load_real(file))


def saturations(entry: catalogue.Entry) -> list[float] | None:
    """The saturation of each layer of the run's real network; None where there is none, or none to read."""
    file = catalogue.real_file(entry)
    try:
        return None if file is None else _saturation(file)
    except InputError:
        return None
