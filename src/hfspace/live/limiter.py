"""One limiter for all threads of a run: reads the Hub's RateLimit headers and waits before the wall."""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from hfspace.errors import Interrupted, RateLimited, WaitTimeout
from hfspace.live.hub_clock import HubClock
from hfspace.text import rough_time

# RateLimit: "api";r=0;t=55  RateLimit-Policy: "fixed window";"api";q=500;w=300  (docs/hub-api.md section 14)
_LEFT = re.compile(r"\br=(\d{1,9})\b")
_RESET = re.compile(r"\bt=(\d{1,9})\b")
_QUOTA = re.compile(r"\bq=(\d{1,9})\b")
_SPREAD_SECONDS = 0.2
LONGEST_WAIT = 900.0
"""Seconds. The Hub's windows are five minutes; who asks for hours is not waited for."""


class Pace:
    """Time, and the ways a wait may end early: a deadline, or `stop()` from a signal handler.

    Every wait of a run goes through one Pace, so that --timeout and Ctrl-C end all of them at once.
    """

    def __init__(self, timeout: float | None = None) -> None:
        self._stop = threading.Event()
        self._timeout = timeout
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._own: ContextVar[float | None] = ContextVar("own deadline", default=None)

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()

    @property
    def left(self) -> float | None:
        """Seconds until the deadline; None when there is none."""
        deadline = self._own.get() or self._deadline
        return None if deadline is None else deadline - self.now()

    @contextmanager
    def own_time(self) -> Iterator[None]:
        """From here on this thread has a whole --timeout of its own: what else took long is no reason."""
        token = self._own.set(None if self._timeout is None else self.now() + self._timeout)
        try:
            yield
        finally:
            self._own.reset(token)

    def now(self) -> float:
        return time.monotonic()

    def stop(self) -> None:
        self._stop.set()

    def sleep(self, seconds: float, what: str) -> None:
        """Wait. Raises Interrupted when stopped, WaitTimeout (naming `what`) at the deadline."""
        left = self.left
        if left is not None and left <= 0:
            raise WaitTimeout(f"Time is up while {what}.", hint="Give it longer with --timeout.")
        if self._stop.wait(seconds if left is None else min(seconds, left)):
            raise Interrupted(f"Interrupted while {what}.")
        if left is not None and seconds >= left:
            raise WaitTimeout(f"Time is up while {what}.", hint="Give it longer with --timeout.")


@dataclass(slots=True)
class Limiter:
    """Counts requests, and holds them back when the window of the Hub is used up."""

    pace: Pace
    notify: Callable[[str], None]
    requests: int = 0
    quota: int | None = None
    clock: HubClock = field(default_factory=HubClock)
    _left: int | None = None
    _opens_at: float = 0.0
    _in_flight: int = 0
    _told_until: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def left(self) -> int | None:
        """Requests left in the window, as far as the Hub told."""
        return self._left

    def acquire(self) -> None:
        """Wait until one more request fits into the window, and count it."""
        while True:
            with self._lock:
                now = self.pace.now()
                if self._left is None or self._left > 0 or now >= self._opens_at:
                    if self._left is not None:
                        # A window that opened again is unknown until the first answer: one request at a
                        # time would be slow, all at once could meet the wall, so the old quota is assumed.
                        self._left = self._left - 1 if self._left > 0 else max((self.quota or 1) - 1, 0)
                    self._in_flight += 1
                    self.requests += 1
                    return
                wait = self._opens_at - now
            self.wait_for_window(wait)

    def release(self, headers: Mapping[str, str] | None) -> None:
        """Learn from an answer; None when there was none."""
        with self._lock:
            self._in_flight -= 1
            if headers is not None:
                self._learn(headers)

    def refused(self, retry_after: float | None) -> float:
        """A 429 came: close the window. Returns the seconds to wait: what the Hub asks for (`retry_after`),
        and only where it does not say, until the window is renewed."""
        with self._lock:
            now = self.pace.now()
            wait = retry_after if retry_after is not None else max(self._opens_at - now, 1.0)
            self._left = 0
            self._opens_at = now + wait
            return wait

    def _learn(self, headers: Mapping[str, str]) -> None:
        policy, limit = headers.get("ratelimit-policy", ""), headers.get("ratelimit", "")
        self.clock.learn(headers)
        if match := _QUOTA.search(policy):
            self.quota = int(match[1])
        left, reset = _LEFT.search(limit), _RESET.search(limit)
        if not left or not reset:
            return
        opens_at = self.pace.now() + int(reset[1]) + 1
        fresh = max(int(left[1]) - self._in_flight, 0)
        # Answers may arrive out of order: within one window the lowest figure is the true one.
        same_window = abs(opens_at - self._opens_at) < 2.5 and self._left is not None
        self._left = min(fresh, self._left) if same_window and self._left is not None else fresh
        self._opens_at = opens_at

    def wait_for_window(self, seconds: float) -> None:
        """Raises RateLimited where that is too long, what Pace.sleep raises."""
        seconds += random.uniform(0, _SPREAD_SECONDS)  # noqa: S311 - spreads threads, not a secret
        left = self.pace.left
        if seconds > LONGEST_WAIT:
            raise RateLimited(
                f"The Hub asks to wait {rough_time(seconds)} before the next request.",
                hint="Run again then.",
                reset_in=seconds,
            )
        if left is not None and seconds > left:
            raise RateLimited(
                f"The Hub's rate limit opens again in {seconds:.0f} s, after --timeout.",
                hint="Run again later, or with a longer --timeout.",
                reset_in=seconds,
            )
        with self._lock:
            tell = self.pace.now() >= self._told_until
            if tell:
                self._told_until = self.pace.now() + seconds
        if tell:
            quota = f" of {self.quota}" if self.quota else ""
            self.notify(f"Rate limit: no request left{quota}; the Hub's window opens in {seconds:.0f} s.")
        self.pace.sleep(seconds, "waiting for the Hub's rate limit")
