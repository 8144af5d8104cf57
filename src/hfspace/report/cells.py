"""How single values are shown: untrusted text made harmless for terminal, Markdown and HTML; money, times."""

from __future__ import annotations

import html as html_library
import json
import re
from decimal import Decimal

from hfspace.manifest.values import format_duration
from hfspace.model import Json

LONGEST_VALUE = 120
_CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f\ud800-\udfff]"
)
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-!|<>~@&:.$^=])")


def plain(text: object) -> str:
    """One line for a terminal: control characters, escapes and direction overrides are spelled out."""
    return _CONTROL.sub(_spelled, str(text))


def markdown(text: object) -> str:
    """Text for a Markdown table cell or sentence: no mention, link, tag, code span or row can come of it."""
    shown = html_library.escape(plain(text), quote=False)
    # A zero-width joiner keeps '@name', '#1' and 'http://' from being linked; entities survive the rest.
    return re.sub(r"([\\`*_{}\[\]()#+\-!|~@:.$^=])", lambda match: f"&#{ord(match[1])};", shown)


def html(text: object) -> str:
    """Text for an HTML element or a quoted attribute."""
    return html_library.escape(plain(text), quote=True)


def value(item: Json, limit: int = LONGEST_VALUE) -> str:
    """A value as JSON writes it, cut to `limit` characters with a note of how long it was; escaped."""
    text = plain(item if isinstance(item, str) and _is_word(item) else json.dumps(item, ensure_ascii=False))
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… ({len(text):,} characters)"


def setting(facet: str, item: Json) -> str:
    """A value of one facet: sleep times as durations, absent ones as a word."""
    if facet == "sleep_time":
        return format_duration(item if isinstance(item, int) else None)
    if item is None:
        return "none"
    if facet == "variables":
        return plain(json.dumps(item, ensure_ascii=False)) if len(str(item)) <= LONGEST_VALUE else value(item)
    return value(item)


def money(usd: Decimal) -> str:
    """$0.40, and whole dollars without cents from $100 on."""
    return f"${usd:,.0f}" if abs(usd) >= 100 and usd == usd.to_integral_value() else f"${usd:,.2f}"


def delta(before: Decimal | None, after: Decimal | None) -> str:
    """+$0.40/h; empty where no money moves."""
    if before is None and after is None:
        return ""
    change = (after or Decimal(0)) - (before or Decimal(0))
    if change == 0:
        return ""
    return f"{'+' if change > 0 else '-'}{money(abs(change))}/h"


def counted(count: int, noun: str, plural: str = "") -> str:
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def _is_word(text: str) -> bool:
    return bool(re.fullmatch(r"[A-Za-z0-9][\w./:@+-]*", text))


def _spelled(match: re.Match[str]) -> str:
    code = ord(match[0])
    names = {10: "\\n", 13: "\\r", 9: "\\t", 27: "\\x1b"}
    return names.get(code) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")
