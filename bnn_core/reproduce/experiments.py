"""The experiments: what is trained, under which name, and what the paper has for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bnn_core.config import RunConfig
from bnn_core.errors import InputError
from bnn_core.presets import preset


@dataclass(frozen=True)
class Experiment:
    """One configuration, to be run with several seeds.

    Attributes:
        name: as ``--only`` takes it, [a-z0-9-]; its runs are called ``reproduce-NAME-SEED``.
        group: a key of :data:`GROUPS`.
        title: what a table or a chart calls it.
        config: with the first seed, 0.
        seeds: how many are run unless told otherwise.
        value: its place on the curve's axis, in a group that is a curve.
        paper: test error in % of the paper's float and bitwise network, as commonly cited; None: not in it.
    """

    name: str
    group: str
    title: str
    config: RunConfig
    seeds: int = 1
    value: float | None = None
    paper: tuple[float, float] | None = None


GROUPS = {
    "table": "The paper's table: 3 x 1024 hidden units, all 60,000 training digits",
    "ablation": "One change at a time: 3 x 512 hidden units, 50,000 training digits",
    "sparsity": "Error against sparsity: the share of weights that are switched off",
    "gain": "Error against the compression gain that phase 1 ends with",
    "width": "Error against width: units of both hidden layers",
    "input-flips": "Noise in training, on input bits, and what it buys",
    "hidden-flips": "Noise in training, on hidden bits, and what it buys",
    "weight-flips": "Noise in training, on weight bits, and what it buys",
}
"""What the groups show; ``table`` is what is run unless another is asked for."""

CURVES = {
    "sparsity": ("noise.sparsity", (0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.97)),
    "gain": ("compression.gain_end", (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)),
    "width": ("network.hidden", (32, 64, 128, 256, 512, 1024)),
    "input-flips": ("noise.input_flips", (0.0, 0.02, 0.05, 0.1, 0.15)),
    "hidden-flips": ("noise.hidden_flips", (0.0, 0.02, 0.05, 0.1, 0.15)),
    "weight-flips": ("noise.weight_flips", (0.0, 0.01, 0.02, 0.05, 0.1)),
}
"""The field that each curve turns, and its values; everything else is the preset ``quick``."""

CURVE_SEEDS = 3

PAPER = {"bipolar": (1.17, 1.33), "zero-one": (1.32, 1.36), "two-bit": (1.36, 1.47)}
"""Test error in % of the paper's float and bitwise networks, by features.

1.33 is confirmed by a later paper's table; the others are as commonly cited.
"""


def _table() -> Iterator[Experiment]:
    best, plain = preset("paper"), preset("paper-plain")
    shorter = {"phase1.epochs": 10, "phase2.epochs": 35}
    threshold = {"network.constant_units": 0, "network.variant": "threshold"}

    def one(name: str, title: str, config: RunConfig, seeds: int = 1) -> Experiment:
        return Experiment(name, "table", title, config, seeds, paper=PAPER[config.data.features])

    yield one("threshold", "threshold", best.updated(threshold), 3)
    yield one(
        "threshold-scratch",
        "threshold, without phase 1",
        best.updated({**threshold, "phase1.epochs": 0, "phase2.epochs": 45}),
    )
    yield one("constant", "strict, with 64 constant units a layer", best, 3)
    yield one(
        "strict", "strict, one-bit biases alone", best.updated({**shorter, "network.constant_units": 0}), 3
    )
    yield one("paper-plain", "strict, the paper's method and nothing else", plain)
    yield one(
        "sparse",
        "strict, with constant units, half of the weights off",
        best.updated({**shorter, "noise.sparsity": 0.5}),
    )
    for features in ("zero-one", "two-bit"):
        yield one(
            features, "strict, with constant units", best.updated({**shorter, "data.features": features})
        )


def _ablation() -> Iterator[Experiment]:
    plain: dict[str, Any] = {
        "network.hidden": [512, 512, 512],
        "phase1.epochs": 10,
        "phase1.batch": 250,
        "phase2.epochs": 20,
        "phase2.batch": 250,
    }
    dropout = {
        "phase1.dropout_input": 0.1,
        "phase1.dropout_hidden": 0.2,
        "phase2.dropout_input": 0.1,
        "phase2.dropout_hidden": 0.2,
    }
    nudge = {"phase1.nudge": 0.1, "phase2.nudge": 0.1}
    constant = {"network.constant_units": 64}
    for name, title, changes in (
        ("plain-512", "plain", {}),
        ("plain-512-tanh", "tanh' as pseudo-gradient", {"noise.pseudo_gradient": "tanh"}),
        ("plain-512-identity", "identity as pseudo-gradient", {"noise.pseudo_gradient": "identity"}),
        ("plain-512-no-decay", "no decay of the rate in phase 2", {"phase2.decay": "none"}),
        ("plain-512-scratch", "no phase 1", {"phase1.epochs": 0, "phase2.epochs": 30}),
        ("plain-512-dropout", "dropout", dropout),
        ("plain-512-nudge", "nudged inputs", nudge),
        ("plain-512-constant", "constant units", constant),
        ("plain-512-threshold", "integer thresholds", {"network.variant": "threshold"}),
        ("plain-512-all", "dropout, nudged inputs, constant units", {**dropout, **nudge, **constant}),
    ):
        yield Experiment(name, "ablation", title, RunConfig().updated({**plain, **changes}), 2)


def _curves() -> Iterator[Experiment]:
    base = preset("quick")
    for group, (path, values) in CURVES.items():
        for value in values:
            changed = [int(value)] * 2 if path == "network.hidden" else value
            name = f"{group}-{value:g}".replace(".", "-")
            title = f"{path} {value:g}"
            yield Experiment(name, group, title, base.updated({path: changed}), CURVE_SEEDS, value=value)


EXPERIMENTS = {e.name: e for e in (*_table(), *_ablation(), *_curves())}
"""Every experiment by name."""


def chosen(only: str | None) -> list[Experiment]:
    """The experiments of that group or name; the paper's table if there is no word.

    Raises:
        InputError: there is no such experiment or group.
    """
    only = only or "table"
    if only in EXPERIMENTS:
        return [EXPERIMENTS[only]]
    found = [e for e in EXPERIMENTS.values() if e.group == only]
    if not found:
        table = ", ".join(e.name for e in EXPERIMENTS.values() if e.group == "table")
        raise InputError(
            f"--only is {only!r}: allowed are the groups {', '.join(GROUPS)}, and experiments such as {table}"
            " (reproduce --list names all)."
        )
    return found
