"""What a command line gives: durations, and files or stdin (`-`) that are named."""

from __future__ import annotations

import re
import sys
from datetime import datetime
from pathlib import Path

import click

from hfspace.errors import UsageError
from hfspace.manifest.hours import parse_local
from hfspace.manifest.values import parse_duration
from hfspace.manifest.zones import zone

_MOST = 64 << 20  # characters
_OFFSET = re.compile(r"(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$", re.ASCII)

allow_unknown_option = click.option(
    "--allow-unknown", is_flag=True, help="Exit 0, not 4, over what could not be read or compared."
)


def read_text(name: str) -> str:
    """The text of a file, or of stdin for `-`, up to 64 Mi characters. Raises UsageError."""
    try:
        if name == "-":
            return sys.stdin.read(_MOST)
        with Path(name).open(encoding="utf-8") as file:
            return file.read(_MOST)
    except OSError as error:
        raise UsageError(f"{name} can't be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{name} can't be read: it is no UTF-8 text.") from None


def parse_time(text: str, timezone: str, option: str) -> datetime:
    """A time with a zone: 2026-12-01T18:00 in `timezone`, or with its own offset. Raises UsageError that
    names `option`."""
    offset = _OFFSET.search(text.strip())
    where = datetime.strptime(offset[0], "%z").tzinfo if offset else zone(timezone)
    try:
        return parse_local(_OFFSET.sub("", text.strip())).replace(tzinfo=where)
    except ValueError as error:
        hint = f"Write 2026-12-01T18:00, which is read in {timezone}."
        raise UsageError(f"{option} {text} is not a time: {error}.", hint=hint) from None


def parse_timeout(text: str, option: str = "--timeout") -> float:
    """Seconds from 15m, 90s, 1h or a number. Raises UsageError that names `option`."""
    try:
        seconds = parse_duration(text)
    except ValueError:
        is_long = re.fullmatch(r"[1-9][0-9]*\s*[smhd]?", text.strip().lower())
        problem = "is longer than a year" if is_long else "is not a duration"
        raise UsageError(f"{option} {text} {problem}.", hint="Write 90s, 15m or 1h.") from None
    if seconds <= 0:
        raise UsageError(f"{option} {text} is not a duration.", hint="Write 90s, 15m or 1h.")
    return float(seconds)
