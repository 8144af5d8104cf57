"""When a request is made again: after how long, how often, and never where it may have had an effect.

The Hub's client has a limiter for all threads besides (hfspace.live.limiter), which follows the same headers.
"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from hfspace.requestlog import log_request

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

_SECONDARY_SECONDS = 60.0
"""What GitHub asks for when it says 'secondary rate limit' and no more."""


def asked_wait(headers: Mapping[str, str], now: Callable[[], float] = time.time) -> float | None:
    """Seconds that an answer asks to wait: its Retry-After, else until its used-up window opens; None when it
    does not ask. Header names are in lower case."""
    after = headers.get("retry-after", "").strip()
    if after.isascii() and after.isdigit():
        return max(float(after), 1.0)
    window = headers.get("ratelimit", "")  # the Hub: "api";r=0;t=55
    if re.search(r"\br=0\b", window) and (opens := re.search(r"\bt=(\d{1,9})\b", window)):
        return int(opens[1]) + 1.0
    reset = headers.get("x-ratelimit-reset", "")  # GitHub: seconds since the epoch
    if headers.get("x-ratelimit-remaining") == "0":
        known = reset.isascii() and reset.isdigit()
        return max(1.0, float(reset) - now() + 1) if known else _SECONDARY_SECONDS
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """At most `attempts` requests, and no wait of more than `longest` seconds: who asks for more is not asked
    again."""

    attempts: int
    longest: float
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time

    def send(self, request: Callable[[], httpx.Response], *, repeatable: bool) -> httpx.Response:
        """The last answer; `repeatable` says that a second request does no harm where the first may have been
        carried out. Raises httpx.TransportError when the last request got no answer."""
        import httpx

        for attempt in range(1, self.attempts + 1):
            started = time.monotonic()
            try:
                response = request()
            except httpx.TransportError as error:
                sent = error.request
                log_request(sent.method, str(sent.url), started, attempt=attempt, error=error)
                if not repeatable or attempt == self.attempts:
                    raise
                self.sleep(_growing(attempt))
                continue
            sent, status = response.request, response.status_code
            log_request(
                sent.method, str(sent.url), started, status=status, headers=response.headers, attempt=attempt
            )
            wait = self._wait(response, attempt, repeatable)
            if wait is None or wait > self.longest or attempt == self.attempts:
                return response
            self.sleep(wait)
        raise AssertionError("unreachable")

    def _wait(self, response: httpx.Response, attempt: int, repeatable: bool) -> float | None:
        """Seconds until another try makes sense; None when it does not."""
        if response.status_code in {403, 429}:
            # What a rate limit refuses was not carried out.
            asked = asked_wait(response.headers, self.now)
            if asked is None and "secondary rate limit" in response.text:
                return _SECONDARY_SECONDS
            return _growing(attempt) if asked is None and response.status_code == 429 else asked
        if response.status_code >= 500 and repeatable:
            return asked_wait(response.headers, self.now) or _growing(attempt)
        return None


READ_PAUSES = (0.3, 1.0)
"""Seconds before each further try of a read that an app did not answer."""


async def repeated(
    read: Callable[[], Awaitable[T]],
    *,
    again: type[Exception],
    final: tuple[type[Exception], ...] = (),
    pauses: tuple[float, ...] = READ_PAUSES,
    sleep: Callable[[float], Awaitable[None]],
) -> T:
    """What `read` gives; tried again after each pause where it raises `again`, but not `final`."""
    for pause in pauses:
        try:
            return await read()
        except final:
            raise
        except again:
            await sleep(pause)
    return await read()


def _growing(attempt: int) -> float:
    return 2.0 ** (attempt - 1)
