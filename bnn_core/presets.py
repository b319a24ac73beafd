"""Named configurations, each with the result and the time to expect from it.

The expected figures are what one run of each gave, on one of two cores at about 3 GHz; for the shipped
networks, which the same command made, the cards (``bnn_core/models/NAME/card.json``) hold them exactly.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from bnn_core.config import DataConfig, NetworkConfig, NoiseConfig, PhaseConfig, RunConfig
from bnn_core.errors import InputError


@dataclass(frozen=True)
class Preset:
    """A named configuration.

    Attributes:
        error_percent: bitwise test error to expect, in %.
        seconds: time to expect on two cores (one trains, one is left to the pages), in seconds.
        story: one sentence: what one sees in this run.
    """

    name: str
    title: str
    story: str
    config: RunConfig
    error_percent: float
    seconds: float


_QUICK = RunConfig(
    network=NetworkConfig(hidden=(256, 256)),
    phase1=PhaseConfig(epochs=6, learning_rate=0.016, batch=500),
    phase2=PhaseConfig(epochs=8, learning_rate=0.008, batch=500),
)
_PAPER = (1024, 1024, 1024)

PRESETS: dict[str, Preset] = {
    p.name: p
    for p in (
        Preset(
            "quick",
            "Quick",
            "Both phases in half a minute: naive binarisation fails, noisy back-propagation repairs it.",
            _QUICK,
            error_percent=3.4,
            seconds=20,
        ),
        Preset(
            "talk",
            "Talk",
            "A wider network for a talk: a minute, and close to its real-valued twin.",
            RunConfig(
                network=NetworkConfig(hidden=(512, 512)),
                phase1=PhaseConfig(epochs=6, learning_rate=0.014, batch=400, dropout_input=0.1),
                phase2=PhaseConfig(epochs=10, learning_rate=0.007, batch=400, dropout_input=0.1),
            ),
            error_percent=2.5,
            seconds=62,
        ),
        Preset(
            "half-off",
            "Half the weights off",
            "Half of the hidden weights are switched off, and the error hardly moves.",
            _QUICK.updated({"noise.sparsity": 0.5}),
            error_percent=3.2,
            seconds=25,
        ),
        Preset(
            "compressed",
            "Compressed hard",
            "A high gain presses the weights to -1 and +1: the naive network gains, the real one pays.",
            _QUICK.updated({"compression.gain_end": 16.0}),
            error_percent=4.4,
            seconds=22,
        ),
        Preset(
            "paper-plain",
            "Paper, plain",
            "The paper's network, trained by the paper's method and nothing else.",
            RunConfig(
                data=DataConfig(train_digits=60_000),
                network=NetworkConfig(hidden=_PAPER),
                noise=NoiseConfig(pseudo_gradient="tanh"),
                phase1=PhaseConfig(epochs=15, batch=250, dropout_input=0.2, dropout_hidden=0.5),
                phase2=PhaseConfig(epochs=60, batch=250),
            ),
            error_percent=1.97,
            seconds=1610,
        ),
        Preset(
            "paper",
            "Paper, beaten",
            "The paper's network, as good as we can make it: dropout, nudged inputs, constant units.",
            RunConfig(
                data=DataConfig(train_digits=60_000),
                network=NetworkConfig(hidden=_PAPER, constant_units=64),
                phase1=PhaseConfig(epochs=15, batch=250, dropout_input=0.1, dropout_hidden=0.2, nudge=0.125),
                phase2=PhaseConfig(epochs=60, batch=250, dropout_input=0.1, dropout_hidden=0.2, nudge=0.125),
            ),
            error_percent=1.15,
            seconds=3150,
        ),
    )
}


def preset(name: str) -> RunConfig:
    """The configuration of a preset; raises InputError naming the allowed ones."""
    return preset_info(name).config


def preset_info(name: str) -> Preset:
    """The preset of that name; raises InputError naming the allowed ones."""
    if name not in PRESETS:
        near = difflib.get_close_matches(name, PRESETS, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise InputError(f"There is no preset {name!r}{hint}: allowed are {', '.join(PRESETS)}.")
    return PRESETS[name]
