"""A real call of one endpoint, bounded in time, cancelled cleanly; done means that the app said complete."""

from __future__ import annotations

from collections.abc import Generator

from hfspace.live.gradio.calls import AppCall, Result
from hfspace.live.gradio.client_calls import Conversation
from hfspace.live.gradio.http_calls import stream_gradio3, stream_route
from hfspace.live.gradio.urls import version_of
from hfspace.model import Json


def stream(call: AppCall, conversation: Conversation | None = None) -> Generator[Json, None, Result]:
    """The answers as they come, then the Result: the last step of a Gradio function, or the data of all
    events of an HTTP stream, each of which comes as a CallEvent. A function that is no generator gives one.

    Without a `conversation` the call is one of its own.

    Raises EndpointError when the app refuses, fails, or does not say complete in time; AppError when it can't
    be reached.
    """
    if call.app.kind != "gradio":
        return stream_route(call)
    if version_of(call.app.version) >= (4, 0):
        return conversation.stream(call) if conversation else _alone(call)
    return stream_gradio3(call)


def _alone(call: AppCall) -> Generator[Json, None, Result]:
    conversation = Conversation()
    try:
        return (yield from conversation.stream(call))
    finally:
        conversation.close()


def invoke(call: AppCall, conversation: Conversation | None = None) -> Result:
    """The result of a call. Raises as `stream`."""
    steps = stream(call, conversation)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result
