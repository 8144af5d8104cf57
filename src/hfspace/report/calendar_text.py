"""A calendar for a terminal: a row of bars per Space, as fine as the width allows, and its hours and dollars
a week."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from hfspace.planner.calendar import Calendar, SpaceCalendar, Span
from hfspace.report.cells import counted, money
from hfspace.report.timing import end_of_hold
from hfspace.text import clip, pad, plain, width

UP, RAISED, PARTLY, DOWN = "█", "▓", "▒", "·"
_COLORS = {UP: "32", RAISED: "33", PARTLY: "32", DOWN: "90"}
_MEANINGS = {UP: "up", RAISED: "up on other hardware", PARTLY: "up for a part of it", DOWN: "paused"}
_FIGURES = ("h/week", "$/week", "always on")
_CELLS = (24, 12, 8, 6, 4, 3)
"""How many characters a day may have."""
_WIDEST_NAME = 32
_WIDTH = 120
_DAYS = 7


def lines(calendar: Calendar, *, columns: int | None, color: bool, verbose: bool) -> Iterator[str]:
    """`columns` is the width of the terminal, None for a file. A table for each seven days. `verbose` names
    each time of each Space."""
    names = min(max((width(one.space) for one in calendar.spaces), default=0), _WIDEST_NAME)
    figures = {one.space: _figures(one) for one in calendar.spaces}
    rooms = [max(map(len, column)) for column in zip(_FIGURES, *figures.values(), strict=True)]
    room = (columns or _WIDTH) - names - sum(rooms) - 2 * len(rooms) - 2
    shown = min(calendar.days, _DAYS)
    cells = next((count for count in _CELLS if (count + 1) * shown - 1 <= room), _CELLS[-1])
    yield f"{days(calendar)} ({calendar.timezone}); a character is {counted(24 // cells, 'hour')}"
    used: set[str] = set()
    for first in range(0, calendar.days, _DAYS):
        midnights = calendar.midnights[first : first + _DAYS + 1]
        head = " ".join(pad(_day(calendar, day, cells), cells) for day in midnights[:-1])
        yield ""
        yield _row("", head, _FIGURES, names, rooms)
        for one in calendar.spaces:
            bars = _bars(one, midnights, cells)
            used.update(bars)
            name = pad(clip(plain(one.space), names), names)
            yield _row(name, _painted(bars) if color else bars, figures[one.space], names, rooms)
    for one in calendar.spaces:
        yield from _told(calendar, one, verbose)
    yield ""
    yield "   ".join(f"{sign} {_MEANINGS[sign]}" for sign in _MEANINGS if sign in used)
    yield total(calendar)


def _told(calendar: Calendar, one: SpaceCalendar, verbose: bool) -> Iterator[str]:
    """What has no room in a table."""
    held = ""
    if one.held is not None:
        held = f"  held {end_of_hold(one.held, calendar.timezone)}, its hours are left alone"
    if verbose or held:
        yield ""
        yield f"{plain(one.space)}{held}"
    if verbose:
        yield from (f"    {span_text(calendar, span)}" for span in one.spans)
        yield from (f"    {restart_text(calendar, tick)}" for tick in one.restarts)


def _row(name: str, bars: str, figures: tuple[str, ...], names: int, rooms: list[int]) -> str:
    right = "  ".join(figure.rjust(room) for figure, room in zip(figures, rooms, strict=True))
    return f"{pad(name, names)}  {bars}  {right}"


def days(calendar: Calendar) -> str:
    first, last = calendar.local(calendar.midnights[0]), calendar.local(calendar.midnights[-2])
    return f"{first:%a %Y-%m-%d} to {last:%a %Y-%m-%d}" if calendar.days > 1 else f"{first:%a %Y-%m-%d}"


def _day(calendar: Calendar, midnight: datetime, cells: int) -> str:
    day = calendar.local(midnight)
    return f"{day:%a %d}" if cells >= 6 else f"{day:%a}"[: max(cells, 2)] if cells > 3 else f"{day:%d}"


def _bars(one: SpaceCalendar, midnights: Sequence[datetime], cells: int) -> str:
    """A group of `cells` characters per day. On a day that the clocks are changed, they stretch or shrink."""
    groups = []
    for begin, end in pairwise(midnights):
        step = (end - begin) / cells
        signs = (_sign(one, begin + step * cell, begin + step * (cell + 1)) for cell in range(cells))
        groups.append("".join(signs))
    return " ".join(groups)


def _sign(one: SpaceCalendar, begin: datetime, end: datetime) -> str:
    inside = [span for span in one.spans if span.start < end and span.end > begin]
    up = [span for span in inside if span.is_up]
    if len(up) < len(inside):
        return PARTLY if up else DOWN
    return RAISED if any(span.raised for span in up) else UP


def _painted(bars: str) -> str:
    painted, last = "", ""
    for sign in bars:
        if sign != last and sign in _COLORS:
            painted += f"\x1b[{_COLORS[sign]}m"
        painted, last = painted + sign, sign if sign in _COLORS else last
    return f"{painted}\x1b[0m"


def _figures(one: SpaceCalendar) -> tuple[str, str, str]:
    return hours(one.hours), dollars(one.usd), dollars(one.always)


def hours(value: Decimal) -> str:
    """55 or 55.5; a week has 168."""
    return f"{value.quantize(Decimal('0.1')):f}".removesuffix(".0")


def dollars(usd: Decimal | None) -> str:
    return "?" if usd is None else money(usd.quantize(Decimal("0.01")))


def span_text(calendar: Calendar, span: Span) -> str:
    """When, and what: Mon 2026-11-30 08:00 to 19:00  running on t4-small, inside Mon-Fri 08:00-19:00."""
    begin, end = calendar.local(span.start), calendar.local(span.end)
    same_day = begin.date() == end.date() or (end - timedelta(seconds=1)).date() == begin.date()
    until = f"{end:%H:%M}" if same_day and end.date() == begin.date() else f"{end:%a %Y-%m-%d %H:%M}"
    until = "24:00" if same_day and end.date() != begin.date() else until
    what = span.state or ("as it is (up)" if span.is_up else "as it is (down)")
    hardware = f" on {plain(span.hardware)}" if span.is_up and span.hardware else ""
    reason = f", {plain(span.reason)}" if span.reason else ""
    return f"{begin:%a %Y-%m-%d %H:%M} to {until}  {what}{hardware}{reason}"


def restart_text(calendar: Calendar, tick: datetime) -> str:
    return f"{calendar.local(tick):%a %Y-%m-%d %H:%M}  restarts once"


def total(calendar: Calendar) -> str:
    """The bill of a week, in a sentence or two."""
    usd, always, unknown = calendar.total
    missing = f", without {counted(unknown, 'Space')} whose price is not known" if unknown else ""
    text = f"All: {dollars(usd)} a week at most{missing}; always on it would be {dollars(always)}."
    if calendar.prices_of:
        text += f" The Hub's prices could not be read: these are of {plain(calendar.prices_of)}."
    return text
