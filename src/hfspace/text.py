"""Text from elsewhere made harmless for a terminal, a log and a file; how tokens look; its width."""

from __future__ import annotations

import re
from typing import Any

# A Hub token is hf_ and 34 letters and digits; one that was cut short still counts. Plain words such as
# hf_transfer do not: from 8 characters on it takes a digit or a capital, from 16 on anything is one; nor do
# the keys of a README's card.
HUB_TOKEN = re.compile(
    r"(?<![A-Za-z0-9])hf_(?:(?:oauth|jwt)_(?!(?:authorized_org|expiration_minutes)(?![\w-]))"
    r"[\w.-]{8,}|[A-Za-z0-9]{16,}|(?=[a-z]*[A-Z0-9])[A-Za-z0-9]{8,})"
)

# What moves a cursor, turns the direction of text, or is there without being seen.
_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff\ud800-\udfff]"
)
_MARKS = re.compile("[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{4,}")
_WORD = re.compile(r"[A-Za-z0-9][\w./:@+-]*")
_NAMES = {10: "\\n", 13: "\\r", 9: "\\t"}


def plain(text: object, limit: int | None = None) -> str:
    """One line of at most `limit` characters: control characters, escapes and direction overrides are
    spelled out (a line end as \\n)."""
    return _limited(_MARKS.sub(_spelled_marks, _CONTROL.sub(_spelled, str(text))), limit)


def one_line(text: object, limit: int | None = None) -> str:
    """`plain` for a sentence: line ends and runs of blanks become one blank."""
    return plain(" ".join(str(text).split()), limit)


def sentence(text: str) -> str:
    """`text` with an end, where it has none: what stands after it must not run into it."""
    return text if not text or text.endswith((".", "!", "?", "…", ":")) else f"{text}."


def rough_time(seconds: float) -> str:
    """A length of time in its largest fitting unit: 3 d, 25 h, 16 min, 40 s."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    hours = int(seconds // 3600)
    return f"{hours // 24} d" if hours >= 72 else f"{hours} h" if hours else f"{int(seconds // 60)} min"


def block(text: str) -> str:
    """`opening` for text of several lines: line ends and tabs stay as they are."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(_defused("\t".join(plain(part) for part in line.split("\t"))) for line in lines)


def opening(text: object) -> str:
    """`plain` for the beginning of a line: a CI log takes one that begins with :: or ##[ for a command."""
    return _defused(plain(text))


def _defused(line: str) -> str:
    return f"\\{line}" if line.lstrip().startswith(("::", "##[")) else line


def json_text(document: Any) -> str:
    """A JSON document for a terminal or a file: readable, and no character in it is active or unpaired."""
    import json  # 4 ms, and the start of a command needs none of it

    text = json.dumps(document, indent=2, ensure_ascii=False, default=str)
    text = _CONTROL.sub(lambda match: "\n" if match[0] == "\n" else json.dumps(match[0])[1:-1], text)
    return text.replace("##[", "##\\u005b")  # GitHub's runner takes it for a command anywhere in a line


def width(text: str) -> int:
    """Columns that a terminal gives `text`: wide characters take two, combining marks none."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # 10 ms, and most output is ASCII

    return cell_len(text)


def clip(text: str, columns: int) -> str:
    """`text`, or as much of its start as fits into `columns` with an ellipsis."""
    if width(text) <= columns:
        return text
    while text and width(text) >= columns:
        text = text[:-1]
    return f"{text}…"


def pad(text: str, columns: int) -> str:
    return text + " " * (columns - width(text))


def _limited(text: str, limit: int | None) -> str:
    return text if limit is None or len(text) <= limit else f"{text[: limit - 1]}…"


def _spelled(match: re.Match[str]) -> str:
    code = ord(match[0])
    return _NAMES.get(code) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")


def _spelled_marks(match: re.Match[str]) -> str:
    """Marks piled on one character run over the lines above and below."""
    return "".join(f"\\u{ord(char):04x}" for char in match[0])


def as_text(value: Any) -> str:
    """A value in one line: a word as it is, anything else as JSON writes it. Not escaped."""
    import json  # 4 ms, and the start of a command needs none of it

    word = isinstance(value, str) and _WORD.fullmatch(value)
    return value if word else json.dumps(value, ensure_ascii=False)
