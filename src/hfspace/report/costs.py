"""The three figures of a plan in words: the ceiling, what is scheduled, what was billed. Each by its name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from hfspace.model import Cost, Plan
from hfspace.report.cells import money
from hfspace.text import plain

OVER = "over budget"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure beside those that every plan shows: what it is, how much, its limit, where it is from."""

    name: str
    usd: Decimal | None
    limit: Decimal | None
    text: str
    source: str

    @property
    def is_over(self) -> bool:
        return self.usd is not None and self.limit is not None and self.usd > self.limit


def figures(plan: Plan) -> Iterator[Figure]:
    """What a plan says beside its ceiling: of a manifest with hours or limits, and of what was spent."""
    cost = plan.cost
    if cost.hourly_limit_usd is not None:
        text = f"{money(cost.after_usd_per_hour)} per hour{_limit(cost.hourly_limit_usd)}"
        yield Figure(name="at once", usd=cost.after_usd_per_hour, limit=cost.hourly_limit_usd, text=text,
                     source="the Hub's prices, right after the plan")  # fmt: skip
    scheduled = cost.scheduled_usd_per_month
    has_hours = scheduled != cost.after_usd_per_month or cost.scheduled_limit_usd is not None
    if scheduled is not None and has_hours:
        text = f"{money(scheduled)} per month{_limit(cost.scheduled_limit_usd)}"
        yield Figure(name="scheduled", usd=scheduled, limit=cost.scheduled_limit_usd, text=text,
                     source="the hours that the manifest leaves on, an average month of 730 h")  # fmt: skip
    checked = any(check.address.startswith("policy.max_spent_usd") for check in plan.unknowns)
    if cost.spent_usd is not None or (cost.spent_unknown and not checked):
        yield Figure(name="spent", usd=cost.course_usd, limit=cost.spent_limit_usd, text=spent(cost),
                     source="what the Hub billed this month, and scheduled for its rest")  # fmt: skip


def spent(cost: Cost) -> str:
    """`$41.20 of $150 this month, on course for $118`; in words what is unknown."""
    if cost.spent_usd is None:
        return f"unknown: {plain(cost.spent_unknown)}" if cost.spent_unknown else ""
    of = "" if cost.spent_limit_usd is None else f" of {money(cost.spent_limit_usd)}"
    course = "" if cost.course_usd is None else f", on course for {money(cost.course_usd)}"
    return f"{money(cost.spent_usd)}{of} this month{course}"


def lines(plan: Plan) -> Iterator[str]:
    """One line for each of `figures`."""
    for one in figures(plan):
        yield f"{one.name} {one.text}.{f'   {OVER}' if one.is_over else ''}"


def _limit(usd: Decimal | None) -> str:
    return "" if usd is None else f", limit {money(usd)}"
