"""Compiled kernels on disk: machine code, so a file is used only if it is surely one's own and whole.

One file a kind of processor and version of the sources, in the user's cache folder. What is in doubt is
not used: a folder or file of somebody else's, or one that others may write to, a link, a file that is cut
or altered. Then the kernels are compiled anew, which takes a moment and is never an error.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from pathlib import Path

from bnn_core.errors import InputError
from bnn_core.files import write_atomically

_DIGEST = 32
_KEPT = 16
"""Files that stay: four a processor, for a few processors that share a home or the last few versions."""
_SUFFIX = ".kernels"


def user_folder() -> Path:
    """Where this user's compiled kernels lie."""
    import platformdirs

    return platformdirs.user_cache_path("bitwise-explorer", appauthor=False) / "kernels"


def read(folder: Path, identity: str) -> bytes | None:
    """The machine code kept for that identity; None if there is none, or none to be trusted."""
    try:
        if not _private(os.lstat(folder), folder=True):
            return None
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        with open(os.open(folder / _name(identity), flags), "rb") as file:
            if not _private(os.fstat(file.fileno()), folder=False):
                return None
            content = file.read()
    except OSError:
        return None
    digest, code = content[:_DIGEST], content[_DIGEST:]
    return code if digest == _digest(identity, code) else None


def write(folder: Path, identity: str, code: bytes) -> bool:
    """Keep machine code for that identity; says whether it could be kept."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _private(os.lstat(folder), folder=True):
            return False
        write_atomically(folder / _name(identity), _digest(identity, code) + code)
    except (OSError, InputError):
        return False
    with contextlib.suppress(OSError):
        files = sorted(folder.glob(f"*{_SUFFIX}"), key=lambda path: path.stat().st_mtime)
        for path in files[:-_KEPT]:
            path.unlink()
    return True


def _name(identity: str) -> str:
    return hashlib.sha256(identity.encode()).hexdigest()[:32] + _SUFFIX


def _digest(identity: str, code: bytes) -> bytes:
    """Of both, so that a file under another's name is not taken for it."""
    return hashlib.sha256(identity.encode() + b"\0" + code).digest()


def _private(state: os.stat_result, *, folder: bool) -> bool:
    """Whether it is of the kind expected, one's own, and nobody else may write to it."""
    if not (stat.S_ISDIR(state.st_mode) if folder else stat.S_ISREG(state.st_mode)):
        return False
    if not hasattr(os, "getuid"):
        return True  # Windows: the folder lies in the user's profile, which only the user may write to
    others = 0o077 if folder else 0o022
    return state.st_uid == os.getuid() and not state.st_mode & others
