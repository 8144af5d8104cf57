"""Values that a manifest spells in more than one way: Space ids, durations, volume sources."""

from __future__ import annotations

import re

from hfspace.model import NEVER, Volume

_ID = re.compile(r"\b[\w.-]{1,96}\b/\b[\w.-]{1,96}\b", re.ASCII)
"""As huggingface_hub checks a repository's id: both parts begin and end with a letter, a digit or _."""
_ID_CHARACTERS = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}", re.ASCII)
_HOST = re.compile(r"(?:https?://)?([a-z0-9][a-z0-9-]*)(?:\.static)?\.hf\.space(?:[/?#].*)?", re.IGNORECASE)
_URL = re.compile(r"(?:(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/)?spaces/([^?#]+)", re.IGNORECASE)
_DURATION = re.compile(r"(\d{1,12})\s*([smhd])", re.ASCII)
_LONGEST_SLEEP = 366 * 86400
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_VOLUME = re.compile(
    r"hf://(?P<type>buckets|models|datasets|spaces)/(?P<id>[^/@]+/[^/@]+)(?:@(?P<rev>[^/]+))?(?:/(?P<path>.+))?"
)


def normalise_id(text: str) -> str:
    """`owner/name` from an id or a Space URL; a *.hf.space host comes back as the bare lower-case host.

    Raises ValueError with what was expected when it is neither.
    """
    text = text.strip()
    host = _HOST.fullmatch(text)
    if host:
        return f"{host[1].lower()}.hf.space"
    url = _URL.fullmatch(text)
    if url:
        text = "/".join(url[1].strip("/").split("/")[:2])
    if _ID_CHARACTERS.fullmatch(text):
        if ".." in text or "--" in text:
            raise ValueError("the name of a Space holds no '--' and no '..'")
        if text.endswith(".git"):
            raise ValueError("the name of a Space does not end in '.git'")
        if not _ID.fullmatch(text):
            raise ValueError("a name begins and ends with a letter, a digit or _")
    if not _ID.fullmatch(text):
        raise ValueError("a Space is owner/name, its huggingface.co/spaces/… URL, or its *.hf.space host")
    return text


def parse_duration(value: str | int) -> int:
    """Seconds: 90s, 30m, 1h, 2d, an integer, or never (-1). Raises ValueError."""
    if isinstance(value, int):
        seconds = value
    elif value.strip().lower() in {"never", "-1"}:
        return NEVER
    elif match := _DURATION.fullmatch(value.strip().lower()):
        seconds = int(match[1]) * _UNITS[match[2]]
    elif re.fullmatch(r"[0-9]{1,12}", value.strip()):
        seconds = int(value)
    else:
        raise ValueError("a duration is 90s, 30m, 1h, 2d, a number of seconds, or never")
    if seconds == NEVER:
        return NEVER
    if seconds <= 0:
        raise ValueError("a sleep time is more than 0 seconds; write never to keep the Space awake")
    if seconds > _LONGEST_SLEEP:
        raise ValueError("a sleep time is at most a year; write never to keep the Space awake")
    return seconds


def format_duration(seconds: int | None) -> str:
    """The shortest exact spelling: 1h, 90s, never; unknown for None."""
    if seconds is None:
        return "unknown"
    if seconds == NEVER:
        return "never"
    for unit in ("d", "h", "m"):
        if seconds and seconds % _UNITS[unit] == 0:
            return f"{seconds // _UNITS[unit]}{unit}"
    return f"{seconds}s"


def parse_volume_source(text: str) -> Volume:
    """The volume that an hf:// URL names, mounted nowhere yet. Raises ValueError."""
    match = _VOLUME.fullmatch(text)
    if not match:
        raise ValueError("a volume source is hf://buckets/owner/name (or models, datasets, spaces)")
    return Volume(
        type=match["type"].removesuffix("s"),
        source=match["id"],
        mount_path="",
        revision=match["rev"],
        path=match["path"],
    )
