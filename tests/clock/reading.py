"""A second reading of `when`, written from the docs and not from the code: one minute at a time, by the clock
on the wall.

It looks at a manifest as YAML has it, and asks of each window only: does this minute on the wall lie in it?
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from functools import cache
from typing import Any

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def window(space: dict[str, Any], wall: datetime) -> int | None:
    """Which of a Space's windows holds when a clock on the wall shows `wall`: the first in the list, None
    outside of all."""
    for number, one in enumerate(space.get("when", ())):
        in_hours = "during" not in one or _during(one["during"], wall)
        if in_hours and _from(one) <= wall < _until(one):
            return number
    return None


def setting(space: dict[str, Any], wall: datetime, key: str) -> Any:
    """What `key` is to be: as the window that holds sets it, else as it stands above."""
    number = window(space, wall)
    above = space.get(key)
    return above if number is None else space["when"][number]["set"].get(key, above)


def _from(one: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(one["from"]) if "from" in one else datetime.min


def _until(one: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(one["until"]) if "until" in one else datetime.max


def _during(text: str, wall: datetime) -> bool:
    days, begin, end = _read(text)
    minute, today, yesterday = wall.hour * 60 + wall.minute, wall.weekday(), (wall.weekday() - 1) % 7
    if begin < end:
        return today in days and begin <= minute < end
    return (today in days and minute >= begin) or (yesterday in days and minute < end)


@cache
def _read(text: str) -> tuple[frozenset[int], int, int]:
    """Days of the week, and the minutes of the day from and until which."""
    days, _, hours = text.rpartition(" ")
    if ":" not in hours:
        days, hours = hours, "00:00-24:00"
    begin, end = ((int(part[:2]) * 60 + int(part[3:])) for part in hours.split("-"))
    return _weekdays(days), begin, end


def _weekdays(text: str) -> frozenset[int]:
    if text in {"", "daily"}:
        return frozenset(range(7))
    chosen: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        day, end = DAYS.index(first), DAYS.index(last or first)
        chosen.add(day)
        while day != end:
            day = (day + 1) % 7
            chosen.add(day)
    return frozenset(chosen)


def minutes(begin: datetime, end: datetime) -> list[datetime]:
    """Each minute from `begin` to before `end`."""
    return [begin + timedelta(minutes=number) for number in range(int((end - begin) / timedelta(minutes=1)))]


def week_of(change: datetime) -> tuple[datetime, datetime]:
    """The seven days around a change of the clocks, from midnight of UTC."""
    day = datetime.combine(change.date(), time(0), UTC)
    return day - timedelta(days=3), day + timedelta(days=4)
