"""Ticks of a cron expression in a time zone, and how a tick is written as the marker of a restart."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import pairwise

_MARKER = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}Z", re.ASCII)
_FIELDS = ("minute", "hour", "day of the month", "month", "day of the week")
_SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)


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
    fields = every.split()
    if len(fields) != len(_FIELDS):
        seconds = " (there are no seconds)" if len(fields) == 6 else ""
        return f"a cron expression has five fields, and this has {len(fields)}{seconds}"
    if _comes(fields):
        return ""
    for index, (name, field) in enumerate(zip(_FIELDS, fields, strict=True)):
        alone = ["*"] * len(_FIELDS)
        alone[index] = field
        if not _comes(alone):
            return f"'{field[:20]}' is no {name}"
    return "it never comes"


def _comes(fields: Sequence[str]) -> bool:
    """Whether these five fields are a cron expression with a tick."""
    from cronsim import CronSim, CronSimError

    try:
        next(CronSim(" ".join(fields), _SOME_DAY, reverse=True))
    except (CronSimError, StopIteration, ValueError, OverflowError):
        return False
    return True


def shortest(every: str) -> timedelta:
    """The shortest time between two ticks of one hour, or of two in a row; a day where there are none."""
    from cronsim import CronSim

    cron = CronSim(every, _SOME_DAY)
    minutes = sorted(cron.minutes)
    gaps = [second - first for first, second in pairwise(minutes)]
    if any((hour + 1) % 24 in cron.hours for hour in cron.hours):
        gaps.append(minutes[0] + 60 - minutes[-1])
    return timedelta(minutes=min(gaps, default=24 * 60))


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
