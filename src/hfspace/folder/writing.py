"""The files of a Space written to a folder here: whole or not at all, checked, and never outside of it."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from hfspace.errors import HubFault, HubUnreachable, UsageError
from hfspace.files import replacing
from hfspace.folder.hashing import CHUNK
from hfspace.folder.listing import too_alike
from hfspace.folder.tree import bad_name
from hfspace.model.files import HubFile
from hfspace.text import one_line, plain

GIT_ATTRIBUTES = ".gitattributes"
"""Not written: in a repository of git it would change how that one stores its own files."""
_ATTEMPTS = 3
_THREADS = 8
_NAMED = 5
_UNSEEN = re.compile("[\u200b-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")
_ON_WINDOWS = frozenset('<>:"|?*')
_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", *(f"{name}{n}" for name in ("com", "lpt") for n in range(10))}
)

Sink = Callable[[bytes], object]
Fetch = Callable[[str, HubFile, Sink], None]
"""Sends the bytes of one file of the Hub to the sink. Raises HubError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What was done: names of files that are new here, and that were replaced, and how many were the same."""

    new: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    same: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """What is to be written to a folder, before anything is: nothing in it leads out of the folder."""

    folder: Path
    new: Mapping[str, HubFile]
    changed: Mapping[str, HubFile]
    names: frozenset[str]

    @property
    def same(self) -> int:
        return len(self.names) - len(self.new) - len(self.changed)

    def refuse_changed(self) -> None:
        """Raises UsageError where files here would be lost."""
        if self.changed:
            raise UsageError(
                f"{plain(self.folder)} has other contents than the Hub in {_names(self.changed)}.",
                hint="Commit or move what is yours, and pass --force to replace it.",
            )

    def write(self, fetch: Fetch) -> Written:
        """Write all of it; each file takes its place when it is whole and what the Hub said. Files that are
        done stay when a later one fails, and a further run goes on with the rest. Raises HubError,
        UsageError."""
        with ThreadPoolExecutor(max_workers=_THREADS) as pool:
            pending = [
                pool.submit(copy_context().run, _write, self.folder, path, file, fetch)
                for path, file in sorted({**self.new, **self.changed}.items())
            ]
            try:
                for one in pending:
                    one.result()
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        return Written(
            new=tuple(sorted(self.new)),
            replaced=tuple(sorted(self.changed)),
            same=self.same,
            size=sum(file.size for file in (*self.new.values(), *self.changed.values())),
        )


def compare(folder: Path, files: Mapping[str, HubFile]) -> Writing:
    """What of `files` the folder lacks or has otherwise. Reads here only. Raises UsageError for a name that
    can't be written, and for a place that is none for a file."""
    files = {path: file for path, file in files.items() if path != GIT_ATTRIBUTES}
    _check_names(files)
    new: dict[str, HubFile] = {}
    changed: dict[str, HubFile] = {}
    for path, file in files.items():
        place = _place(folder, path)
        try:
            status = place.lstat()
        except (FileNotFoundError, NotADirectoryError):
            new[path] = file
            continue
        if not stat.S_ISREG(status.st_mode):
            raise UsageError(f"{plain(place)} is no regular file.", hint="Move it away, and run again.")
        if not _is_same(place, status.st_size, file):
            changed[path] = file
    return Writing(folder=folder, new=new, changed=changed, names=frozenset(files))


def _check_names(paths: Iterable[str]) -> None:
    """Raises UsageError for names that would lead out of a folder, or that no file can have."""
    known = list(paths)
    folders = {path[:at] for path in known for at, sign in enumerate(path) if sign == "/"}
    for path in known:
        if why := _unwritable(path) or ("is the name of a folder and of a file" if path in folders else ""):
            raise UsageError(f"The Hub has a file that is not written here: {one_line(path, 100)} {why}.")
    for one, other in too_alike(known):
        raise UsageError(
            f"The Hub has {one_line(one, 100)} and {one_line(other, 100)}, which differ in case alone.",
            hint="Rename one of the two there.",
        )


def _unwritable(path: str) -> str:
    if why := bad_name(path):
        return why
    for part in path.split("/"):
        if part in {"", ".", ".."}:
            return "leads out of the folder"
        if _UNSEEN.sub("", part).rstrip(". ").partition(":")[0].lower() in {".git", "git~1"}:
            return "has a name that a file system takes for .git"
        if os.name == "nt" and (
            _ON_WINDOWS & set(part) or part.endswith((" ", ".")) or part.split(".")[0].lower() in _DEVICES
        ):
            return "has a name that Windows can't hold"
    return ""


def _place(folder: Path, path: str) -> Path:
    """Where a file goes. Raises UsageError where a link or a file stands in the way."""
    place = folder / path
    for above in place.parents:
        if above == folder:
            break
        with suppress(FileNotFoundError, NotADirectoryError):
            if not stat.S_ISDIR(above.lstat().st_mode):
                raise UsageError(
                    f"{plain(above)} is no folder, and {one_line(path, 100)} goes into it.",
                    hint="Move it away, and run again.",
                )
    return place


def _is_same(place: Path, size: int, file: HubFile) -> bool:
    if size != file.size:
        return False
    digest = _Digest(file)
    with _reading(place) as source:
        while data := source.read(CHUNK):
            digest.update(data)
    return digest.is_right


def _reading(place: Path) -> BinaryIO:
    try:
        return place.open("rb")
    except OSError as error:
        raise UsageError(f"{plain(place)} can't be read: {error.strerror}.") from None


class _Digest:
    """The hash by which the Hub names a file: SHA-256 of a large one, git's of others."""

    def __init__(self, file: HubFile) -> None:
        self._file, self._size = file, 0
        self._wanted = file.sha256 or file.oid
        self._hash = (
            hashlib.sha256() if file.sha256 else hashlib.sha1(b"blob %d\0" % file.size, usedforsecurity=False)
        )

    def update(self, data: bytes) -> None:
        self._size += len(data)
        self._hash.update(data)

    @property
    def is_right(self) -> bool:
        return self._size == self._file.size and self._hash.hexdigest() == self._wanted


def _write(folder: Path, path: str, file: HubFile, fetch: Fetch) -> None:
    place = _place(folder, path)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                _write_once(place, path, file, fetch)
            except HubUnreachable:  # it broke off in the middle
                if attempt == _ATTEMPTS:
                    raise
            else:
                return
    except OSError as error:
        raise UsageError(f"{plain(place)} can't be written: {error.strerror}.") from None


def _write_once(place: Path, path: str, file: HubFile, fetch: Fetch) -> None:
    digest = _Digest(file)
    with replacing(place) as temporary, temporary.open("wb") as target:

        def sink(data: bytes) -> None:
            digest.update(data)
            target.write(data)

        fetch(path, file, sink)
        if not digest.is_right:
            raise HubFault(
                f"{one_line(path, 100)} came from the Hub otherwise than it says, and was not kept.",
                hint="Run again.",
            )


def _names(paths: Iterable[str]) -> str:
    every = sorted(paths)
    named = ", ".join(one_line(path, 60) for path in every[:_NAMED])
    more = len(every) - _NAMED
    return f"{named} and {more:,} more" if more > 0 else named
