"""A second reading of `when`, written from the docs and not from the code: one minute at a time, by the clock
on the wall.

It looks at a manifest as YAML has it, and asks of each window only: does this minute on the wall lie in it?
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def window(space: dict[str, Any], zone: str, now: datetime) -> int | None:
    """Which of a Space's windows holds at `now`: the first in the list, None outside of all."""
    wall = now.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    for number, one in enumerate(space.get("when", ())):
        in_hours = "during" not in one or _during(one["during"], wall)
        in_days = one.get("from", "0001-01-01") <= wall.isoformat() and wall.isoformat() < one.get(
            "until", "9"
        )
        if in_hours and in_days:
            return number
    return None


def setting(space: dict[str, Any], zone: str, now: datetime, key: str) -> Any:
    """What `key` is to be at `now`: as the window that holds sets it, else as it stands above."""
    number = window(space, zone, now)
    above = space.get(key)
    return above if number is None else space["when"][number]["set"].get(key, above)


def _during(text: str, wall: datetime) -> bool:
    days, _, hours = text.rpartition(" ")
    begin, end = (_minute(part) for part in hours.split("-"))
    minute, today = wall.hour * 60 + wall.minute, wall.weekday()
    if begin < end:
        return today in _weekdays(days) and begin <= minute < end
    late = today in _weekdays(days) and minute >= begin
    early = (today - 1) % 7 in _weekdays(days) and minute < end
    return late or early


def _minute(text: str) -> int:
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)


def _weekdays(text: str) -> set[int]:
    if not text:
        return set(range(7))
    chosen: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        day, end = DAYS.index(first), DAYS.index(last or first)
        chosen.add(day)
        while day != end:
            day = (day + 1) % 7
            chosen.add(day)
    return chosen


def minutes(begin: datetime, end: datetime) -> list[datetime]:
    """Each minute from `begin` to before `end`."""
    return [begin + timedelta(minutes=number) for number in range(int((end - begin) / timedelta(minutes=1)))]


def week_of(change: datetime) -> tuple[datetime, datetime]:
    """The seven days around a change of the clock, from midnight of UTC."""
    day = datetime.combine(change.date(), time(0), UTC)
    return day - timedelta(days=3), day + timedelta(days=4)
