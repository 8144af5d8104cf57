"""What is known of the use of a Space: minutes that were billed, and visits where somebody tells them. Pure;
times are seconds since the epoch, money is Decimal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from decimal import Decimal

from hfspace.manifest.hours import DAYS
from hfspace.model.billing import SPACES, Billed, Charge, awake, total

DAY, HOUR = 86_400, 3_600
DAYS_PER_MONTH = Decimal(365) / 12
_FEWEST_VISITS, _SHORTEST_RECORD = 10, 14 * DAY

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What the Hub billed for one Space from `start` to `end`. `awake` are the intervals, joined; `running`
    is when the one began that goes on, None where none does."""

    start: float
    end: float
    usd: Decimal
    awake: tuple[Interval, ...] = ()
    flavors: frozenset[str] = frozenset()
    running: float | None = None

    @property
    def days(self) -> Decimal:
        return Decimal(self.end - self.start) / DAY

    @property
    def hours(self) -> Decimal:
        return Decimal(sum(stop - start for start, stop in self.awake)) / HOUR

    @property
    def ended(self) -> tuple[Interval, ...]:
        """The intervals that are over."""
        return tuple(one for one in self.awake if self.running is None or one[1] < self.end)

    def per_month(self, amount: Decimal) -> Decimal:
        """`amount` of these days as that of an average month."""
        return amount / self.days * DAYS_PER_MONTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known beside the Hub's own state. A Space that is not in `visits` has none that are known."""

    uses: Mapping[str, Use] = field(default_factory=dict)
    visits: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    def use(self, space: str) -> Use | None:
        """None where nobody says what was billed, or for less than a day: no month can be told from that."""
        use = self.uses.get(space.lower())
        return use if use is not None and use.end - use.start >= DAY else None

    def visited(self, space: str) -> tuple[float, ...] | None:
        """Visits in the time of its use, in order; None where they are too few, or of too few days, to be
        concluded from, or the use is not known."""
        use = self.use(space)
        if use is None:
            return None
        times = sorted(time for time in self.visits.get(space.lower(), ()) if use.start <= time <= use.end)
        enough = len(times) >= _FEWEST_VISITS and times[-1] - times[0] >= _SHORTEST_RECORD
        return tuple(times) if enough else None


def uses(billed: Billed, spaces: Iterable[str], now: float) -> dict[str, Use]:
    """The use until `now` of each of `spaces` whose owner's usage is known, in the time that the Hub tells it
    for; one that was not billed has a use of $0."""
    known = {usage.owner.lower(): usage for usage in billed.usages}
    by_space: dict[str, list[Charge]] = {}
    for charge in billed.charges:
        if charge.space and charge.kind == SPACES:
            by_space.setdefault(charge.space.lower(), []).append(charge)
    listed = {}
    for space in {space.lower() for space in spaces}:
        usage = known.get(space.split("/")[0])
        if usage is None:
            continue
        charges = by_space.get(space, [])
        first, last = usage.start, min(now, usage.end)
        intervals = [one for parts in awake(charges, last).values() for one in parts]
        open_ones = [one.started for one in charges if one.active and one.started is not None]
        listed[space] = Use(
            start=first,
            end=last,
            usd=total(charges),
            awake=tuple((max(one, first), min(other, last)) for one, other in sorted(intervals)),
            flavors=frozenset(one.flavor for one in charges if one.flavor),
            running=max(open_ones, default=None),
        )
    return listed


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedHours:
    """The days, from the first to the last one, and the hours of the day in which there were visits."""

    days: range
    hours: range

    @property
    def text(self) -> str:
        """As the manifest writes it: Mon-Fri 08:00-19:00."""
        first, last = DAYS[self.days[0]], DAYS[self.days[-1]]
        days = "daily" if len(self.days) == len(DAYS) else first if first == last else f"{first}-{last}"
        return f"{days} {self.hours[0]:02}:00-{(self.hours[-1] + 1) % 24:02}:00"

    def holds(self, wall: datetime) -> bool:
        return wall.weekday() in self.days and wall.hour in self.hours


def used_hours(visits: Iterable[float], where: tzinfo) -> UsedHours:
    """The hours of the week, on the wall of `where`, that hold every visit; there is one at least."""
    walls = [datetime.fromtimestamp(time, where) for time in visits]
    days, hours = [wall.weekday() for wall in walls], [wall.hour for wall in walls]
    return UsedHours(days=range(min(days), max(days) + 1), hours=range(min(hours), max(hours) + 1))


def hours_outside(intervals: Iterable[Interval], used: UsedHours, where: tzinfo) -> Decimal:
    """Hours of `intervals` that lie outside `used`, exact to the second."""
    seconds = sum(
        stop - start
        for interval in intervals
        for start, stop in _quarters(interval)
        if not used.holds(datetime.fromtimestamp(start, where))
    )
    return Decimal(seconds) / HOUR


def _quarters(interval: Interval) -> Iterator[Interval]:
    """`interval` cut at every quarter of an hour: zones differ by no less."""
    start, end = interval
    while start < end:
        following = min(end, (start // 900 + 1) * 900)
        yield start, following
        start = following
