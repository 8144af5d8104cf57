"""One answer read piece by piece as it arrives, within one deadline and byte limit; server-sent events."""

from __future__ import annotations

import asyncio
import codecs
import time
import zlib
from collections.abc import Coroutine, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from hfspace.live.gradio.calls import CallTimeout, EndpointError
from hfspace.live.gradio.fetch import AppAnswer, Ask, Loop, explain, new_client, pieces, request_headers
from hfspace.requestlog import log_request

T = TypeVar("T")


@contextmanager
def open_answer(ask: Ask, *, timeout: float, max_bytes: int) -> Iterator[tuple[AppAnswer, Iterator[bytes]]]:
    """The head of the answer, and its body in the pieces in which it comes. `timeout` is in seconds, for the
    whole. Raises EndpointError when the host breaks off or sends more than `max_bytes`, CallTimeout."""
    import httpx

    started = time.monotonic()
    deadline = started + timeout

    async def within(step: Coroutine[Any, Any, T]) -> T:
        async with asyncio.timeout(deadline - time.monotonic()):
            return await step

    def run(step: Coroutine[Any, Any, T]) -> T:
        try:
            return loop.run(within(step))
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, zlib.error) as error:
            log_request(ask.method, ask.url, started, error=error)
            if isinstance(error, TimeoutError):
                late = f"{ask.method} {ask.url} did not complete within {timeout:g} s."
                raise CallTimeout(late, hint="Give it more time.") from None
            failure = CallTimeout if isinstance(error, httpx.TimeoutException) else EndpointError
            raise failure(explain(error, ask.url, timeout)) from None

    loop = Loop()
    client = new_client([ask], timeout)
    try:
        request = client.build_request(ask.method, ask.url, headers=request_headers(ask), content=ask.body)
        response = run(client.send(request, stream=True))
        source = pieces(response, max_bytes)

        def chunks() -> Iterator[bytes]:
            size = 0
            while (piece := run(anext(source, None))) is not None:
                size += len(piece)
                if size > max_bytes:
                    raise EndpointError(f"The answer of {ask.url} is larger than {max_bytes >> 20} MiB.")
                yield piece

        head = AppAnswer(
            url=ask.url, method=ask.method, status=response.status_code, seconds=time.monotonic() - started,
            headers={key.lower(): value for key, value in response.headers.items()},
        )  # fmt: skip
        yield head, chunks()
    finally:
        loop.run(client.aclose())
        loop.close()


def events(chunks: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    """Server-sent events as (type, data), each as soon as its blank line is there."""
    name, data = "", list[str]()
    for line in lines(chunks):
        if not line:
            if data:
                yield name or "message", "\n".join(data)
            name, data = "", []
            continue
        key, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if key == "data":
            data.append(value)
        elif key == "event":
            name = value
    if data:
        yield name or "message", "\n".join(data)


def lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """Lines of text as they are complete; \\n, \\r\\n and \\r end one."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    parts: list[str] = []  # of a line that is not complete yet
    held = ""
    for chunk in chunks:
        text = held + decoder.decode(chunk)
        # A \r at the very end may be half of a \r\n.
        held = "\r" if text.endswith("\r") else ""
        first, *more = text.removesuffix(held).replace("\r\n", "\n").replace("\r", "\n").split("\n")
        parts.append(first)
        if more:
            yield "".join(parts)
            yield from more[:-1]
            parts = [more[-1]]
    last = "".join(parts) + decoder.decode(b"", final=True)
    if last or held:
        yield last
