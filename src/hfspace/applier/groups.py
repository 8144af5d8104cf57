"""Writes the spend limits of resource groups, before any Space: a raised one may let a Space start."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from hfspace.applier.run import Run
from hfspace.errors import HfspaceError
from hfspace.manifest.group_models import NO_LIMIT
from hfspace.model import Change, Outcome, Status, Subject
from hfspace.planner.groups import PREFIX


def of(changes: Iterable[Change]) -> dict[str, tuple[Change, ...]]:
    """The changes of groups, by the group."""
    by_group: dict[str, tuple[Change, ...]] = {}
    for change in changes:
        if change.subject is Subject.GROUP:
            by_group[change.space] = (*by_group.get(change.space, ()), change)
    return by_group


def apply(by_group: dict[str, tuple[Change, ...]], run: Run) -> dict[str, Outcome]:
    """One request for each group; writing the same limits again changes nothing. Never raises for what the
    Hub does."""
    return {space: _apply(space, changes, run) for space, changes in sorted(by_group.items())}


def _apply(space: str, changes: tuple[Change, ...], run: Run) -> Outcome:
    name = space.removeprefix(PREFIX)
    live, spec = run.snapshot.groups.get(name), run.manifest.groups.get(name)
    if live is None or spec is None or run.ports.groups is None:
        return Outcome(space=space, status=Status.NOT_TRIED, pending=changes, error="its group is not known")
    wanted = dict(spec.limits())
    limits = {change.key or "": wanted[change.key or ""] for change in changes}
    try:
        run.ports.groups.set_limits(live.owner, live.id, {key: _cents(usd) for key, usd in limits.items()})
    except HfspaceError as error:
        return Outcome(
            space=space, status=Status.FAILED, pending=changes, error=error.message, hint=error.hint
        )
    return Outcome(space=space, status=Status.DONE, applied=changes)


def _cents(usd: Decimal) -> int | None:
    return None if usd == NO_LIMIT else int(usd * 100)
