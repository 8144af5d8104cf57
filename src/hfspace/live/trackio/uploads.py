"""Files for official trackio (0.43): staged by POST /api/upload, then consumed by another call."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hfspace.errors import TrackioRejected, TrackioUnavailable
from hfspace.live.gradio.fetch import explain, safe_host
from hfspace.model import Json
from hfspace.requestlog import hooks

Watch = Callable[[int], None]
"""Hears how many bytes of a file were sent."""

_SLOWEST = 100_000
"""Bytes per second: an upload that is slower is given up."""
_LONGEST_ANSWER = 1 << 20


def send_file(base: str, headers: Mapping[str, str], path: Path, *, timeout: float, watch: Watch) -> Json:
    """POST a file to /api/upload; what the server calls it. Raises TrackioUnavailable, TrackioRejected,
    OSError.

    It takes at most `timeout` seconds, and those that the file takes at 100 kB per second."""
    import httpx

    with path.open("rb") as file:
        file.seek(0, 2)
        deadline = time.monotonic() + timeout + file.tell() / _SLOWEST
        body: Any = _Watched(file, deadline, watch)
        try:
            with (
                httpx.Client(
                    base_url=base,
                    timeout=timeout,
                    verify=base.lower().startswith("https:"),
                    event_hooks=hooks(),
                ) as client,
                client.stream(
                    "POST", "/api/upload", headers=dict(headers), files={"files": (path.name, body)}
                ) as answer,
            ):
                status, data = answer.status_code, bytearray()
                for piece in answer.iter_bytes():
                    data += piece
                    if len(data) > _LONGEST_ANSWER or time.monotonic() > deadline:
                        raise httpx.ReadTimeout("the answer does not end")
        except httpx.HTTPError as error:
            raise TrackioUnavailable(f"/api/upload: {explain(error, base, timeout)}") from None
    return _staged(base, status, bytes(data))


def as_uploaded(staged: Json, name: str) -> dict[str, Json]:
    """A staged file as an argument of the call that consumes it, which keeps it under `name`."""
    return {"path": staged, "orig_name": name, "meta": {"_type": "gradio.FileData"}}


class _Watched:
    """A file that is read piece by piece until a deadline."""

    def __init__(self, file: Any, deadline: float, watch: Watch) -> None:
        self._file, self._deadline, self._watch = file, deadline, watch

    def fileno(self) -> int:
        return int(self._file.fileno())

    def seek(self, offset: int, whence: int = 0) -> int:
        return int(self._file.seek(offset, whence))

    def read(self, size: int = -1) -> bytes:
        import httpx

        if time.monotonic() > self._deadline:
            raise httpx.WriteTimeout("the upload is too slow")
        piece: bytes = self._file.read(size)
        self._watch(self._file.tell())
        return piece


def _staged(base: str, status: int, data: bytes) -> Json:
    try:
        told = json.loads(data)
    except (ValueError, RecursionError):
        told = None
    paths = told.get("paths") if isinstance(told, Mapping) else None
    if status == 200 and isinstance(paths, list) and len(paths) == 1:
        return paths[0]
    if status in {400, 401, 403}:
        raise TrackioRejected(
            f"{safe_host(base)} takes no files with this token ({status}).",
            hint="Set TRACKIO_WRITE_TOKEN, or on a Space HF_TOKEN to a token that may write to it.",
        )
    raise TrackioUnavailable(f"{safe_host(base)} does not take a file: /api/upload answers {status}.")
