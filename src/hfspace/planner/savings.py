"""What could be saved: a pure judge over manifest, snapshot, what was billed, and the time.

Nothing is claimed that the evidence does not show: `usd_per_month` is what was billed where that is known
(scaled to an average month), the ceiling where it is not and where a Space is up and never sleeps; `at_most`
says that use may need a part of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from hfspace.manifest.clock import at
from hfspace.manifest.models import Manifest, SpaceSpec
from hfspace.model import Snapshot, SpaceState
from hfspace.planner.case import Case, Saving
from hfspace.planner.savings_rules import RULES, dead_volumes, unmanaged
from hfspace.planner.use import Evidence

_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Savings:
    """What could be saved, the most first. The sum counts for each Space no more than it costs: two ways to
    save the same dollar save it once."""

    items: tuple[Saving, ...]
    usd_per_month: Decimal


def savings(manifest: Manifest, snapshot: Snapshot, evidence: Evidence, now: datetime) -> Savings:
    """What could be saved, the most first. A Space that the plan changes in the same respect is left to the
    plan. `now` decides which windows hold."""
    effective = at(manifest, now)

    def case(space: str, spec: SpaceSpec | None, state: SpaceState) -> Case:
        return Case(
            space=space,
            spec=spec,
            state=state,
            manifest=manifest,
            flavors=snapshot.flavors,
            evidence=evidence,
            now=now.timestamp(),
        )

    cases = [
        case(space, spec, snapshot.spaces[space])
        for space, spec in effective.spaces.items()
        if space in snapshot.spaces and spec.state != "absent" and not snapshot.spaces[space].is_static
    ]
    others = [case(state.id, None, state) for state in snapshot.unmanaged if not state.is_static]
    listed = [saving for one in cases for rule in RULES for saving in rule(one)]
    listed += [saving for one in others for saving in unmanaged(one)]
    listed += dead_volumes([*cases, *others])
    return Savings(
        items=tuple(sorted(listed, key=lambda one: (-(one.usd_per_month or _NOTHING), one.space, one.rule))),
        usd_per_month=_total(listed, {one.space: one.usd_per_month for one in [*cases, *others]}),
    )


def _total(listed: Iterable[Saving], costs: Mapping[str, Decimal]) -> Decimal:
    by_space: dict[str, list[Decimal]] = {}
    for one in listed:
        by_space.setdefault(one.space, []).append(one.usd_per_month or _NOTHING)
    # What has just begun to bill may go on to bill more than it did so far.
    return sum(
        (min(sum(usd, _NOTHING), max(costs[space], *usd)) for space, usd in by_space.items()), _NOTHING
    )
