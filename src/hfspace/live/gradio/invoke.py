"""A real call of one endpoint, bounded in time, cancelled cleanly; done means that the app said complete."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from hfspace.errors import AppError
from hfspace.live.gradio.urls import version_of
from hfspace.model import Json, ServedApp, ServedEndpoint

CALL_SECONDS = 60.0
MAX_ANSWER_BYTES = 64 << 20


class EndpointError(AppError):
    """The endpoint was called and refused, failed, or can't be called this way."""


class CallTimeout(EndpointError):
    """No complete answer within the time given; the call was cancelled."""


class QueueOnly(EndpointError):
    """The app takes no direct POST to this endpoint (api_open=False)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call. `values` is a list for positions, a mapping for names (the body itself for an HTTP route).
    `token` goes to `base` only, as Authorization. `timeout` is in seconds, for the whole call."""

    base: str
    app: ServedApp
    endpoint: ServedEndpoint
    values: Json
    payload: str = "data"
    token: str | None = field(default=None, repr=False)
    timeout: float = CALL_SECONDS


def stream(call: Call) -> Iterator[Json]:
    """The answers as they come; the last one is the result. A function that is no generator gives one.

    Raises EndpointError when the app refuses, fails, or does not say complete in time; AppError when it can't
    be reached.
    """
    if call.app.kind != "gradio":
        from hfspace.live.gradio.http_calls import post

        return iter([post(call)])
    if version_of(call.app.version) >= (4, 0):
        from hfspace.live.gradio.client_calls import stream_client

        return stream_client(call)
    from hfspace.live.gradio.http_calls import post_gradio3

    return iter([post_gradio3(call)])


def invoke(call: Call) -> tuple[Json, float]:
    """The result, and its latency in seconds. Raises as `stream`."""
    started = time.monotonic()
    steps, last = stream(call), None
    while True:
        try:
            last = next(steps)
        except StopIteration as end:
            # The client's own start-up is not the app's latency, where the steps tell them apart.
            seconds = end.value if isinstance(end.value, float) else time.monotonic() - started
            return last, seconds
