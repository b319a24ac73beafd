"""Opening what a person names as a file: nothing is waited for, nothing but a file is read."""

import os
import stat
from io import BufferedReader
from pathlib import Path

from bnn_core.errors import InputError


def open_regular(path: str | Path) -> BufferedReader:
    """A regular file, open for reading bytes; a pipe without a writer is refused too, at once.

    Raises:
        InputError: The file cannot be opened, or is a pipe, a device, a socket or a folder.
    """
    try:
        file = open(path, "rb", opener=_without_waiting)  # noqa: SIM115
    except (OSError, ValueError) as error:  # ValueError: a name that no system can have
        raise InputError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise InputError(f"{path} is a pipe or a device; allowed is a file.")
    return file


def _without_waiting(name: str, flags: int) -> int:
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))
