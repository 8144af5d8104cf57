"""Hours as people write them: days of the week with times, and local times of one day."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from difflib import get_close_matches

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_NAMES = {name: day for day, full in enumerate(
    ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
) for name in (full, full[:3])}  # fmt: skip
_TIME = re.compile(r"(\d{1,2}):(\d{2})", re.ASCII)
_SPAN = re.compile(r"(\S+?)\s*[-–]\s*(\S+)")
_LOCAL = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2}))?)?(.*)", re.ASCII)
_YEARS = range(1970, 3000)
"""A year or a zone more or less is still a time."""
_MIDNIGHT = time(0)
_LONGEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Days (0 is Monday) and the time from `start` until `end` on the clock of the wall; past midnight where
    `end` is not after `start`, whole days where both are midnight. `text` is how it is written."""

    days: frozenset[int]
    start: time = _MIDNIGHT
    end: time = _MIDNIGHT
    text: str = ""

    def holds(self, wall: datetime) -> bool:
        """Whether a clock on the wall that shows `wall` shows a time of these."""
        today, now = wall.weekday() in self.days, wall.time()
        if self.start < self.end:
            return today and self.start <= now < self.end
        yesterday = (wall.weekday() - 1) % 7 in self.days
        return (today and now >= self.start) or (yesterday and now < self.end)

    @property
    def minutes(self) -> int:
        """How long one of them is, on a day without a change of the clocks."""
        start, end = (60 * one.hour + one.minute for one in (self.start, self.end))
        return (end - start) % 1440 or 1440


def parse_hours(text: object) -> Hours:
    """`Mon-Fri 08:00-19:00`, `Fri 22:00-02:00`, `Sat,Sun`, `daily 06:00-07:30`. Raises ValueError."""
    if not isinstance(text, str) or not text.strip() or len(text) > _LONGEST:
        raise ValueError("hours are days and times, such as Mon-Fri 08:00-19:00")
    words = re.sub(r"\s*([,–-])\s*", r"\1", text.strip()).split()
    written = " ".join(words)
    if len(words) == 1:
        is_time = words[0][0].isdigit()
        words = ["daily", words[0]] if is_time else [words[0], "00:00-00:00"]
        if not is_time:
            return Hours(days=_days(words[0]), text=written)
    if len(words) != 2:
        raise ValueError("hours are days and times with one space between, such as Mon,Wed 08:00-19:00")
    start, end = _times(words[1])
    return Hours(days=_days(words[0]), start=start, end=end, text=written)


def parse_local(value: object) -> datetime:
    """A local time without a zone, `2026-12-01T09:00` or `2026-12-01`. Raises ValueError."""
    if isinstance(value, datetime):
        return value
    match = _LOCAL.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError("a time is written as 2026-12-01T09:00")
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    if match[7]:
        raise ValueError("it is a time of the manifest's `timezone`: leave out what follows the minutes")
    if hour == 24:
        raise ValueError("a day ends at 00:00 of the next one")
    if year not in _YEARS:
        raise ValueError("a year is 1970 to 2999: what has no end is left out")
    try:
        date(year, month, day)
    except ValueError:
        raise ValueError(f"there is no day {match[0][:10]}") from None
    try:
        return datetime(year, month, day, hour, minute, second)
    except ValueError:
        raise ValueError("a time of day is 00:00 to 23:59") from None


def days_between(first: date, last: date) -> list[date]:
    return [first + timedelta(days=count) for count in range((last - first).days + 1)]


def _days(text: str) -> frozenset[int]:
    if text.lower() == "daily":
        return frozenset(range(7))
    days: set[int] = set()
    for part in text.split(","):
        span = _SPAN.fullmatch(part)
        if span is None:
            days.add(_day(part))
            continue
        first, last = _day(span[1]), _day(span[2])
        days |= {(first + count) % 7 for count in range((last - first) % 7 + 1)}
    return frozenset(days)


def _day(text: str) -> int:
    if text.lower() in _NAMES:
        return _NAMES[text.lower()]
    near = get_close_matches(text.lower(), _NAMES, n=1)
    guess = f"did you mean {DAYS[_NAMES[near[0]]]}" if near else f"write daily, or {', '.join(DAYS)}"
    raise ValueError(f"'{text[:20]}' is no day of the week: {guess}")


def _times(text: str) -> tuple[time, time]:
    span = _SPAN.fullmatch(text)
    if span is None:
        raise ValueError("the times are written as 08:00-19:00")
    start, end = _time(span[1]), _time(span[2])
    if start == end:
        raise ValueError("it begins and ends at the same time: whole days are written without times")
    return start, end


def _time(text: str) -> time:
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"'{text[:20]}' is no time: write 08:00")
    if match[0] == "24:00":
        raise ValueError("there is no 24:00: write 00:00, which ends the day")
    try:
        return time(int(match[1]), int(match[2]))
    except ValueError:
        raise ValueError(f"there is no {text[:20]}: a time of day is 00:00 to 23:59") from None
