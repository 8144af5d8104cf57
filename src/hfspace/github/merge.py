"""Shards' plans joined into one, for one comment, one summary and one bill."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TypeAlias

from hfspace.errors import UsageError
from hfspace.model import Check, Cost, Plan
from hfspace.planner import order
from hfspace.report.cells import money

_ZERO = Decimal(0)
_Limit: TypeAlias = Callable[[Cost], tuple[Decimal | None, Decimal | None]]
_BUDGETS: Mapping[str, tuple[str, _Limit]] = {
    "policy.max_monthly_usd": (
        "may cost {usd} per month",
        lambda cost: (cost.after_usd_per_month, cost.limit_usd_per_month),
    ),
    "policy.max_scheduled_usd": (
        "cost {usd} per month by their hours",
        lambda cost: (cost.scheduled_usd_per_month, cost.scheduled_limit_usd),
    ),
    "policy.max_usd_per_hour": (
        "cost {usd} per hour at once",
        lambda cost: (cost.after_usd_per_hour, cost.hourly_limit_usd),
    ),
    "policy.max_spent_usd": (
        "are on course for {usd} this month",
        lambda cost: (cost.course_usd, cost.spent_limit_usd),
    ),
}
"""The limits of all Spaces together: what is over, in words; the amount and the limit."""


def merge(plans: Sequence[Plan]) -> Plan:
    """One plan of all. Raises UsageError when they are not shards of one manifest on one Hub.

    The ceiling on the bill is checked again for the whole, since no shard saw all of it. What a policy says
    about counts (deletes, running Spaces, share of Spaces) was checked shard by shard.
    """
    if not plans:
        raise UsageError("There is no plan to merge.")
    _same(plans)
    seen: set[str] = set()
    for plan in plans:
        if twice := seen.intersection(plan.declared):
            raise UsageError(
                f"{min(twice)} is in two of the plans.", hint="Merge each shard's plan once, none twice."
            )
        seen |= set(plan.declared)
    cost = _cost([plan.cost for plan in plans])
    snapshot = {space: state for plan in plans for space, state in plan.snapshot.items()}
    return replace(
        plans[0],
        declared=tuple(sorted(seen)),
        changes=tuple(sorted((c for plan in plans for c in plan.changes), key=order.key)),
        ignored=tuple(sorted((c for plan in plans for c in plan.ignored), key=order.key)),
        checks=_checks(plans, cost),
        cost=cost,
        exempt={space: why for plan in plans for space, why in plan.exempt.items()},
        requests=sum(plan.requests for plan in plans),
        snapshot=dict(sorted(snapshot.items())),
        unmanaged=tuple(sorted({space for plan in plans for space in plan.unmanaged} - seen)),
    )


def _same(plans: Sequence[Plan]) -> None:
    for what, values in (
        ("Hubs", {plan.hub for plan in plans}),
        ("accounts", {plan.account or "nobody" for plan in plans}),
        ("manifests", {plan.manifest.sha256 for plan in plans}),
    ):
        if len(values) > 1:
            raise UsageError(
                f"The plans are of different {what}: {', '.join(sorted(values))}.",
                hint="Merge the plans of one run.",
            )


def _cost(costs: Sequence[Cost]) -> Cost:
    first = costs[0]
    return Cost(
        before_usd_per_hour=sum((one.before_usd_per_hour for one in costs), _ZERO),
        after_usd_per_hour=sum((one.after_usd_per_hour for one in costs), _ZERO),
        before_usd_per_month=sum((one.before_usd_per_month for one in costs), _ZERO),
        after_usd_per_month=sum((one.after_usd_per_month for one in costs), _ZERO),
        limit_usd_per_month=first.limit_usd_per_month,
        scheduled_usd_per_month=_sum(one.scheduled_usd_per_month for one in costs),
        scheduled_limit_usd=first.scheduled_limit_usd,
        scheduled_rest_usd=_sum(one.scheduled_rest_usd for one in costs),
        spent_usd=_sum(one.spent_usd for one in costs),
        spent_limit_usd=first.spent_limit_usd,
        spent_unknown="; ".join(sorted({one.spent_unknown for one in costs if one.spent_unknown})),
        hourly_limit_usd=first.hourly_limit_usd,
    )


def _sum(values: Iterable[Decimal | None]) -> Decimal | None:
    """The sum; None where one of them is unknown."""
    listed = list(values)
    known = [value for value in listed if value is not None]
    return sum(known, _ZERO) if len(known) == len(listed) else None


def _checks(plans: Sequence[Plan], cost: Cost) -> tuple[Check, ...]:
    values = {
        (check.space, check.address, check.message): check
        for plan in plans
        for check in plan.checks
        if not check.of_sum
    }
    checks = [check for _, check in sorted(values.items())]
    for address, (words, limit_of) in _BUDGETS.items():
        usd, limit = limit_of(cost)
        if usd is not None and limit is not None and usd > limit:
            checks.append(_over(address, words.format(usd=money(usd)), limit))
    return tuple(checks)


def _over(address: str, text: str, limit: Decimal) -> Check:
    return Check(
        address=address,
        space="",
        facet="policy",
        scope="policy",
        severity="error",
        of_sum=True,
        message=f"All shards together {text}, and the limit is {money(limit)}.",
    )
