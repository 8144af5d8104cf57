"""One sender at a time: processes of one user take turns at an experiment."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from hfspace.errors import TrackioUnavailable
from hfspace.files import lock_file, try_lock

_LONGEST_TURN = 60.0


@contextmanager
def turn(*key: str | None) -> Iterator[None]:
    """One process of this user and machine at a time for the same `key`.

    Raises TrackioUnavailable after a minute of waiting. Where no lock file can be made, nobody waits."""
    try:
        file = lock_file("trackio", *key)
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
