"""The child process of a Gradio call: one call as a line of JSON on stdin, its steps as lines on stdout.

gradio_client has no deadline of its own that holds, no limit of bytes, and threads that nobody can stop; all
three end with this process. It ends too when its parent does: stdin closes then.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

from hfspace.live.gradio.client import open_client
from hfspace.model import Json
from hfspace.text import one_line

_MEMORY = 768 << 20
_POLL_SECONDS = 0.02


def main() -> None:
    """Make the call that stdin describes. Says {"step": …} for each, then {"seconds": …} or {"error": …}."""
    asked = json.loads(sys.stdin.buffer.readline())
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # What a library prints is no part of the answer.
    os.dup2(2, 1)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _limit_memory()

    def say(message: Mapping[str, Json]) -> None:
        out.write(json.dumps(message) + "\n")
        out.flush()

    try:
        client = open_client(asked["base"], asked["token"], asked["timeout"])
        started = time.monotonic()
        job = client.submit(*asked["args"], api_name=asked["name"], **asked["kwargs"])
        sent = 0
        while True:
            done = job.done()
            outputs = job.outputs() if asked["generator"] else []
            for item in outputs[sent:]:
                say({"step": _plain(item)})
            sent = max(sent, len(outputs))
            if done:
                break
            time.sleep(_POLL_SECONDS)
        result = job.result(timeout=0)
        if not sent:
            say({"step": _plain(result)})
        say({"seconds": time.monotonic() - started})
    except BaseException as error:  # noqa: BLE001 - whatever a library or an app raises is told, then it ends
        said = "" if isinstance(error, MemoryError) else one_line(error, 300)
        say({"error": type(error).__name__, "text": said})
    os._exit(0)  # its threads may still be reading a stream that never ends


def _end_with_parent() -> None:
    # The descriptor itself: a buffered reader may not be in use when the interpreter ends.
    while os.read(0, 4096):
        pass
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
