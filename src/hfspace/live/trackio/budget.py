"""How long reading an app may take, and how much it may send, over several requests."""

from __future__ import annotations

import threading
import time

from hfspace.errors import TrackioUnavailable


class TooSlow(TrackioUnavailable):
    """No complete answer in time: asking again would take as long again."""


class TooMuch(TrackioUnavailable):
    """More than may be read: asking again would bring as much again."""


class Budget:
    """Seconds and inflated bytes for all requests that share it. Safe to use from several threads."""

    def __init__(self, seconds: float, most_bytes: int, *, within: Budget | None = None) -> None:
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._within = within
        self._lock = threading.Lock()
        self.restart()

    def restart(self) -> None:
        """From here on all of it is there again: for one reading after the other."""
        with self._lock:
            self._deadline = time.monotonic() + self._seconds
            self._left_bytes = self._most_bytes

    def seconds(self, host: str) -> float:
        """What is left of the time. Raises TooSlow, naming `host`, when nothing is."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TooSlow(
                f"{host} did not answer everything within {self._seconds:g} s.",
                hint="Give it more time, or ask for less.",
            )
        return min(left, self._within.seconds(host)) if self._within is not None else left

    def take(self, count: int, host: str) -> None:
        """Count bytes that came. Raises TooMuch, naming `host`, when they are too many."""
        if self._within is not None:
            self._within.take(count, host)
        with self._lock:
            self._left_bytes -= count
            is_spent = self._left_bytes < 0
        if is_spent:
            raise TooMuch(f"{host} answers with more than {self._most_bytes >> 20} MiB in all.")
