"""Files: written whole or not at all, and read only where they are files and within a limit."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, BinaryIO

_MIB = 1024 * 1024


def write_atomically(path: Path, content: str | bytes, mode: int | None = None) -> None:
    """Write `content`; no reader ever sees a half of it. `mode` and the rest: see `replacing`."""
    with replacing(path, mode) as target:
        target.write_bytes(content.encode() if isinstance(content, str) else content)


def append_private(path: Path | str) -> BinaryIO:
    """The file, unbuffered and open at its end; a new one is for its owner only (0600). Raises OSError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
    return open(path, "ab", buffering=0, opener=lambda name, _: os.open(name, flags, 0o600))


def is_open_to_others(file: IO[bytes]) -> bool:
    """Whether a regular file may be read by more than its owner."""
    mode = os.fstat(file.fileno()).st_mode
    return os.name == "posix" and stat.S_ISREG(mode) and bool(mode & (stat.S_IRGRP | stat.S_IROTH))


@contextmanager
def replacing(path: Path, mode: int | None = None) -> Iterator[Path]:
    """A new file beside `path` that takes its place when the block ends, and is gone when the block fails.

    The target of a link is replaced, not the link. What is no regular file (a device, a FIFO) is given
    itself: it is written to and stays what it is. `mode` is that of the result; without one an existing
    file keeps its own, and a new one has what the umask allows. Raises OSError.
    """
    target = path.resolve()
    try:
        status = target.stat()
    except FileNotFoundError:
        status = None
    if status is not None and not stat.S_ISREG(status.st_mode):
        yield target
        return
    if status is not None and mode is None:
        mode = stat.S_IMODE(status.st_mode)
    temporary = target.with_name(f".{target.name[:100]}.{secrets.token_hex(6)}")
    os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if mode is None else 0o600))
    try:
        yield temporary
        if mode is not None:
            temporary.chmod(mode)
        temporary.replace(target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def read_limited(path: Path | str, limit: int) -> bytes:
    """The bytes of a regular file. Raises OSError for anything else (a FIFO would hang, a device never end)
    and for more than `limit` bytes; its `strerror` says which."""
    # Without O_NONBLOCK opening a FIFO waits for a writer.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags), "rb") as file:
        kind = os.fstat(file.fileno()).st_mode
        if stat.S_ISDIR(kind):
            raise IsADirectoryError(errno.EISDIR, "it is a directory", str(path))
        if not stat.S_ISREG(kind):
            raise OSError(errno.EINVAL, "it is not a regular file", str(path))
        content = file.read(limit + 1)
    if len(content) > limit:
        size = f"{limit // _MIB} MiB" if limit >= _MIB else f"{limit:,} bytes"
        raise OSError(errno.EFBIG, f"it is larger than {size}", str(path))
    return content


def lock_file(*key: str | None) -> IO[bytes]:
    """The open file whose lock stands for `key`, in a folder of this user's own: nobody else can hold it,
    and no link of somebody else is followed. Raises OSError."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hfspace" / "locks"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / hashlib.sha256(repr(key).encode()).hexdigest()[:24]
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    return os.fdopen(os.open(path, flags, 0o600), "r+b", buffering=0)


def try_lock(file: IO[bytes]) -> bool:
    """Take the lock; False when somebody else has it.

    flock belongs to the open file and not to the process (unlike lockf), so that closing another handle of
    the same file does not drop it, and two handles of one process exclude each other.
    """
    try:
        _lock(file)
    except OSError:
        return False
    return True


if sys.platform == "win32":

    def _lock(file: IO[bytes]) -> None:
        import msvcrt

        at = file.tell()
        # A byte far beyond the end: Windows locks keep others from reading what they cover.
        file.seek(1 << 40)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        finally:
            file.seek(at)

else:

    def _lock(file: IO[bytes]) -> None:
        import fcntl

        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
