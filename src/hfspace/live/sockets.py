"""An end for all reads of one answer: httpx's timeout is that of a single read, which a head that drips meets
for hours."""

from __future__ import annotations

import sys
import time
from contextvars import ContextVar
from typing import Any

current_answer_end: ContextVar[float | None] = ContextVar("hfspace_answer_end", default=None)
"""When, by time.monotonic, the answer that is read now must have ended; None for one without an end."""


def ending(transport: Any) -> Any:
    """`transport` (httpx's or httpx2's), whose sockets are read until `current_answer_end` and no longer."""
    backend = transport._pool._network_backend
    core = sys.modules[type(backend).__module__.partition(".")[0]]
    connect = backend.connect_tcp

    def connect_tcp(*args: Any, **options: Any) -> Any:
        return _ending_stream(connect(*args, **options), core.ReadTimeout)

    backend.connect_tcp = connect_tcp
    return transport


def _ending_stream(stream: Any, timed_out: type[Exception]) -> Any:
    read, start_tls = stream.read, stream.start_tls

    def read_until(max_bytes: int, timeout: float | None = None) -> bytes:
        end = current_answer_end.get()
        left = float("inf") if end is None else end - time.monotonic()
        if left <= 0:
            raise timed_out("the answer did not end in its time")
        data: bytes = read(max_bytes, min(left, float("inf") if timeout is None else timeout))
        return data

    stream.read = read_until
    stream.start_tls = lambda *args, **options: _ending_stream(start_tls(*args, **options), timed_out)
    return stream
