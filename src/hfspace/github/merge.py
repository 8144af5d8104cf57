"""Shards' plans joined into one, for one comment, one summary and one bill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from hfspace.errors import UsageError
from hfspace.model import Check, Cost, Plan
from hfspace.planner import order
from hfspace.report.cells import money


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
    zero = Decimal(0)
    return Cost(
        before_usd_per_hour=sum((one.before_usd_per_hour for one in costs), zero),
        after_usd_per_hour=sum((one.after_usd_per_hour for one in costs), zero),
        before_usd_per_month=sum((one.before_usd_per_month for one in costs), zero),
        after_usd_per_month=sum((one.after_usd_per_month for one in costs), zero),
        limit_usd_per_month=costs[0].limit_usd_per_month,
    )


def _checks(plans: Sequence[Plan], cost: Cost) -> tuple[Check, ...]:
    values = {
        (check.space, check.address, check.message): check
        for plan in plans
        for check in plan.checks
        if not check.of_sum
    }
    checks = [check for _, check in sorted(values.items())]
    limit = cost.limit_usd_per_month
    if limit is not None and cost.after_usd_per_month > limit:
        checks.append(
            Check(
                address="policy.max_monthly_usd",
                space="",
                facet="policy",
                scope="policy",
                severity="error",
                of_sum=True,
                message=f"All shards together may cost {money(cost.after_usd_per_month)} per month, "
                f"and the limit is {money(limit)}.",
            )
        )
    return tuple(checks)
