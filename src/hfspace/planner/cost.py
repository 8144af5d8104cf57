"""The money of a plan, Space by Space: what each costs now, after the changes, by its hours, and what the Hub
billed for it. What a change costs follows from that, and from nothing else. Money is Decimal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from hfspace.manifest.clock import managed, variants
from hfspace.manifest.models import Manifest
from hfspace.manifest.policy_models import ALL
from hfspace.model import BILLED, HOURS_PER_MONTH, Change, Cost, Snapshot, SpaceState, Subject
from hfspace.planner.scheduled import month_end, scheduled_spaces

_NOTHING = Decimal(0)
_MICRO = Decimal("0.000001")
"""The Hub's own unit of money; seconds of an hour have no end of digits."""
_YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """One Space: USD per hour as its stage bills, and per hour if it is always on."""

    now: Decimal = _NOTHING
    ceiling: Decimal = _NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceCost:
    """One declared Space. `scheduled` is what its hours cost in an average month (730 h), `rest` in what is
    left of this one, None where no time is known."""

    before: Rates = Rates()
    after: Rates = Rates()
    scheduled: Decimal = _NOTHING
    rest: Decimal | None = None


def space_costs(
    manifest: Manifest, snapshot: Snapshot, changes: Iterable[Change], now: datetime | None
) -> dict[str, SpaceCost]:
    """What each declared Space costs before and after `changes`. Unknown flavors count as free, and have a
    check; `free_hardware` is free."""
    by_space: dict[str, list[Change]] = {}
    for change in changes:
        by_space.setdefault(change.space, []).append(change)
    start = now or manifest.as_of
    year = scheduled_spaces(manifest, snapshot, start, start + _YEAR) if start else {}
    rest = scheduled_spaces(manifest, snapshot, now, month_end(now)) if now else None
    costs = {}
    for space in manifest.spaces:
        before = _before(space, manifest, snapshot)
        after = _after(space, before, by_space.get(space, []), manifest, snapshot)
        before, after = _of_hours(space, before, after, manifest, snapshot)
        costs[space] = SpaceCost(
            before=before,
            after=after,
            scheduled=(year.get(space, _NOTHING) / 12).quantize(_MICRO),
            rest=None if rest is None else rest.get(space, _NOTHING).quantize(_MICRO),
        )
    return costs


def priced(changes: Iterable[Change], costs: Mapping[str, SpaceCost]) -> list[Change]:
    """`changes` with what each does to the bill: the one that moves the money of its Space has all of it."""
    listed = list(changes)
    movers: dict[str, Change] = {}
    for change in sorted(listed, key=_moves, reverse=True):
        if _moves(change):
            movers.setdefault(change.space, change)
    return [_priced(change, costs[change.space]) if movers.get(change.space) is change else change
            for change in listed]  # fmt: skip


def cost(manifest: Manifest, snapshot: Snapshot, costs: Mapping[str, SpaceCost]) -> Cost:
    """The sums of all declared Spaces; what was spent, where it was asked for."""
    every = costs.values()
    rests = [one.rest for one in every if one.rest is not None]
    policy = manifest.policy
    return Cost(
        before_usd_per_hour=_sum(one.before.now for one in every),
        after_usd_per_hour=_sum(one.after.now for one in every),
        before_usd_per_month=_sum(one.before.ceiling for one in every) * HOURS_PER_MONTH,
        after_usd_per_month=_sum(one.after.ceiling for one in every) * HOURS_PER_MONTH,
        limit_usd_per_month=policy.max_monthly_usd,
        scheduled_usd_per_month=_sum(one.scheduled for one in every),
        scheduled_limit_usd=(policy.max_scheduled_usd or {}).get(ALL),
        scheduled_rest_usd=_sum(rests) if len(rests) == len(costs) else None,
        spent_usd=spent(snapshot, costs),
        spent_limit_usd=(policy.max_spent_usd or {}).get(ALL),
        spent_unknown=_unknown(snapshot),
        hourly_limit_usd=(policy.max_usd_per_hour or {}).get(ALL),
    )


def spent(snapshot: Snapshot, spaces: Iterable[str]) -> Decimal | None:
    """What the Hub billed this month for `spaces`, with what it bills their owners for Spaces that it does
    not name; None where that is unknown, or was not asked for."""
    if snapshot.billed is None:
        return None
    named = snapshot.billed.usd_of(spaces)
    owners = {space.split("/")[0].lower() for space in spaces}
    return None if named is None else named + snapshot.billed.unnamed_usd(owners)


def _unknown(snapshot: Snapshot) -> str:
    reasons = snapshot.billed.unknown if snapshot.billed else {}
    return "; ".join(f"{owner}: {why}" for owner, why in sorted(reasons.items()))


def _moves(change: Change) -> int:
    """How surely a change is the one that moves its Space's money; 0 for not at all."""
    if change.subject is Subject.SPACE:
        return 4
    if change.flavor is not None:
        return 3
    if change.power:
        return 2
    return 1 if {"wakes", "bills", "stops", "restart"} & set(change.effects) else 0


def _priced(change: Change, cost: SpaceCost) -> Change:
    if cost.before.now == cost.after.now:
        return change
    return replace(change, usd_per_hour_before=cost.before.now, usd_per_hour_after=cost.after.now)


def _before(space: str, manifest: Manifest, snapshot: Snapshot) -> Rates:
    state = snapshot.spaces.get(space)
    if state is None:
        return Rates()
    current = _price(space, state.hardware_current or state.hardware, manifest, snapshot)
    asked = _price(space, state.hardware, manifest, snapshot)
    return Rates(
        now=current if state.stage in BILLED else _NOTHING, ceiling=_NOTHING if _is_off(state) else asked
    )


def _after(
    space: str, before: Rates, changes: Sequence[Change], manifest: Manifest, snapshot: Snapshot
) -> Rates:
    state = snapshot.spaces.get(space)
    paused = any(change.creates_space for change in changes) and manifest.spaces[space].state == "paused"
    if paused or any(change.deletes_space or change.pauses for change in changes):
        return Rates()
    if not changes:
        return before
    flavors = [change.flavor for change in changes if change.flavor]
    price = _price(space, [state.hardware if state else None, *flavors][-1], manifest, snapshot)
    starts = any({"wakes", "restart", "bills"} & set(change.effects) for change in changes)
    if state is not None and _is_off(state) and not starts:
        return Rates()
    bills = starts or (state is not None and state.stage in BILLED)
    return Rates(now=price if bills else _NOTHING, ceiling=price)


def _of_hours(
    space: str, before: Rates, after: Rates, manifest: Manifest, snapshot: Snapshot
) -> tuple[Rates, Rates]:
    """The ceilings of a Space with hours: that of the dearest of them, at any time of the day. A limit that
    held at night would else be broken by each morning. Before, it is so where its hours hold already."""
    moment, state = manifest.clock.get(space), snapshot.spaces.get(space)
    if moment is None or not moment.declared.when or (state is None and after.ceiling == 0 == after.now):
        return before, after
    live = state.hardware if state else None
    stays_off = state is not None and _is_off(state)
    every = (one for one, _ in variants(managed(moment.declared)))
    on = [one for one in every if one.is_up or (one.is_on and not stays_off)]
    dearest = max((_price(space, one.hardware or live, manifest, snapshot) for one in on), default=_NOTHING)
    is_ruled = any(one.hardware in {None, live} for one in on)
    return replace(before, ceiling=dearest) if is_ruled else before, replace(after, ceiling=dearest)


def _price(space: str, flavor: str | None, manifest: Manifest, snapshot: Snapshot) -> Decimal:
    """USD per hour of all replicas."""
    listed, state = snapshot.flavors.get(flavor or ""), snapshot.spaces.get(space)
    if listed is None or manifest.spaces[space].free_hardware:
        return _NOTHING
    return listed.usd_per_hour * max((state.replicas if state else None) or 1, 1)


def _is_off(state: SpaceState) -> bool:
    return state.stage in {"PAUSED", "STOPPED"}


def _sum(values: Iterable[Decimal]) -> Decimal:
    return sum(values, _NOTHING)
