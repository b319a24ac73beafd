"""Bitwise neural networks: training (torch), packed inference (NumPy and machine code), run folders.

The method is Kim & Smaragdis, *Bitwise Neural Networks*, 2016, arXiv:1601.06071. Importing this
package imports nothing else: each name below loads what it needs when it is first asked for, so that a
network answers within a moment of its start, and only training waits for torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bnn_core.lazy import lazy_names

if TYPE_CHECKING:
    from bnn_core.config import RunConfig
    from bnn_core.datasets import Digits, load_digits, load_mnist
    from bnn_core.errors import InputError
    from bnn_core.network.bitwise import BitwiseNetwork
    from bnn_core.network.real import RealNetwork
    from bnn_core.presets import preset
    from bnn_core.training import train
    from bnn_core.training.control import Control

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

__getattr__ = lazy_names(
    __name__,
    {
        "BitwiseNetwork": "network.bitwise",
        "Control": "training.control",
        "Digits": "datasets",
        "InputError": "errors",
        "RealNetwork": "network.real",
        "RunConfig": "config",
        "load_digits": "datasets",
        "load_mnist": "datasets",
        "preset": "presets",
        "train": "training",
    },
)
