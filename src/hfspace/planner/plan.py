"""The planner: a pure function from manifest, snapshot and local inputs to plan. No I/O, no clock, no
environment."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase

from hfspace import facets
from hfspace.facets import Desired
from hfspace.manifest.models import Manifest
from hfspace.model import Change, Check, LocalInputs, Plan, Snapshot, SpaceState, Subject
from hfspace.planner import groups, hours, labels, order
from hfspace.planner.cost import cost, priced, space_costs
from hfspace.planner.digest import Digests
from hfspace.planner.policy import breaches, exemptions
from hfspace.planner.prices import shipped_prices_check
from hfspace.planner.warnings import warnings

_MOST_PARTS = 20
"""Parts of a target, divided by dots, that are looked at."""

_LONGEST_PATTERN = 1000


def plan(
    manifest: Manifest,
    snapshot: Snapshot,
    inputs: LocalInputs | None = None,
    *,
    targets: Iterable[str] = (),
) -> Plan:
    """The difference between what is declared and what is live, its price, and what stands in the way.

    Without `inputs` no source of a secret is known to be empty, and nothing is old; a manifest that has hours
    needs their `now`, and a manifest of `clock.at` is taken as it is.
    `targets` are addresses, globs or labels (`team=speech`): what none of them names is no part of the plan,
    and its policy neither.
    """
    chosen = labels.addresses(targets, manifest)
    changes: list[Change] = []
    checks: list[Check] = []
    ignored: list[Change] = []
    inputs = inputs or LocalInputs()
    manifest = hours.resolved(manifest, snapshot, inputs.now)
    spaces = {space: desired_space(space, manifest, snapshot, inputs) for space in sorted(manifest.spaces)}
    for space, desired in spaces.items():
        for item in compare(desired, snapshot.spaces.get(space)):
            if isinstance(item, Check):
                checks.append(item)
            elif item.facet in desired.spec.ignore:
                ignored.append(hours.explained(item, manifest))
            else:
                changes.append(hours.explained(item, manifest))
    checks += warnings(manifest, snapshot.flavors)
    for item in groups.compare(manifest, snapshot):
        (checks if isinstance(item, Check) else changes).append(item)  # type: ignore[arg-type]
    changes, held = groups.held(manifest, snapshot, changes)
    checks += held
    if chosen:
        changes = [change for change in changes if is_targeted(change, chosen)]
        checks = [check for check in checks if matches(check.address, check.space, chosen)]
        spaces = {
            space: desired
            for space, desired in spaces.items()
            if is_named(space, chosen)
            or names_key(chosen, space, [facet.name for facet in facets.of(desired.spec)])
        }
        ignored = [change for change in ignored if is_targeted(change, chosen)]
    changes.sort(key=order.key)
    costs = space_costs(manifest, snapshot, changes, manifest.as_of if inputs.now is not None else None)
    changes = priced(changes, costs)
    checks += shipped_prices_check(manifest, snapshot)
    checks += breaches(manifest, snapshot, changes, costs, spaces if chosen else None)
    return Plan(
        hub=snapshot.hub,
        account=snapshot.account.name if snapshot.account else None,
        role=snapshot.account.role if snapshot.account else "anonymous",
        manifest=manifest.ref,
        declared=tuple(spaces),
        of=len(manifest.spaces),
        changes=tuple(changes),
        checks=tuple(sorted(checks, key=Check.order)),
        cost=cost(manifest, snapshot, costs),
        requests=snapshot.requests,
        snapshot=Digests(snapshot.spaces),
        unmanaged=tuple(state.id for state in snapshot.unmanaged),
        undeclared=_undeclared(spaces.values(), snapshot) if snapshot.names_read else (),
        exempt={space: why for space, why in exemptions(manifest).items() if space in spaces},
        ignored=tuple(sorted(ignored, key=order.key)),
        valid_until=hours.valid_until(manifest, spaces),
        held={space: until for space, until in hours.held(manifest, snapshot).items() if space in spaces},
        timezone=manifest.timezone if manifest.clock else "",
    )


def desired_space(space: str, manifest: Manifest, snapshot: Snapshot, inputs: LocalInputs) -> Desired:
    """One declared Space with all that a comparison may need to know beside it."""
    return Desired(
        id=space,
        spec=manifest.spaces[space],
        manifest=manifest,
        flavors=snapshot.flavors,
        prices_of=snapshot.prices_of,
        inputs=inputs,
        unreadable=snapshot.unreadable.get(space, ""),
        source=snapshot.sources.get(space),
        planned=snapshot.spaces.get(space),
    )


def compare(desired: Desired, state: SpaceState | None) -> list[Change | Check]:
    """Everything about one Space, unsorted; `state` is None for one that is missing, or can't be read."""
    if state is None:
        return _compare_missing(desired)
    items: list[Change | Check] = []
    for facet in facets.of(desired.spec):
        items += facet.compare(desired, state)
        if any(item.subject is Subject.SPACE for item in items):
            break  # it goes, or is another one: no setting of it matters
    return items


def _compare_missing(desired: Desired) -> list[Change | Check]:
    every = facets.of(desired.spec)
    items = [item for facet in every for item in facet.compare_missing(desired)]
    if not any(isinstance(item, Change) and item.creates_space for item in items):
        return [item for item in items if isinstance(item, Check)]
    # What a live Space would be refused, before a create fails on it or leaves it half made.
    settings = (item for facet in every for item in facet.compare(desired, desired.initial))
    refused = [item for item in settings if isinstance(item, Check) and item.severity == "error"]
    return [*refused] or items


def _undeclared(desired: Iterable[Desired], snapshot: Snapshot) -> tuple[str, ...]:
    """Addresses of what Spaces have and nobody declared."""
    return tuple(
        f"{one.id}.{facet.name}.{key}"
        for one in desired
        if (state := snapshot.spaces.get(one.id))
        for facet in facets.of(one.spec)
        for key in sorted(facet.undeclared(one.spec, state))
    )


def is_named(address: str, targets: tuple[str, ...]) -> bool:
    """Whether a target names what has this address, or something of it."""
    return any(matches(address, address, (one,)) or one.startswith(f"{address}.") for one in targets)


def names_key(targets: Iterable[str], space: str, keys: Collection[str]) -> bool:
    """Whether a target, an address or a glob, names one of the `keys` of `space`, or something below it."""
    for target in targets:
        parts = target.split(".")[:_MOST_PARTS]
        starts = [".".join(parts[: count + 1]) for count in range(len(parts))]
        below = [start for start in starts if not _is_glob_of(space, start)]
        if any(_is_glob_of(f"{space}.{key}", start) for key in keys for start in below):
            return True
    return False


def is_targeted(item: Change | Check, patterns: tuple[str, ...]) -> bool:
    """Whether `item` matches one of `patterns`, or a change that does can't be made without it."""
    needed_by = item.needed_by if isinstance(item, Change) else ""
    return any(matches(one, item.space, patterns) for one in (item.address, needed_by) if one)


def _is_glob_of(text: str, pattern: str) -> bool:
    # Reading a pattern takes the square of its length.
    return len(pattern) <= _LONGEST_PATTERN and fnmatchcase(text, pattern)


def matches(address: str, space: str, patterns: tuple[str, ...]) -> bool:
    return any(
        # A key may hold what a glob would read as a sign: its own address always fits.
        address == pattern
        or _is_glob_of(address, pattern)
        or _is_glob_of(space, pattern)
        or address.startswith(f"{pattern}.")
        for pattern in patterns
    )
