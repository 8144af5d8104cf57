"""An exclusive lock on an open file, held until the file is closed or the process ends."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from hfspace.errors import TrackioUnavailable

_LONGEST_TURN = 60.0


def try_lock(file: IO[bytes]) -> bool:
    """Take the lock; False when somebody else has it.

    flock belongs to the open file and not to the process (unlike lockf), so that closing another handle of
    the same file does not drop it, and two handles of one process exclude each other.
    """
    try:
        _lock(file)
    except OSError:
        return False
    return True


@contextmanager
def turn(*key: str | None) -> Iterator[None]:
    """One process of this user and machine at a time for the same `key`.

    Raises TrackioUnavailable after a minute of waiting. Where no lock file can be made, nobody waits."""
    name = hashlib.sha256(repr(key).encode()).hexdigest()[:20]
    user = os.getuid() if hasattr(os, "getuid") else 0
    path = Path(tempfile.gettempdir()) / f"hfspace-{user}-{name}.lock"
    try:
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        file = os.fdopen(os.open(path, flags, 0o600), "r+b", buffering=0)
    except OSError:
        yield
        return
    with file:
        deadline = time.monotonic() + _LONGEST_TURN
        while not try_lock(file):
            if time.monotonic() > deadline:
                raise TrackioUnavailable("Another process of this experiment has been sending for a minute.")
            time.sleep(0.02)
        yield


if sys.platform == "win32":

    def _lock(file: IO[bytes]) -> None:
        import msvcrt

        at = file.tell()
        # A byte far beyond the end: Windows locks keep others from reading what they cover.
        file.seek(1 << 40)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        finally:
            file.seek(at)

else:

    def _lock(file: IO[bytes]) -> None:
        import fcntl

        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
