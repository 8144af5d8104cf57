"""The guardrails of a manifest: a breach is an error check of the facet `policy`, and stops everything."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal

from hfspace.manifest import clock
from hfspace.manifest.models import Manifest, SpaceSpec
from hfspace.model import FREE_HARDWARE, HELD, HOURS_PER_MONTH, IDLE, NEVER, Change, Check, Cost, Snapshot
from hfspace.planner.cost import bills_after

_CONTRIBUTORS = 5
_SHARE_COUNTS_FROM = 10
"""Below this many Spaces a share says little (octodns does the same with 10 records)."""


def breaches(
    manifest: Manifest,
    snapshot: Snapshot,
    changes: Sequence[Change],
    cost: Cost,
    only: Collection[str] | None = None,
) -> list[Check]:
    """Every guardrail that carrying out `changes` would break. `only` are the Spaces of a plan with targets:
    what others do is not its doing, nor a budget that it does not make worse."""
    worse = only is None or cost.after_usd_per_month > cost.before_usd_per_month
    checks = [
        *(_budget(manifest, snapshot, changes, cost) if worse else ()),
        *_unpriced(manifest, snapshot, changes),
        *declared(manifest),
        *_deletes(manifest, changes),
        *(_running(manifest, snapshot, changes) if only is None or any(c.starts for c in changes) else ()),
        *_share(manifest, changes),
    ]
    return [check for check in checks if only is None or not check.space or check.space in only]


def _budget(manifest: Manifest, snapshot: Snapshot, changes: Sequence[Change], cost: Cost) -> Iterable[Check]:
    limit = cost.limit_usd_per_month
    if limit is not None and cost.after_usd_per_month > limit:
        yield _breach(
            manifest,
            "max_monthly_usd",
            f"the ceiling after this plan is ${_usd(cost.after_usd_per_month)} per month, over the limit of "
            f"${_usd(limit)}. Most of it: {_largest(manifest, snapshot, changes)}.",
            "Choose cheaper hardware, pause Spaces, or raise max_monthly_usd.",
            of_sum=True,
        )


def _largest(manifest: Manifest, snapshot: Snapshot, changes: Sequence[Change]) -> str:
    """The Spaces that cost most after the plan, with their ceiling a month."""
    ceilings = {
        space: bill.ceiling * HOURS_PER_MONTH
        for space, bill in bills_after(manifest, snapshot, changes).items()
    }
    costly = sorted((space for space, usd in ceilings.items() if usd), key=lambda space: -ceilings[space])
    return ", ".join(f"{space} ${_usd(ceilings[space])}" for space in costly[:_CONTRIBUTORS])


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
        if manifest.policy.max_monthly_usd is not None:
            hint = "Declare hardware that has a price, or take max_monthly_usd out."
            yield _breach(manifest, "max_monthly_usd", f"{space}: {message}", hint, space)
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
    )
    first: dict[object, Check] = {}
    for space, flavor, check in breaches:
        first.setdefault((space, flavor, check.address), check)
    return list(first.values())


def _declared(manifest: Manifest, space: str, spec: SpaceSpec, inside: str) -> Iterable[Check]:
    flavor, allowed = spec.hardware, manifest.policy.allowed_hardware
    if flavor is None or spec.state == "absent":
        return
    if allowed is not None and flavor not in allowed:
        message = f"{space} is to run on {flavor}{inside}, which is not allowed."
        hint = f"Allowed: {', '.join(allowed) or 'nothing'}."
        yield _breach(manifest, "allowed_hardware", message, hint, space)
    # A paused Space bills nothing, and the Hub may not tell its sleep time.
    open_end = spec.sleep_time == NEVER or (spec.sleep_time is None and spec.state != "paused")
    if manifest.policy.require_sleep_time and flavor not in FREE_HARDWARE and open_end:
        message = f"{space} is to run on {flavor}{inside} without a sleep time."
        yield _breach(manifest, "require_sleep_time", message, "Declare sleep_time, such as 1h.", space)


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
    touched = len({change.space for change in changes})
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
    overridable: bool = False,
    of_sum: bool = False,
) -> Check:
    return Check(
        address=f"policy.{rule}",
        space=space,
        facet="policy",
        scope="policy",
        severity="error",
        message=message,
        hint=hint,
        source=manifest.source("spaces", space, "hardware") if space else manifest.source("policy", rule),
        overridable=overridable,
        of_sum=of_sum,
    )


def _usd(value: Decimal) -> str:
    return f"{value:.2f}"
