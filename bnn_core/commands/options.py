"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bnn_core.datasets.digits import Digits, load_digits, load_mnist

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Model = Annotated[str, typer.Argument(metavar="MODEL", help="A shipped name, a file or a run.")]
Out = Annotated[
    Path | None, typer.Option(metavar="DIR", help="The run folder; a new one under the root if left out.")
]
Data = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="Another set of IDX files, gz or plain; MNIST if left out."),
]
Threads = Annotated[
    int | None, typer.Option(min=1, max=256, metavar="N", help="Torch's threads; all cores but one.")
]


def digits_of(data: str | Path | None) -> Digits:
    """The digits of that folder, or MNIST; raises InputError if they cannot be used."""
    return load_mnist() if data is None else load_digits(data)
