"""What Spaces cost by their hours: what `when` and `state` leave on, between two times. Money is Decimal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hfspace.manifest.clock import Segment, declared, managed, totals
from hfspace.manifest.models import Manifest, SpaceSpec
from hfspace.manifest.zones import zone
from hfspace.model import Flavor, Snapshot, SpaceState

_HOUR, _YEAR = 3600, timedelta(days=365)
_OFF = frozenset({"PAUSED", "STOPPED"})


def scheduled(
    parts: Iterable[Segment],
    prices: Mapping[str, Flavor],
    *,
    hardware: str | None = None,
    is_on: bool = True,
    replicas: int = 1,
) -> Decimal:
    """USD of one Space over `parts`, which `clock.segments` gives: the hours in which it is to run, times the
    price of the hardware that it is to run on then. Exact to the second; sleep is not counted, so it is the
    most that these hours cost. `hardware` and `is_on` say what holds where the manifest does not: what is
    live. Hardware without a price counts as free."""
    lengths = ((part.spec, part.end - part.start) for part in parts)
    return _usd(lengths, prices, hardware=hardware, is_on=is_on) * replicas


def hours_on(parts: Iterable[Segment], *, is_on: bool = True) -> Decimal:
    """Hours over `parts` in which the Space is to run; `is_on` as in `scheduled`."""
    on = (part.end - part.start for part in parts if _is_on(part.spec, is_on))
    return Decimal(round(sum(on, timedelta()).total_seconds())) / _HOUR


def scheduled_spaces(
    manifest: Manifest, snapshot: Snapshot, start: datetime, end: datetime
) -> dict[str, Decimal]:
    """The `scheduled` USD of every declared Space from `start` until `end`. What a Space does not declare of
    hardware and state, or ignores, is counted as it is now; one that is missing counts if it is created."""
    where = zone(manifest.timezone)
    costs: dict[str, Decimal] = {}
    for space, spec in declared(manifest).items():
        state = snapshot.spaces.get(space)
        if (state is None and spec.create is None) or spec.free_hardware:
            continue
        usd = _usd(
            totals(managed(spec), where, start, end),
            snapshot.flavors,
            hardware=state.hardware if state else None,
            is_on=_is_live(state),
        )
        costs[space] = usd * max((state.replicas if state else None) or 1, 1)
    return costs


def rest_of_month(
    manifest: Manifest, snapshot: Snapshot, now: datetime, end: datetime | None = None
) -> Decimal:
    """USD of all Spaces from `now` until the month is over, or until `end` of the Hub's own period."""
    return sum(scheduled_spaces(manifest, snapshot, now, end or month_end(now)).values(), Decimal(0))


def average_month(manifest: Manifest, snapshot: Snapshot, now: datetime) -> Decimal:
    """USD of all Spaces in an average month (730 h) of the year that begins `now`."""
    return sum(scheduled_spaces(manifest, snapshot, now, now + _YEAR).values(), Decimal(0)) / 12


def month_end(now: datetime) -> datetime:
    """The end of the month, in UTC, as the Hub bills."""
    first = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first + timedelta(days=32)).replace(day=1)


def _usd(
    lengths: Iterable[tuple[SpaceSpec, timedelta]],
    prices: Mapping[str, Flavor],
    *,
    hardware: str | None,
    is_on: bool,
) -> Decimal:
    seconds: dict[str, int] = {}
    for spec, length in lengths:
        flavor = spec.hardware or hardware
        if flavor is not None and _is_on(spec, is_on):
            seconds[flavor] = seconds.get(flavor, 0) + round(length.total_seconds())
    usd = (prices[flavor].usd_per_hour * count for flavor, count in seconds.items() if flavor in prices)
    return sum(usd, Decimal(0)) / _HOUR


def _is_on(spec: SpaceSpec, is_on: bool) -> bool:
    return is_on if spec.state is None else spec.is_up


def _is_live(state: SpaceState | None) -> bool:
    return state is None or (state.stage not in _OFF and not state.is_static)
