"""A plan as one HTML page that needs nothing else; templates/plan.html says what stands where."""

from __future__ import annotations

from hfspace.model import Plan
from hfspace.planner.counts import counts
from hfspace.report import costs
from hfspace.report.file_diffs import Pair, side_by_side, title
from hfspace.report.pages import page
from hfspace.report.plan_view import MEANINGS, blocks, grouped, result_of, signs
from hfspace.report.timing import timing
from hfspace.text import plain

_NAMES = {"+": "create", "~": "change", "-": "delete", "!": "check", "i": "ignored", "?": "unknown"}


def render(plan: Plan) -> str:
    """The page. Every text of it is escaped; secrets are not in a plan."""
    cost = plan.cost
    limit = cost.limit_usd_per_month
    return page(
        "plan.html",
        plan=plan,
        summary=_summary(plan),
        cost=[
            ("per hour, now", cost.before_usd_per_hour, cost.after_usd_per_hour),
            ("per month, if always on", cost.before_usd_per_month, cost.after_usd_per_month),
        ],
        figures=list(costs.figures(plan)),
        limit=limit,
        over=limit is not None and cost.after_usd_per_month > limit,
        timing=list(timing(plan)),
        heading="h2",
        **changes(plan),
    )


def changes(plan: Plan) -> dict[str, object]:
    """What templates/changes.html shows of a plan."""
    groups = grouped(blocks(plan))
    return {
        "blocks": groups,
        "signs": signs(groups),
        "names": _NAMES,
        "meanings": MEANINGS,
        "diffs": _diffs(plan),
    }


def _diffs(plan: Plan) -> dict[str, list[tuple[str, list[Pair]]]]:
    """The texts of changed files by their Space, as the page names it."""
    diffs: dict[str, list[tuple[str, list[Pair]]]] = {}
    for diff in plan.diffs:
        diffs.setdefault(plain(diff.space), []).append((title(diff), side_by_side(diff)))
    return diffs


def _summary(plan: Plan) -> str:
    created, deleted, changed = counts(plan)
    if plan.changes:
        first = f"{created:,} to create, {changed:,} to change, {deleted:,} to delete"
    else:
        first = "No changes"
    return f"{first}; {result_of(plan.checks)}" if plan.checks else first
