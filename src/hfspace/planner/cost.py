"""The bill: what the declared Spaces cost now, and what they cost after the plan. Money is Decimal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from hfspace.manifest.models import Manifest
from hfspace.model import BILLED, HOURS_PER_MONTH, Change, Cost, Snapshot

_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """One Space: USD per hour now (as its stage bills), and per hour if it is always on."""

    now: Decimal = _NOTHING
    ceiling: Decimal = _NOTHING


def cost(manifest: Manifest, snapshot: Snapshot, changes: Iterable[Change]) -> Cost:
    """The cost of all declared Spaces, before and after. Unknown flavors count as free, and have a check."""
    before = {space: _live(space, snapshot) for space in manifest.spaces}
    after = bills_after(manifest, snapshot, changes)
    return Cost(
        before_usd_per_hour=_sum(bill.now for bill in before.values()),
        after_usd_per_hour=_sum(bill.now for bill in after.values()),
        before_usd_per_month=_sum(bill.ceiling for bill in before.values()) * HOURS_PER_MONTH,
        after_usd_per_month=_sum(bill.ceiling for bill in after.values()) * HOURS_PER_MONTH,
        limit_usd_per_month=manifest.policy.max_monthly_usd,
    )


def bills_after(manifest: Manifest, snapshot: Snapshot, changes: Iterable[Change]) -> dict[str, Bill]:
    """What each declared Space costs once `changes` are made."""
    by_space: dict[str, list[Change]] = {}
    for change in changes:
        by_space.setdefault(change.space, []).append(change)
    return {
        space: _after(space, _live(space, snapshot), by_space.get(space, []), manifest, snapshot)
        for space in manifest.spaces
    }


def _live(space: str, snapshot: Snapshot) -> Bill:
    state = snapshot.spaces.get(space)
    if state is None:
        return Bill()
    flavor = snapshot.flavors.get(state.hardware_current or state.hardware or "")
    asked = snapshot.flavors.get(state.hardware or "")
    replicas = max(state.replicas or 1, 1)
    now = flavor.usd_per_hour * replicas if flavor and state.stage in BILLED else _NOTHING
    stays_off = state.stage in {"PAUSED", "STOPPED"}
    return Bill(now=now, ceiling=_NOTHING if stays_off or not asked else asked.usd_per_hour * replicas)


def _after(space: str, live: Bill, changes: list[Change], manifest: Manifest, snapshot: Snapshot) -> Bill:
    state = snapshot.spaces.get(space)
    if any(change.deletes_space or change.pauses for change in changes):
        return Bill()
    flavor_name = state.hardware if state else None
    for change in changes:
        flavor_name = change.flavor or flavor_name
        if change.creates_space and manifest.spaces[space].state == "paused":
            return Bill()
    if not changes:
        return live
    flavor = snapshot.flavors.get(flavor_name or "")
    price = flavor.usd_per_hour * max((state.replicas if state else None) or 1, 1) if flavor else _NOTHING
    starts = any({"wakes", "restart", "bills"} & set(change.effects) for change in changes)
    off = state is not None and state.stage in {"PAUSED", "STOPPED"} and not starts
    if off:
        return Bill()
    bills_now = starts or (state is not None and state.stage in BILLED)
    return Bill(now=price if bills_now else _NOTHING, ceiling=price)


def _sum(values: Iterable[Decimal]) -> Decimal:
    return sum(values, _NOTHING)
