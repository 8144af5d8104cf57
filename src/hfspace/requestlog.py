"""One line per HTTP request that leaves this process, to the logger `hfspace.http`, at the level DEBUG.

A line holds no header and no body; of a query only values that are known to be harmless; no token.
docs/debugging.md says how to see it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from hfspace.text import HUB_TOKEN, plain

log = logging.getLogger("hfspace.http")
log.addHandler(logging.NullHandler())

_STARTED = "hfspace_started"
_LONGEST = 300
_HARMLESS = frozenset(
    {"author", "direction", "expand", "factory", "limit", "page", "per_page", "search", "sort", "state"}
    | {"tail", "type"}
)
_REQUEST_IDS = ("x-request-id", "x-github-request-id")
_LEFT = ("x-ratelimit-remaining", "ratelimit-remaining")


def log_request(
    method: str,
    url: str,
    started: float,
    *,
    status: int = 0,
    headers: Mapping[str, str] | None = None,
    attempt: int = 1,
    left: int | None = None,
    error: BaseException | None = None,
) -> None:
    """Log a request that began at `started` (time.monotonic) and has its answer, or the `error` in its place.
    `status` is 0 for a call whose requests another client makes. `left` is what the rate limit has left;
    without it, what the headers of the answer say."""
    if not log.isEnabledFor(logging.DEBUG):
        return
    told = headers or {}
    known = {
        "id": next((told[name] for name in _REQUEST_IDS if name in told), ""),
        "attempt": attempt if attempt > 1 else "",
        "left": next((told[name] for name in _LEFT if name in told), "") if left is None else left,
    }
    result = type(error).__name__ if error is not None else status or "answered"
    took = round((time.monotonic() - started) * 1000)
    rest = "".join(f" {name}={plain(str(value), 100)}" for name, value in known.items() if value != "")
    log.debug("%s %s -> %s in %d ms%s", method, _place(url), result, took, rest)


def hooks(*, asynchronous: bool = False) -> dict[str, list[Callable[..., Any]]]:
    """Event hooks of an httpx client that log each answer; what gets none is logged where it is caught."""

    def begin(request: Any) -> None:
        request.extensions[_STARTED] = time.monotonic()

    def end(response: Any) -> None:
        request = response.request
        started = request.extensions.get(_STARTED, time.monotonic())
        url, headers = str(request.url), response.headers
        log_request(request.method, url, started, status=response.status_code, headers=headers)

    async def begin_later(request: Any) -> None:
        begin(request)

    async def end_later(response: Any) -> None:
        end(response)

    return {
        "request": [begin_later if asynchronous else begin],
        "response": [end_later if asynchronous else end],
    }


def _place(url: str) -> str:
    """Host, path and query of `url`; values of the query that may be secret are left out."""
    try:
        parts = urlsplit(url)
        host = f"{parts.hostname or ''}:{parts.port}" if parts.port else parts.hostname or ""
    except ValueError:
        return "an address that is none"
    query: dict[str, list[str]] = {}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        query.setdefault(name, []).append(value if name in _HARMLESS else "…")
    shown = "&".join(f"{name}={','.join(values)}" for name, values in query.items())
    text = f"{host}{parts.path}{'?' if shown else ''}{shown}"
    return HUB_TOKEN.sub("hf_…", plain(text, _LONGEST))
