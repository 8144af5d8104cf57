"""The files of a run beside its spool: pictures, and copies of artifacts, named by what is in them."""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path

_PIECE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A file that is kept: its name in the store, and what is in it."""

    name: str
    size: int
    sha256: str


class FileStore:
    """A folder that is made when the first file comes, readable by its owner only."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, content: bytes, suffix: str) -> str:
        """Raises OSError."""
        name = hashlib.sha256(content).hexdigest()[:32] + suffix
        if not (self.folder / name).exists():
            partial = self._partial()
            partial.write_bytes(content)
            partial.replace(self.folder / name)
        return name

    def keep_copy(self, path: Path) -> Kept:
        """Copy a file, since the training may overwrite or delete it before it is sent. Raises OSError."""
        digest, size, partial = hashlib.sha256(), 0, self._partial()
        try:
            with path.open("rb") as source, partial.open("wb") as copy:
                while piece := source.read(_PIECE):
                    digest.update(piece)
                    copy.write(piece)
                    size += len(piece)
            partial.replace(self.folder / digest.hexdigest())
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        return Kept(name=digest.hexdigest(), size=size, sha256=digest.hexdigest())

    def path(self, name: str) -> Path:
        """Where a file is that was kept under this name, which may come from a spool that was edited."""
        return self.folder / Path(name).name

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def _partial(self) -> Path:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self.folder / f"{os.getpid()}-{uuid.uuid4().hex}.part"
