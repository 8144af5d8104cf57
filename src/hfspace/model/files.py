"""The files of a Space: as a folder here holds them, and as the Hub does."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

README = "README.md"
KEPT = frozenset({".gitattributes", README})
"""What `prune` leaves on the Hub: which files are large, and the settings of the Space itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalFile:
    """One file of a folder. `oid` is git's own hash of it, `sha256` that of large files. `content` is set
    where what is sent is not what the folder holds: a README with its card."""

    size: int
    oid: str
    sha256: str
    content: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileProblem:
    """Why a folder can't be sent as it is: `path` is relative to it, "" for the whole; `line` from 1."""

    path: str
    message: str
    hint: str = ""
    line: int = 0

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}" if self.line else self.path or "the folder"
        return f"{where} {self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalTree:
    """A folder as it was read: its files by their path in the repository, how many entries are left out, what
    is wrong with it, and the `sdk` that its README names."""

    folder: str
    files: Mapping[str, LocalFile] = field(default_factory=dict)
    left_out: int = 0
    problems: tuple[FileProblem, ...] = ()
    sdk: str | None = None

    @property
    def digest(self) -> str:
        """A fingerprint of all its files."""
        text = "".join(f"{path}\0{item.oid}\n" for path, item in sorted(self.files.items()))
        return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class HubFile:
    """One file on the Hub. `sha256` is set for one that is stored as large: `oid` is of its pointer then."""

    size: int
    oid: str
    sha256: str | None = None

    def is_same(self, other: LocalFile) -> bool:
        if self.sha256 is not None:
            return self.sha256 == other.sha256
        return self.oid == other.oid


@dataclass(frozen=True, slots=True, kw_only=True)
class HubTree:
    """All files of one commit."""

    commit: str
    files: Mapping[str, HubFile]


@dataclass(frozen=True, slots=True, kw_only=True)
class HubCommit:
    """One commit of a Space. `date` is ISO 8601, as the Hub writes it; `trailers` are the last lines of its
    message that look like `Name: value`."""

    id: str
    title: str = ""
    author: str = ""
    date: str = ""
    trailers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_ours(self) -> bool:
        return MANIFEST_TRAILER in self.trailers


@dataclass(frozen=True, slots=True, kw_only=True)
class FileStat:
    """One file of a difference, with its lines that were added and removed."""

    path: str
    added: int = 0
    removed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HubHistory:
    """The newest commit of ours, the commits of others after it, newest first, and what they changed. Without
    one of ours nothing is said of the others."""

    ours: HubCommit | None = None
    newer: tuple[HubCommit, ...] = ()
    changed: tuple[FileStat, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDiff:
    """One file that a plan changes. Sizes are in bytes, None where there is no such file; `before` and
    `after` are its text, and `why` says why that is not known."""

    space: str
    path: str
    before: str | None = None
    after: str | None = None
    before_size: int | None = None
    after_size: int | None = None
    added: int = 0
    removed: int = 0
    why: str = ""


MANIFEST_TRAILER = "Hfspace-Manifest"
SOURCE_TRAILER = "Hfspace-Source"
REVERT_TRAILER = "Hfspace-Reverts"
"""The fingerprint of the files that failed, in the commit that brings back those of before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileWrite:
    """One file of a commit that is to be made: its new content, where that is, or the commit that had it;
    with none of them it is deleted."""

    path: str
    content: bytes | None = None
    place: str | None = None
    sha256: str = ""
    commit: str | None = None
