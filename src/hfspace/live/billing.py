"""What the Hub says was used: `usage-v2` for any dates, else `usage` for its own period (docs/hub-api.md
section 17). Reads and understands; whose Space an item is, the listing says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any, Protocol, TypeVar
from urllib.parse import quote, urlencode

from hfspace.errors import (
    BillingRefused,
    HubError,
    HubFault,
    NeedsWrite,
    NotVisible,
    RateLimited,
    Rejected,
    Unauthorized,
)
from hfspace.live.library import Library, understand
from hfspace.model import Account
from hfspace.model.billing import SPACES, Billed, Charge, GroupUsage, LiveGroup, Usage

T = TypeVar("T")

NEEDS_PERMISSION = "needs the Billing read permission"
_UNITS = {"NanoUsd": Decimal(10) ** -9, "MicroUsd": Decimal(10) ** -6, "Cents": Decimal(10) ** -2}
_PRODUCTS = {"inference_providers": "inferenceProviders"}
_MICRO = Decimal(10) ** -6
_MOST = Decimal(10) ** 15
_LATEST = 253_402_300_799
_LONGEST = 200
_OTHER_WAY = (HubFault, NotVisible, Rejected)
"""What `usage-v2` answers where `usage` may still do: it is not there, or makes no sense."""


class BillingReader(Protocol):
    """Reads usage. Raises HubError (see hfspace.errors) and nothing else."""

    def usage(self, owner: str, *, is_org: bool, start: float, end: float) -> Usage: ...


def billed(
    reader: BillingReader,
    owners: Iterable[str],
    account: Account | None,
    *,
    start: float,
    end: float,
    entities: Mapping[str, str],
) -> Billed:
    """What `owners` used between `start` and `end`. `entities` gives the Space of an `_id`.

    Never raises for what the Hub does: an account that can't be read is unknown, and why. Raises
    RateLimited, since everything else would be unknown then, too.
    """
    usages, unknown = [], {}
    for owner in sorted(set(owners), key=str.lower):
        if account is None:
            unknown[owner] = NEEDS_PERMISSION
            continue
        try:
            usage = reader.usage(owner, is_org=owner.lower() != account.name.lower(), start=start, end=end)
        except RateLimited:
            raise
        except (BillingRefused, NeedsWrite, Unauthorized):
            unknown[owner] = NEEDS_PERMISSION
        except NotVisible:
            unknown[owner] = "the Hub tells no usage of it with this token"
        except HubError as error:
            unknown[owner] = error.message
        else:
            usages.append(_joined(usage, entities))
    return Billed(usages=tuple(usages), unknown=unknown)


def _joined(usage: Usage, entities: Mapping[str, str]) -> Usage:
    """`usage` with the Space of each item: by its `_id`, else by a label that is a Space of this owner."""

    def space(charge: Charge) -> str | None:
        if charge.entity in entities:
            return entities[charge.entity]
        own = charge.label.lower().startswith(f"{usage.owner.lower()}/") and charge.label.count("/") == 1
        return charge.label if own and charge.kind == SPACES else None

    return replace(usage, charges=tuple(replace(one, space=space(one)) for one in usage.charges))


class Billing:
    """Usage of the accounts that a token may look into."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def usage(self, owner: str, *, is_org: bool, start: float, end: float) -> Usage:
        """Raises HubError: NeedsWrite, Unauthorized or BillingRefused without the permission."""
        whose = f"/api/organizations/{quote(owner)}" if is_org else "/api/settings"
        dates = f"startDate={start:.0f}&endDate={end:.0f}"
        try:
            return self._read(
                owner, f"{whose}/billing/usage-v2?{dates}", lambda raw: _between(raw, owner, start, end)
            )
        except _OTHER_WAY as error:
            usage = self._read(owner, f"{whose}/billing/usage", lambda raw: _period(raw, owner))
            if usage.start < end and usage.end > start:
                return usage
            raise HubFault(f"The Hub tells the usage of {owner} for its current period only.") from error

    def groups(self, owner: str, start: float, end: float) -> tuple[GroupUsage, ...]:
        """What the Spaces of each resource group used. Raises HubError, also without the permission or the
        plan that has groups."""
        dates = urlencode({"startDate": _stamp(start), "endDate": _stamp(end)})
        path = f"/api/organizations/{quote(owner)}/billing/usage-by-resource-group?{dates}"
        return self._read(owner, path, lambda raw: _groups(raw, owner))

    def resource_groups(self, owner: str, start: float, end: float) -> dict[str, LiveGroup]:
        """The groups of an organisation by owner/name, with what they spent. Raises HubError."""
        path = f"/api/organizations/{quote(owner)}/resource-groups"
        groups = self._read(owner, path, lambda raw: [_group(item, owner) for item in raw])
        try:
            spent = {usage.name: usage.usd for usage in self.groups(owner, start, end)}
        except (BillingRefused, NeedsWrite, NotVisible, Unauthorized):
            spent = {}
        return {f"{owner}/{one.name}": replace(one, spent=spent.get(one.name)) for one in groups}

    def set_limits(self, owner: str, group: str, cents: Mapping[str, int | None]) -> None:
        """Set the limits that `cents` names, by the manifest's key; None removes one. Raises HubError."""
        path = f"/api/organizations/{quote(owner)}/resource-groups/{quote(group)}"
        body = {"spendLimits": {_PRODUCTS.get(key, key): value for key, value in cents.items()}}
        send = partial(self._library.send, "PATCH", path, body)
        self._library.call("set the spend limits of", owner, send, write=True)

    def _read(self, owner: str, path: str, understood: Callable[[Any], T]) -> T:
        raw = self._library.call("read the usage of", owner, lambda: self._library.json(path))
        return understand(f"the usage of {owner}", lambda: understood(raw))


def _between(raw: Any, owner: str, start: float, end: float) -> Usage:
    """An answer of usage-v2."""
    return Usage(owner=owner, start=start, end=end, source="usage-v2", charges=_charges(raw["usage"], owner))


def _period(raw: Any, owner: str) -> Usage:
    """An answer of usage, with the period that it names."""
    start, end = (_time(raw["period"][name]) for name in ("periodStart", "periodEnd"))
    if start is None or end is None:
        raise ValueError("a period without dates")
    return Usage(owner=owner, start=start, end=end, source="usage", charges=_charges(raw["usage"], owner))


def _groups(raw: Any, owner: str) -> tuple[GroupUsage, ...]:
    """An answer of usage-by-resource-group, its months added up."""
    if str(raw["currency"]).lower() != "usd":
        raise ValueError("another currency")
    sums: dict[str | None, tuple[Decimal, Decimal]] = {}
    for period in raw["periods"]:
        for group in period["resourceGroups"]:
            name = None if group["name"] is None else _text(group["name"])
            spaces = group["compute"]["spaces"]
            cents, seconds = sums.get(name, (Decimal(0), Decimal(0)))
            sums[name] = (cents + _number(spaces["costCents"]), seconds + _number(spaces["uptimeSec"]))
    return tuple(
        GroupUsage(owner=owner, name=name, usd=cents * _UNITS["Cents"], seconds=seconds)
        for name, (cents, seconds) in sums.items()
    )


def _group(raw: Any, owner: str) -> LiveGroup:
    limits = raw.get("spendLimits") or {}
    keys = {theirs: ours for ours, theirs in _PRODUCTS.items()}
    return LiveGroup(
        owner=owner,
        id=_text(raw["id"]),
        name=_text(raw["name"]),
        limits={keys.get(name, name): _number(cents) * _UNITS["Cents"] for name, cents in limits.items()},
        spaces=tuple(_text(one["name"]) for one in raw["resources"] if one.get("type") == "space"),
    )


def _stamp(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%S}.000Z"


def _charges(usage: Any, owner: str) -> tuple[Charge, ...]:
    """Every item of every list, and every sum that says its unit."""
    if not isinstance(usage, Mapping):
        raise TypeError("usage is no object")
    charges: list[Charge] = []
    for kind, part in usage.items():
        if isinstance(part, list):
            charges += [_item(item, owner, str(kind)) for item in part]
        elif isinstance(part, Mapping):
            charges += _sums(part, owner, str(kind))
    return tuple(charges)


def _item(raw: Any, owner: str, kind: str) -> Charge:
    unit_usd = raw.get("unitCostMicroUSD")
    quantity = raw.get("quantity")
    return Charge(
        owner=owner,
        kind=kind[:_LONGEST],
        product=_text(raw["product"]),
        usd=_number(raw["totalCostMicroUSD"]) * _MICRO,
        quantity=None if quantity is None else _number(quantity),
        unit=_text(raw.get("unitLabel") or ""),
        unit_usd=None if unit_usd is None else _number(unit_usd) * _MICRO,
        entity=_text(raw.get("entityId") or ""),
        label=_text(raw.get("label") or ""),
        started=_time(raw.get("startedAt")),
        stopped=_time(raw.get("stoppedAt")),
        grant=raw.get("freeGrant") is True,
        active=raw.get("active") is True,
    )


def _sums(part: Mapping[str, Any], owner: str, kind: str) -> Iterator[Charge]:
    """`usedNanoUsd`, `usedMicroUsd`, `amountDueCents`: what was used, in the unit of its name. What is
    included or allowed is no charge."""
    for name, value in part.items():
        unit = next((one for one in _UNITS if name.lower().endswith(one.lower())), None)
        if unit and name.lower().startswith(("used", "amountdue")):
            usd = _number(value) * _UNITS[unit]
            if usd:
                yield Charge(owner=owner, kind=kind[:_LONGEST], product=kind[:_LONGEST], usd=usd)


def _number(value: Any) -> Decimal:
    """A finite number as Decimal, by the shortest text that the JSON may have had."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("no number")
    number = Decimal(str(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite() or abs(number) > _MOST:
        raise ValueError("a number past all sense")
    return number


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value[:_LONGEST]


def _time(value: Any) -> float | None:
    """Seconds since the epoch of an ISO 8601 text; None for none. Raises ValueError."""
    if value is None:
        return None
    moment = datetime.fromisoformat(_text(value))
    seconds = moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    if not 0 <= seconds <= _LATEST:
        raise ValueError("a date past all sense")
    return seconds
