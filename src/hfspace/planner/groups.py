"""Spend limits of resource groups: what differs, and which Spaces the Hub starts no more this month.

A Space that the Hub has paused at its group's limit is not started in a fight: the plan says why it stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from hfspace.manifest.group_models import NO_LIMIT
from hfspace.manifest.models import Manifest
from hfspace.model import Action, Change, Check, Snapshot, Subject
from hfspace.model.billing import LiveGroup

PREFIX = "groups."
"""Before the name of a group, where that of a Space stands otherwise."""


def compare(manifest: Manifest, snapshot: Snapshot) -> list[Change | Check]:
    """The limits that differ, and groups that are not there or can't be read."""
    items: list[Change | Check] = []
    for name, spec in sorted(manifest.groups.items()):
        owner = name.split("/")[0]
        live = snapshot.groups.get(name)
        if live is None:
            why = snapshot.groups_unknown.get(owner)
            text = f"its limits are unknown: {why}" if why else f"{owner} has no resource group of this name."
            hint = "Check the token's role in the organisation." if why else "Make it on the Hub first."
            items.append(_check(manifest, name, "unknown" if why else "error", text, hint))
            continue
        for product, limit in spec.limits():
            before, after = live.limits.get(product), None if limit == NO_LIMIT else limit
            if before != after:
                items.append(_change(manifest, name, live, product, before, after))
    return items


def held(
    manifest: Manifest, snapshot: Snapshot, changes: Sequence[Change]
) -> tuple[list[Change], list[Check]]:
    """`changes` without those that the Hub would refuse at a group's limit, and a warning for each Space that
    stays as it is. A limit that the plan raises counts as raised."""
    reached = _reached(manifest, snapshot)
    if not reached:
        return list(changes), []
    kept, checks = [], []
    for change in changes:
        if change.space in reached and "bills" in change.effects:
            checks.append(_held(manifest, change, *reached[change.space]))
        else:
            kept.append(change)
    return kept, list(dict.fromkeys(checks))


def _reached(manifest: Manifest, snapshot: Snapshot) -> dict[str, tuple[LiveGroup, Decimal]]:
    """The Spaces whose group has spent what it may this month, with that limit."""
    spaces: dict[str, tuple[LiveGroup, Decimal]] = {}
    for name, group in snapshot.groups.items():
        spec = manifest.groups.get(name)
        limits = {**group.limits, **(dict(spec.limits()) if spec else {})}
        known = [limits[product] for product in ("total", "spaces") if product in limits]
        if known and group.spent is not None and group.spent >= min(known):
            spaces |= {space: (group, min(known)) for space in group.spaces}
    return spaces


def _held(manifest: Manifest, change: Change, group: LiveGroup, limit: Decimal) -> Check:
    spent = Decimal(0) if group.spent is None else group.spent
    return Check(
        address=f"{change.space}.{change.facet}",
        space=change.space,
        facet=change.facet,
        severity="warning",
        message=f"stays as it is: the resource group {group.name} has spent ${spent:.2f} of its limit of "
        f"${limit:.2f} this month, and the Hub starts and upgrades none of its paid Spaces.",
        hint=f"Raise groups.{group.owner}/{group.name}, or wait for the next month.",
        source=change.source or manifest.source("spaces", change.space),
    )


def _change(
    manifest: Manifest,
    name: str,
    live: LiveGroup,
    product: str,
    before: Decimal | None,
    after: Decimal | None,
) -> Change:
    return Change(
        address=f"{PREFIX}{name}.{product}",
        space=f"{PREFIX}{name}",
        facet="groups",
        key=product,
        subject=Subject.GROUP,
        action=Action.UPDATE,
        before=_shown(before),
        after=_shown(after),
        note=f"of {live.owner}, a month",
        source=manifest.source("groups", name, product),
    )


def _check(manifest: Manifest, name: str, severity: str, message: str, hint: str) -> Check:
    made = Check(
        address=f"{PREFIX}{name}",
        space=f"{PREFIX}{name}",
        facet="groups",
        severity="error",
        message=message,
        hint=hint,
        source=manifest.source("groups", name),
    )
    return replace(made, severity="unknown") if severity == "unknown" else made


def _shown(limit: Decimal | None) -> str:
    return "no limit" if limit is None else f"${limit:.2f}"
