"""The guardrails of a manifest: a breach is an error check of the facet `policy`, and stops everything."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from hfspace.manifest import clock
from hfspace.manifest.models import Manifest, Policy, SpaceSpec
from hfspace.manifest.values import format_duration
from hfspace.model import FREE_HARDWARE, HELD, IDLE, NEVER, Change, Check, Snapshot
from hfspace.planner import budgets
from hfspace.planner.cost import SpaceCost

_SHARE_COUNTS_FROM = 10
"""Below this many Spaces a share says little (octodns does the same with 10 records)."""


def breaches(
    manifest: Manifest,
    snapshot: Snapshot,
    changes: Sequence[Change],
    costs: Mapping[str, SpaceCost],
    only: Collection[str] | None = None,
) -> list[Check]:
    """Every guardrail that carrying out `changes` would break. `only` are the Spaces of a plan with targets:
    what others do is not its doing, nor a budget that it does not make worse."""
    checks = [
        *budgets.breaches(manifest, snapshot, changes, costs, only),
        *_unpriced(manifest, snapshot, changes),
        *declared(manifest),
        *_public(manifest, snapshot, changes),
        *_deletes(manifest, changes),
        *(_running(manifest, snapshot, changes) if only is None or any(c.starts for c in changes) else ()),
        *_share(manifest, changes),
    ]
    checks = [check for check in checks if not _left(manifest, check)]
    return [check for check in checks if only is None or not check.space or check.space in only]


def _unpriced(manifest: Manifest, snapshot: Snapshot, changes: Iterable[Change]) -> Iterable[Check]:
    """Hardware that the Hub gives no price for can't be in the bill: that is said, and breaks a budget."""
    moved = {change.space: change.flavor for change in changes if change.flavor}
    source = "the prices that hfspace ships have" if snapshot.prices_of else "the Hub gives"
    for space, state in sorted(snapshot.spaces.items()):
        flavor = moved.get(space, state.hardware)
        gone = manifest.spaces[space].state == "absent" or state.is_static
        if gone or flavor is None or flavor in FREE_HARDWARE or flavor in snapshot.flavors:
            continue
        message = f"{source} no price for {flavor}: it is not in the cost below."
        if limits := manifest.policy.budgets:
            hint = f"Declare hardware that has a price, or take {' and '.join(limits)} out."
            yield _breach(manifest, limits[0], f"{space}: {message}", hint, space)
        elif manifest.spaces[space].hardware is not None:
            yield Check(
                address=f"{space}.hardware",
                space=space,
                facet="hardware",
                severity="warning",
                message=message,
                hint="Look at huggingface.co/pricing before you apply.",
                source=manifest.source("spaces", space, "hardware"),
            )


def declared(manifest: Manifest) -> list[Check]:
    """The breaches that the manifest alone shows, at any time: `hfspace validate` tells them offline."""
    breaches = (
        (space, spec.hardware, check)
        for space, written in sorted(clock.declared(manifest).items())
        for spec, path in clock.variants(written)
        for check in _declared(manifest, space, spec, " inside a window" if path else "")
        if not _left(manifest, check)
    )
    first: dict[object, Check] = {}
    for space, flavor, check in breaches:
        first.setdefault((space, flavor, check.address), check)
    return list(first.values())


def _declared(manifest: Manifest, space: str, spec: SpaceSpec, inside: str) -> Iterable[Check]:
    if spec.state == "absent":
        return
    if spec.visibility == "public" and manifest.policy.forbid_public:
        message, hint = f"{space} is to be public{inside}.", "Declare visibility: private, or protected."
        yield _breach(manifest, "forbid_public", message, hint, space, key="visibility")
    flavor, allowed = spec.hardware, manifest.policy.allowed_hardware
    if allowed is not None and flavor is not None and flavor not in allowed:
        message = f"{space} is to run on {flavor}{inside}, which is not allowed."
        hint = f"Allowed: {', '.join(allowed) or 'nothing'}."
        yield _breach(manifest, "allowed_hardware", message, hint, space)
    yield from _sleep(manifest, space, spec, inside)


def _sleep(manifest: Manifest, space: str, spec: SpaceSpec, inside: str) -> Iterable[Check]:
    flavor, longest = spec.hardware, manifest.policy.longest_sleep
    if not manifest.policy.require_sleep_time or flavor is None or flavor in FREE_HARDWARE:
        return
    # A paused Space bills nothing, and the Hub may not tell its sleep time.
    if spec.sleep_time == NEVER or (spec.sleep_time is None and spec.state != "paused"):
        message = f"{space} is to run on {flavor}{inside} without a sleep time."
        hint = f"Declare sleep_time, such as {format_duration(longest) if longest else '1h'}."
        yield _breach(manifest, "require_sleep_time", message, hint, space)
    elif longest is not None and spec.sleep_time is not None and spec.sleep_time > longest:
        most = format_duration(longest)
        message = (
            f"{space} sleeps after {format_duration(spec.sleep_time)}{inside}, and {most} is the longest."
        )
        hint = f"Declare sleep_time: {most}, or less."
        yield _breach(manifest, "require_sleep_time", message, hint, space, key="sleep_time")


def _public(manifest: Manifest, snapshot: Snapshot, changes: Iterable[Change]) -> Iterable[Check]:
    """Spaces that are public, or are created so, without anybody having said it."""
    if not manifest.policy.forbid_public:
        return
    created = {change.space: change.after for change in changes if change.creates_space}
    for space, spec in sorted(manifest.spaces.items()):
        state, after = snapshot.spaces.get(space), created.get(space)
        live = state.visibility if state else after.get("visibility") if isinstance(after, dict) else None
        if spec.visibility is None and spec.state != "absent" and live == "public":
            message = f"{space} is public." if state else f"{space} would be created public."
            hint = "Declare visibility: private, or protected."
            yield _breach(manifest, "forbid_public", message, hint, space, key="visibility")


def _left(manifest: Manifest, check: Check) -> bool:
    """Whether the Space of a breach leaves that rule, with a reason."""
    spec = manifest.spaces.get(check.space)
    return spec is not None and check.address.removeprefix("policy.") in spec.exempt


def exemptions(manifest: Manifest) -> dict[str, dict[str, str]]:
    """The reasons for which Spaces leave a rule of the policy, by Space and rule."""
    rules = {name for name in Policy.model_fields if getattr(manifest.policy, name) not in (None, False)}
    its = {
        space: {rule: why for rule, why in sorted(spec.exempt.items()) if rule in rules}
        for space, spec in sorted(manifest.spaces.items())
    }
    return {space: reasons for space, reasons in its.items() if reasons}


def _deletes(manifest: Manifest, changes: Iterable[Change]) -> Iterable[Check]:
    limit = manifest.policy.max_deletes
    count = sum(change.deletes_space for change in changes)
    if limit is not None and count > limit:
        yield _breach(
            manifest,
            "max_deletes",
            f"{count} Space{'s' if count != 1 else ''} would be deleted, more than the {limit} allowed.",
            "Raise max_deletes for this apply, or take `state: absent` out.",
        )


def _running(manifest: Manifest, snapshot: Snapshot, changes: Iterable[Change]) -> Iterable[Check]:
    limit = manifest.policy.max_running
    if limit is None:
        return
    count = running_after(manifest, snapshot, changes)
    if count > limit:
        yield _breach(
            manifest,
            "max_running",
            f"{count} compute Spaces would run at once, more than the {limit} allowed.",
            "Pause some (state: paused), or raise max_running.",
        )


def running_after(manifest: Manifest, snapshot: Snapshot, changes: Iterable[Change]) -> int:
    """How many declared compute Spaces are up once `changes` are done."""
    up = {space for space in manifest.spaces if is_running(snapshot, space)}
    for change in changes:
        if change.pauses or change.deletes_space:
            up.discard(change.space)
        elif change.starts:
            spec = manifest.spaces[change.space]
            if spec.sdk != "static" and spec.state != "paused":
                up.add(change.space)
    return len(up)


def is_running(snapshot: Snapshot, space: str) -> bool:
    """Whether a Space takes a place in the quota of running compute Spaces."""
    state = snapshot.spaces.get(space)
    return (
        state is not None
        and not state.is_static
        and state.stage is not None
        and state.stage not in HELD | IDLE
    )


def _share(manifest: Manifest, changes: Iterable[Change]) -> Iterable[Check]:
    limit, total = manifest.policy.max_change_percent, len(manifest.spaces)
    if limit is None or total < _SHARE_COUNTS_FROM:
        return
    touched = len({change.space for change in changes} & manifest.spaces.keys())
    share = 100 * touched / total
    if share > limit:
        yield _breach(
            manifest,
            "max_change_percent",
            f"{touched} of {total} Spaces would change ({share:.0f}%), more than the {limit:g}% allowed.",
            "Look at the plan again; --force lets this one through.",
            overridable=True,
        )


def _breach(
    manifest: Manifest,
    rule: str,
    message: str,
    hint: str,
    space: str = "",
    *,
    key: str = "hardware",
    overridable: bool = False,
) -> Check:
    return Check(
        address=f"policy.{rule}",
        space=space,
        facet="policy",
        scope="policy",
        severity="error",
        message=message,
        hint=hint,
        source=manifest.source("spaces", space, key) if space else manifest.source("policy", rule),
        overridable=overridable,
    )
