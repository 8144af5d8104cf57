"""The bill of a manifest's owners, or of an account: what the Hub says was used, and the other figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hfspace.errors import HubError, UsageError
from hfspace.live.billing import billed
from hfspace.live.hub import HubClient
from hfspace.manifest.models import Manifest
from hfspace.model import Account
from hfspace.model.billing import Billed, GroupUsage, month
from hfspace.planner import labels
from hfspace.planner.bill import Bill, Line, ended, labels_of, lines
from hfspace.session import Session

_KEPT = frozenset({
    "sdk", "hardware", "sleep_time", "state", "when", "labels", "free_hardware", "exempt", "ignore", "create",
    "restart", "depends_on",
})  # fmt: skip
"""What costs depend on: nothing else of a Space is read for a bill."""


def bill_of_manifest(
    session: Session,
    start: float,
    end: float,
    *,
    by: str = "space",
    label: str = "",
    owners: Sequence[str] = (),
) -> Bill:
    """The bill of the owners of a session's Spaces, or of `owners`, from `start` to `end` (seconds since the
    epoch). Raises HubError; an account whose usage can't be read is unknown in it."""
    session.manifest = for_costs(session.manifest)
    session.costs = (start, end) == month(session.clock()) and not owners
    cost = session.plan().cost
    snapshot = session.snapshot
    usage = snapshot.billed if session.costs else session.billed(start, end, owners or None)
    usage = usage or Billed()
    its = labels_of(session.manifest.spaces)
    return Bill(
        start=start,
        end=end,
        by=by,
        billed=usage,
        lines=tuple(lines(ended(usage.charges, session.clock()), by, its, label)),
        labels=its,
        groups=_groups(session.hub, snapshot.account, usage, start, min(end, session.clock())),
        cost=cost,
        requests=session.hub.requests,
        prices_of=snapshot.prices_of,
    )


def bill_of_account(
    hub: HubClient, start: float, end: float, now: float, *, by: str = "space", owners: Sequence[str] = ()
) -> Bill:
    """The same for a token's account and all its organisations, or for `owners`, without a manifest. Raises
    UsageError without a token."""
    account = hub.whoami()
    if account is None:
        raise UsageError("Whose bill? There is no token to tell.", hint="Set HF_TOKEN.")
    names = owners or (account.name, *sorted(account.orgs))
    states = [state for owner in names for state in hub.list_spaces(author=owner)]
    entities = {state.entity: state.id for state in states if state.entity}
    usage = billed(hub.billing, names, account, start=start, end=end, entities=entities)
    groups = _groups(hub, account, usage, start, min(end, now))
    listed = tuple(lines(ended(usage.charges, now), by, {}))
    return Bill(start=start, end=end, by=by, billed=usage, lines=listed, groups=groups, requests=hub.requests)


def for_costs(manifest: Manifest) -> Manifest:
    """The manifest with nothing but what its costs depend on, so that nothing else is read."""
    spaces = {
        space: spec.model_construct(
            _fields_set=spec.model_fields_set & _KEPT, **{name: getattr(spec, name) for name in _KEPT}
        )
        for space, spec in manifest.spaces.items()
    }
    return replace(manifest, spaces=spaces)


def chosen_label(manifest: Manifest | None, label: str | None) -> str:
    """The name of the label to sum by: the one that is asked for, else the only one. Raises UsageError."""
    names = labels.names(manifest) if manifest else []
    chosen = label or (names[0] if len(names) == 1 else "")
    if chosen in names:
        return chosen
    known = f"There are: {', '.join(names)}." if names else "Write labels: {team: …} under the Spaces."
    what = f"No Space has the label {chosen}." if chosen else "By which label?"
    raise UsageError(what, hint=known if chosen or not names else f"--label {names[0]}, say. {known}")


def _groups(
    hub: HubClient, account: Account | None, bill: Billed, start: float, end: float
) -> tuple[Line, ...]:
    """Dollars by resource group, of the organisations whose plan has them and whose usage could be read."""
    usages: list[GroupUsage] = []
    for owner in (usage.owner for usage in bill.usages if account and usage.owner in account.plans):
        try:
            usages += hub.billing.groups(owner, start, end)
        except HubError as error:
            hub.limiter.notify(f"The resource groups of {owner} could not be read. {error.message}")
    named = [one for one in usages if one.name is not None]
    listed = (Line(name=f"{one.owner}/{one.name}", usd=one.usd, minutes=one.seconds / 60) for one in named)
    return tuple(sorted(listed, key=lambda line: (-line.usd, line.name)))
