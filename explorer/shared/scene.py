"""What pages that show a digit stand on: its way through one network, computed once a run of the page."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bnn_core import BitwiseNetwork, InputError
from bnn_core.network.bitwise import LayerTrace
from explorer.server import catalogue
from explorer.server.answers import one_of_each
from explorer.shared import view as state
from explorer.shared import words
from explorer.shared.fields import Field, Reading, hidden_field, input_field, reading, typical_unit


@dataclass(frozen=True, eq=False)
class Scene:
    """One digit's way through one network, computed once a run of the script.

    Attributes:
        entry, moment: the run and the moment of it that the network is.
        image: (28, 28) uint8, the digit. true: its class; None for a drawn one. index: in the test set.
        traces: one a layer.
        orders: one a hidden layer, position -> unit, as the fields lie. by_digit: the same, placed by digit.
        fields: one a hidden layer. layer, unit: the unit up close; layer from 1.
        correction: what of the view did not fit the network.
    """

    view: state.View
    entry: catalogue.Entry
    moment: catalogue.KeptMoment
    network: BitwiseNetwork
    image: NDArray[np.uint8]
    index: int
    true: int | None
    traces: tuple[LayerTrace, ...]
    orders: list[NDArray[np.int64]]
    by_digit: list[NDArray[np.int64]]
    first: Field
    fields: list[Field]
    layer: int
    unit: int
    read: Reading
    correction: state.Correction | None

    @cached_property
    def known(self) -> catalogue.Known:
        """The network's answers to all test digits."""
        return catalogue.known(self.moment.file)

    @cached_property
    def real(self) -> int | None:
        """The float network's answer; None where there is no such network, or none to read."""
        file = catalogue.real_file(self.entry)
        try:
            return None if file is None else int(catalogue.load_real(file).predict(self.image[None])[0])
        except InputError:
            return None


def compose(
    view: state.View, entry: catalogue.Entry, moment: catalogue.KeptMoment, *, outputs: bool = False
) -> Scene:
    """Run the digit through the network.

    Args:
        outputs: whether a unit of the output layer may be the one up close; on a page that has no place
            for those, the page picks another.

    Raises:
        InputError: the network's file cannot be used, or it reads other pictures.
    """
    data = catalogue.digits()
    network = catalogue.load_network(moment.file)
    refuse_other_digits(network)
    last = catalogue.moments(entry)[-1].file  # what must not change while the scrubber moves hangs on it
    drawn = view.drawn_digit
    index = view.digit if view.digit is not None else _first_digit(catalogue.known(last))
    image = data.test_images[index] if drawn is None else drawn
    traces = network.trace(image)
    hidden = network.sizes[1:-1]
    by_digit = catalogue.orders(last)
    orders = by_digit if view.order == "digit" else [np.arange(units) for units in hidden]
    read = reading(traces[-1].sums)
    layer, chosen = view.layer, view.unit
    correction = None
    if chosen is not None and (layer >= len(network.sizes) or chosen >= network.sizes[layer]):
        note = words.no_such_unit(layer, chosen, hidden)
        correction = state.Correction(note, {"layer": 1, "unit": None})
        chosen = None
    if chosen is None or (layer > len(hidden) and not outputs):
        layer = 1
        chosen = typical_unit(traces[0], by_digit[0], network.sizes[-1], read.label)
    return Scene(
        view=view,
        entry=entry,
        moment=moment,
        network=network,
        image=image,
        index=index,
        true=None if drawn is not None else int(data.test_labels[index]),
        traces=traces,
        orders=orders,
        by_digit=by_digit,
        first=input_field(network.sizes[0], network.side),
        fields=[hidden_field(units) for units in hidden],
        layer=layer,
        unit=chosen,
        read=read,
        correction=correction,
    )


def refuse_other_digits(network: BitwiseNetwork) -> None:
    """Raise InputError where a network does not read the pictures that the pages show."""
    data = catalogue.digits()
    if network.side != data.side or network.sizes[-1] != data.classes:
        raise InputError(words.OTHER_DIGITS.format(sizes="-".join(map(str, network.sizes))))


def _first_digit(known: catalogue.Known) -> int:
    """The digit that the page opens on: the clearest 3, or whatever is read right."""
    clear = one_of_each(known.answers, int(known.answers.labels.max()) + 1)
    threes = clear[known.answers.labels[clear] == 3]
    return int(threes[0]) if len(threes) else int(clear[0]) if len(clear) else 0
