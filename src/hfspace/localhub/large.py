"""Large files: their bytes on disk beside the database, by SHA-256, and the uploads that bring them."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

PREFIX = "/_lfs/"
LARGEST = 50 * 2**30
"""Bytes that the Hub takes in one file."""
_CHUNK = 2**20
_POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n"


class LargeFile(NamedTuple):
    """A file that is kept by its SHA-256; git has a pointer to it."""

    oid: str
    size: int

    @property
    def pointer(self) -> bytes:
        return _POINTER.format(self.oid, self.size).encode()


class LargeFiles:
    """A folder for its owner only (0700) with files for its owner only (0600). Made when it is first used."""

    def __init__(self, folder: Path | None) -> None:
        """`folder`: None is a temporary one, gone with `close`."""
        self._given = folder
        self._folder: Path | None = None

    @property
    def folder(self) -> Path:
        if self._folder is None:
            if self._given is None:
                self._folder = Path(tempfile.mkdtemp(prefix="hfspace-hub-"))
            else:
                self._given.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._folder = self._given
        return self._folder

    def path(self, oid: str) -> Path:
        return self.folder / oid

    def has(self, oid: str) -> bool:
        return (self._folder is not None or self._given is not None) and self.path(oid).is_file()

    def receive(self) -> tuple[Path, BinaryIO]:
        """A new file for bytes that come, and its handle."""
        handle, name = tempfile.mkstemp(dir=self.folder, prefix="incoming-")
        return Path(name), os.fdopen(handle, "wb")

    def part(self, upload: str, number: int) -> Path:
        return self.folder / f"part-{upload}-{number}"

    def keep(self, file: LargeFile, parts: list[Path]) -> bool:
        """Make a file of its parts; False (and nothing is kept) when it is not the one that was said."""
        target, out = self.receive()
        digest, size = hashlib.sha256(), 0
        with out:
            for part in parts:
                if not part.is_file():
                    break
                for chunk in _chunks(part, 0, part.stat().st_size):
                    digest.update(chunk)
                    out.write(chunk)
                    size += len(chunk)
        if (digest.hexdigest(), size) != file:
            target.unlink()
            return False
        target.replace(self.path(file.oid))
        for part in parts:
            part.unlink()
        return True

    def remove(self, oid: str) -> None:
        if self.has(oid):
            self.path(oid).unlink()

    def stream(self, oid: str, first: int, last: int) -> Callable[[], AsyncIterator[bytes]]:
        """The bytes from `first` to `last`, both included."""
        path = self.path(oid)

        async def chunks() -> AsyncIterator[bytes]:
            for chunk in _chunks(path, first, last + 1 - first):
                yield chunk

        return chunks

    def close(self) -> None:
        if self._given is None and self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def _chunks(path: Path, start: int, length: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while length > 0 and (chunk := file.read(min(_CHUNK, length))):
            length -= len(chunk)
            yield chunk
