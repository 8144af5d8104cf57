"""Apps that never end, or answer without measure: what a call, a check and a plan do about them."""

from __future__ import annotations

import os
import threading
import time

import pytest

from hfspace.live.gradio.calls import AppCall, CallTimeout, EndpointError
from hfspace.live.gradio.config import gradio_app, read_config
from hfspace.live.gradio.invoke import invoke
from tests.endpoints.conftest import Serve
from tests.endpoints.stand_in import Reply, gradio_routes, recorded

SSE = {"content-type": "text/event-stream"}
HEARTBEAT = b'data: {"msg": "heartbeat"}\n\n'


def call_of(url: str, timeout: float) -> AppCall:
    told = recorded("plain", "6.31.0")
    config = read_config(told["config"])
    assert config is not None
    app = gradio_app(config, told["info"], url)
    endpoint = app.endpoints[0]
    values = ["x" for item in endpoint.parameters if item.component != "state"]
    return AppCall(base=url, app=app, endpoint=endpoint, values=values, timeout=timeout)


def routes(stream: Reply) -> dict[str, Reply]:
    return {
        **dict(gradio_routes("plain", "6.31.0")),
        "/gradio_api/queue/join": Reply.json({"event_id": "e"}),
        "/gradio_api/queue/data": stream,
        "/gradio_api/heartbeat/": Reply(200, HEARTBEAT, SSE, endless=True),
    }


def assert_nothing_is_left(before: set[threading.Thread]) -> None:
    names = {thread.name for thread in set(threading.enumerate()) - before}
    assert not [name for name in names if "process_request" not in name]
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_a_call_of_an_app_that_only_heartbeats_ends_at_its_deadline(serve: Serve) -> None:
    app = serve(routes(Reply(200, HEARTBEAT, SSE, endless=True)))
    before = set(threading.enumerate())
    started = time.monotonic()

    with pytest.raises(CallTimeout, match="did not complete within 5 s"):
        invoke(call_of(app.url, 5))

    assert time.monotonic() - started < 10
    assert any(seen.path.startswith("/gradio_api/queue/data") for seen in app.seen)
    assert_nothing_is_left(before)


def test_a_config_that_drips_holds_no_call(serve: Serve) -> None:
    app = serve({"/config": Reply(200, b" ", {"content-type": "application/json"}, endless=True)})
    before = set(threading.enumerate())

    with pytest.raises(CallTimeout):
        invoke(call_of(app.url, 3))

    assert_nothing_is_left(before)


def test_a_flood_in_a_stream_ends_in_a_sentence(serve: Serve) -> None:
    app = serve(routes(Reply(200, b"x" * (1 << 20), SSE, endless=True)))
    before = set(threading.enumerate())

    with pytest.raises(EndpointError, match=r"memory|complete"):
        invoke(call_of(app.url, 8))

    assert_nothing_is_left(before)
