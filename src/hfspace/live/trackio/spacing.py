"""One create at a time per app, more than a second apart: the Gradio app names an experiment after the second
in which it is made, and two of one second overwrite each other while both report success."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

SECONDS = 1.1


@dataclass(slots=True)
class Spacing:
    """Shared by all threads that may create on the same app. `clock` and `sleep` are in seconds."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _locks: dict[str, threading.Lock] = field(default_factory=dict)
    _made: dict[str, float] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def turn(self, app: str) -> Iterator[None]:
        """Nobody else of this process creates on `app` meanwhile."""
        with self._guard:
            lock = self._locks.setdefault(app, threading.Lock())
        with lock:
            yield

    def wait(self, app: str, listed_at: float) -> None:
        """Wait until the second of the last create is over. Without one of ours, that of the newest that was
        listed at `listed_at`: another process may have made it just then."""
        since = self._made.get(app, listed_at)
        left = since + SECONDS - self.clock()
        if left > 0:
            self.sleep(left)

    def made(self, app: str) -> None:
        """A create was sent and answered, or was lost: its second counts from now."""
        self._made[app] = self.clock()


PROCESS = Spacing()
"""The one of this process: two clients of one app must know of each other's creates."""
