"""What Spaces cost by their hours: what `when` and `state` leave on, between two times. Money is Decimal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hfspace.manifest.clock import declared, managed, totals
from hfspace.manifest.models import Manifest, SpaceSpec
from hfspace.manifest.zones import zone
from hfspace.model import Flavor, Snapshot, SpaceState

_HOUR = 3600
_OFF = frozenset({"PAUSED", "STOPPED"})


def scheduled_spaces(
    manifest: Manifest, snapshot: Snapshot, start: datetime, end: datetime
) -> dict[str, Decimal]:
    """USD of every declared Space from `start` until `end`: the time for which it is to run, at the price of
    the hardware that it is to run on then. Exact to the second; sleep is not counted, so it is the most that
    these hours cost. What a Space does not declare of hardware and state, or ignores, is counted as it is
    now; one that is missing counts if it is created. Hardware without a price counts as free."""
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
