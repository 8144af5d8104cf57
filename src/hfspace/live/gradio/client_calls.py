"""Calls through gradio_client (Gradio 4 and later) on a leash: no token of its own finding, no telemetry, no
prints, no downloads, and an end."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hfspace.live.gradio.contract import values_of
from hfspace.live.gradio.invoke import Call, CallTimeout, EndpointError
from hfspace.live.gradio.values import FILE_KINDS
from hfspace.model import Json, ServedParameter
from hfspace.text import one_line

_POLL_SECONDS = 0.02
_SSE_SILENCE = 30.0
"""Gradio sends a heartbeat every 15 s; a stream that is silent for longer is dead."""


def stream_client(call: Call) -> Iterator[Json]:
    """The steps of one call, the last one complete. Raises EndpointError, CallTimeout."""
    deadline = time.monotonic() + call.timeout
    args, kwargs = arguments(call)
    client = job = None
    try:
        client = open_client(call.base, call.token, call.timeout)
        job = client.submit(*args, api_name=call.endpoint.name, **kwargs)
        yield from _steps(job, deadline, call)
    except (EndpointError, GeneratorExit):
        raise
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        raise EndpointError(_said(error, call)) from None
    finally:
        if job is not None and not job.done():
            job.cancel()
        if client is not None:
            client.close()


def arguments(call: Call) -> tuple[list[Json], dict[str, Json]]:
    """Positions and names for gradio_client, with files marked. Raises EndpointError for a missing file."""
    wanted = values_of(call.endpoint.parameters)
    if isinstance(call.values, Mapping):
        by_name = {parameter.name: parameter for parameter in wanted}
        return [], {str(key): _value(value, by_name.get(str(key))) for key, value in call.values.items()}
    padded: list[ServedParameter | None] = [*wanted, *[None] * len(call.values)]
    return [_value(value, parameter) for value, parameter in zip(call.values, padded, strict=False)], {}


def quiet() -> None:
    """No telemetry: one switch is read when huggingface_hub is imported, the other by gradio_client, which
    does not stop for its own argument (gradio facts 2.3)."""
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"


def open_client(base: str, token: str | None, timeout: float, workers: int = 2) -> Any:
    """A gradio_client for the app at `base`; reads its /config and API info. Raises whatever that library
    does when they can't be read. `timeout` is in seconds."""
    quiet()
    from gradio_client import Client

    return Client(
        base,
        # False: by default it finds the ambient token itself and sends it to any host. Ours goes as
        # Authorization, which no HTTP client carries to another host; x-hf-authorization is carried on.
        token=False,
        headers={"authorization": f"Bearer {token}"} if token else None,
        verbose=False,
        download_files=False,
        analytics_enabled=False,
        max_workers=workers,
        httpx_kwargs={"timeout": max(_SSE_SILENCE, timeout)},
    )


def _steps(job: Any, deadline: float, call: Call) -> Iterator[Json]:
    sent = 0
    while not job.done():
        if time.monotonic() > deadline:
            job.cancel()
            raise CallTimeout(
                f"{call.endpoint.name} did not complete within {call.timeout:g} s; the call was cancelled.",
                hint="Give it more time, or look at the app's queue and hardware.",
            )
        outputs = job.outputs() if call.endpoint.generator else []
        yield from (_plain(item) for item in outputs[sent:])
        sent = max(sent, len(outputs))
        time.sleep(_POLL_SECONDS)
    result = job.result(timeout=0)
    outputs = job.outputs() if call.endpoint.generator else []
    yield from (_plain(item) for item in outputs[sent:])
    if not outputs:
        yield _plain(result)


def _value(value: Json, parameter: ServedParameter | None) -> Json:
    """A path or URL given for a file input becomes what gradio_client uploads; all else stays as it is."""
    if parameter is None or parameter.component not in FILE_KINDS:
        return value
    if isinstance(value, list):
        return [_value(item, parameter) for item in value]
    if not isinstance(value, str):
        return value
    if not value.startswith(("http://", "https://")) and not Path(value).is_file():
        raise EndpointError(f"There is no file {value}.", hint="Give the path of a file, or an http(s) URL.")
    from gradio_client import handle_file

    return handle_file(value)


def _plain(value: Any) -> Json:
    """The result as JSON: tuples of several outputs become lists."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def _said(error: BaseException, call: Call) -> str:
    name, text = call.endpoint.name, one_line(error, 300)
    kind = type(error).__name__
    if kind == "AppError":
        if "has not enabled verbose error reporting" in text:
            return f"{name} raised an error, and the app does not show which (show_error is off)."
        return f"{name} raised an error: {text}"
    if kind in {"CancelledError", "ReadTimeout"}:
        return f"{name} was cancelled before it completed."
    if kind in {"TypeError", "ValueError"}:
        return f"{name} can't be called like this: {text}"
    return f"{name} could not be called ({kind}){': ' + text if text else ''}."
