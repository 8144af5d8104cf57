"""The HTTP client that huggingface_hub is given: every request with a timeout, counted, paced, and retried
where a repeat is harmless.

huggingface_hub 1.x runs on httpx, 2.x on httpx2; its own client has no timeout, and most of its methods
retry nothing (hub-api 4.3). Both are mended here, below it, so that one rule holds for every method.
"""

from __future__ import annotations

import random
import re
import uuid
from contextvars import ContextVar
from types import ModuleType
from typing import Any

from hfspace.live.limiter import Limiter

TIMEOUT_SECONDS = 30.0
ATTEMPTS = 5
_RETRIED = frozenset({500, 502, 503, 504})
_READS = frozenset({"GET", "HEAD"})

current_limiter: ContextVar[Limiter | None] = ContextVar("hfspace_limiter", default=None)
"""The limiter of the HubClient that is calling. huggingface_hub has one client per process; this keeps two
HubClients apart in it."""


def http_module() -> ModuleType:
    """httpx2 or httpx: whichever the installed huggingface_hub runs on."""
    import huggingface_hub.utils

    module = getattr(huggingface_hub.utils, "httpx", None)
    if isinstance(module, ModuleType):
        return module
    import httpx  # huggingface_hub < 1.33 does not re-export it

    return httpx


class GaveUp(Exception):
    """A read that failed to the last attempt. Not an httpx error, so that huggingface_hub's own retries,
    which sleep without an end that we could set, do not repeat ours. `response` is None without an answer.
    """

    def __init__(self, answer: Any) -> None:
        super().__init__(type(answer).__name__)
        self.response = None if isinstance(answer, Exception) else answer


def install() -> None:
    """Give huggingface_hub our client. Harmless to call again."""
    from huggingface_hub import set_client_factory

    set_client_factory(new_client)


def new_client(inner: Any = None) -> Any:
    """A client with our transport over `inner` (sockets, unless told otherwise). Its request hook adds the
    trace id as the library's own does, and leaves out that one's HF_DEBUG dump of bodies, which would print
    the values of secrets."""
    httpx = http_module()
    return httpx.Client(
        transport=_transport(httpx, inner or httpx.HTTPTransport()),
        follow_redirects=True,
        timeout=TIMEOUT_SECONDS,
        event_hooks={"request": [_trace]},
    )


def _trace(request: Any) -> None:
    request.headers.setdefault("X-Amzn-Trace-Id", str(uuid.uuid4()))


def _transport(httpx: ModuleType, inner: Any) -> Any:
    class PacedTransport(httpx.BaseTransport):  # type: ignore[name-defined,misc]
        def handle_request(self, request: Any) -> Any:
            limiter = current_limiter.get()
            if limiter is None:
                return inner.handle_request(_with_timeout(request))
            return _paced(httpx, inner, _with_timeout(request), limiter)

        def close(self) -> None:
            inner.close()

    return PacedTransport()


def _with_timeout(request: Any) -> Any:
    """list_spaces and space_info override a client's timeout with None; nothing may wait for ever."""
    given = request.extensions.get("timeout") or {}
    kept = {key: given.get(key) or TIMEOUT_SECONDS for key in ("connect", "read", "write", "pool")}
    request.extensions = {**request.extensions, "timeout": kept}
    return request


def _paced(httpx: ModuleType, inner: Any, request: Any, limiter: Limiter) -> Any:
    """Send, and send again where that is harmless; the last answer or error is the caller's."""
    read = request.method in _READS
    for attempt in range(1, ATTEMPTS + 1):
        answer = _send(httpx, inner, request, limiter)
        last = attempt == ATTEMPTS
        if isinstance(answer, Exception):
            # A connection that was never made has changed nothing; any other break may have.
            if not (read or isinstance(answer, httpx.ConnectError)):
                raise answer
            if last:
                raise GaveUp(answer)
            _back_off(limiter, attempt, None)
        elif answer.status_code == 429 and not last:
            limiter.wait_for_window(limiter.refused(_retry_after(answer.headers)))
        elif answer.status_code == 409 and "conflicting operation" in answer.text:
            # huggingface_hub repeats such a create at once and without end (hub-api 1.8): slow it down.
            limiter.pace.sleep(1.0, "waiting for another operation on the Hub to end")
            return answer
        elif not read or answer.status_code not in {*_RETRIED, 429}:
            return answer
        elif last:
            raise GaveUp(answer)
        else:
            _back_off(limiter, attempt, answer)
    raise AssertionError("unreachable")


def _send(httpx: ModuleType, inner: Any, request: Any, limiter: Limiter) -> Any:
    """One request: its response, read to the end unless it is a stream of events, or its transport error."""
    limiter.acquire()
    response = None
    try:
        response = inner.handle_request(request)
        if "text/event-stream" not in response.headers.get("content-type", ""):
            response.read()
        return response
    except httpx.TransportError as error:
        return error
    finally:
        limiter.release(response.headers if response is not None else None)


def _back_off(limiter: Limiter, attempt: int, response: Any) -> None:
    after = _retry_after(response.headers) if response is not None else None
    jitter = random.uniform(0.5, 1.0)  # noqa: S311 - spreads threads, not a secret
    pause = after if after is not None else min(0.25 * 2**attempt, 8.0) * jitter
    limiter.pace.sleep(pause, "waiting to ask the Hub again")


def _retry_after(headers: Any) -> float | None:
    """Seconds, None when nothing tells: an exhausted window's own figure wins over Retry-After."""
    if found := re.search(r"\bt=(\d+)", headers.get("ratelimit", "")):
        exhausted = re.search(r"\br=0\b", headers.get("ratelimit", ""))
        if exhausted:
            return int(found[1]) + 1.0
    text = headers.get("retry-after", "")
    return float(text) if text.isdigit() else None
