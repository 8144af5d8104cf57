"""-vv and --debug-file: what hfspace logs of its requests, shown on stderr and kept in a file."""

from __future__ import annotations

import logging
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import BinaryIO

from hfspace import __version__
from hfspace.errors import UsageError
from hfspace.files import append_private
from hfspace.redaction import KnownSecrets
from hfspace.text import plain

_LIBRARIES = ("huggingface_hub", "httpx", "httpx2", "gradio_client", "pydantic")


@contextmanager
def debugging(
    command: str, *, show: Callable[[str], None] | None, file: str | None, secrets: KnownSecrets
) -> Iterator[None]:
    """Gives the log records of hfspace to `show`, and appends them to `file`, while the block runs. Raises
    UsageError when the file can't be written."""
    logger = logging.getLogger("hfspace")
    handlers: list[logging.Handler] = [_Shown(show)] if show is not None else []
    if file is not None:
        handlers.append(_Kept(_opened(file), secrets))
    before = logger.level
    logger.setLevel(logging.DEBUG)
    for handler in handlers:
        logger.addHandler(handler)
    try:
        logger.debug("%s: %s", plain(command), _versions())
        yield
    finally:
        logger.setLevel(before)
        for handler in handlers:
            logger.removeHandler(handler)
            handler.close()


class _Shown(logging.Handler):
    """Lines on stderr, whose door cuts secrets out."""

    def __init__(self, show: Callable[[str], None]) -> None:
        super().__init__()
        self._show = show

    def emit(self, record: logging.LogRecord) -> None:
        self._show(record.getMessage())


class _Kept(logging.Handler):
    """Lines in a file, each written at once. A full disk ends nothing: it is only a log."""

    def __init__(self, file: BinaryIO, secrets: KnownSecrets) -> None:
        super().__init__()
        self._file, self._secrets = file, secrets
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        line = plain(self._secrets.redact(self.format(record)))
        try:
            self._file.write(f"{line}\n".encode())
        except OSError:
            return

    def close(self) -> None:
        self._file.close()
        super().close()


def _opened(path: str) -> BinaryIO:
    try:
        return append_private(path)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no path"
        raise UsageError(f"--debug-file {plain(path)} can't be written: {why}.") from None


def _versions() -> str:
    versions = [f"hfspace {__version__}", f"Python {platform.python_version()}"]
    for name in _LIBRARIES:
        try:
            versions.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(versions)
