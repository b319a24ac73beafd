"""Bitwise neural networks: training (torch), packed inference (NumPy and machine code), run folders.

The method is Kim & Smaragdis, *Bitwise Neural Networks*, 2016, arXiv:1601.06071. Importing this
package imports nothing else: each name below loads what it needs when it is first asked for, so that a
network answers within a moment of its start, and only training waits for torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bnn_core.config import RunConfig
    from bnn_core.datasets.digits import Digits, load_digits, load_mnist
    from bnn_core.errors import InputError
    from bnn_core.network.bitwise import BitwiseNetwork
    from bnn_core.network.real import RealNetwork
    from bnn_core.presets import preset
    from bnn_core.training.control import Control
    from bnn_core.training.start import train

__version__ = "0.1.0"

__all__ = [
    "BitwiseNetwork",
    "Control",
    "Digits",
    "InputError",
    "RealNetwork",
    "RunConfig",
    "load_digits",
    "load_mnist",
    "preset",
    "train",
]

_HOMES = {
    "BitwiseNetwork": "network.bitwise",
    "Control": "training.control",
    "Digits": "datasets.digits",
    "InputError": "errors",
    "RealNetwork": "network.real",
    "RunConfig": "config",
    "load_digits": "datasets.digits",
    "load_mnist": "datasets.digits",
    "preset": "presets",
    "train": "training.start",
}
"""Which module has each public name."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value  # from now on without asking here
    return value
