"""Resource groups of an organisation, which need a Team plan or higher (docs/hub-api.md section 17)."""

from __future__ import annotations

from typing import Any

from hfspace.localhub import groups, rules, wire
from hfspace.localhub.routes.call import Call, route
from hfspace.localhub.wire import Answer, Refused

_PLANS = frozenset({"team", "enterprise", "plus", "academia"})
_LARGEST = 9_007_199_254_740_991
_PATH = "/api/organizations/{owner}/resource-groups"


def listing(call: Call) -> Answer:
    owner = _org(call)
    return Answer(body=[_shown(call, owner, one) for one in groups.of(call.world.store, owner)])


def create(call: Call) -> Answer:
    owner = _org(call, admin=True)
    body = call.json()
    every = groups.of(call.world.store, owner)
    name = _name(body.get("name"))
    if any(one["name"] == name for one in every):
        raise Refused(409, "A resource group with this name exists already")
    group: dict[str, Any] = {
        "id": wire.digest(f"{owner} {name} {call.world.now}", 24),
        "name": name,
        "spendLimits": {},
    }
    group["description"] = body.get("description")
    groups.keep(call.world.store, owner, [*every, group])
    return Answer(body=_shown(call, owner, group), effect=True)


def read(call: Call) -> Answer:
    owner = _org(call)
    return Answer(body=_shown(call, owner, _one(call, owner)))


def update(call: Call) -> Answer:
    """PATCH: what is given is set; a limit of null is removed."""
    owner = _org(call, admin=True)
    group, body = _one(call, owner), call.json()
    changed = {**group}
    if "name" in body:
        changed["name"] = _name(body["name"])
    if "description" in body:
        changed["description"] = body["description"]
    if "spendLimits" in body:
        changed["spendLimits"] = _limits(group["spendLimits"], body["spendLimits"])
    every = [changed if one["id"] == group["id"] else one for one in groups.of(call.world.store, owner)]
    groups.keep(call.world.store, owner, every)
    return Answer(body=_shown(call, owner, changed), effect=True)


def delete(call: Call) -> Answer:
    owner = _org(call, admin=True)
    group = _one(call, owner)
    every = [one for one in groups.of(call.world.store, owner) if one["id"] != group["id"]]
    groups.keep(call.world.store, owner, every)
    for doc in list(call.world.store.docs().values()):
        if doc["resource_group"] == group["id"]:
            call.world.store.put({**doc, "resource_group": None})
    return Answer(body={"success": True}, effect=True)


def _limits(before: dict[str, int], given: object) -> dict[str, int]:
    if not isinstance(given, dict):
        raise Refused(400, "✖ Invalid input: expected object → at spendLimits")
    after: dict[str, Any] = dict(before)
    for name, cents in given.items():
        if name not in groups.PRODUCTS:
            raise Refused(400, f'✖ Unrecognized key: "{name}" → at spendLimits')
        if cents is None:
            after.pop(name, None)
        elif isinstance(cents, int) and not isinstance(cents, bool) and 0 <= cents <= _LARGEST:
            after[name] = cents
        else:
            raise Refused(400, f"✖ Invalid input: expected int >=0 → at spendLimits.{name}")
    return after


def _org(call: Call, *, admin: bool = False) -> str:
    """The organisation, if they may look at its groups, or change them. Raises Refused."""
    who, seed = call.who, call.world.seed
    if who.account is None:
        raise Refused(401, wire.NO_USER)
    known = {name.lower(): name for name, one in seed.accounts.items() if one.type == "org"}
    owner = known.get(call.rest["owner"].lower())
    role = rules.role_in(seed, who.account, owner or "")
    if owner is None or role == "none":
        raise Refused(404, "Organization not found")
    if who.role in {"oidc", "fineGrained"} or (admin and (role != "admin" or who.role == "read")):
        raise Refused(403, wire.NOT_ALLOWED)
    if seed.accounts[owner].plan not in _PLANS:
        raise Refused(403, "Resource groups require a Team plan or higher")
    return owner


def _one(call: Call, owner: str) -> dict[str, Any]:
    for group in groups.of(call.world.store, owner):
        if group["id"] == call.rest["group"]:
            return group
    raise Refused(404, "Resource group not found")


def _name(value: object) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= 200:
        raise Refused(400, "✖ Invalid input: expected string of 1 to 200 characters → at name")
    return value


def _shown(call: Call, owner: str, group: dict[str, Any]) -> dict[str, Any]:
    resources = [
        {"type": "space", "name": doc["id"], "private": doc["visibility"] == "private"}
        for doc in call.world.store.docs().values()
        if doc["resource_group"] == group["id"]
    ]
    limits = {"spendLimits": group["spendLimits"]} if group["spendLimits"] else {}
    kept = {key: group[key] for key in ("id", "name", "description")}
    return {**kept, **limits, "users": [], "resources": resources}


ROUTES = (
    route("GET", _PATH, listing),
    route("POST", _PATH, create),
    route("GET", f"{_PATH}/{{group}}", read),
    route("PATCH", f"{_PATH}/{{group}}", update),
    route("DELETE", f"{_PATH}/{{group}}", delete),
)
