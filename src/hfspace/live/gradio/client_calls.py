"""Calls through gradio_client (Gradio 4 and later) on a leash: no token of its own finding, no telemetry, no
prints, no downloads, and an end."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from hfspace.live.gradio.calls import MAX_ANSWER_BYTES, Call, CallTimeout, EndpointError, Result
from hfspace.live.gradio.contract import values_of
from hfspace.live.gradio.values import FILE_KINDS
from hfspace.model import Json, ServedParameter


def stream_client(call: Call) -> Generator[Json, None, Result]:
    """The steps of one call, the last one complete, and its Result. Made by a child process that is killed at
    the deadline. Raises EndpointError, CallTimeout."""
    deadline = time.monotonic() + call.timeout
    args, kwargs = arguments(call)
    asked = {
        "base": call.base,
        "token": call.token,
        "timeout": call.timeout,
        "name": call.endpoint.name,
        "generator": call.endpoint.generator,
        "args": args,
        "kwargs": kwargs,
    }
    child = subprocess.Popen(
        [sys.executable, "-I", "-m", "hfspace.live.gradio.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(),
    )
    try:
        assert child.stdin is not None
        assert child.stdout is not None
        with suppress(BrokenPipeError):  # a child that ended at once is told by its silence
            child.stdin.write(json.dumps(asked).encode() + b"\n")
            child.stdin.flush()
        last: Json = None
        for message in _messages(child.stdout.fileno(), deadline, call):
            if "step" in message:
                last = message["step"]
                yield last
            elif "seconds" in message:
                return Result(answer=last, seconds=float(message["seconds"]))
            else:
                raise EndpointError(_said(str(message["error"]), str(message["text"]), call))
        raise EndpointError(f"{call.endpoint.name} could not be called: its client ended without a word.")
    finally:
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()


def _messages(pipe: int, deadline: float, call: Call) -> Iterator[dict[str, Any]]:
    """Lines of JSON until the pipe closes. Raises CallTimeout at the deadline, EndpointError at the limit."""
    kept, size = bytearray(), 0
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([pipe], [], [], left)[0]:
            raise CallTimeout(
                f"{call.endpoint.name} did not complete within {call.timeout:g} s; the call was cancelled.",
                hint="Give it more time, or look at the app's queue and hardware.",
            )
        chunk = os.read(pipe, 1 << 16)
        if not chunk:
            return
        size += len(chunk)
        if size > MAX_ANSWER_BYTES:
            raise EndpointError(
                f"The answer of {call.endpoint.name} is larger than {MAX_ANSWER_BYTES >> 20} MiB."
            )
        kept += chunk
        *lines, rest = kept.split(b"\n") if b"\n" in chunk else [kept]
        yield from (json.loads(line) for line in lines)
        kept = bytearray(rest)


def _environment() -> dict[str, str]:
    """What the child needs of the environment: nothing that looks like a secret."""
    secret = ("TOKEN", "SECRET", "PASSWORD", "_KEY")
    return {
        key: value for key, value in os.environ.items() if not any(part in key.upper() for part in secret)
    }


def arguments(call: Call) -> tuple[list[Json], dict[str, Json]]:
    """Positions and names for gradio_client, with files marked. Raises EndpointError for a missing file."""
    wanted = values_of(call.endpoint.parameters)
    if isinstance(call.values, Mapping):
        by_name = {parameter.name: parameter for parameter in wanted}
        return [], {str(key): _value(value, by_name.get(str(key))) for key, value in call.values.items()}
    padded: list[ServedParameter | None] = [*wanted, *[None] * len(call.values)]
    return [_value(value, parameter) for value, parameter in zip(call.values, padded, strict=False)], {}


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
    # What gradio_client.handle_file makes of it.
    known = {"path": value, "meta": {"_type": "gradio.FileData"}}
    if value.startswith(("http://", "https://")):
        return {**known, "orig_name": value.split("/")[-1], "url": value}
    return {**known, "orig_name": Path(value).name}


def _said(kind: str, text: str, call: Call) -> str:
    name = call.endpoint.name
    if kind == "MemoryError":
        return f"The answer of {name} needs more memory than a call may have."
    if kind == "AppError":
        if "has not enabled verbose error reporting" in text:
            return f"{name} raised an error, and the app does not show which (show_error is off)."
        return f"{name} raised an error: {text}"
    if kind in {"CancelledError", "ReadTimeout"}:
        return f"{name} was cancelled before it completed."
    if kind in {"TypeError", "ValueError"}:
        return f"{name} can't be called like this: {text}"
    return f"{name} could not be called ({kind}){': ' + text if text else ''}."
