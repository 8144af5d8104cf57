"""What an account has used: by period, by dates, and by resource group (docs/hub-api.md section 17)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hfspace.localhub import groups, hardware, ledger, machine, rules, wire
from hfspace.localhub.routes.call import Call, route
from hfspace.localhub.wire import Answer, Refused

_LATEST = 9_999_999_999
_FAULT = "Internal Error - We're working hard to fix this as soon as possible!"


def usage(call: Call) -> Answer:
    """The whole of one period: the current one, or the one that `periodId` names."""
    owner = _owner(call)
    periods = {_period_id(owner, start): (start, end) for start, end in _periods(call)}
    wanted = call.one("periodId") or _period_id(owner, ledger.month(call.world.now)[0])
    if wanted not in periods:
        raise Refused(404, "Billing period not found")
    start, end = periods[wanted]
    account = call.world.seed.accounts[owner]
    period = {
        "_id": wanted,
        "entityId": wire.digest(owner, 24),
        "entityType": account.type,
        "entityName": owner,
        "periodStart": wire.stamp(start),
        "periodEnd": wire.stamp(end),
    }
    return Answer(body={"usage": {"Spaces": _items(call, owner, start, end)}, "period": period})


def usage_v2(call: Call) -> Answer:
    """What lies between two moments. The body is documented nowhere: as it was seen."""
    if call.world.seed.hub.switches.billing_v2_missing:
        raise Refused(404, wire.NO_PAGE)
    owner = _owner(call)
    start, end = (_seconds(call, name) for name in ("startDate", "endDate"))
    providers = {"usedNanoUsd": 0, "includedNanoUsd": 2_000_000_000, "limitNanoUsd": 0}
    body = {
        "inferenceProviders": providers,
        "jobs": {"usedMicroUsd": 0, "totalMinutes": 0},
        "privateStorage": {"amountDueCents": 0},
        "Spaces": _items(call, owner, start, end),
        "Endpoints": [],
    }
    return Answer(body={"usage": body})


def by_resource_group(call: Call) -> Answer:
    """Month by month, for each group and for what is in none."""
    owner = _owner(call)
    world = call.world
    start = _moment(call, "startDate", ledger.month(world.now)[0])
    end = _moment(call, "endDate", world.now)
    named = [(one["id"], one["name"]) for one in groups.of(world.store, owner)]
    every = _lines(call, owner)
    periods = []
    for first, following in ledger.months(start, end):
        month = ledger.within(every, max(first, start), min(following, end))
        periods.append(
            {
                "period": wire.stamp(first),
                "resourceGroups": [_group(key, name, month) for key, name in [*named, (None, None)]],
            }
        )
    return Answer(body={"currency": "usd", "periods": periods})


def _group(key: str | None, name: str | None, every: list[ledger.Line]) -> dict[str, Any]:
    lines = [line for line in every if line.group == key]
    nothing = {"uptimeSec": 0, "costCents": 0}
    spaces = {
        "uptimeSec": round(sum((line.until - line.start) * line.replicas for line in lines)),
        "costCents": sum(map(groups.micro_usd, lines)) / 10_000,
    }
    return {
        "id": key,
        "name": name,
        "storage": {"privateGB": 0, "publicGB": 0},
        "inference": {"requestCount": 0, "costCents": 0},
        "compute": {"spaces": spaces, "endpoints": nothing, "jobs": nothing},
    }


def _owner(call: Call) -> str:
    """Whose usage, if they may see it: 401, or what the switch says, for a token without the permission."""
    who = call.who
    if who.account is None:
        raise Refused(401, wire.NO_USER)
    owner = call.rest.get("owner") or who.account
    known = {name.lower(): name for name in call.world.seed.accounts}
    owner = known.get(owner.lower(), owner)
    if not who.billing or rules.role_in(call.world.seed, who.account, owner) != "admin":
        status = call.world.seed.hub.switches.billing_refusal
        raise Refused(status, wire.NO_USER if status == 401 else wire.NOT_ALLOWED)
    if owner not in call.world.seed.accounts:
        raise Refused(404, "Organization not found")
    return owner


def _lines(call: Call, owner: str) -> list[ledger.Line]:
    """Every interval of an owner, of Spaces that are gone too."""
    world = call.world
    docs = [*world.store.docs().values(), *world.store.meta("buried", [])]
    its = (doc for doc in docs if doc["id"].split("/")[0].lower() == owner.lower())
    return [line for doc in its for line in ledger.lines(machine.settled(doc, world.now), world.now)]


def _items(call: Call, owner: str, start: float, end: float) -> list[dict[str, Any]]:
    return [_item(call, line) for line in ledger.within(_lines(call, owner), start, end)]


def _item(call: Call, line: ledger.Line) -> dict[str, Any]:
    switches = call.world.seed.hub.switches
    return {
        "entityId": line.entity if switches.billing_entity_is_space_id else wire.digest(line.entity, 24),
        "label": line.space if switches.billing_label_is_space else None,
        "product": f"spaces/{line.flavor}/minutes",
        "quantity": line.minutes,
        "startedAt": wire.stamp(line.start),
        "stoppedAt": None if line.stop is None else wire.stamp(line.stop),
        "freeGrant": line.grant,
        "productPrettyName": f"Spaces {hardware.pretty(line.flavor)}",
        "unitLabel": "minute",
        "unitCostMicroUSD": hardware.micro_usd(line.flavor),
        "totalCostMicroUSD": groups.micro_usd(line),
        "active": line.stop is None,
    }


def _periods(call: Call) -> list[tuple[float, float]]:
    """The last thirteen months."""
    now = call.world.now
    return list(ledger.months(ledger.month(now)[0] - 366 * 86400, now + 1))


def _period_id(owner: str, start: float) -> str:
    return wire.digest(f"{owner} {start:.0f}", 24)


def _seconds(call: Call, name: str) -> float:
    """Seconds since the epoch; milliseconds are past every date that it can hold, and break it."""
    text = call.one(name) or ""
    if not (text.isascii() and text.isdigit() and len(text) <= 16 and int(text) > 0):
        raise Refused(400, f"✖ Invalid input: expected number to be >0 → at {name}")
    if int(text) > _LATEST:
        raise Refused(500, _FAULT)
    return float(text)


def _moment(call: Call, name: str, default: float) -> float:
    text = call.one(name)
    if text is None:
        return default
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(400, f"✖ Invalid ISO datetime → at {name}") from None
    since = moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    if not call.world.now - 366 * 86400 <= since <= call.world.now + 32 * 86400:
        raise Refused(400, f"✖ Must be within the last 12 months → at {name}")
    return since


ROUTES = (
    route("GET", "/api/settings/billing/usage", usage),
    route("GET", "/api/settings/billing/usage-v2", usage_v2),
    route("GET", "/api/organizations/{owner}/billing/usage", usage),
    route("GET", "/api/organizations/{owner}/billing/usage-v2", usage_v2),
    route("GET", "/api/organizations/{owner}/billing/usage-by-resource-group", by_resource_group),
)
