"""Whatever answers in the Hub's place, every answer ends: in bytes, in time, in pages."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from hfspace.errors import HubFault, HubUnreachable, RateLimited, WaitTimeout
from hfspace.live import transport
from hfspace.live.access import access
from hfspace.live.hub import HubClient, connect
from hfspace.live.limiter import Limiter, Pace
from hfspace.redaction import KnownSecrets
from hfspace.retries import asked_wait

httpx = transport.http_module()
URL = "http://hub"


class Answers(httpx.BaseTransport):  # type: ignore[misc, name-defined]
    """Answers everything in one way, and counts."""

    def __init__(self, body: Any = b"[]", status: int = 200, **headers: str) -> None:
        self.body, self.status, self.headers, self.count = body, status, headers, 0
        self.urls: list[str] = []

    def handle_request(self, request: Any) -> Any:
        self.count += 1
        self.urls.append(str(request.url))
        body = self.body() if callable(self.body) else self.body
        headers = {"content-type": "application/json", **self.headers}
        return httpx.Response(self.status, headers=headers, content=body)


def client(inner: Answers, seconds: float | None = None) -> HubClient:
    import huggingface_hub

    made = HubClient(URL, access(None, URL, {}), Limiter(Pace(seconds), lambda text: None), KnownSecrets())
    huggingface_hub.set_client_factory(lambda: transport.new_client(inner))
    return made


@pytest.fixture(autouse=True)
def clients_of_their_own() -> Iterator[None]:
    yield
    transport.install()


def drip() -> Iterator[bytes]:
    for _ in range(10_000):
        time.sleep(0.02)
        yield b" "


def test_a_bomb_is_not_inflated_past_the_limit() -> None:
    bomb = gzip.compress(b"[" + b" " * (transport.MOST_BYTES + 2**20) + b"]")
    inner = Answers(bomb, **{"content-encoding": "gzip"})
    hub = client(inner)
    with pytest.raises(HubFault, match="larger than 64 MiB"):
        list(hub.list_spaces(author="acme"))
    assert inner.count == 1


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip"])
def test_an_encoding_that_nobody_asked_for_is_not_read(encoding: str) -> None:
    hub = client(Answers(lambda: iter([b"x"]), **{"content-encoding": encoding}))
    with pytest.raises(HubFault, match="nobody asked for"):
        hub.flavors()


def test_a_body_that_drips_ends_with_the_run() -> None:
    hub = client(Answers(drip), seconds=1.0)
    with pytest.raises(HubUnreachable, match="did not end"):
        hub.flavors()


def test_a_listing_that_leads_back_to_itself_ends() -> None:
    inner = Answers(b"[]", link=f'<{URL}/api/spaces?cursor=1>; rel="next"')
    hub = client(inner)
    with pytest.raises(HubFault, match="no end"):
        list(hub.list_spaces(author="acme"))
    assert inner.count == 2
    with pytest.raises(HubFault, match="no end"):  # a second listing of the run begins anew
        list(hub.list_spaces(author="acme"))


def test_endless_new_pages_end_with_the_run() -> None:
    class Onward(Answers):
        def handle_request(self, request: Any) -> Any:
            time.sleep(0.01)
            self.headers = {"link": f'<{URL}/api/spaces?cursor={self.count}>; rel="next"'}
            return super().handle_request(request)

    hub = client(Onward(), seconds=0.5)
    with pytest.raises(WaitTimeout):
        list(hub.list_spaces(author="acme"))


def test_a_wait_of_a_day_is_told_and_not_begun() -> None:
    limiter = Limiter(Pace(200_000), lambda text: None)
    limiter.acquire()
    limiter.release({})
    with pytest.raises(RateLimited, match="asks to wait 24 h before"):
        limiter.wait_for_window(limiter.refused(86400.0))


def test_what_the_hub_says_of_a_long_wait_is_told() -> None:
    """It said 'a few minutes', and hid the Hub's words."""
    said = b'{"error": "10 restarts per day for this Space"}'
    hub = client(Answers(said, status=429, **{"content-type": "application/json", "retry-after": "86400"}))
    with pytest.raises(RateLimited) as caught:
        hub.space("acme/x")
    assert 'The Hub says: "10 restarts per day for this Space"' in caught.value.message
    assert (caught.value.hint, caught.value.reset_in) == ("Run again in 24 h.", 86400)


def test_a_log_is_asked_for_its_last_lines() -> None:
    inner = Answers(b"", **{"content-type": "text/event-stream"})
    hub = client(inner)
    assert list(hub.logs("acme/x", build=False, tail=7)) == []
    assert inner.urls[0].endswith("?tail=7")


def test_an_answer_that_says_it_is_a_stream_is_read_within_the_same_limits() -> None:
    """It was handed on unread, and huggingface_hub read it to an end that never came: 2 GB in 30 s."""
    endless = Answers(lambda: (b"x" * 2**20 for _ in range(1_000)), **{"content-type": "text/event-stream"})
    with pytest.raises(HubFault, match="larger than"):
        client(endless).flavors()


def test_a_line_of_a_log_without_an_end_ends_the_log() -> None:
    chunks = iter([b"x" * 2**20] * 50)
    endless = Answers(lambda: chunks, **{"content-type": "text/event-stream"})
    assert list(client(endless).logs("acme/a", build=False, seconds=60)) == []
    assert next(chunks, None) is not None, "it was not read to its end"


def test_a_compressed_log_is_inflated_within_the_limit() -> None:
    bomb = gzip.compress(b"x" * (200 * 2**20), 1)
    headers = {"content-type": "text/event-stream", "content-encoding": "gzip"}
    with pytest.raises(HubFault, match="larger than"):
        list(client(Answers(bomb, **headers)).logs("acme/a", build=False, seconds=60))


def test_a_head_that_drips_ends_in_the_time_of_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The timeout is that of one read: a header every second held a plan for an hour."""
    monkeypatch.setattr(transport, "ANSWER_SECONDS", 1.0)
    heads = iter([b"HTTP/1.1 200 OK\r\n", *[b"x-%d: y\r\n" % number for number in range(2_000)]])

    def drip(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            for head in heads:
                connection.sendall(head)
                time.sleep(0.02)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=lambda: drip(server.accept()[0]))
        thread.start()
        with pytest.raises(HubUnreachable, match="did not end in its time"):
            connect(f"http://127.0.0.1:{server.getsockname()[1]}", None).flavors()
        thread.join()
    assert next(heads, None) is not None, "it was not read to its end"


def test_numbers_of_the_hub_that_are_none_are_no_bug() -> None:
    long = "9" * 5_000
    odd = {"retry-after": long, "ratelimit": f'"api";r={long};t={long}', "ratelimit-policy": f'"a";q={long}'}
    assert list(client(Answers(b"[]", **odd)).list_spaces(author="acme")) == []
    for text in ("\xb2", "-1", "nan", "soon"):
        assert asked_wait({"retry-after": text, "ratelimit": f'"api";r=0;t={long}'}) is None
