"""``models``, ``evaluate`` and ``predict``: trained networks, asked."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from bnn_core.commands.options import Data, Json, Model, digits_of
from bnn_core.commands.terminal import print_json, print_rows
from bnn_core.datasets.image import load_image
from bnn_core.models import find_model, shipped_models
from bnn_core.names import MODEL_FILE
from bnn_core.network.bitwise import BitwiseNetwork


def models(as_json: Json = False) -> None:
    """List the networks that come with the project."""
    rows = []
    for model in shipped_models():
        network = BitwiseNetwork.load(model.path)
        rows.append(
            {
                "name": model.name,
                "path": str(model.path / MODEL_FILE),
                "error_percent": model.card["error_percent"],
                "variant": network.variant,
                "features": network.features,
                "sizes": list(network.sizes),
                "bytes": (model.path / MODEL_FILE).stat().st_size,
            }
        )
    print_rows(
        rows,
        as_json,
        {
            "name": "{name}".format_map,
            "test error": "{error_percent:.2f} %".format_map,
            "network": lambda row: "-".join(map(str, row["sizes"])),
            "variant": "{variant}".format_map,
            "bytes": "{bytes:,}".format_map,
        },
    )


def evaluate(model: Model, data: Data = None, as_json: Json = False) -> None:
    """Measure a network on the test digits, with the bitwise kernels."""
    path = find_model(model).absolute()
    network = BitwiseNetwork.load(path)
    digits = digits_of(data)
    started = time.perf_counter()
    scores = network.scores(digits.test_images)
    seconds = time.perf_counter() - started
    best = scores.max(axis=1, keepdims=True)
    errors = int((scores.argmax(axis=1) != digits.test_labels).sum())
    result = {
        "name": path.parent.name if path.name == MODEL_FILE else path.stem,
        "error_percent": round(100 * errors / len(scores), 4),
        "errors": errors,
        "n": len(scores),
        "ties": int(((scores == best).sum(axis=1) > 1).sum()),
        "seconds": round(seconds, 4),
    }
    if as_json:
        print_json(result)
        return
    print(
        f"{result['name']}: {result['error_percent']:.2f} % test error,"
        f" {errors} of {len(scores):,} digits, {result['ties']} ties, {seconds:.2f} s"
    )


def predict(
    model: Model,
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE...", help="PNG or JPEG files, a digit each.")
    ],
    as_json: Json = False,
) -> None:
    """Read digits from pictures, dark on light or light on dark."""
    network = BitwiseNetwork.load(model)
    results = []
    for image in images:
        scores = network.scores(load_image(image, network.side)[None])[0]
        results.append({"image": str(image), "label": int(scores.argmax()), "scores": scores.tolist()})
    if as_json:
        print_json(results)
        return
    for result in results:
        second, first = sorted(result["scores"])[-2:]
        print(f"{result['image']}: {result['label']}, ahead by {first - second}")
