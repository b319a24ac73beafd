"""What the Weights page stands on: a network, its orders, one unit, and what it is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from bnn_core import BitwiseNetwork
from bnn_core.measures.order import band_edges
from explorer.screens.weights import cache, words
from explorer.screens.weights.address import SORT, Sort
from explorer.server import catalogue
from explorer.shared import view as state
from explorer.shared.fields import Bits, Field, input_field, place_inputs
from explorer.shared.planes import Order, Planes, planes_of
from explorer.shared.scene import refuse_other_digits
from explorer.shared.words import layer_name

TYPICAL = 3
"""The digit whose unit is shown first, as on the Watch page."""


@dataclass(frozen=True, eq=False)
class Versus:
    """What the network is compared with: its name in the page's words, and its file."""

    name: str
    network: BitwiseNetwork
    file: catalogue.File


@dataclass(frozen=True, eq=False)
class Subject:
    """What the page shows, computed once a run of the script.

    Attributes:
        shown, last: the files of the network shown and of the run's last one, which decides the orders.
        layer, unit: the unit in detail; layer from 1, the output layer is the last.
        before: what it is compared with; None without a comparison.
        correction: what of the view did not fit the network.
    """

    view: state.View
    entry: catalogue.Entry
    network: BitwiseNetwork
    shown: catalogue.File
    last: catalogue.File
    layer: int
    unit: int
    before: Versus | None
    correction: state.Correction | None

    @property
    def hidden(self) -> int:
        """How many hidden layers there are."""
        return len(self.network.sizes) - 2

    @property
    def classes(self) -> int:
        """Units of the output layer."""
        return self.network.sizes[-1]

    @property
    def sort(self) -> Sort:
        """The order of units."""
        return self.view[SORT]

    @property
    def by_digit(self) -> bool:
        """Whether places mean digits."""
        return self.sort == "digit"

    @property
    def compared(self) -> bool:
        """Whether flips are lit."""
        return self.before is not None

    @cached_property
    def first(self) -> Field:
        """How a template lies."""
        return input_field(self.network.sizes[0], self.network.side)

    @property
    def input_planes(self) -> int:
        """Input bits a pixel."""
        return self.first.cols // self.first.rows

    @cached_property
    def rare(self) -> Bits:
        """A template's cells that are on for few digits."""
        return place_inputs(
            self.first, catalogue.rare_inputs(self.network.features, self.network.input_threshold)
        )

    def name(self, layer: int) -> str:
        """What to call a layer."""
        return layer_name(layer, self.hidden + 1)

    def order(self, layer: int) -> Order:
        """Position -> unit, of a layer from 1."""
        return cache.order_of(self.last, layer, self.sort)

    def planes(self, layer: int) -> Planes:
        """A layer's weights as they come."""
        before = None if self.before is None else self.before.network.layers[layer - 1]
        return planes_of(self.network.layers[layer - 1], before)

    def matrix(self, layer: int) -> Planes:
        """A layer's weights in order."""
        before = None if self.before is None else self.before.file
        return cache.matrix(self.shown, before, self.last, layer, self.sort)


def compose(
    view: state.View, entry: catalogue.Entry, moment: catalogue.KeptMoment, versus: Versus | None
) -> Subject:
    """Find network and unit.

    Raises:
        InputError: the network's file cannot be used, or it reads other pictures.
    """
    shown, last = moment.file, catalogue.moments(entry)[-1].file
    network = catalogue.load_network(shown)
    refuse_other_digits(network)
    layer, unit, layers = view.layer, view.unit, len(network.layers)
    correction = None
    if unit is not None and (layer > layers or unit >= network.sizes[layer]):
        note = words.no_such_unit(layer, unit, network.sizes)
        correction = state.Correction(note, {"layer": 1, "unit": None})
        layer, unit = 1, None
    elif layer > layers:
        correction = state.Correction(words.NO_SUCH_LAYER.format(layer=layer, layers=layers), {"layer": 1})
        layer = 1
    if unit is None:
        unit = typical_unit(last, layer, view.digit)
    return Subject(view, entry, network, shown, last, layer, unit, versus, correction)


def typical_unit(last: catalogue.File, layer: int, digit: int | None) -> int:
    """The unit to look at first: the one that answers most to the digit that the pages show, or to a 3."""
    network, data = catalogue.load_network(last), catalogue.digits()
    label = TYPICAL if digit is None else int(data.test_labels[digit])
    if layer == len(network.layers):
        return label
    edges = band_edges(network.sizes[-1], network.sizes[layer])
    return int(catalogue.orders(last)[layer - 1][edges[label]])
