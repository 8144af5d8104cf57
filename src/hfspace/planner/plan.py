"""The planner: a pure function from manifest, snapshot and local inputs to plan. No I/O, no clock, no
environment."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, replace
from fnmatch import fnmatchcase

from hfspace.facets import ALL
from hfspace.facets.base import Desired
from hfspace.facets.existence import Existence, born_on, of_space
from hfspace.facets.experiments import Experiments
from hfspace.manifest.models import Manifest
from hfspace.model import RESTART_VARIABLE, Change, Check, LocalInputs, Plan, Snapshot, SpaceState
from hfspace.planner import order
from hfspace.planner.cost import cost
from hfspace.planner.policy import breaches


def plan(
    manifest: Manifest,
    snapshot: Snapshot,
    inputs: LocalInputs | None = None,
    *,
    targets: Iterable[str] = (),
) -> Plan:
    """The difference between what is declared and what is live, its price, and what stands in the way.

    Without `inputs` no source of a secret is known to be empty, and nothing is old.
    `targets` are addresses or globs: what none of them names is no part of the plan, and its policy neither.
    """
    chosen = tuple(targets)
    changes: list[Change] = []
    checks: list[Check] = []
    ignored: list[Change] = []
    for space in sorted(manifest.spaces):
        desired = desired_of(space, manifest, snapshot, inputs or LocalInputs())
        for found in compare(desired, snapshot):
            if isinstance(found, Check):
                checks.append(found)
            elif found.facet in desired.spec.ignore:
                ignored.append(found)
            else:
                changes.append(found)
    spaces = sorted(manifest.spaces)
    if chosen:
        changes = [change for change in changes if is_targeted(change, chosen)]
        checks = [check for check in checks if matches(check.address, check.space, chosen)]
        spaces = [space for space in spaces if is_named(space, chosen)]
        ignored = [change for change in ignored if is_targeted(change, chosen)]
    changes.sort(key=order.key)
    after = cost(manifest, snapshot, changes)
    checks += breaches(manifest, snapshot, changes, after, spaces if chosen else None)
    return Plan(
        hub=snapshot.hub,
        account=snapshot.account.name if snapshot.account else None,
        role=snapshot.account.role if snapshot.account else "anonymous",
        manifest=manifest.ref,
        declared=tuple(spaces),
        of=len(manifest.spaces),
        changes=tuple(changes),
        checks=tuple(sorted(checks, key=_check_key)),
        cost=after,
        requests=snapshot.requests,
        snapshot={space: digest(state) for space, state in sorted(snapshot.spaces.items())},
        unmanaged=tuple(state.id for state in snapshot.unmanaged),
        undeclared=_undeclared(manifest, snapshot, spaces) if snapshot.names_read else (),
        ignored=tuple(sorted(ignored, key=order.key)),
    )


def desired_of(space: str, manifest: Manifest, snapshot: Snapshot, inputs: LocalInputs) -> Desired:
    return Desired(
        id=space,
        spec=manifest.spaces[space],
        manifest=manifest,
        flavors=snapshot.flavors,
        inputs=inputs,
        source=snapshot.sources.get(space),
    )


def compare(desired: Desired, snapshot: Snapshot) -> list[Change | Check]:
    """Everything about one Space, unsorted."""
    if desired.id in snapshot.unreadable:
        return [of_space(desired, f"could not be read: {snapshot.unreadable[desired.id]}", "Run again.")]
    state = snapshot.spaces.get(desired.id)
    if state is None:
        return _missing(desired)
    if state.id.lower() != desired.id.lower():
        renamed = f"was renamed: the Hub answers with {state.id}."
        return [of_space(desired, renamed, f"Write {state.id} in the manifest.")]
    if desired.spec.state == "absent":
        return list(Existence().compare(desired, state))
    return [found for facet in ALL for found in facet.compare(desired, state)]


def _undeclared(manifest: Manifest, snapshot: Snapshot, spaces: Iterable[str]) -> tuple[str, ...]:
    """Addresses of the variables and secrets that Spaces have and nobody declared."""
    found: list[str] = []
    for space in spaces:
        state, spec = snapshot.spaces.get(space), manifest.spaces[space]
        if state is None:
            continue
        for kind, live, own in (
            ("variables", state.variables, spec.variables),
            ("secrets", state.secrets, spec.secrets),
        ):
            names = (live or {}).keys() - (own or {}).keys() - {RESTART_VARIABLE}
            found += (f"{space}.{kind}.{name}" for name in sorted(names))
    return tuple(found)


def requiring_secrets(made: Plan, unset: Iterable[tuple[str, str]]) -> Plan:
    """`made` as it is to be applied: a secret without a value, by (space, key), is an error then."""
    addresses = {f"{space}.secrets.{key}" for space, key in unset}
    checks = (
        replace(check, severity="error") if check.address in addresses else check for check in made.checks
    )
    return replace(made, checks=tuple(sorted(checks, key=_check_key)))


def digest(state: SpaceState) -> str:
    """A fingerprint of what a plan depends on: settings and whether it is up, not passing stages or hosts.

    The first half is of what every look shows, whatever is declared; the second of all that was read.
    """
    always = (
        state.id,
        state.sdk,
        state.visibility == "public",
        _standing(state.stage),
        state.hardware,
        state.sleep_time,
    )
    kept = replace(
        state,
        stage=_standing(state.stage),
        hardware_current=None,
        replicas=None,
        host=None,
        subdomain=None,
        sha=None,
        runtime_sha=None,
        app=None,
        error_message=None,
        details=None,
        secrets=None,
    )
    secrets = {
        key: (item.description, item.fingerprint) for key, item in sorted((state.secrets or {}).items())
    }
    return _hash(always) + _hash([asdict(kept), secrets])


def _hash(values: object) -> str:
    text = json.dumps(values, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _standing(stage: str | None) -> str | None:
    """RUNNING, sleeping and everything on the way there are one: a plan does not depend on which."""
    if stage in {"PAUSED", "STOPPED", "BUILD_ERROR", "RUNTIME_ERROR", "CONFIG_ERROR", "NO_APP_FILE", None}:
        return stage
    return "UP"


def _missing(desired: Desired) -> list[Change | Check]:
    found = Existence().compare_missing(desired)
    if not any(isinstance(item, Change) for item in found):
        return found
    return _refusals(desired) or found + Experiments().compare_missing(desired)


def _refusals(desired: Desired) -> list[Change | Check]:
    """What a live Space of this kind would be refused, before a create fails on it or leaves it half made."""
    born = SpaceState(
        id=desired.id,
        sdk=desired.sdk,
        stage="NO_APP_FILE",
        hardware=None if desired.spec.hardware else born_on(desired),
        variables={},
        secrets={},
    )
    found = (item for facet in ALL for item in facet.compare(desired, born))
    return [item for item in found if isinstance(item, Check) and item.severity == "error"]


def is_named(address: str, targets: tuple[str, ...]) -> bool:
    """Whether a target names what has this address, or something of it."""
    return any(matches(address, address, (one,)) or one.startswith(f"{address}.") for one in targets)


def is_targeted(item: Change | Check, patterns: tuple[str, ...]) -> bool:
    """Whether `item` matches one of `patterns`, or a change that does can't be made without it."""
    needed_by = item.needed_by if isinstance(item, Change) else ""
    return any(matches(one, item.space, patterns) for one in (item.address, needed_by) if one)


def matches(address: str, space: str, patterns: tuple[str, ...]) -> bool:
    return any(
        # A key may hold what a glob would read as a sign: its own address always fits.
        address == pattern
        or fnmatchcase(address, pattern)
        or fnmatchcase(space, pattern)
        or address.startswith(f"{pattern}.")
        for pattern in patterns
    )


def _check_key(check: Check) -> tuple[str, str, str]:
    return (check.space, check.severity, check.address + check.message)
