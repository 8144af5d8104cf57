"""The HTTP client that huggingface_hub is given: every request with a timeout, counted, paced, and retried
where a repeat is harmless.

huggingface_hub 1.x runs on httpx, 2.x on httpx2; its own client has no timeout, and most of its methods
retry nothing (docs/hub-api.md section 14). Both are mended here, below it: one rule for every method.
"""

from __future__ import annotations

import math
import random
import threading
import time
import uuid
from collections.abc import Iterator
from contextvars import ContextVar
from types import ModuleType
from typing import Any
from urllib.parse import urljoin, urlsplit

from hfspace.errors import HubFault, HubUnreachable
from hfspace.live.limiter import LONGEST_WAIT, Limiter
from hfspace.live.sockets import current_answer_end, ending
from hfspace.requestlog import log_request
from hfspace.retries import asked_wait

TIMEOUT_SECONDS = 30.0
ANSWER_SECONDS = 120.0
"""For the whole of one answer: one that drips would never meet the timeout of a read."""
MOST_BYTES = 64 * 2**20
"""Of one answer, inflated. A page of 1,000 Spaces is about 1 MB."""
LONGEST_LINE = 2**20
"""Bytes of one line of a log."""
ATTEMPTS = 5
_OF_THE_BODY = frozenset({"content-encoding", "content-length", "transfer-encoding"})
_NO_END = "The Hub's answer did not end in its time."
_ENCODINGS = frozenset({"", "identity", "gzip", "deflate"})
_RETRIED = frozenset({500, 502, 503, 504})
_READS = frozenset({"GET", "HEAD"})

current_limiter: ContextVar[Limiter | None] = ContextVar("hfspace_limiter", default=None)
"""The limiter of the HubClient that is calling. huggingface_hub has one client per process; this keeps two
HubClients apart in it."""


current_endpoint: ContextVar[str | None] = ContextVar("hfspace_endpoint", default=None)
"""Where the HubClient that is calling may send its token."""


current_stream_end: ContextVar[float | None] = ContextVar("hfspace_stream_end", default=None)
"""When, by time.monotonic, a stream of events that is opened now ends, whatever it still says; None where no
stream is asked for."""


current_stream_tail: ContextVar[int | None] = ContextVar("hfspace_stream_tail", default=None)
"""How many of the last lines a log that is opened now is asked for (`tail` in the Hub's description)."""


current_download: ContextVar[bool] = ContextVar("hfspace_download", default=False)
"""Whether the answer is a file, which its caller reads piece by piece and within limits of its own."""


class Diverted(Exception):
    """A write was answered with a redirect to another host, which would get its body: secrets, maybe."""


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
        transport=_transport(httpx, inner or _by_scheme(httpx)),
        follow_redirects=True,
        timeout=TIMEOUT_SECONDS,
        event_hooks={"request": [_trace]},
    )


def _by_scheme(httpx: ModuleType) -> Any:
    """Sockets, with the certificates of the world loaded when the first https address is asked: that takes as
    long as planning a hundred Spaces, and a local Hub has none."""

    class ByScheme(httpx.BaseTransport):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            self._plain = ending(httpx.HTTPTransport(verify=False))
            self._secure: Any = None
            self._lock = threading.Lock()

        def handle_request(self, request: Any) -> Any:
            if request.url.scheme == "http":  # no TLS in it to be verified
                return self._plain.handle_request(request)
            with self._lock:
                self._secure = self._secure or ending(httpx.HTTPTransport())
            return self._secure.handle_request(request)

        def close(self) -> None:
            self._plain.close()
            if self._secure is not None:
                self._secure.close()

    return ByScheme()


def _trace(request: Any) -> None:
    request.headers.setdefault("X-Amzn-Trace-Id", str(uuid.uuid4()))


def _transport(httpx: ModuleType, inner: Any) -> Any:
    class EndingStream(httpx.SyncByteStream):  # type: ignore[name-defined,misc]
        """The bytes of a stream until its time is up or the run is stopped: it may never end by itself, and
        what only keeps it alive is seen by nobody above."""

        def __init__(self, inner: Any, end: float, limiter: Limiter) -> None:
            self._inner, self._end, self._limiter = inner, end, limiter

        def __iter__(self) -> Iterator[bytes]:
            size = line = 0
            for chunk in self._inner:
                yield chunk
                size += len(chunk)
                line = len(chunk) - chunk.rfind(b"\n") - 1 + (0 if b"\n" in chunk else line)
                full = line > LONGEST_LINE or (size > MOST_BYTES and self._end != math.inf)
                if full or time.monotonic() >= self._end or self._limiter.pace.stopped:
                    return

        def close(self) -> None:
            self._inner.close()

    class PacedTransport(httpx.BaseTransport):  # type: ignore[name-defined,misc]
        def handle_request(self, request: Any) -> Any:
            limiter, end = current_limiter.get(), current_stream_end.get()
            request = _at_home(_with_timeout(request, end), current_endpoint.get())
            if limiter is None:
                return inner.handle_request(request)
            if (tail := current_stream_tail.get()) is not None:
                request.url = request.url.copy_set_param("tail", str(tail))
            # What the other encodings inflate to has no bound that could be kept chunk by chunk.
            request.headers["accept-encoding"] = "identity" if current_download.get() else "gzip, deflate"
            response = _followable(_paced(httpx, inner, request, limiter), request)
            if end is not None and _is_stream(response):
                response.stream = EndingStream(response.stream, end, limiter)
            return response

        def close(self) -> None:
            inner.close()

    return PacedTransport()


def _is_stream(response: Any) -> bool:
    """Whether a stream was asked for, and this is one: all else is read within limits, whatever it says it
    is. A compressed one is, too: what a chunk of it inflates to has no bound."""
    plain = response.headers.get("content-encoding", "") in {"", "identity"}
    wanted = current_stream_end.get() is not None
    return wanted and plain and "text/event-stream" in response.headers.get("content-type", "")


def _with_timeout(request: Any, end: float | None) -> Any:
    """list_spaces and space_info override a client's timeout with None; nothing may wait for ever, and
    nothing much past `end`."""
    given = request.extensions.get("timeout") or {}
    most = float("inf") if end is None else max(end - time.monotonic(), 0.1)
    kept = {key: min(given.get(key) or TIMEOUT_SECONDS, most) for key in ("connect", "read", "write", "pool")}
    request.extensions = {**request.extensions, "timeout": kept}
    return request


def _at_home(request: Any, endpoint: str | None) -> Any:
    """A redirect or a `next` page may name another host; huggingface_hub would send the token there, too."""
    if endpoint is not None and not _same_place(str(request.url), endpoint):
        for name in ("authorization", "cookie"):
            request.headers.pop(name, None)
    return request


def _followable(response: Any, request: Any) -> Any:
    """The answer, unless it sends the body of a write to another host. Raises Diverted."""
    target = response.headers.get("location", "")
    if request.method in _READS or not (300 <= response.status_code < 400 and target):
        return response
    there = urljoin(str(request.url), target)
    if not _same_place(there, str(request.url)):
        response.close()
        raise Diverted(urlsplit(there).hostname or "unknown")
    return response


def _same_place(url: str, home: str) -> bool:
    """Whether `url` is of the host of `home`; going from http to https is staying, the other way is not."""
    try:
        there, here = urlsplit(url), urlsplit(home)
        ports = tuple(one.port or {"http": 80, "https": 443}.get(one.scheme) for one in (there, here))
    except ValueError:
        return False
    if (there.hostname or "").lower() != (here.hostname or "").lower():
        return False
    upgraded = (here.scheme, there.scheme) == ("http", "https") and ports == (443, 80)
    return upgraded or (there.scheme == here.scheme and ports[0] == ports[1])


def _paced(httpx: ModuleType, inner: Any, request: Any, limiter: Limiter) -> Any:
    """Send, and send again where that is harmless; the last answer or error is the caller's."""
    read = request.method in _READS
    for attempt in range(1, ATTEMPTS + 1):
        answer = _send(httpx, inner, request, limiter, attempt)
        last = attempt == ATTEMPTS
        if isinstance(answer, Exception):
            # A connection that was never made has changed nothing; any other break may have.
            if not (read or isinstance(answer, httpx.ConnectError)):
                raise answer
            if last:
                raise GaveUp(answer)
            _back_off(limiter, attempt, None)
        elif answer.status_code == 429 and not last:
            wait = limiter.refused(asked_wait(answer.headers))
            if wait > LONGEST_WAIT:
                raise GaveUp(answer)  # with what the Hub says
            limiter.wait_for_window(wait)
        elif answer.status_code == 409 and "conflicting operation" in answer.text:
            # huggingface_hub repeats such a create without end (docs/hub-api.md section 8): slow it down.
            limiter.pace.sleep(1.0, "waiting for another operation on the Hub to end")
            return answer
        elif not read or answer.status_code not in {*_RETRIED, 429}:
            return answer
        elif last:
            raise GaveUp(answer)
        else:
            _back_off(limiter, attempt, answer)
    raise AssertionError("unreachable")


def _send(httpx: ModuleType, inner: Any, request: Any, limiter: Limiter, attempt: int) -> Any:
    """One request: its response, read to the end unless it is a stream of events, or its transport error."""
    limiter.acquire()
    response, failure, started = None, None, time.monotonic()
    left = limiter.pace.left
    end = time.monotonic() + min(ANSWER_SECONDS, max(left, 1.0) if left is not None else ANSWER_SECONDS)
    reset = current_answer_end.set(end)
    try:
        response = inner.handle_request(request)
        unread = _is_stream(response) or (current_download.get() and response.status_code == 200)
        return response if unread else _whole(httpx, response, request, limiter, end)
    except httpx.TransportError as error:
        failure = error
        if time.monotonic() >= end:
            raise HubUnreachable(_NO_END, hint="Run again.") from None
        return error
    finally:
        current_answer_end.reset(reset)
        limiter.release(response.headers if response is not None else None)
        log_request(
            request.method,
            str(request.url),
            started,
            status=response.status_code if response is not None else 0,
            headers=response.headers if response is not None else None,
            attempt=attempt,
            left=limiter.left,
            error=failure,
        )


def _whole(httpx: ModuleType, response: Any, request: Any, limiter: Limiter, end: float) -> Any:
    """`response` with its body read, until `end` and within MOST_BYTES.

    Raises HubUnreachable where it does not end, HubFault where it is too large.
    """
    encoding = response.headers.get("content-encoding", "").strip().lower()
    parts, size = [], 0
    try:
        if encoding not in _ENCODINGS:
            raise HubFault(f"The Hub's answer is encoded as nobody asked for ({encoding[:20]}).")
        for part in response.iter_bytes():
            size += len(part)
            if size > MOST_BYTES:
                raise HubFault(
                    f"The Hub's answer is larger than {MOST_BYTES >> 20} MiB.", hint="Check HF_ENDPOINT."
                )
            if time.monotonic() >= end or limiter.pace.stopped:
                raise HubUnreachable(_NO_END, hint="Run again.")
            parts.append(part)
    finally:
        response.close()
    headers = [
        (name, value) for name, value in response.headers.multi_items() if name.lower() not in _OF_THE_BODY
    ]
    return httpx.Response(
        response.status_code,
        headers=headers,
        content=b"".join(parts),
        extensions=response.extensions,
        request=request,
    )


def _back_off(limiter: Limiter, attempt: int, response: Any) -> None:
    after = asked_wait(response.headers) if response is not None else None
    jitter = random.uniform(0.5, 1.0)  # noqa: S311 - spreads threads, not a secret
    pause = after if after is not None else min(0.25 * 2**attempt, 8.0) * jitter
    limiter.pace.sleep(pause, "waiting to ask the Hub again")
