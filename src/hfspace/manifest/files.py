"""The files of a manifest: what a path, a directory or a glob stands for, read as UTF-8 text."""

from __future__ import annotations

import glob
import os
import sys
from pathlib import Path

from hfspace.errors import Problem

LARGEST_FILE = 5 * 1024 * 1024
_MARKS = {
    b"\xff\xfe\0\0": "UTF-32",
    b"\0\0\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}


def expanded(path: str, here: Path, problems: list[Problem]) -> list[str]:
    """The files that a path, a directory or a glob stands for; a problem where there are none."""
    if path == "-":
        return ["-"]
    try:
        full = here / path
        if full.is_dir():
            names = sorted(str(child) for end in ("*.yaml", "*.yml") for child in full.glob(end))
            if not names:
                hint = "Name a file, or a directory that holds manifests."
                problems.append(Problem(file=path, message="is a directory without *.yaml files", hint=hint))
            return names
        if any(sign in path for sign in "*?[") and not full.exists():
            names = sorted(glob.glob(str(full), recursive=True))
            if not names:
                problems.append(Problem(file=path, message="matches no file", hint="Check the pattern."))
            return names
    except (OSError, ValueError) as error:
        problems.append(_unreadable(path, error))
        return []
    return [path]


def read(name: str, here: Path, problems: list[Problem]) -> tuple[str, str] | None:
    """(name, text) of one file; None and a problem when it can't be read."""
    try:
        data = _bytes(name, here)
    except FileNotFoundError:
        hint = (
            "Write one with `hfspace init`, or name it with -f."
            if name == "spaces.yaml"
            else "Check the path."
        )
        problems.append(Problem(file=name, message="there is no such file", hint=hint))
        return None
    except (OSError, ValueError) as error:
        problems.append(_unreadable(name, error))
        return None
    if len(data) > LARGEST_FILE:
        hint = "Split it into several files."
        problems.append(Problem(file=name, message="is larger than 5 MiB", hint=hint))
        return None
    try:
        return name, data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problems.append(_undecodable(name, data, error))
        return None


def _bytes(name: str, here: Path) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read(LARGEST_FILE + 1)
    path = here / name
    if path.exists() and not (path.is_file() or path.is_dir() or path.is_fifo()):
        raise ValueError("it is no regular file")
    if path.is_file() and _leaves(path, here):
        raise ValueError("it is a link to a file outside of its folder")
    with path.open("rb") as file:
        return file.read(LARGEST_FILE + 1)


def _leaves(path: Path, here: Path) -> bool:
    """Whether links lead out of where a file seems to be: what is there was not meant to be shown."""
    absolute = Path(os.path.abspath(path))
    folder = Path(os.path.abspath(here))
    base = folder if absolute.is_relative_to(folder) else absolute.parent
    return not absolute.resolve().is_relative_to(base.resolve())


def _unreadable(name: str, error: Exception) -> Problem:
    why = getattr(error, "strerror", None) or str(error)
    hint = "Check who may read it." if isinstance(error, PermissionError) else "Name a readable file."
    return Problem(file=name, message=f"can't be read: {why}", hint=hint)


def _undecodable(name: str, data: bytes, error: UnicodeDecodeError) -> Problem:
    encoding = next((kind for mark, kind in _MARKS.items() if data.startswith(mark)), None)
    if encoding:
        return Problem(
            file=name, line=1, column=1, message=f"is {encoding} text, not UTF-8", hint="Save it as UTF-8."
        )
    if b"\0" in data[:1024]:
        message = "is binary, not text"
        return Problem(file=name, line=1, column=1, message=message, hint="Name the manifest.")
    before = data[: error.start]
    start = before.rfind(b"\n") + 1
    column = len(before[start:].decode("utf-8", "replace")) + 1
    return Problem(
        file=name,
        line=before.count(b"\n") + 1,
        column=column,
        message=f"is not UTF-8 text: it holds the byte 0x{data[error.start]:02x}",
        hint="Save it as UTF-8.",
    )
