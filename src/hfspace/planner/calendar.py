"""The coming days of a manifest: when each Space is up, on what, why, and what that costs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice

from hfspace.manifest import ticks
from hfspace.manifest.clock import at, declared, managed, segments
from hfspace.manifest.models import Manifest, SpaceSpec
from hfspace.manifest.zones import zone
from hfspace.model import Snapshot, SpaceState
from hfspace.planner.hours import held

_SECOND = timedelta(seconds=1)
_DAYS = 7
_WEEK = Decimal(_DAYS * 24 * 3600)
_MOST_RESTARTS = 500
"""Of one Space that are named; one that restarts more often is no calendar's to tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A time, in UTC, in which one Space is to be the same. `state` is as declared, None where nobody says;
    `raised`: on other hardware than outside all windows; `usd_per_hour` is None where it is not known."""

    start: datetime
    end: datetime
    state: str | None
    is_up: bool
    hardware: str | None
    raised: bool
    reason: str
    usd_per_hour: Decimal | None

    @property
    def seconds(self) -> Decimal:
        return Decimal((self.end - self.start) // _SECOND)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceCalendar:
    """One Space over all the days, without gaps. `restarts` are the ticks of `restart.every`; `held` is until
    when somebody holds it, so that nothing of this is done ("" for until it is released).

    Of a week: the `hours` that it is up, the dollars `usd` of these at most (it may sleep), and those of
    `always`, were it never paused; None where a price is not known.
    """

    space: str
    spans: tuple[Span, ...]
    hours: Decimal
    usd: Decimal | None
    always: Decimal | None
    restarts: tuple[datetime, ...] = ()
    held: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """All Spaces from one midnight to another of the manifest's zone; all times are in UTC. `prices_of` is
    the date of the prices that hfspace ships, where the Hub's could not be read."""

    timezone: str
    now: datetime
    days: int
    spaces: tuple[SpaceCalendar, ...]
    prices_of: str = ""

    def local(self, time: datetime) -> datetime:
        return time.astimezone(zone(self.timezone))

    @property
    def midnights(self) -> tuple[datetime, ...]:
        """The beginning of each day, and the end of the last one."""
        return tuple(_midnights(self.timezone, self.now, self.days))

    @property
    def total(self) -> tuple[Decimal, Decimal, int]:
        """Dollars a week, and if always on, of all whose prices are known; of how many they are not."""
        costs = [(one.usd, one.always) for one in self.spaces]
        known = [(usd, always) for usd, always in costs if usd is not None and always is not None]
        zero = Decimal(0)
        return (
            sum((usd for usd, _ in known), zero),
            sum((usd for _, usd in known), zero),
            len(costs) - len(known),
        )


def calendar(manifest: Manifest, snapshot: Snapshot, now: datetime, days: int) -> Calendar:
    """So many days, with the day of `now`. What the manifest does not say of a Space (its hardware, whether
    it runs) and every price is as `snapshot` shows it. A week is one like these days, or like the coming
    seven where they are fewer."""
    # Days that are not shown count: three of them would not tell what a week costs.
    midnights = tuple(_midnights(manifest.timezone, now, max(days, _DAYS)))
    between = (midnights[0], midnights[days])
    holds = held(at(manifest, now), snapshot)
    spaces = []
    for space, spec in sorted((space, managed(spec)) for space, spec in declared(manifest).items()):
        if spec.state == "absent":
            continue
        state = snapshot.spaces.get(space)
        spans = _spans(spec, state, manifest.timezone, snapshot, midnights[0], midnights[-1])
        hours, usd, always = _week(spans)
        spaces.append(
            SpaceCalendar(
                space=space,
                spans=_until(spans, between[1]),
                hours=hours,
                usd=usd,
                always=always,
                restarts=_restarts(spec, manifest.timezone, *between),
                held=holds.get(space),
            )
        )
    return Calendar(
        timezone=manifest.timezone,
        now=now.astimezone(UTC),
        days=days,
        spaces=tuple(spaces),
        prices_of=snapshot.prices_of,
    )


def _midnights(timezone: str, now: datetime, days: int) -> Iterator[datetime]:
    where = zone(timezone)
    today = datetime.combine(now.astimezone(where).date(), datetime.min.time())
    for day in range(days + 1):
        yield (today + timedelta(days=day)).replace(tzinfo=where).astimezone(UTC)


def _spans(
    spec: SpaceSpec,
    state: SpaceState | None,
    timezone: str,
    snapshot: Snapshot,
    start: datetime,
    end: datetime,
) -> tuple[Span, ...]:
    usual = spec.hardware or (state.hardware if state else None)
    spans = []
    for part in segments(spec, zone(timezone), start, end):
        hardware = part.spec.hardware or usual
        spans.append(
            Span(
                start=part.start,
                end=part.end,
                state=part.spec.state,
                is_up=_is_up(part.spec, state),
                hardware=hardware,
                raised=hardware != usual,
                reason=part.reason if spec.when else "",
                usd_per_hour=_price(hardware, state, snapshot),
            )
        )
    return tuple(spans)


def _until(spans: tuple[Span, ...], end: datetime) -> tuple[Span, ...]:
    return tuple(replace(span, end=min(span.end, end)) for span in spans if span.start < end)


def _week(spans: tuple[Span, ...]) -> tuple[Decimal, Decimal | None, Decimal | None]:
    """Hours up, dollars of these, and dollars if always on."""
    length = sum(span.seconds for span in spans)

    def weekly(amounts: Iterable[Decimal]) -> Decimal:
        return sum(amounts, Decimal(0)) * _WEEK / length / 3600

    def usd(paid: list[Span]) -> Decimal | None:
        prices = [span.usd_per_hour for span in paid if span.usd_per_hour is not None]
        if len(prices) < len(paid):
            return None
        return weekly(span.seconds * price for span, price in zip(paid, prices, strict=True))

    up = [span for span in spans if span.is_up]
    return weekly(span.seconds for span in up), usd(up), usd(list(spans))


def _restarts(spec: SpaceSpec, timezone: str, start: datetime, end: datetime) -> tuple[datetime, ...]:
    every = spec.restart.every if spec.restart else None

    def coming() -> Iterator[datetime]:
        tick = start - _SECOND
        while every and (tick := ticks.following(every, zone(timezone), tick)) < end:
            yield tick

    return tuple(islice(coming(), _MOST_RESTARTS))


def _is_up(spec: SpaceSpec, state: SpaceState | None) -> bool:
    """Whether it is to run; one of which nobody says so, whether it does."""
    if spec.state is not None:
        return spec.is_up
    return state is not None and state.stage not in {"PAUSED", "STOPPED"}


def _price(hardware: str | None, state: SpaceState | None, snapshot: Snapshot) -> Decimal | None:
    if hardware is None:
        return Decimal(0) if state is not None and state.is_static else None
    flavor = snapshot.flavors.get(hardware)
    replicas = max((state.replicas if state else None) or 1, 1)
    return flavor.usd_per_hour * replicas if flavor else None
