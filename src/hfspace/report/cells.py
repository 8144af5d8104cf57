"""How single values are shown: settings, moves, money, times."""

from __future__ import annotations

import html as html_library
import json
import re
from decimal import Decimal

from hfspace.manifest.values import format_duration
from hfspace.model import Json
from hfspace.report.differences import Difference, differences
from hfspace.text import plain

LONGEST_VALUE = 120
_LONG = 40  # characters from which on nested values are compared member by member
_MOST_MEMBERS = 8
_CONTEXT = 12  # characters shown before the first difference of two long values


def html(text: object) -> str:
    """Text for an HTML element or a quoted attribute."""
    return html_library.escape(plain(text), quote=True)


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
    """`before → after`; of two nested values only the members that differ; two long values are shown
    from where they part, since their starts may be equal."""
    if facet == "variables" and isinstance(before, dict) and isinstance(after, dict):
        return f"{value(before.get('description'), limit)} → {value(after.get('description'), limit)}"
    old, new = setting(facet, before, 10**9), setting(facet, after, 10**9)
    if max(len(old), len(new)) > _LONG and (members := differences(before, after)):
        parts = [_member(item, limit) for item in members[:_MOST_MEMBERS]]
        more = [f"{len(members) - _MOST_MEMBERS} more members"] if len(members) > _MOST_MEMBERS else []
        return ", ".join([*parts, *more])
    if max(len(old), len(new)) <= limit:
        return f"{old} → {new}"
    pairs = enumerate(zip(old, new, strict=False))
    same = next((at for at, (a, b) in pairs if a != b), min(len(old), len(new)))
    start = max(0, same - _CONTEXT) if same > limit // 2 else 0
    return f"{_from(old, start, limit)} → {_from(new, start, limit)}"


def _member(item: Difference, limit: int) -> str:
    if item.added or item.removed:
        verb = "added" if item.added else "removed"
        return f"{plain(item.path)} {verb}: {value(item.after if item.added else item.before, limit)}"
    return f"{plain(item.path)} {value(item.before, limit)} → {value(item.after, limit)}"


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
