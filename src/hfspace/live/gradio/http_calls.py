"""Calls by plain HTTP: the routes of a Docker Space, and Gradio 3, which gradio_client no longer speaks."""

from __future__ import annotations

import base64
import json
import mimetypes
import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace
from email.message import Message
from typing import Any
from urllib.parse import urlsplit

from hfspace.live.gradio.calls import (
    MAX_ANSWER_BYTES,
    AppCall,
    CallEvent,
    CallTimeout,
    Download,
    EndpointError,
    QueueOnly,
    Result,
)
from hfspace.live.gradio.components import with_files
from hfspace.live.gradio.fetch import AppAnswer, Ask, fetch_all
from hfspace.live.gradio.openapi import STREAMED
from hfspace.live.gradio.sending import read_upload
from hfspace.live.gradio.streaming import events, lines, open_answer
from hfspace.live.gradio.values import json_or_text
from hfspace.model import Json
from hfspace.text import one_line

_END = "[DONE]"
"""What many streams of text generation send last; it is no data."""


def stream_route(call: AppCall) -> Generator[Json, None, Result]:
    """The answer of an HTTP route: JSON, text or a Download; the events of a stream one by one, as they come.
    Raises EndpointError, CallTimeout."""
    if call.ask is None:
        raise EndpointError(f"{call.endpoint.name} is called without a request.")
    started = time.monotonic()
    with open_answer(call.ask, timeout=call.timeout, max_bytes=MAX_ANSWER_BYTES) as (head, chunks):
        if head.status < 300 and head.content_type in STREAMED:
            steps: list[Json] = []
            for step in _steps(head, chunks, call):
                steps.append(step)
                yield CallEvent(data=step)
            return Result(answer=steps, seconds=time.monotonic() - started)
        answer = _whole(replace(head, body=b"".join(chunks)), call)
        yield answer
        return Result(answer=answer, seconds=time.monotonic() - started)


def _steps(head: AppAnswer, chunks: Iterator[bytes], call: AppCall) -> Iterator[Json]:
    """The data of each event or line, read as JSON where it is that."""
    if head.content_type != "text/event-stream":
        yield from (json_or_text(line) for line in lines(chunks) if line.strip())
        return
    for name, data in events(chunks):
        if name == "error":
            raise EndpointError(f"{call.endpoint.name} ended its stream: {one_line(data, 200)}")
        if data != _END:
            yield json_or_text(data)


def _whole(answer: AppAnswer, call: AppCall) -> Json:
    if answer.status >= 300:
        raise EndpointError(
            f"{call.endpoint.method} {call.endpoint.name} answered {answer.status}{detail(answer)}.",
            hint=_hint(answer, call),
        )
    document = answer.json()
    if document is not None or answer.body.strip() in {b"null", b""}:
        return document
    if answer.content_type.startswith("text/"):
        return answer.text
    kind = answer.content_type or "application/octet-stream"
    return Download(name=_file_name(answer, kind), content_type=kind, content=answer.body)


def _file_name(answer: AppAnswer, kind: str) -> str:
    """The name that the app gives, else that of the route with the ending of its type."""
    message = Message()
    message["content-disposition"] = answer.headers.get("content-disposition", "")
    stem = urlsplit(answer.url).path.rsplit("/", 1)[-1] or "answer"
    ending = mimetypes.guess_extension(kind) or ".bin"
    return message.get_filename() or (stem if stem.endswith(ending) else stem + ending)


def stream_gradio3(call: AppCall) -> Generator[Json, None, Result]:
    """The one step that Gradio 3 gives by HTTP. Raises EndpointError."""
    started = time.monotonic()
    answer = _post_gradio3(call)
    yield answer
    return Result(answer=answer, seconds=time.monotonic() - started)


def _post_gradio3(call: AppCall) -> Json:
    """`POST /run/NAME {"data": [...]}`; one output is returned bare, several listed. Raises EndpointError."""
    if isinstance(call.values, Mapping):
        raise EndpointError(
            f"Gradio {call.app.version} takes values in order.", hint="Write the example as a list."
        )
    body: dict[str, Json] = {"data": positions(call)}
    if call.endpoint.fn_index is not None:
        body["fn_index"] = call.endpoint.fn_index
    answer = _send(call, json.dumps(body).encode())
    document = answer.json()
    if answer.status == 404 and isinstance(document, dict):
        raise QueueOnly(
            f"{call.endpoint.name} takes calls through its queue only (api_open=False).",
            hint="Open the API in the app (queue(api_open=True)), or use a client of that Gradio version.",
        )
    if answer.status != 200 or not isinstance(document, dict) or not isinstance(document.get("data"), list):
        raise EndpointError(
            f"{call.endpoint.name} answered {answer.status}{detail(answer)}.", hint=_hint(answer, call)
        )
    if document.get("is_generating"):
        raise EndpointError(
            f"{call.endpoint.name} streams: Gradio {call.app.version} gives only its first step by HTTP.",
            hint="Move the Space to Gradio 4 or later.",
        )
    kinds = [item.component for item in call.endpoint.returns]
    states = {index for index, kind in enumerate(kinds) if kind == "state"}
    data = [item for index, item in enumerate(document["data"]) if index not in states]
    return data[0] if len(data) == 1 else data


def positions(call: AppCall) -> list[Json]:
    """The values with null in the place of each state: below Gradio 6 a call must carry them (facts 1.4)."""
    given = iter(list(call.values))
    values: list[Json] = []
    for parameter in call.endpoint.parameters:
        if parameter.component == "state":
            values.append(None)
            continue
        try:
            value = next(given)
        except StopIteration:
            break
        # An image is the data URL itself, any other file an object that has one.
        image = parameter.component == "image"
        values.append(with_files(value, parameter, lambda path: _file(path, bare=image)))  # noqa: B023 - at once
    return [*values, *given]


def _file(value: str, *, bare: bool) -> Json:
    """Gradio 3 takes a file as a data URL in the body."""
    if value.startswith(("http://", "https://")):
        raise EndpointError("Gradio 3 takes no URL for a file.", hint="Download it and give its path.")
    name, content = read_upload(value)
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    url = f"data:{kind};base64,{base64.b64encode(content).decode()}"
    return url if bare else {"name": name, "data": url}


def _send(call: AppCall, body: bytes) -> AppAnswer:
    ask = Ask(
        url=call.endpoint.url, method=call.endpoint.method, token=call.token, cookies=call.cookies, body=body
    )
    (answer,) = fetch_all([ask], timeout=call.timeout, max_bytes=MAX_ANSWER_BYTES)
    if not answer.status:
        kind = CallTimeout if answer.seconds >= call.timeout else EndpointError
        raise kind(answer.problem)
    if not answer.complete:
        raise EndpointError(
            f"The answer of {call.endpoint.name} is larger than {MAX_ANSWER_BYTES >> 20} MiB."
        )
    return answer


def detail(answer: AppAnswer) -> str:
    """What a refusal says, in a few words: FastAPI's list of fields for 422, Gradio's error."""
    body = answer.json()
    if isinstance(body, dict) and isinstance(body.get("detail"), list):
        fields = [_field(item) for item in body["detail"][:3] if isinstance(item, dict)]
        return ": " + "; ".join(fields) if fields else ""
    if isinstance(body, dict):
        reason = body.get("error") or body.get("detail")
        return f": {one_line(reason, 200)}" if reason else ""
    return ""


def _field(item: Mapping[str, Any]) -> str:
    where = item.get("loc")
    place = ".".join(str(part) for part in where if part != "body") if isinstance(where, list) else ""
    return one_line(f"{place}: {item.get('msg', '')}", 200)


def _hint(answer: AppAnswer, call: AppCall) -> str:
    if answer.status == 405 and (allowed := one_line(answer.headers.get("allow", ""), 60)):
        return f"It takes {allowed}: --method {allowed.partition(',')[0].strip()}"
    if answer.status == 422 and call.app.kind == "http":
        return "The body does not have the shape that the route takes, and the app does not describe it."
    if answer.status == 422:
        return "The body does not have the shape that the route takes; `hfspace diagnose` shows it."
    if answer.status in {401, 403}:
        return "The app asks for a login of its own."
    return "Look at the app's log." if answer.status >= 500 else ""
