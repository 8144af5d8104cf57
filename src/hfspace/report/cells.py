"""How single values are shown: untrusted text made harmless for terminal, Markdown and HTML; money, times."""

from __future__ import annotations

import html as html_library
import json
import re
import unicodedata
from decimal import Decimal

from hfspace.manifest.values import format_duration
from hfspace.model import Json

LONGEST_VALUE = 120
_CONTEXT = 12  # characters shown before the first difference of two long values

# What moves a cursor, turns the direction of text, or is there without being seen.
_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff\ud800-\udfff]"
)
_MARKS = re.compile("[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{4,}")
_NAMES = {10: "\\n", 13: "\\r", 9: "\\t", 27: "\\x1b"}


def plain(text: object) -> str:
    """One line for a terminal: control characters, escapes and direction overrides are spelled out."""
    return _MARKS.sub(_stacked, _CONTROL.sub(_spelled, str(text)))


def opening(text: object) -> str:
    """`plain` for the beginning of a line: a CI log takes one that begins with :: for a command."""
    shown = plain(text)
    return f"\\{shown}" if shown.lstrip().startswith("::") else shown


def html(text: object) -> str:
    """Text for an HTML element or a quoted attribute."""
    return html_library.escape(plain(text), quote=True)


def json_text(document: Json) -> str:
    """A JSON document for a terminal or a file: readable, and no character in it is active or unpaired."""
    text = json.dumps(document, indent=2, ensure_ascii=False, default=str)
    return _CONTROL.sub(lambda match: "\n" if match[0] == "\n" else _json_escape(match[0]), text)


def value(item: Json, limit: int = LONGEST_VALUE) -> str:
    """A value as JSON writes it, cut to `limit` characters with a note of how long it was; escaped."""
    return cut(plain(item if isinstance(item, str) and _is_word(item) else _json(item)), limit)


def setting(facet: str, item: Json, limit: int = LONGEST_VALUE) -> str:
    """A value of one facet: sleep times as durations, volumes as places, absent ones as a word."""
    if facet == "sleep_time":
        return format_duration(item if isinstance(item, int) else None)
    if item is None or item == []:
        return "none"
    if facet == "variables" and isinstance(item, str):
        return cut(plain(_json(item)), limit)
    if facet == "volumes" and isinstance(item, list):
        return cut(plain(", ".join(_volume(one) for one in item)), limit)
    return value(item, limit)


def move(facet: str, before: Json, after: Json, limit: int = LONGEST_VALUE) -> str:
    """`before → after`; two long values are shown from where they part, since their starts may be equal."""
    if facet == "variables" and isinstance(before, dict) and isinstance(after, dict):
        return f"{value(before.get('description'), limit)} → {value(after.get('description'), limit)}"
    old, new = setting(facet, before, 10**9), setting(facet, after, 10**9)
    if max(len(old), len(new)) <= limit:
        return f"{old} → {new}"
    pairs = enumerate(zip(old, new, strict=False))
    same = next((at for at, (a, b) in pairs if a != b), min(len(old), len(new)))
    start = max(0, same - _CONTEXT) if same > limit // 2 else 0
    return f"{_from(old, start, limit)} → {_from(new, start, limit)}"


def cut(text: str, limit: int) -> str:
    """`text`, or its start and how long it is."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text):,} characters)"


def money(usd: Decimal) -> str:
    """$0.40; whole dollars without cents from $100 on; fractions of a cent where there are any."""
    if abs(usd) >= 100 and usd == usd.to_integral_value():
        return f"${usd:,.0f}"
    cents = usd.quantize(Decimal("0.01"))
    return f"${usd:,.2f}" if abs(usd) >= 1 or cents == usd else f"${usd.quantize(Decimal('0.0001')):,f}"


def delta(before: Decimal | None, after: Decimal | None) -> str:
    """+$0.40/h; empty where no money moves."""
    change = (after or Decimal(0)) - (before or Decimal(0))
    if change == 0:
        return ""
    return f"{'+' if change > 0 else '-'}{money(abs(change))}/h"


def duration(seconds: float) -> str:
    """How long something took: 0.4 s, 12 s, 3 min 5 s, 2 h 10 min."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def counted(count: int, noun: str, plural: str = "") -> str:
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def width(text: str) -> int:
    """Columns that a terminal gives `text`: wide characters take two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def pad(text: str, columns: int) -> str:
    return text + " " * (columns - width(text))


def _from(text: str, start: int, limit: int) -> str:
    return cut(text, limit) if start == 0 else f"…{text[start : start + limit]}… ({len(text):,} characters)"


def _volume(item: Json) -> str:
    if not isinstance(item, dict):
        return str(item)
    mode = ", read-only" if item.get("read_only") else ""
    return f"{item.get('source')} at {item.get('mount_path')}{mode}"


def _json(item: Json) -> str:
    return json.dumps(item, ensure_ascii=False)


def _is_word(text: str) -> bool:
    return bool(re.fullmatch(r"[A-Za-z0-9][\w./:@+-]*", text))


def _spelled(match: re.Match[str]) -> str:
    code = ord(match[0])
    return _NAMES.get(code) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")


def _stacked(match: re.Match[str]) -> str:
    """Marks piled on one character run over the lines above and below."""
    return "".join(f"\\u{ord(char):04x}" for char in match[0])


def _json_escape(char: str) -> str:
    code = ord(char)
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
