"""The local Hub without sockets: requests of huggingface_hub go straight into its ASGI app.

Histories by the thousand need this; what sockets add is tested with real ones elsewhere.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from hfspace.live import fingerprint, transport
from hfspace.localhub import LocalHub
from hfspace.localhub.routes import streams

_MOST_PIECES = 3
"""Of an answer without an end."""


class Crash(BaseException):
    """The process of a run ends here, as far as the run can tell."""


class Wire:
    """Carries requests to the Hub that is plugged in. `crash_at` ends the run at that request from now,
    'before' or 'after' its effect. `struck` counts what went wrong on purpose."""

    def __init__(self) -> None:
        self.hubs: dict[str, LocalHub] = {}
        self.struck: Counter[str] = Counter()
        self.requests = 0
        self.crash_at: int | None = None
        self.crash_when = "before"
        self._loop = asyncio.new_event_loop()
        self._lock = threading.Lock()

    def answer(self, httpx: Any, request: Any) -> Any:
        with self._lock:
            return self._answer(httpx, request)

    def close(self) -> None:
        self._loop.close()

    def _answer(self, httpx: Any, request: Any) -> Any:
        self.requests += 1
        crash = self.crash_at == 1
        if self.crash_at is not None:
            self.crash_at -= 1
        if crash and self.crash_when == "before":
            self._crash()
        app = self.hubs[f"{request.url.scheme}://{request.url.netloc.decode()}"]._app
        status, headers, body, is_open = self._loop.run_until_complete(_asked(app, request))
        if status == 502 and not headers:  # how the app cuts a connection where there is no socket
            self.struck["broken connection"] += 1
            raise httpx.ReadError("the connection broke", request=request)
        if crash:
            self._crash()
        said = next((int(value) for name, value in headers if name.lower() == b"content-length"), len(body))
        if status >= 429:
            self.struck[str(status)] += 1
        if len(body) < said:
            self.struck["broken connection"] += 1
            raise httpx.ReadError("the connection broke", request=request)
        if is_open:
            self.struck["open log"] += 1
            return httpx.Response(
                status, headers=headers, stream=_silent(httpx, body, request), request=request
            )
        return httpx.Response(status, headers=headers, content=body, request=request)

    def _crash(self) -> None:
        self.crash_at = None
        self.struck["crash"] += 1
        raise Crash


def _silent(httpx: Any, body: bytes, request: Any) -> Any:
    """A stream that has said `body` and stays open: its reader's patience ends at once, as no time passes."""

    class Silent(httpx.SyncByteStream):  # type: ignore[name-defined,misc]
        def __iter__(self) -> Iterator[bytes]:
            yield body
            raise httpx.ReadTimeout("nothing came", request=request)

    return Silent()


class _Talking(Exception):
    """The answer has no end."""


async def _asked(app: Any, request: Any) -> tuple[int, list[tuple[bytes, bytes]], bytes, bool]:
    """Status, headers, body, and whether more of it would come for ever."""
    sent: list[dict[str, Any]] = []
    is_open = False

    asked = False

    async def receive() -> dict[str, Any]:
        nonlocal asked
        if asked:  # nobody leaves before the end
            await asyncio.Event().wait()
        asked = True
        return {"type": "http.request", "body": request.read(), "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)
        if message.get("more_body") and len(sent) > _MOST_PIECES:
            raise _Talking

    scope = {
        "type": "http",
        "method": request.method,
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": request.url.raw_path.partition(b"?")[0],
        "query_string": request.url.query,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
    }
    try:
        await app(scope, receive, send)
    except _Talking:
        is_open = True
    body = b"".join(one.get("body", b"") for one in sent if one["type"] == "http.response.body")
    return sent[0]["status"], list(sent[0]["headers"]), body, is_open


@contextmanager
def plugged(wire: Wire) -> Iterator[None]:
    """huggingface_hub speaks through `wire`; secrets' marks are quick to make (scrypt is slow on purpose)."""
    import hashlib

    from huggingface_hub import set_client_factory

    httpx = transport.http_module()

    class Direct(httpx.BaseTransport):  # type: ignore[name-defined,misc]
        def handle_request(self, request: Any) -> Any:
            return wire.answer(httpx, request)

    def quick(value: str, salt: bytes, *rest: object) -> bytes:
        return hashlib.blake2b(repr((value, rest)).encode(), salt=salt[:16], digest_size=16).digest()

    with (
        mock.patch.object(transport, "install"),
        mock.patch.object(fingerprint, "_digest", quick),
        mock.patch("huggingface_hub.utils._http.time.sleep"),  # it waits between its own attempts
        mock.patch.object(streams, "_POLL", 0),  # an open log talks at once
    ):
        set_client_factory(lambda: transport.new_client(Direct()))
        try:
            yield
        finally:
            set_client_factory(transport.new_client)
            wire.close()


@contextmanager
def hub(wire: Wire, seed: dict[str, Any]) -> Iterator[LocalHub]:
    """A Hub on `wire`, with a clock that only moves when somebody waits."""
    made = LocalHub(seed=seed, clock="manual")
    wire.hubs[made.url] = made
    try:
        yield made
    finally:
        del wire.hubs[made.url]
        made._socket.close()
        made._store.close()
