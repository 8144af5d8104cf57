"""The limits in dollars: of everything, of an owner's Spaces, of those with a label.

A limit of the ceiling, of the hours or of an hour refuses the plan that breaks it, unless that only frees.
Past what may be spent in this month single Spaces are refused: those that would start or be upgraded.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from hfspace.manifest.models import Manifest
from hfspace.manifest.policy_models import ALL
from hfspace.model import HOURS_PER_MONTH, Change, Check, Severity, Snapshot
from hfspace.planner import order
from hfspace.planner.cost import SpaceCost, spent
from hfspace.planner.order import Phase

_CONTRIBUTORS = 5
_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """One limit, the Spaces that it is of, and what is measured of each."""

    rule: str
    whose: str
    limit: Decimal
    spaces: tuple[str, ...]

    @property
    def of(self) -> str:
        """Whose it is, in words: "" for that of everything."""
        return "" if self.whose == ALL else f" of {self.whose}"


def breaches(
    manifest: Manifest,
    snapshot: Snapshot,
    changes: Sequence[Change],
    costs: Mapping[str, SpaceCost],
    only: Collection[str] | None,
) -> list[Check]:
    """Every limit that `changes` would break. `only` are the Spaces of a plan with targets: what others do is
    not its doing, nor a limit that it does not make worse."""
    checks: list[Check] = []
    frees = is_relief(changes)
    for budget in of(manifest):
        if budget.rule == "max_spent_usd":
            checks += _spent(budget, manifest, snapshot, changes, costs)
            continue
        before, after = (_measured(budget, costs, after=one) for one in (False, True))
        if after > budget.limit and (only is None or after > before):
            checks.append(_over(budget, manifest, costs, after, frees=frees))
    return checks


def is_relief(changes: Sequence[Change]) -> bool:
    """Whether a plan only frees money: what is over a limit may still be paused, downgraded and deleted."""
    by_space: dict[str, list[Change]] = {}
    for change in changes:
        by_space.setdefault(change.space, []).append(change)
    phases = {order.phase(its) for its in by_space.values()}
    return Phase.FREES in phases and Phase.SPENDS not in phases


def of(manifest: Manifest) -> list[Budget]:
    """Every limit of a manifest, with the Spaces that don't leave it."""
    policy = manifest.policy
    ceiling = {} if policy.max_monthly_usd is None else {ALL: policy.max_monthly_usd}
    rules = {
        "max_monthly_usd": ceiling,
        "max_scheduled_usd": policy.max_scheduled_usd or {},
        "max_usd_per_hour": policy.max_usd_per_hour or {},
        "max_spent_usd": policy.max_spent_usd or {},
    }
    return [
        Budget(rule=rule, whose=whose, limit=limit, spaces=tuple(_spaces(manifest, rule, whose)))
        for rule, limits in rules.items()
        for whose, limit in limits.items()
    ]


def idle(manifest: Manifest) -> list[Check]:
    """A warning for each limit that is of nobody here: a slip in its name would leave it without effect. Not
    for a plan, which may be of a share of the Spaces."""
    return [
        _check(
            budget,
            manifest,
            "warning",
            f"{budget.rule} is of {budget.whose}, and no Space here is",
            "Write all, an owner of these Spaces, or a label=value that one of them has.",
        )
        for budget in of(manifest)
        if not any(_is_of(manifest, space, budget.whose) for space in manifest.spaces)
    ]


def _spaces(manifest: Manifest, rule: str, whose: str) -> Iterable[str]:
    for space, spec in sorted(manifest.spaces.items()):
        if _is_of(manifest, space, whose) and rule not in spec.exempt:
            yield space


def _is_of(manifest: Manifest, space: str, whose: str) -> bool:
    name, has_value, value = whose.partition("=")
    if has_value:
        return (manifest.spaces[space].labels or {}).get(name) == value
    return whose == ALL or space.split("/")[0].lower() == whose.lower()


_MEASURES: Mapping[str, Callable[[SpaceCost, bool], Decimal]] = {
    "max_monthly_usd": lambda one, after: (one.after if after else one.before).ceiling * HOURS_PER_MONTH,
    "max_scheduled_usd": lambda one, after: one.scheduled,
    "max_usd_per_hour": lambda one, after: (one.after if after else one.before).now,
}
_WORDS = {
    "max_monthly_usd": ("the ceiling{of} after this plan is", " per month"),
    "max_scheduled_usd": ("the hours{of} that the manifest leaves on cost", " per month"),
    "max_usd_per_hour": ("right after this plan{of} there are billed", " per hour"),
}
_HINTS = {
    "max_monthly_usd": "Choose cheaper hardware, pause Spaces, or raise max_monthly_usd.",
    "max_scheduled_usd": "Choose cheaper hardware or fewer hours (`when`), or raise max_scheduled_usd.",
    "max_usd_per_hour": "Choose cheaper hardware, pause Spaces, or raise max_usd_per_hour.",
}


def _measured(budget: Budget, costs: Mapping[str, SpaceCost], *, after: bool) -> Decimal:
    measure = _MEASURES[budget.rule]
    return sum((measure(costs[space], after) for space in budget.spaces), _NOTHING)


def _over(
    budget: Budget, manifest: Manifest, costs: Mapping[str, SpaceCost], usd: Decimal, *, frees: bool
) -> Check:
    words, unit = _WORDS[budget.rule]
    by_space = {space: _MEASURES[budget.rule](costs[space], True) for space in budget.spaces}
    largest = sorted((space for space, one in by_space.items() if one), key=lambda space: -by_space[space])
    most = ", ".join(f"{space} ${by_space[space]:.2f}" for space in largest[:_CONTRIBUTORS])
    message = f"{words.format(of=budget.of)} ${usd:.2f}{unit}, over the limit of ${budget.limit:.2f}"
    message += ", but this plan only frees, and may go ahead" if frees else ""
    message += f". Most of it: {most}." if most else "."
    return _check(budget, manifest, "warning" if frees else "error", message, _HINTS[budget.rule])


def _spent(
    budget: Budget,
    manifest: Manifest,
    snapshot: Snapshot,
    changes: Sequence[Change],
    costs: Mapping[str, SpaceCost],
) -> Iterable[Check]:
    """Past the limit an error for each Space that would start or be upgraded; also to apply it where what was
    spent is unknown."""
    spending = _spending(budget, changes)
    billed = spent(snapshot, budget.spaces) if budget.spaces else _NOTHING
    rests = [costs[space].rest for space in budget.spaces]
    rest = sum((one for one in rests if one is not None), _NOTHING)
    if billed is None or None in rests:
        text = f"what was spent{budget.of} is unknown: {_why_unknown(budget, snapshot)}."
        hint = "Give the token that permission, or take max_spent_usd out."
        for space in spending or [""]:
            yield _check(budget, manifest, "unknown", text, hint, space=space)
        return
    course = billed + rest
    if course <= budget.limit:
        return
    text = (
        f"this month{budget.of} is on course for ${course:.2f}, over the limit of ${budget.limit:.2f} "
        f"(${billed:.2f} billed, ${rest:.2f} scheduled)"
    )
    hint = "It may still pause, downgrade and delete. Shorten its hours, or raise max_spent_usd."
    if not spending:
        yield _check(budget, manifest, "warning", f"{text}: nothing starts or is upgraded.", hint)
    for space in spending:
        yield _check(budget, manifest, "error", f"not started or upgraded: {text}.", hint, space=space)


def _spending(budget: Budget, changes: Sequence[Change]) -> list[str]:
    """The Spaces of a budget that would cost more, or start."""
    return [
        space
        for space in budget.spaces
        if (its := [change for change in changes if change.space == space])
        and order.phase(its) is Phase.SPENDS
        and any((change.usd_per_hour_after or 0) > (change.usd_per_hour_before or 0) for change in its)
    ]


def _why_unknown(budget: Budget, snapshot: Snapshot) -> str:
    reasons = snapshot.billed.unknown if snapshot.billed else {}
    owners = {space.split("/")[0].lower() for space in budget.spaces}
    its = {owner: why for owner, why in sorted(reasons.items()) if owner.lower() in owners}
    return "; ".join(f"{owner} {why}" for owner, why in its.items()) or "it was not read"


def _check(
    budget: Budget,
    manifest: Manifest,
    severity: Severity,
    message: str,
    hint: str,
    *,
    space: str = "",
) -> Check:
    return Check(
        address=f"policy.{budget.rule}{'' if budget.whose == ALL else f'.{budget.whose}'}",
        space=space,
        facet="policy",
        scope="policy" if severity == "error" and not space else "space",
        severity=severity,
        message=message,
        hint=hint,
        source=manifest.source("policy", budget.rule, budget.whose),
        of_sum=budget.whose == ALL and not space and severity != "unknown",
        of_policy=True,
        needed_to_apply=severity == "unknown" and bool(space),
    )
