"""Bounded HTTP to untrusted hosts: several requests at once, limited in time and bytes, no redirects."""

from __future__ import annotations

import asyncio
import json
import time
import zlib
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

from hfspace.model import Json
from hfspace.requestlog import hooks, log_request
from hfspace.text import one_line, plain
from hfspace.version import __version__

T = TypeVar("T")

TIMEOUT_SECONDS = 10.0
MAX_BYTES = 8 << 20
_EVIDENCE_CHARS = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request to make. `token` goes out as `Authorization: Bearer`, and nowhere else. `opening` leaves
    the body unread, which may be a stream without end: status and headers are the answer."""

    url: str
    method: str = "GET"
    token: str | None = field(default=None, repr=False)
    body: bytes | None = field(default=None, repr=False)
    content_type: str = "application/json"
    opening: bool = False
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppAnswer:
    """What came back. `status` is 0 and `problem` one sentence when nothing usable did; `complete` is False
    when the body was cut at the byte limit. Header names are in lower case."""

    url: str
    method: str = "GET"
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    complete: bool = True
    seconds: float = 0.0
    problem: str = ""
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self) -> Json:
        """The body as JSON; None when it is none, or was cut."""
        if not self.complete:
            return None
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def evidence(self) -> str:
        """Method, URL, status and the telling bytes, in one line without control characters."""
        if not self.status:
            return f"{self.method} {self.url} -> {self.problem}"
        opening = one_line(self.body[: 4 * _EVIDENCE_CHARS].decode("utf-8", "replace"), _EVIDENCE_CHARS)
        kind = self.content_type or "no content type"
        return f"{self.method} {self.url} -> {self.status} {kind} {opening}".rstrip()


def fetch_all(
    asks: Sequence[Ask], *, timeout: float = TIMEOUT_SECONDS, max_bytes: int = MAX_BYTES
) -> tuple[AppAnswer, ...]:
    """Make all requests at once; one answer each, in order. Never raises for what a host does.

    `timeout` (seconds) bounds each request as a whole, not each read: a body that drips for ever ends too.
    """

    async def gather() -> tuple[AppAnswer, ...]:
        async with new_client(asks, timeout) as client:
            return tuple(await asyncio.gather(*(_one(client, ask, timeout, max_bytes) for ask in asks)))

    return run(gather)


def new_client(asks: Sequence[Ask], timeout: float) -> Any:
    """A client for these requests that follows no redirect and asks for no compression."""
    import httpx

    return httpx.AsyncClient(
        # A client that never speaks TLS needs no certificates; loading them costs 20 ms.
        verify=any(ask.url.lower().startswith("https:") for ask in asks),
        timeout=timeout,
        follow_redirects=False,
        headers={"user-agent": _user_agent(), "accept-encoding": "identity"},
        event_hooks=hooks(asynchronous=True),
    )


class Loop:
    """Runs coroutines one after the other in one event loop: of this thread, or of one beside it where a
    loop runs here already (a notebook)."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            self._pool = None
        else:
            self._pool = ThreadPoolExecutor(max_workers=1)

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        if self._pool is None:
            return self._runner.run(main)
        return self._pool.submit(copy_context().run, self._runner.run, main).result()

    def close(self) -> None:
        if self._pool is None:
            self._runner.close()
            return
        self._pool.submit(self._runner.close).result()
        self._pool.shutdown()


def run(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end, also from inside a running loop."""
    with closing(Loop()) as loop:
        return loop.run(main())


def request_headers(ask: Ask) -> dict[str, str]:
    """The headers of one request beside those of the client."""
    headers = {"authorization": f"Bearer {ask.token}"} if ask.token else {}
    if ask.cookies:
        headers["cookie"] = "; ".join(f"{name}={value}" for name, value in ask.cookies.items())
    if ask.body is not None:
        headers["content-type"] = ask.content_type
    return headers


async def _one(client: Any, ask: Ask, timeout: float, max_bytes: int) -> AppAnswer:
    import httpx

    started = time.monotonic()
    try:
        async with asyncio.timeout(timeout):
            async with client.stream(
                ask.method, ask.url, headers=request_headers(ask), content=ask.body
            ) as response:
                body, complete = (b"", True) if ask.opening else await _body(response, max_bytes)
                return AppAnswer(
                    url=ask.url,
                    method=ask.method,
                    status=response.status_code,
                    headers={key.lower(): value for key, value in response.headers.items()},
                    cookies={cookie.name: cookie.value or "" for cookie in response.cookies.jar},
                    body=body,
                    complete=complete,
                    seconds=time.monotonic() - started,
                )
    except (
        httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError, RuntimeError, ValueError, zlib.error
    ) as error:  # fmt: skip
        log_request(ask.method, ask.url, started, error=error)
        spent = time.monotonic() - started
        return AppAnswer(
            url=ask.url, method=ask.method, seconds=spent, problem=explain(error, ask.url, timeout)
        )


async def _body(response: Any, max_bytes: int) -> tuple[bytes, bool]:
    """The body as far as the limit, and whether that is all of it."""
    body = bytearray()
    async for piece in pieces(response, max_bytes):
        body += piece
        if len(body) > max_bytes:
            return bytes(body[:max_bytes]), False
    return bytes(body), True


async def pieces(response: Any, max_bytes: int) -> AsyncIterator[bytes]:
    """The body as it comes. A host may compress although asked not to: that is inflated no further than to
    one byte above the limit."""
    encoding = response.headers.get("content-encoding", "").strip().lower()
    inflate = zlib.decompressobj(wbits=47) if encoding in {"gzip", "deflate"} else None
    size = 0
    async for chunk in response.aiter_raw():
        piece = inflate.decompress(chunk, max(1, max_bytes + 1 - size)) if inflate else chunk
        size += len(piece)
        if piece:
            yield piece


def explain(error: Exception, url: str, timeout: float) -> str:
    """One sentence for why no answer came. Reads the chain of causes: httpx hides the telling one."""
    host, timeout = safe_host(url), round(timeout, 1)
    chain = _chain(error)
    names = {type(item).__name__ for item in chain}
    text = " ".join(str(item) for item in chain)
    if "after interpreter shutdown" in text:  # no thread can resolve a name any more
        return f"{host} can't be reached while Python ends."
    if "gaierror" in names or "Name or service not known" in text or "nodename nor servname" in text:
        return f"The name {host} does not resolve."
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return f"The TLS certificate of {host} is not valid for this machine."
    if "SSL" in text or names & {"SSLError", "SSLZeroReturnError", "SSLEOFError"}:
        return f"{host} does not speak TLS as expected."
    if names & {"ConnectTimeout"}:
        return f"No connection to {host} within {timeout:g} s."
    if names & {"TimeoutError", "ReadTimeout", "WriteTimeout", "PoolTimeout"}:
        return f"{host} took the request and did not finish its answer within {timeout:g} s."
    if "ConnectionRefusedError" in names or "refused" in text or names & {"ConnectError"}:
        return f"{host} refuses connections."
    if names & {"InvalidURL", "UnsupportedProtocol", "UnicodeError", "LocalProtocolError"}:
        return f"{host or 'This'} is no URL that can be asked."
    return f"{host} broke off its answer ({type(error).__name__})."


def safe_host(url: str) -> str:
    """The host of a URL without user, password or control characters."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        named = f"{host}:{parts.port}" if parts.port else host
    except ValueError:
        return "the host"
    return plain(named, 255)


def _chain(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    todo: list[BaseException | None] = [error]
    while todo and len(chain) < 20:
        item = todo.pop()
        if item is None or item in chain:
            continue
        chain.append(item)
        todo += [item.__cause__, item.__context__, *getattr(item, "exceptions", ())]
    return chain


def _user_agent() -> str:
    return f"hfspace/{__version__}"
