"""How single values are shown: settings, moves, money, times."""

from __future__ import annotations

import html as html_library
from decimal import Decimal

from hfspace.facets import BY_NAME, Facet
from hfspace.facets.base import as_text
from hfspace.model import Json
from hfspace.report.differences import Difference, differences
from hfspace.text import plain

LONGEST_VALUE = 120
_LONG = 40  # characters from which on nested values are compared member by member
_MOST_MEMBERS = 8
_UNKNOWN = Facet()
_CONTEXT = 12  # characters shown before the first difference of two long values


def html(text: object) -> str:
    """Text for an HTML element or a quoted attribute."""
    return html_library.escape(plain(text), quote=True)


def value(item: Json, limit: int = LONGEST_VALUE) -> str:
    """A value as JSON writes it, cut to `limit` characters with a note of how long it was; escaped."""
    return cut(plain(as_text(item)), limit)


def facet(name: str) -> Facet:
    """The facet of this name, or one that shows values plainly: a plan may come from another hfspace."""
    return BY_NAME.get(name, _UNKNOWN)


def setting(name: str, item: Json, limit: int = LONGEST_VALUE) -> str:
    """A value of one facet, as that shows it; escaped."""
    return cut(plain(facet(name).show(item)), limit)


def move(name: str, before: Json, after: Json, limit: int = LONGEST_VALUE) -> str:
    """`before → after`; of two nested values only the members that differ; two long values are shown
    from where they part, since their starts may be equal."""
    old, new = setting(name, before, 10**9), setting(name, after, 10**9)
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
