"""An exclusive lock on an open file, held until the file is closed or the process ends."""

from __future__ import annotations

import sys
from typing import IO


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
