"""What the local Hub bills: the intervals in which a Space was starting or running, by hardware.

A document keeps them as `meter`: [start, stop or None, flavor, replicas], in seconds of the Hub's clock.
Starting and running are billed by the minute, building and sleeping are not (docs/hub-api.md section 5).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

BILLED = frozenset({"RUNNING", "APP_STARTING", "RUNNING_BUILDING", "RUNNING_APP_STARTING"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One interval of one Space. `stop` is None while it goes on; `until` is then what is billed so far."""

    space: str
    entity: str
    group: str | None
    flavor: str
    replicas: int
    grant: bool
    start: float
    stop: float | None
    until: float

    @property
    def minutes(self) -> int:
        """A minute that was begun is billed, once for each replica."""
        return math.ceil(round(self.until - self.start, 3) / 60) * self.replicas


def meter(doc: dict[str, Any], at: float) -> None:
    """Note what the Space bills from `at` on. The list is replaced, since documents share it."""
    kept = list(doc.get("meter", ()))
    replicas = doc["replicas"] if isinstance(doc["replicas"], int) else 1
    bills = doc["sdk"] != "static" and doc["stage"] in BILLED
    now = [doc["current"] or doc["requested"], replicas] if bills else None
    if kept and kept[-1][1] is None:
        if kept[-1][2:] == now:
            return
        start, _, *rest = kept.pop()
        kept += [[start, at, *rest]] if at > start else []
    doc["meter"] = [*kept, [at, None, *now]] if now else kept


def lines(doc: dict[str, Any], now: float) -> Iterator[Line]:
    """The intervals of a document as of `now`."""
    for start, stop, flavor, replicas in doc.get("meter", ()):
        if flavor is not None and start < now:
            ended = stop if stop is not None and stop <= now else None
            yield Line(
                space=doc["id"],
                entity=doc["oid"],
                group=doc.get("resource_group"),
                flavor=flavor,
                replicas=replicas,
                grant=bool(doc.get("free_grant")),
                start=start,
                stop=ended,
                until=now if ended is None else ended,
            )


def within(every: Iterable[Line], start: float, end: float) -> list[Line]:
    """The parts of intervals that lie between `start` and `end`, the oldest first."""
    cut = [
        replace(
            line,
            start=max(line.start, start),
            until=min(line.until, end),
            stop=end if line.until > end else line.stop,
        )
        for line in every
        if line.start < end and line.until > start
    ]
    return sorted(cut, key=lambda line: (line.start, line.space))


def month(moment: float) -> tuple[float, float]:
    """The calendar month around `moment`, in UTC: the period of a bill."""
    day = datetime.fromtimestamp(moment, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return day.timestamp(), _next(day).timestamp()


def months(start: float, end: float) -> Iterator[tuple[float, float]]:
    """The calendar months that hold something between `start` and `end`."""
    while start < end:
        first, following = month(start)
        yield first, following
        start = following


def _next(day: datetime) -> datetime:
    return day.replace(year=day.year + day.month // 12, month=day.month % 12 + 1)
