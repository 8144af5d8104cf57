"""Answers that come in pieces: lines, server-sent events, and apps that never end."""

from __future__ import annotations

import pytest

from hfspace.live.gradio.calls import CallTimeout, EndpointError
from hfspace.live.gradio.fetch import Ask
from hfspace.live.gradio.streaming import events, lines, open_answer
from tests.endpoints.conftest import Serve
from tests.endpoints.stand_in import Reply

SSE = {"content-type": "text/event-stream"}
TEXT = 'data: a\r\ndata: b\r\n\r\n: note\n\nevent: end\ndata:{"é": 1}\n\ndata: cut off'


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_are_the_same_in_any_pieces(size: int) -> None:
    raw = TEXT.encode()
    chunks = [raw[at : at + size] for at in range(0, len(raw), size)]

    assert list(events(chunks)) == [("message", "a\nb"), ("end", '{"é": 1}'), ("message", "cut off")]


def test_an_event_comes_with_its_blank_line_and_not_later() -> None:
    taken: list[bytes] = []

    def chunks() -> object:
        for chunk in (b"data: a\n", b"\n", b"data: b\n\n"):
            taken.append(chunk)
            yield chunk

    assert next(iter(events(chunks()))) == ("message", "a")  # type: ignore[arg-type]
    assert taken == [b"data: a\n", b"\n"]


def test_a_line_may_come_in_any_number_of_pieces() -> None:
    assert list(lines([b"x"] * 1000 + [b"\n", b"\xc3", b"\xa9\r", b"\n", b"z\r"])) == ["x" * 1000, "é", "z"]


def drained(url: str, timeout: float, most: int) -> int:
    with open_answer(Ask(url=url), timeout=timeout, max_bytes=most) as (head, chunks):
        assert head.content_type == "text/event-stream"
        return sum(1 for _ in events(chunks))


def test_a_stream_without_end_ends(serve: Serve) -> None:
    app = serve({"/stream": Reply(200, b"data: x\n\n", SSE, endless=True)})

    with pytest.raises(CallTimeout, match="did not complete within 2 s"):
        drained(f"{app.url}/stream", 2, 1 << 40)
    with pytest.raises(EndpointError, match="is larger than"):
        drained(f"{app.url}/stream", 60, 1 << 12)


def test_a_host_that_is_not_there_is_a_sentence() -> None:
    with pytest.raises(EndpointError, match="refuses connections"):
        drained("http://127.0.0.1:9/", 5, 1 << 16)
