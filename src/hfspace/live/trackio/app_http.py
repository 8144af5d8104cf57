"""Requests to one Trackio app: bounded in time and in inflated bytes, several at once, and no thread that
outlives them."""

from __future__ import annotations

import asyncio
import json
import time
import zlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from hfspace.errors import TrackioUnavailable
from hfspace.live.gradio.fetch import MAX_BYTES, explain, run, safe_host
from hfspace.live.trackio.budget import Budget, TooMuch, TooSlow
from hfspace.live.trackio.values import one_line
from hfspace.model import Json
from hfspace.requestlog import hooks, log_request
from hfspace.retries import READ_PAUSES, repeated

T = TypeVar("T")

_PARALLEL = 4
_BATCH_CALLS = 10
_BATCH_BYTES = 16 << 20
MOST_PARTS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AppAnswer:
    """One answer, read whole. `status` is HTTP's."""

    status: int
    content_type: str
    body: bytes


class AppConnection:
    """An open client, and how long and how much may be read through it."""

    def __init__(self, client: Any, base: str, budget: Budget | None) -> None:
        self.client = client
        self.host = safe_host(base)
        self.budget = budget

    async def answer(
        self,
        method: str,
        path: str,
        body: Json = None,
        headers: Mapping[str, str] | None = None,
        *,
        content: bytes | AsyncIterator[bytes] | None = None,
    ) -> AppAnswer:
        """Send `body` as JSON, unless it is None, else `content` as it is; read the whole answer."""
        sent = dict(headers or {})
        if body is not None:
            sent["content-type"] = "application/json"
            content = json.dumps(body, allow_nan=False).encode()
        async with self.client.stream(method, path, headers=sent, content=content) as response:
            return AppAnswer(
                status=response.status_code,
                content_type=response.headers.get("content-type", ""),
                body=b"".join([piece async for piece in self.pieces(response)]),
            )

    async def pieces(self, response: Any) -> AsyncIterator[bytes]:
        """The body as it comes, inflated here since no library bounds what a chunk inflates to. Raises
        TooMuch."""
        encoding = response.headers.get("content-encoding", "").strip().lower()
        inflate = zlib.decompressobj(wbits=47) if encoding in {"gzip", "deflate"} else None
        left = MAX_BYTES
        async for chunk in response.aiter_raw():
            piece = inflate.decompress(chunk, left + 1) if inflate else chunk
            left -= len(piece)
            if left < 0:
                raise TooMuch(f"{self.host} answers with more than {MAX_BYTES >> 20} MiB.")
            if self.budget is not None:
                self.budget.take(len(piece), self.host)
            yield piece


@dataclass(frozen=True, slots=True)
class AppCall(Generic[T]):
    """What to do over a connection. `name` is how an error calls it; it may take so many `more_seconds`."""

    name: str
    make: Callable[[AppConnection], Coroutine[Any, Any, T]]
    more_seconds: float = 0.0


class AppHttp:
    """Reaches the app at `base`. `timeout` is in seconds, for each call; `budget` is for all of them."""

    def __init__(
        self,
        base: str,
        *,
        timeout: float,
        budget: Budget | None = None,
        pauses: tuple[float, ...] = READ_PAUSES,
    ) -> None:
        self.base = base
        self.host = safe_host(base)
        self.timeout = timeout
        self._budget = budget
        self._pauses = pauses

    def write(self, call: AppCall[T]) -> T:
        """Make a call once. Raises TrackioUnavailable when no usable answer comes: whether it was carried
        out is then not known."""
        return self._made((call,), self._budget, ())[0]

    def read(self, calls: Iterable[AppCall[T]]) -> tuple[T, ...]:
        """Make calls that change nothing, some at a time; each is made again when the connection fails.
        Together they have the time of ten calls, and a limit of bytes. Raises TrackioUnavailable."""
        budget = Budget(_BATCH_CALLS * self.timeout, _BATCH_BYTES, within=self._budget)
        return self._made(tuple(calls), budget, self._pauses)

    def _made(
        self, calls: tuple[AppCall[T], ...], budget: Budget | None, pauses: tuple[float, ...]
    ) -> tuple[T, ...]:
        async def main() -> tuple[T, ...]:
            import httpx

            gate = asyncio.Semaphore(_PARALLEL)

            async def one(call: AppCall[T]) -> T:
                async with gate:
                    return await repeated(
                        lambda: self._timed(call, connection),
                        again=TrackioUnavailable,
                        final=(TooSlow, TooMuch),
                        pauses=pauses,
                        sleep=asyncio.sleep,
                    )

            async with httpx.AsyncClient(
                base_url=self.base,
                timeout=self.timeout,
                follow_redirects=False,
                # A client that never speaks TLS needs no certificates; loading them costs 20 ms.
                verify=self.base.lower().startswith("https:"),
                headers={"accept-encoding": "identity"},
                event_hooks=hooks(asynchronous=True),
            ) as client:
                connection = AppConnection(client, self.base, budget)
                return tuple(await asyncio.gather(*map(one, calls)))

        return run(main) if calls else ()

    async def _timed(self, call: AppCall[T], connection: AppConnection) -> T:
        import httpx

        started, most = time.monotonic(), self.timeout + call.more_seconds
        left = connection.budget.seconds(self.host) if connection.budget is not None else most
        try:
            async with asyncio.timeout(min(most, left)):
                return await call.make(connection)
        except (
            httpx.HTTPError, httpx.InvalidURL, OSError, RuntimeError, ValueError, zlib.error
        ) as error:  # fmt: skip
            log_request("CALL", f"{self.base}/{call.name.lstrip('/')}", started, error=error)
            if isinstance(error, TimeoutError | httpx.TimeoutException):
                if connection.budget is not None:
                    connection.budget.seconds(self.host)
                raise TooSlow(f"{call.name} of {self.host} did not complete within {most:g} s.") from None
            raise TrackioUnavailable(f"{call.name}: {explain(error, self.base, most)}") from None


def unusable(host: str, name: str, status: int, content_type: str) -> TrackioUnavailable:
    """The error for an answer that is none."""
    if status in {401, 403}:
        return TrackioUnavailable(f"{host} does not let this token in ({status}).")
    return TrackioUnavailable(
        f"{host} is not ready, or not understood: {name} answers {status} {one_line(content_type)}.",
        hint="Try again in a moment.",
    )


def parsed(text: str) -> Json:
    """`text` as JSON; None when it is none, or has too many parts: each takes far more memory than text."""
    if sum(map(text.count, ",[{")) > MOST_PARTS:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
