"""Files that a call gives back: fetched from the app's own host only, and written under safe names."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote

from hfspace.live.gradio.calls import AppCall, Download, EndpointError
from hfspace.live.gradio.fetch import Ask, fetch_all
from hfspace.live.gradio.urls import version_of
from hfspace.model import Json

_MAX_FILE = 512 << 20
_DOWNLOAD_SECONDS = 300.0

Clean = Callable[[bytes], bytes]
"""What is written of the content of a file."""


def as_it_is(content: bytes) -> bytes:
    return content


def save_files(
    value: Json, call: AppCall, folder: Path, clean: Clean = as_it_is
) -> tuple[Json, tuple[Path, ...]]:
    """`value` with every file in it replaced by the path it was saved to, and those paths.

    Raises EndpointError when a file can't be fetched or written.
    """
    saved: list[Path] = []

    def walk(item: Json) -> Json:
        if is_file(item):
            saved.append(_save(item, call, folder, clean))
            return str(saved[-1])
        if isinstance(item, list):
            return [walk(inner) for inner in item]
        if isinstance(item, Mapping):
            return {key: walk(inner) for key, inner in item.items()}
        return item

    return walk(value), tuple(saved)


def save_download(answer: Download, folder: Path, clean: Clean = as_it_is) -> Path:
    """Where the answer was saved. Raises EndpointError when it can't be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return _write(folder, _name(answer.name), clean(answer.content))
    except OSError as error:
        raise EndpointError(f"Could not write into {folder}: {error.strerror}.") from None


def is_file(item: Json) -> bool:
    """Whether a result is a file of the app: Gradio marks it (4+), or names it with is_file (3)."""
    if not isinstance(item, Mapping):
        return False
    meta = item.get("meta")
    marked = isinstance(meta, Mapping) and meta.get("_type") == "gradio.FileData"
    named = item.get("is_file") is True and isinstance(item.get("name"), str)
    return (marked and isinstance(item.get("path"), str)) or named


def _save(item: Mapping[str, Json], call: AppCall, folder: Path, clean: Clean) -> Path:
    path = str(item.get("path") or item.get("name"))
    # The answer may name any URL; the file is asked from the app's own host, where the token may go too.
    prefix = call.app.prefix if version_of(call.app.version) >= (5, 0) else ""
    url = f"{call.base}{prefix}/file={quote(path)}"
    ask = Ask(url=url, token=call.token, cookies=call.cookies)
    (answer,) = fetch_all([ask], timeout=_DOWNLOAD_SECONDS, max_bytes=_MAX_FILE)
    if answer.status != 200 or not answer.complete:
        raise EndpointError(f"A file of the answer could not be fetched ({answer.status or answer.problem}).")
    name = str(item.get("orig_name") or path)
    content = Download(name=name, content_type=answer.content_type, content=answer.body)
    return save_download(content, folder, clean)


def _name(text: str) -> str:
    """A file name without folders or control characters; never hidden."""
    base = text.replace("\\", "/").rsplit("/", 1)[-1]
    plain = "".join(char for char in base if char.isprintable() and char not in '<>:"|?*').lstrip(".")
    return plain[-120:] or "file"


def _write(folder: Path, name: str, body: bytes) -> Path:
    """Write under a name that is not taken; an existing file is never replaced."""
    stem, suffix = os.path.splitext(name)
    for number in range(1000):
        path = folder / (name if not number else f"{stem}-{number}{suffix}")
        try:
            with path.open("xb") as file:
                file.write(body)
        except FileExistsError:
            continue
        return path
    raise EndpointError(f"{folder} holds too many files named like {name}.")
