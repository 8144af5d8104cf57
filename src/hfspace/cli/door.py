"""The one door of stdout and stderr: every line that leaves, ours or a library's, is made harmless here.

Secrets are cut out, control characters spelled out, and a line that a CI runner would take for a command is
defused. What gets through are line ends, tabs, and the colours of our own.
"""

from __future__ import annotations

import io
import os
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO, cast

from hfspace.redaction import KnownSecrets

_COLOUR = r"\x1b\[(?:0|1|2|3[0-9]|9[0-7])?m"
_CONTROL = re.compile(rf"{_COLOUR}|\r\n|[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_COMMAND = re.compile(r"^(?=[^\S\n]*::)", re.MULTILINE)
_OLD_COMMAND = "##["  # GitHub's runner takes this one anywhere in a line
_MAY_BE_A_COMMAND = re.compile(r"\s*:?")


class Door(io.TextIOBase):
    """A text stream whose lines are written to `stream` when they are harmless. A line is held until its end
    or a flush."""

    def __init__(self, stream: TextIO, secrets: KnownSecrets) -> None:
        self.stream, self.secrets = stream, secrets
        self._held = ""
        self._begun = False
        self._lock = threading.RLock()

    def write(self, text: str) -> int:
        with self._lock:
            lines, newline, self._held = (self._held + text).rpartition("\n")
            if newline:
                self._pass(lines + newline)
                self._begun = False
        return len(text)

    def flush(self) -> None:
        with self._lock:
            if self._held and (self._begun or not _MAY_BE_A_COMMAND.fullmatch(self._held)):
                self._pass(self._held)
                self._held, self._begun = "", True
            self.stream.flush()

    def end(self) -> None:
        """Write what is held; `stream` stays open."""
        with self._lock, suppress(OSError, ValueError):
            self._pass(self._held)
            self._held = ""
            self.stream.flush()

    def _pass(self, text: str) -> None:
        self.stream.write(harmless(self.secrets.redact(text), begun=self._begun))

    def isatty(self) -> bool:
        return self.stream.isatty()

    def fileno(self) -> int:
        return self.stream.fileno()

    def writable(self) -> bool:
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self.stream.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        return self.stream.errors


class Screen(Door):
    """A stream for a view that moves the cursor: what it writes has been made harmless cell by cell, so that
    only secrets are cut out."""

    def write(self, text: str) -> int:
        with self._lock:
            self.stream.write(self.secrets.redact(text))
        return len(text)

    def flush(self) -> None:
        self.stream.flush()


def harmless(text: str, *, begun: bool = False) -> str:
    """`text` with nothing active in it but our colours. `begun`: its first line continues one."""
    text = _CONTROL.sub(lambda found: found[0] if len(found[0]) > 1 else f"\\x{ord(found[0]):02x}", text)
    text = text.replace(_OLD_COMMAND, "## [")
    first, newline, rest = text.partition("\n") if begun else ("", "", text)
    return first + newline + _COMMAND.sub(r"\\", rest)


def behind(stream: TextIO) -> TextIO:
    """The stream itself, for what has been made harmless and must arrive as it is."""
    return stream.stream if isinstance(stream, Door) else stream


def screen(stream: TextIO) -> TextIO:
    """Where a live view is drawn."""
    if isinstance(stream, Door):
        return cast(TextIO, Screen(stream.stream, stream.secrets))
    return stream


def discard_stdout() -> None:
    """What stdout still holds and is given from here on goes nowhere, so that nothing fails by it again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def doors(secrets: KnownSecrets) -> Iterator[None]:
    """Puts a door before stdout and stderr while the block runs."""
    before = sys.stdout, sys.stderr
    out, err = Door(sys.stdout, secrets), Door(sys.stderr, secrets)
    sys.stdout, sys.stderr = out, err
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
        for door in (out, err):
            door.end()
