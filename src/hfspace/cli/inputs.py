"""What a command reads besides the manifest: a file that is named, or stdin for `-`."""

from __future__ import annotations

import sys
from pathlib import Path

from hfspace.errors import UsageError

_MOST = 64 << 20  # characters


def read_text(name: str) -> str:
    """The text of a file, or of stdin for `-`, up to 64 Mi characters. Raises UsageError."""
    try:
        if name == "-":
            return sys.stdin.read(_MOST)
        with Path(name).open(encoding="utf-8") as file:
            return file.read(_MOST)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{name} can't be read ({type(error).__name__}).") from None
