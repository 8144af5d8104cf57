"""The child process of Gradio calls: each a line of JSON on stdin, its steps lines on stdout.

gradio_client has no deadline of its own that holds, no limit of bytes, and threads that nobody can stop; all
three end with this process. It ends too when its parent does: stdin closes then.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import wait
from queue import SimpleQueue
from typing import Any

from hfspace.live.gradio.client import is_current, open_client, set_timeout
from hfspace.model import Json
from hfspace.text import one_line

_MEMORY = 768 << 20
_POLL_SECONDS = 0.02
_HARMLESS = frozenset({"AppError", "TypeError", "ValueError"})
"""What the app or the check of the arguments raises; anything else may have broken the client."""


def main() -> None:
    """Open the app that the first line names and make the calls of the next ones, one after the other.

    Says {"step": …} for each step, then {"seconds": …} or {"error": …}; `alive` tells whether another call
    can be made.
    """
    lines: SimpleQueue[bytes] = SimpleQueue()
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # What a library prints is no part of the answer.
    os.dup2(2, 1)
    threading.Thread(target=_read, args=(lines,), daemon=True).start()
    _limit_memory()

    def say(message: Mapping[str, Json]) -> None:
        out.write(json.dumps(message) + "\n")
        out.flush()

    client = None
    opened = json.loads(lines.get())
    alive = True
    while alive:
        order = json.loads(lines.get())
        try:
            if client is None:
                client = open_client(
                    opened["base"], opened["token"], order["timeout"], cookies=opened["cookies"]
                )
            if order.get("check"):
                say({"current": is_current(client)})
                continue
            say({"seconds": _call(client, order, say), "alive": True})
        except BaseException as error:  # noqa: BLE001 - whatever a library or an app raises is reported
            text = "" if isinstance(error, MemoryError) else one_line(error, 300)
            alive = client is not None and type(error).__name__ in _HARMLESS
            say({"error": type(error).__name__, "text": text, "alive": alive})
    os._exit(0)  # its threads may still be reading a stream that never ends


def _call(client: Any, order: Mapping[str, Any], say: Callable[[Mapping[str, Json]], None]) -> float:
    """Make one call, say its steps, return its seconds. Raises what gradio_client raises."""
    started = time.monotonic()
    set_timeout(client, order["timeout"])
    job = client.submit(*order["args"], api_name=order["name"], **order["kwargs"])
    steps = 0
    for step in _steps(job) if order["generator"] else ():
        say({"step": _plain(step)})
        steps += 1
    result = job.result()
    if not steps:
        say({"step": _plain(result)})
    return time.monotonic() - started


def _steps(job: Any) -> Iterator[Any]:
    sent = 0
    while True:
        done = bool(wait([job.future], timeout=_POLL_SECONDS).done)
        outputs = job.outputs()[sent:]
        yield from outputs
        sent += len(outputs)
        if done:
            return


def _read(lines: SimpleQueue[bytes]) -> None:
    """Queue the lines of stdin; end the process when it closes, as it does when the parent ends."""
    kept = bytearray()
    # The descriptor itself: a buffered reader may not be in use when the interpreter ends.
    while chunk := os.read(0, 1 << 16):
        kept += chunk
        if b"\n" in chunk:
            *complete, rest = kept.split(b"\n")
            for line in complete:
                lines.put(bytes(line))
            kept = bytearray(rest)
    os._exit(1)


def _limit_memory() -> None:
    """An answer that inflates without end stops here, not in the memory of the machine."""
    try:
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, most))
    except (ImportError, ValueError, OSError):
        return


def _plain(value: Any) -> Json:
    """The result as JSON: tuples of several outputs become lists."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


if __name__ == "__main__":
    main()
