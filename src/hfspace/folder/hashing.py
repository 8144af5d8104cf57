"""The hashes of files as git and the Hub have them, read once, in pieces; and a cache of them.

A cache must never say 'no change' of a file that changed. An entry counts only for the same size, time of
change of content and of inode (ctime, which no program can set), device and inode; and only if both times
were well past when the file was read, since a clock that ticks slowly gives two writes one time (git calls
such a file racily clean). What is to be applied is always read anew (`cache` None), and what is sent is
compared with its hash once more.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from hfspace.files import read_limited, write_atomically
from hfspace.folder import screen
from hfspace.folder.listing import Entry
from hfspace.folder.screen import Finding

CHUNK = 1 << 20
_TICK_NS = 3 * 10**9
"""No file system in use has coarser times (FAT: 2 s)."""
_THREADS = 4
_BATCH = 64
_LARGEST_CACHE = 128 << 20
_VERSION = 1


class Hashes(NamedTuple):
    """What reading a file told. `problem` says why it could not be read as a whole; `pointer`: it stands
    for a file of Git LFS."""

    size: int = 0
    oid: str = ""
    sha256: str = ""
    findings: tuple[Finding, ...] = ()
    pointer: bool = False
    problem: str = ""


def hash_files(entries: Sequence[Entry], cache: Path | None = None) -> list[Hashes]:
    """The hashes of each entry, in order. `cache` is the file that keeps them, None for none."""
    known = _load(cache) if cache else {}
    results = [known.get((entry.path, *_identity(entry.status)), Hashes()) for entry in entries]
    missing = [index for index, result in enumerate(results) if not result.oid]
    now = time.time_ns()
    batches = [missing[start : start + _BATCH] for start in range(0, len(missing), _BATCH)]

    def read(batch: list[int]) -> None:
        for index in batch:
            results[index] = hash_file(entries[index])

    if len(missing) <= 1:
        read(missing)
    else:
        with ThreadPoolExecutor(max_workers=_THREADS) as pool:
            list(pool.map(read, batches))
    if cache and (missing or len(known) != len(entries)):
        _save(cache, entries, results, now)
    return results


def hash_file(entry: Entry) -> Hashes:
    """Read one file to its end. Never raises: a file that can't be read has a problem."""
    try:
        return _hash_file(entry)
    except OSError as error:
        return Hashes(problem=f"can't be read: {error.strerror}")


def _hash_file(entry: Entry) -> Hashes:
    # Without O_NONBLOCK opening a FIFO that has taken its place waits for a writer.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    handle = os.open(entry.place, flags)
    try:
        before = os.fstat(handle)
        if not stat.S_ISREG(before.st_mode):
            return Hashes(problem="is no regular file")
        size = before.st_size
        sha1, sha256 = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False), hashlib.sha256()
        count, head = 0, b""
        while data := os.read(handle, CHUNK):
            sha1.update(data)
            sha256.update(data)
            count += len(data)
            head = head + data if len(head) < screen.LOOKED_AT else head
        after = os.fstat(handle)
    finally:
        os.close(handle)
    if count != size or not _identity(entry.status) == _identity(before) == _identity(after):
        return Hashes(problem="changed while it was read")
    return Hashes(size, sha1.hexdigest(), sha256.hexdigest(), screen.findings(head), screen.is_pointer(head))


Identity = tuple[int, int, int, int, int]


def _identity(status: os.stat_result) -> Identity:
    return (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev)


def _load(cache: Path) -> Mapping[tuple[str, int, int, int, int, int], Hashes]:
    """The entries of a cache; none where there is none, or where it is damaged or of another version."""
    try:
        raw = json.loads(read_limited(cache, _LARGEST_CACHE))
        body = raw["files"]
        if raw["version"] != _rules_version() or raw["checksum"] != _checksum(body):
            return {}
        return {
            (path, *identity): Hashes(size, oid, sha256, tuple(Finding(*one) for one in findings), pointer)
            for path, identity, (size, oid, sha256, findings, pointer) in body
        }
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}


def _save(cache: Path, entries: Iterable[Entry], results: Iterable[Hashes], now: int) -> None:
    body = [
        [entry.path, _identity(entry.status), [result.size, *result[1:5]]]
        for entry, result in zip(entries, results, strict=True)
        if result.oid and _is_old(entry.status, now)
    ]
    with suppress(OSError, ValueError):  # a cache that can't be kept costs time, and nothing else
        cache.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        body = json.loads(json.dumps(body))
        document = {"version": _rules_version(), "checksum": _checksum(body), "files": body}
        write_atomically(cache, json.dumps(document), mode=0o600)


def _is_old(status: os.stat_result, now: int) -> bool:
    """Whether the file can't have changed within the tick of the clock in which it was read."""
    return max(status.st_mtime_ns, status.st_ctime_ns) + _TICK_NS < now


def _checksum(body: object) -> str:
    return hashlib.sha256(json.dumps(body).encode()).hexdigest()


def _rules_version() -> str:
    """What was found in a file holds as long as the rules do."""
    from importlib.metadata import version

    return f"{_VERSION} {version('detect-secrets')}"


def cache_file(folder: str, environment: Mapping[str, str]) -> Path:
    """Where the hashes of a folder are kept, in the user's cache."""
    base = environment.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    name = hashlib.sha256(folder.encode(errors="surrogatepass")).hexdigest()[:32]
    return Path(base) / "hfspace" / "hashes" / f"{name}.json"


def git_oid(data: bytes) -> str:
    """The name that git gives to a file with this content."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
