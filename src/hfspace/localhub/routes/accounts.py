"""Who am I, what may I use, and the visibility of all that a namespace has (docs/hub-api.md sections 5, 8
and 11)."""

from __future__ import annotations

from typing import Any

from hfspace.localhub import rules, wire
from hfspace.localhub.routes.call import Call, route
from hfspace.localhub.seed import AccountSeed
from hfspace.localhub.wire import Answer, Refused

_BORN = 1_700_000_000.0
_ZERO_GPU_SECONDS = {"free": 300, "pro": 1500}
_ORG_PLANS = frozenset({"team", "enterprise", "plus", "academia"})


def whoami(call: Call) -> Answer:
    """GET /api/whoami-v2."""
    name = call.who.account
    if name is None:
        raise Refused(401, wire.NO_USER)
    account = call.world.seed.accounts.get(name, AccountSeed())
    return Answer(
        body={
            "type": "user",
            "id": wire.digest(name, 24),
            "name": name,
            "fullname": name.title(),
            "email": f"{name}@example.org",
            "emailVerified": True,
            "canPay": account.can_pay,
            "billingMode": "postpaid",
            "periodEnd": None,
            "isPro": account.plan == "pro",
            "avatarUrl": f"{call.base}/avatars/{name}.svg",
            "orgs": [_org(call, org, member) for org, member in account.orgs.items()],
            "auth": _auth(call),
        }
    )


def _auth(call: Call) -> dict[str, Any]:
    who = call.who
    if who.role == "oauth":
        return {"type": "oauth", "expiresAt": wire.stamp(call.world.now + 3600)}
    if who.role == "oidc":
        expires = wire.stamp(who.expires or call.world.now)
        return {"type": "jwt", "expiresAt": expires, "resource": {"sub": who.resource or ""}}
    token: dict[str, Any] = {"displayName": "local", "role": who.role, "createdAt": wire.stamp(_BORN)}
    if who.role == "fineGrained":
        scoped = [_scope(call, place, "repo.write") for place in who.writes or ()]
        scoped += [_scope(call, place, "repo.content.read") for place in who.reads or ()]
        token["fineGrained"] = {"scoped": scoped, "canReadGatedRepos": False}
    return {"type": "access_token", "accessToken": token}


def _scope(call: Call, place: str, permission: str) -> dict[str, Any]:
    doc = call.world.store.docs().get(place.lower())
    account = call.world.seed.accounts.get(place)
    kind = "space" if "/" in place else account.type if account else "org"
    oid = doc["oid"] if doc else wire.digest(place, 24)
    return {"entity": {"_id": oid, "name": place, "type": kind}, "permissions": [permission]}


def _org(call: Call, name: str, role: str) -> dict[str, Any]:
    account = call.world.seed.accounts.get(name)
    org: dict[str, Any] = {
        "type": "org",
        "id": wire.digest(name, 24),
        "name": name,
        "fullname": name.title(),
        "email": None,
        "canPay": bool(account and account.can_pay),
        "billingMode": "postpaid",
        "periodEnd": None,
        "avatarUrl": f"{call.base}/avatars/{name}.svg",
        "roleInOrg": role,
        "securityRestrictions": [],
    }
    return {**org, "plan": account.plan} if account and account.plan in _ORG_PLANS else org


def repositories(call: Call) -> Answer:
    """The only place where private and protected can be told apart."""
    who, seed = call.who, call.world.seed
    owner = call.rest.get("owner") or who.account or ""
    if who.account is None:
        raise Refused(401, wire.NO_USER)
    if rules.role_in(seed, who.account, owner) == "none" or who.role in {"fineGrained", "oidc"}:
        raise Refused(403, wire.NOT_ALLOWED)
    if call.one("type") not in {None, "space"}:
        return Answer(body=[])
    return Answer(
        body=[
            {
                "id": doc["id"],
                "type": "space",
                "updatedAt": wire.stamp(doc["modified"]),
                "visibility": doc["visibility"],
                "storage": sum(entry["size"] for entry in doc["files"].values()),
                "storagePercent": 0.0,
            }
            for key, doc in call.world.store.docs().items()
            if key.startswith(f"{owner.lower()}/")
        ]
    )


def zero_gpu_quota(call: Call) -> Answer:
    """GET /api/spaces/zero-gpu/quota; a fine-grained or OIDC token has no read on billing."""
    who = call.who
    if who.account is None:
        raise Refused(401, wire.NO_USER)
    if who.role in {"fineGrained", "oidc"}:
        raise Refused(403, wire.NOT_ALLOWED)
    account = call.world.seed.accounts.get(who.account, AccountSeed())
    base = _ZERO_GPU_SECONDS.get(account.plan, 2400)
    return Answer(body={"base": base, "current": base, "resetsAt": None})


def harnesses(call: Call) -> Answer:
    """Asked for once by huggingface_hub; nobody is known here."""
    return Answer(body={"harnesses": []})


ROUTES = (
    route("GET", "/api/whoami-v2", whoami),
    route("GET", "/api/settings/repositories", repositories),
    route("GET", "/api/organizations/{owner}/settings/repositories", repositories),
    route("GET", "/api/spaces/zero-gpu/quota", zero_gpu_quota),
    route("GET", "/api/agent-harnesses", harnesses),
)
