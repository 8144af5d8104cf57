"""A real call of one endpoint, bounded in time, cancelled cleanly; done means that the app said complete."""

from __future__ import annotations

import time
from collections.abc import Iterator

from hfspace.live.gradio.calls import Call
from hfspace.live.gradio.client_calls import stream_client
from hfspace.live.gradio.http_calls import post, post_gradio3
from hfspace.live.gradio.urls import version_of
from hfspace.model import Json


def stream(call: Call) -> Iterator[Json]:
    """The answers as they come; the last one is the result. A function that is no generator gives one.

    Raises EndpointError when the app refuses, fails, or does not say complete in time; AppError when it can't
    be reached.
    """
    if call.app.kind != "gradio":
        return iter([post(call)])
    if version_of(call.app.version) >= (4, 0):
        return stream_client(call)
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
