"""Calls through gradio_client (Gradio 4 and later), in a child process that a deadline ends."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from hfspace.live.gradio.calls import MAX_ANSWER_BYTES, AppCall, CallTimeout, EndpointError, Result
from hfspace.live.gradio.components import with_files
from hfspace.live.gradio.contract import values_of
from hfspace.model import Json, ServedParameter
from hfspace.requestlog import log_request

_IDLE_SECONDS = 60.0


class Conversation:
    """Calls of one app that share its session: what the app keeps in a State stays from one to the next.

    One child process makes them, started by the first call and ended by `close`, by a call that reaches its
    deadline, or with the interpreter. A call made while another one runs gets a process and a session of its
    own. Safe to use from several threads.
    """

    def __init__(self) -> None:
        self._busy = threading.Lock()
        self._child: _Child | None = None

    def stream(self, call: AppCall) -> Generator[Json, None, Result]:
        """The steps of one call, the last one complete; then its Result. Raises EndpointError."""
        if not self._busy.acquire(blocking=False):
            with _Child(call) as child:
                return (yield from child.stream(call))
        try:
            return (yield from self._stream(call))
        finally:
            self._busy.release()

    def close(self) -> None:
        """End the session and its process. A later call starts another one."""
        child, self._child = self._child, None
        if child is not None:
            child.end()

    def _stream(self, call: AppCall) -> Generator[Json, None, Result]:
        child = None if self._child is None or self._child.ended else self._child
        if child is not None and not child.is_current(call):
            child.end()
            child = None
            if any(parameter.component == "state" for parameter in call.endpoint.parameters):
                raise EndpointError(
                    "The app was started anew since the last call: this conversation is gone.",
                    hint="Call again: that begins another one.",
                )
        self._child = child or _Child(call)
        return (yield from self._child.stream(call))


class _Child:
    """The process of one session, as `worker` runs it."""

    def __init__(self, call: AppCall) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-m", "hfspace.live.gradio.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
        )
        self._used = time.monotonic()
        # It also ends by itself when its parent does: its stdin closes then.
        self.end = weakref.finalize(self, _end, self._process)
        self._write({"base": call.base, "token": call.token, "cookies": dict(call.cookies)})

    def __enter__(self) -> _Child:
        return self

    def __exit__(self, *error: object) -> None:
        self.end()

    @property
    def ended(self) -> bool:
        return not self.end.alive

    def stream(self, call: AppCall) -> Generator[Json, None, Result]:
        """As `Conversation.stream`. The process ends unless the app itself ended the call."""
        started, place = time.monotonic(), f"{call.base}{call.endpoint.name}"
        deadline = started + call.timeout
        args, kwargs = arguments(call)
        self._write({
            "name": call.endpoint.name, "timeout": call.timeout, "generator": call.endpoint.generator,
            "args": args, "kwargs": kwargs,
        })  # fmt: skip
        alive, last = False, None
        try:
            for message in self._messages(deadline, call):
                if "step" in message:
                    last = message["step"]
                    yield last
                    continue
                alive = bool(message["alive"])
                if "seconds" in message:
                    log_request("CALL", place, started)
                    return Result(answer=last, seconds=float(message["seconds"]))
                raise EndpointError(_reason(str(message["error"]), str(message["text"]), call))
            raise EndpointError(f"{call.endpoint.name} could not be called: its client ended without a word.")
        except EndpointError as error:
            log_request("CALL", place, started, error=error)
            raise
        finally:
            self._used = time.monotonic()
            if not alive:
                self.end()

    def is_current(self, call: AppCall) -> bool:
        """Whether the app is still the one that the session began with: gradio_client calls by position in
        the configuration that it read, which after a redeployment would be another function."""
        if time.monotonic() - self._used < _IDLE_SECONDS:
            return True
        self._write({"check": True})
        try:
            answer = next(self._messages(time.monotonic() + call.timeout, call), {})
        except EndpointError:
            self.end()
            raise
        return bool(answer.get("current"))

    def _write(self, message: Mapping[str, Any]) -> None:
        pipe = self._process.stdin
        assert pipe is not None
        with suppress(BrokenPipeError):  # one that ended is noticed by its silence
            pipe.write(json.dumps(message).encode() + b"\n")
            pipe.flush()

    def _messages(self, deadline: float, call: AppCall) -> Iterator[dict[str, Any]]:
        """Lines of JSON until the pipe closes. Raises CallTimeout at the deadline, EndpointError at the
        limit of bytes."""
        assert self._process.stdout is not None
        pipe, size, parts = self._process.stdout.fileno(), 0, bytearray()
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([pipe], [], [], left)[0]:
                name = call.endpoint.name
                raise CallTimeout(
                    f"{name} did not complete within {call.timeout:g} s; the call was cancelled.",
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
            parts += chunk
            if b"\n" in chunk:
                *lines, rest = parts.split(b"\n")
                yield from (json.loads(line) for line in lines)
                parts = bytearray(rest)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(BrokenPipeError):
                pipe.close()


def _environment() -> dict[str, str]:
    """What the child needs of the environment: nothing that looks like a secret."""
    secret = ("TOKEN", "SECRET", "PASSWORD", "_KEY")
    return {
        key: value for key, value in os.environ.items() if not any(part in key.upper() for part in secret)
    }


def arguments(call: AppCall) -> tuple[list[Json], dict[str, Json]]:
    """Positions and names for gradio_client, with files marked. Raises EndpointError for a missing file."""
    parameters = values_of(call.endpoint.parameters)
    if isinstance(call.values, Mapping):
        by_name = {parameter.name: parameter for parameter in parameters}
        return [], {str(key): _value(value, by_name.get(str(key))) for key, value in call.values.items()}
    padded: list[ServedParameter | None] = [*parameters, *[None] * len(call.values)]
    return [_value(value, parameter) for value, parameter in zip(call.values, padded, strict=False)], {}


def _value(value: Json, parameter: ServedParameter | None) -> Json:
    """A path or URL given for a file becomes what gradio_client uploads; all else stays as it is."""
    return value if parameter is None else with_files(value, parameter, _file)


def _file(value: str) -> Json:
    """What gradio_client.handle_file makes of a path or a URL. Raises EndpointError for a missing file."""
    known = {"path": value, "meta": {"_type": "gradio.FileData"}}
    if value.startswith(("http://", "https://")):
        return {**known, "orig_name": value.split("/")[-1], "url": value}
    if not Path(value).is_file():
        raise EndpointError(f"There is no file {value}.", hint="Give the path of a file, or an http(s) URL.")
    return {**known, "orig_name": Path(value).name}


def _reason(kind: str, text: str, call: AppCall) -> str:
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
