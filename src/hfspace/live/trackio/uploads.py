"""Files for official trackio (0.43): staged by POST /api/upload, then consumed by another call."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

from hfspace.errors import TrackioRejected, TrackioUnavailable
from hfspace.live.trackio.app_http import AppAnswer, AppCall, AppConnection, AppHttp, parsed
from hfspace.model import Json

Watch = Callable[[int], None]
"""Hears how many bytes of a file were sent."""

_SLOWEST = 100_000
"""Bytes per second: an upload that is slower is given up."""
_PIECE = 1 << 16
_ESCAPED = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


def send_file(http: AppHttp, headers: Mapping[str, str], path: Path, *, watch: Watch) -> Json:
    """POST a file to /api/upload; what the server calls it. Raises TrackioUnavailable, TrackioRejected,
    OSError.

    It takes at most the time of a call, and that of the file at 100 kB per second."""
    size = path.stat().st_size
    boundary = secrets.token_hex(16)
    head = (
        f'--{boundary}\r\ncontent-disposition: form-data; name="files"; '
        f'filename="{path.name.translate(_ESCAPED)}"\r\ncontent-type: application/octet-stream\r\n\r\n'
    ).encode("utf-8", "surrogateescape")
    tail = f"\r\n--{boundary}--\r\n".encode()
    sent = {
        **headers,
        "content-type": f"multipart/form-data; boundary={boundary}",
        "content-length": str(len(head) + size + len(tail)),
    }

    async def body() -> AsyncIterator[bytes]:
        yield head
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece
                watch(file.tell())
        yield tail

    async def make(connection: AppConnection) -> Json:
        answer = await connection.answer("POST", "/api/upload", headers=sent, content=body())
        return _staged(http.host, answer)

    return http.write(AppCall("/api/upload", make, more_seconds=size / _SLOWEST))


def as_uploaded(staged: Json, name: str) -> dict[str, Json]:
    """A staged file as an argument of the call that consumes it, which keeps it under `name`."""
    return {"path": staged, "orig_name": name, "meta": {"_type": "gradio.FileData"}}


def _staged(host: str, answer: AppAnswer) -> Json:
    document = parsed(answer.body.decode("utf-8", "replace"))
    paths = document.get("paths") if isinstance(document, Mapping) else None
    if answer.status == 200 and isinstance(paths, list) and len(paths) == 1:
        return paths[0]
    if answer.status in {400, 401, 403}:
        raise TrackioRejected(
            f"{host} takes no files with this token ({answer.status}).",
            hint="Set TRACKIO_WRITE_TOKEN, or on a Space HF_TOKEN to a token that may write to it.",
        )
    raise TrackioUnavailable(f"{host} does not take a file: /api/upload answers {answer.status}.")
