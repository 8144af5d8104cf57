"""Ticks of a cron expression in a time zone, and how a tick is written as the marker of a restart."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import pairwise

_MARKER = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}Z", re.ASCII)
_SAMPLE_START = datetime(2026, 1, 1, tzinfo=UTC)
_SAMPLE = 400
"""Ticks that are looked at for the shortest time between two: minutes of six hours, or days of a year."""


@lru_cache(maxsize=512)
def last(every: str, where: tzinfo, now: datetime) -> datetime:
    """The last tick up to `now`, in UTC. On a day without its time, the tick is at the change of the clocks;
    on a day that has it twice, at the first."""
    from cronsim import CronSim

    # Backwards, a tick at `now` itself is only counted where something of its second has passed.
    local = now.astimezone(where).replace(microsecond=1)
    return next(CronSim(every, local, reverse=True)).astimezone(UTC)


@lru_cache(maxsize=512)
def following(every: str, where: tzinfo, now: datetime) -> datetime:
    """The first tick after `now`, in UTC."""
    from cronsim import CronSim

    return next(CronSim(every, now.astimezone(where))).astimezone(UTC)


def problem(every: str) -> str:
    """What is wrong with a cron expression, "" when nothing is."""
    from cronsim import CronSim, CronSimError

    fields = every.split()
    if len(fields) != 5:
        seconds = " (there are no seconds)" if len(fields) == 6 else ""
        return f"a cron expression has five fields, and this has {len(fields)}{seconds}"
    try:
        next(CronSim(every, _SAMPLE_START, reverse=True))
    except CronSimError as error:
        return f"{str(error)[:1].lower()}{str(error)[1:]}"
    except (StopIteration, ValueError, OverflowError):
        return "it never comes"
    return ""


def shortest(every: str, where: tzinfo) -> timedelta:
    """The shortest time between two ticks."""
    from cronsim import CronSim

    coming = CronSim(every, _SAMPLE_START.astimezone(where))
    times = [next(coming).astimezone(UTC) for _ in range(_SAMPLE)]
    return min(second - first for first, second in pairwise(times))


def marker(tick: datetime) -> str:
    """A tick as it stands on the Space."""
    return f"{tick.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


def tick_of(text: str) -> datetime | None:
    """The tick that a marker stands for; None for any other text."""
    if not _MARKER.fullmatch(text.strip()):
        return None
    try:
        return datetime.strptime(text.strip(), "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC)
    except ValueError:
        return None
