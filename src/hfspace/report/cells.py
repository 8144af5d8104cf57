"""How single values are shown: any value, money, times, counts."""

from __future__ import annotations

import html as html_library
from decimal import Decimal

from hfspace.model import Json
from hfspace.text import as_text, plain

LONGEST_VALUE = 120
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""What a page of ours may do: show its own style. Nothing is loaded, and nothing runs."""


def html(text: object) -> str:
    """Text for an HTML element or a quoted attribute."""
    return html_library.escape(plain(text), quote=True)


def value(item: Json, limit: int = LONGEST_VALUE) -> str:
    """A value as JSON writes it, cut to `limit` characters with a note of how long it was; escaped."""
    return cut(plain(as_text(item)), limit)


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


def size(count: int) -> str:
    """Bytes in the unit that suits them: 812 B, 1.5 kB, 2.0 GB."""
    number, units = float(count), iter(("B", "kB", "MB", "GB"))
    unit = next(units)
    while number >= 1000 and (larger := next(units, None)):
        number, unit = number / 1000, larger
    return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"


def shipped_prices_note(date: str) -> str:
    """Whose prices an amount rests on, where the Hub's could not be read."""
    return f"The Hub's prices could not be read: these are those of {date}, which hfspace ships."


def counted(count: int, noun: str, plural: str = "") -> str:
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"
