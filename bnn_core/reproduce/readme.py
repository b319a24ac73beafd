"""The README's tables of results, written between their marks from the results and the networks' cards."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bnn_core.models import ShippedModel
from bnn_core.reproduce import tables
from bnn_core.reproduce.results import Results

_BLOCK = re.compile(r"(<!-- made: (?P<name>[a-z]+) -->\n).*?(\n<!-- end -->)", re.DOTALL)


def written(text: str, results: Results, models: Sequence[ShippedModel]) -> str:
    """The text with every table between ``<!-- made: NAME -->`` and ``<!-- end -->`` made anew.

    NAME is ``networks``, or a group of experiments that is no curve.
    """

    def block(match: re.Match[str]) -> str:
        name = match["name"]
        table = tables.networks(models) if name == "networks" else tables.markdown(results, name)
        return match[1] + table + match[3]

    return _BLOCK.sub(block, text)
