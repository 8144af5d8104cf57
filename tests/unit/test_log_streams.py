"""A log that goes on for ever, as a crashing app's does, is read for as long as was asked for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from huggingface_hub import set_client_factory

from hfspace.live import transport
from hfspace.live.hub import HubClient, connect
from hfspace.live.limiter import Pace

httpx = transport.http_module()
LINE = b'data: {"data": "Traceback\\n", "timestamp": "2020-01-01T00:00:00.000Z"}\n\n'
CHUNKS = 400


class Endless(httpx.SyncByteStream):  # type: ignore[name-defined,misc]
    """One line, then nothing but `more`; ends at last, so that a reader that waits for its end fails."""

    def __init__(self, more: bytes) -> None:
        self.more, self.sent = more, 0

    def __iter__(self) -> Iterator[bytes]:
        yield LINE
        for self.sent in range(1, CHUNKS + 1):
            time.sleep(0.02)
            yield self.more


@pytest.fixture
def client_of() -> Iterator[Callable[[Endless, Pace], HubClient]]:
    def make(stream: Endless, pace: Pace) -> HubClient:
        def answer(request: Any) -> Any:
            return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=stream)

        client = connect("http://hub.invalid", "hf_" + "a" * 34, pace=pace)
        set_client_factory(lambda: transport.new_client(httpx.MockTransport(answer)))
        return client

    yield make
    set_client_factory(transport.new_client)


@pytest.mark.parametrize("more", [b"data:\n\n", LINE, b"data: "], ids=["keep-alive", "lines", "one line"])
def test_a_log_that_keeps_talking_ends_after_its_seconds(
    more: bytes, client_of: Callable[[Endless, Pace], HubClient]
) -> None:
    stream = Endless(more)
    lines = list(client_of(stream, Pace()).logs("acme/x", build=False, tail=2, seconds=0.3))
    assert set(lines) == {"Traceback"}
    assert 0 < stream.sent < CHUNKS


def test_a_log_that_keeps_talking_ends_when_the_run_is_stopped(
    client_of: Callable[[Endless, Pace], HubClient],
) -> None:
    stream, pace = Endless(b"data:\n\n"), Pace()
    lines = client_of(stream, pace).logs("acme/x", build=False, seconds=60)
    assert next(lines) == "Traceback"
    pace.stop()
    assert list(lines) == []
    assert stream.sent < CHUNKS
