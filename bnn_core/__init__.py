"""Bitwise neural networks: training (torch), packed inference (NumPy), run folders.

The method is Kim & Smaragdis, *Bitwise Neural Networks*, 2016, arXiv:1601.06071. Importing this
package does not import torch; only training does, when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bnn_core.config import RunConfig
from bnn_core.control import Control
from bnn_core.datasets import Digits, load_digits, load_mnist
from bnn_core.errors import InputError
from bnn_core.network import BitwiseNetwork
from bnn_core.presets import preset
from bnn_core.real import RealNetwork

if TYPE_CHECKING:
    from bnn_core.training import train

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


def __getattr__(name: str) -> Any:
    """What needs torch is loaded when it is first named."""
    if name == "train":
        from bnn_core.training import train

        return train
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
