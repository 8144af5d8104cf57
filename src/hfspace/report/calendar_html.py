"""A calendar as one HTML page that needs nothing else; templates/calendar.html says what stands where."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from hfspace.planner.calendar import Calendar, SpaceCalendar
from hfspace.report.calendar_text import days, dollars, hours, restart_text, span_text, total
from hfspace.report.pages import page
from hfspace.report.timing import end_of_hold

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One Space. Bars are (kind, from, length) and ticks places, all in minutes from the first midnight."""

    space: str
    bars: tuple[tuple[str, float, float], ...]
    ticks: tuple[float, ...]
    held: str
    times: tuple[str, ...]
    hours: str
    usd: str
    always: str

    @property
    def summary(self) -> str:
        """The row in words, for who can't see the bars."""
        return f"{self.space}: up {self.hours} hours a week, {self.usd}"


def render(calendar: Calendar) -> str:
    """The page. Every text of it is escaped."""
    midnights = calendar.midnights
    start, *_, end = midnights
    return page(
        "calendar.html",
        days=days(calendar),
        timezone=calendar.timezone,
        total=total(calendar),
        minutes=(end - start) / _MINUTE,
        now=(calendar.now - start) / _MINUTE,
        midnights=[
            (f"{calendar.local(day):%a %d}", (day - start) / _MINUTE, (following - day) / _MINUTE)
            for day, following in pairwise(midnights)
        ],
        rows=[_row(calendar, one, start) for one in calendar.spaces],
        raised=any(span.raised and span.is_up for one in calendar.spaces for span in one.spans),
        restarts=any(one.restarts for one in calendar.spaces),
    )


def _row(calendar: Calendar, one: SpaceCalendar, start: datetime) -> _Row:
    bars = (
        ("raised" if span.raised else "up", (span.start - start) / _MINUTE, (span.end - span.start) / _MINUTE)
        for span in one.spans
        if span.is_up
    )
    restarts = (restart_text(calendar, tick) for tick in one.restarts)
    return _Row(
        space=one.space,
        bars=tuple(bars),
        ticks=tuple((tick - start) / _MINUTE for tick in one.restarts),
        held=f"held {end_of_hold(one.held, calendar.timezone)}" if one.held is not None else "",
        times=(*(span_text(calendar, span) for span in one.spans), *restarts),
        hours=hours(one.hours),
        usd=dollars(one.usd),
        always=dollars(one.always),
    )
