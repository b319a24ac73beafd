"""Files: written so that a reader never sees half of one, and that the same content is the same file."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from safetensors import safe_open

from bnn_core.errors import InputError


def write_atomically(path: Path, content: bytes) -> None:
    """Replace ``path`` by ``content``: after a crash it holds the old bytes or the new ones, never a mix.

    Raises:
        InputError: the file cannot be written.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise InputError(f"{path} cannot be written: {error.strerror}.") from error


def read_tensors(path: str | Path) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """A safetensors file's arrays by name, and its metadata.

    Raises:
        OSError, SafetensorError: there is none, or it is damaged.
        TypeError, AttributeError: it holds types that NumPy does not know.
    """
    with safe_open(path, framework="np") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118


def stable_bytes(content: bytes) -> bytes:
    """A safetensors file with its metadata in name order; the library writes them in a random one.

    With it, the same network is the same file, and a plain hash of the file can tell.
    """
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # tensors start at a multiple of 8
    return len(text).to_bytes(8, "little") + text + content[8 + length :]
