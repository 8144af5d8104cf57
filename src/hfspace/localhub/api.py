"""The local Hub's routes: method and path to what the world does. Paths and bodies are the Hub's."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

from hfspace.localhub import hardware, machine, wire
from hfspace.localhub.machine import FREE, FREE_SLEEP, Doc
from hfspace.localhub.wire import EXPANDABLE, Answer, Refused
from hfspace.localhub.world import World

_KEY = re.compile(r"^[a-zA-Z][_a-zA-Z0-9]*$")
_DOWNGRADE = (
    "Without a PRO subscription, you can't downgrade this Space to cpu-basic. Pause it instead to stop "
    "hardware charges, or subscribe."
)
_FREE_CREATE = (
    "Static Spaces are free for everyone, but hosting Gradio and Docker Spaces on free cpu-basic requires a "
    "PRO subscription. Subscribe at https://huggingface.co/pro"
)
TEMPLATES = {
    "SpacesExamples/jupyterlab": "docker",
    "SpacesExamples/streamlit": "docker",
    "gradio-templates/chatbot": "gradio",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request. `base` is the URL that the client used, for links."""

    method: str
    path: str
    query: dict[str, list[str]] = field(default_factory=dict)
    body: bytes = b""
    token: str | None = None
    base: str = "http://127.0.0.1"

    def json(self) -> dict[str, Any]:
        try:
            raw = json.loads(self.body or b"{}")
        except ValueError:
            raise Refused(400, "✖ Invalid JSON body") from None
        if not isinstance(raw, dict):
            raise Refused(400, "✖ Invalid input: expected object")
        return raw

    def one(self, name: str) -> str | None:
        values = self.query.get(name)
        return values[0] if values else None


Handler = Callable[[World, Call, str], Answer]


def answer(world: World, call: Call) -> Answer:
    """What the Hub answers to one request. Never raises for bad input."""
    try:
        for method, pattern, handler in _ROUTES:
            match = pattern.fullmatch(call.path)
            if match and method == call.method:
                return handler(world, call, match.groupdict().get("id", ""))
        raise Refused(404, "Sorry, we can't find the page you are looking for.")
    except Refused as refused:
        return refused.answer


# ------------------------------------------------------------ reads


def _list(world: World, call: Call, _: str) -> Answer:
    world.account(call.token)  # an invalid token is refused before anything is looked up
    expand = [*call.query.get("expand", []), *call.query.get("expand[]", [])]
    if unknown := [name for name in expand if name not in EXPANDABLE]:
        raise Refused(400, f"✖ Invalid option: expected one of {'|'.join(EXPANDABLE)} (got {unknown[0]})")
    author, search = call.one("author"), (call.one("search") or "").lower()
    found = [
        doc
        for doc in world.store.spaces()
        if (author is None or doc["id"].split("/")[0].lower() == author.lower())
        and search in doc["id"].lower()
        and world.may_read(call.token, doc)
    ]
    size = min(int(call.one("limit") or world.seed.hub.switches.max_page), world.seed.hub.switches.max_page)
    begin = int(call.one("cursor") or 0)
    page = [_item(world, machine.settled(doc, world.now), expand) for doc in found[begin : begin + size]]
    headers = {}
    if begin + size < len(found):
        query = urlencode(
            {**{k: v for k, v in call.query.items() if k != "cursor"}, "cursor": begin + size}, doseq=True
        )
        headers["Link"] = f'<{call.base}{call.path}?{query}>; rel="next"'
    return Answer(body=page, headers=headers)


def _item(world: World, doc: Doc, expand: list[str]) -> dict[str, Any]:
    full = wire.space(doc)
    switches = world.seed.hub.switches
    full["runtime"] = wire.runtime(
        doc, volumes=switches.list_runtime_has_volumes, error=switches.list_runtime_has_error
    )
    names = expand or [name for name in full if name not in {"runtime", "siblings", "cardData"}]
    return {"_id": full["_id"], "id": full["id"], **{name: full[name] for name in names if name in full}}


def _info(world: World, call: Call, space: str) -> Answer:
    doc = world.find(call.token, space)
    full = wire.space(doc)
    expand = [*call.query.get("expand", []), *call.query.get("expand[]", [])]
    if not expand:
        return Answer(body=full)
    return Answer(body={"_id": full["_id"], "id": full["id"], **{name: full.get(name) for name in expand}})


def _runtime(world: World, call: Call, space: str) -> Answer:
    return Answer(body=wire.runtime(world.find(call.token, space)))


def _hardware_list(world: World, call: Call, _: str) -> Answer:
    return Answer(body=hardware.listing())


def _templates(world: World, call: Call, _: str) -> Answer:
    return Answer(
        body={
            "templates": [
                {"name": repo.split("/")[1], "repoId": repo, "sdk": sdk, "preferredPrivate": False}
                for repo, sdk in TEMPLATES.items()
            ]
        }
    )


def _by_subdomain(world: World, call: Call, subdomain: str) -> Answer:
    for doc in world.store.spaces():
        if wire.subdomain(doc["id"]) == subdomain and world.may_read(call.token, doc):
            return Answer(body={"id": doc["id"]})
    raise Refused(404, "Repository not found", "RepoNotFound")


def _whoami(world: World, call: Call, _: str) -> Answer:
    name, role = world.account(call.token)
    if name is None:
        raise Refused(401, "Invalid username or password.")
    account = world.seed.accounts[name]
    token: dict[str, Any] = {"displayName": "local", "role": role, "createdAt": wire.stamp(world.now)}
    auth: dict[str, Any] = {"type": "access_token", "accessToken": token}
    if role == "oauth":
        auth = {"type": "oauth", "expiresAt": wire.stamp(world.now + 3600)}
    if role == "fineGrained":
        scoped = [
            {
                "entity": {"_id": wire.digest(space, 24), "name": space, "type": "space"},
                "permissions": ["repo.write"],
            }
            for space in world.seed.tokens[call.token or ""].spaces
        ]
        token["fineGrained"] = {"scoped": scoped, "canReadGatedRepos": False}
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
            "isPro": account.plan == "pro",
            "periodEnd": None,
            "orgs": [_org(world, org, member) for org, member in account.orgs.items()],
            "auth": auth,
        }
    )


def _org(world: World, name: str, role: str) -> dict[str, Any]:
    account = world.seed.accounts.get(name)
    org: dict[str, Any] = {
        "type": "org",
        "id": wire.digest(name, 24),
        "name": name,
        "fullname": name.title(),
        "email": None,
        "canPay": bool(account and account.can_pay),
        "billingMode": "postpaid",
        "periodEnd": None,
        "avatarUrl": f"https://huggingface.co/avatars/{name}.svg",
        "isEnterprise": bool(account and account.plan.startswith("enterprise")),
        "roleInOrg": role,
        "securityRestrictions": [],
    }
    return org if account is None or account.plan == "free" else {**org, "plan": account.plan}


def _repositories(world: World, call: Call, owner: str) -> Answer:
    account, role = world.account(call.token)
    owner = owner or account or ""
    if account is None or world.role_in(account, owner) == "none" or role == "fineGrained":
        raise Refused(403, "You have read access but not the required permissions for this operation")
    return Answer(
        body=[
            {
                "id": doc["id"],
                "type": "space",
                "updatedAt": wire.stamp(doc["created"]),
                "visibility": doc["visibility"],
                "storage": 0,
                "storagePercent": 0.0,
            }
            for doc in world.store.spaces()
            if doc["id"].split("/")[0] == owner
        ]
    )


def _logs(world: World, call: Call, rest: str) -> Answer:
    space, _, kind = rest.rpartition("/logs/")
    doc = world.readable_settings(call.token, space)
    lines = doc["logs"].get(kind) or [f"===== {kind} log of {doc['id']} ====="]
    if doc["error"] and kind == ("build" if doc["stage"] == "BUILD_ERROR" else "run"):
        lines = [*lines, doc["error"]]
    tail = int(call.one("tail") or 0)
    # huggingface_hub stops at the first line from the future, and this Hub's clock may run ahead of ours.
    written = wire.stamp(min(doc["since"], time.time() - 1))
    events = [
        f"data: {json.dumps({'data': line + chr(10), 'timestamp': written})}\n\n"
        for line in (lines[-tail:] if tail else lines)
    ]
    return Answer(body="".join(events), content_type="text/event-stream")


# ------------------------------------------------------------ writes to the runtime


def _changed(world: World, doc: Doc) -> Answer:
    world.save(doc)
    return Answer(body=wire.runtime(doc), effect=True)


def _not_static(doc: Doc, what: str) -> None:
    if doc["sdk"] == "static":
        raise Refused(400, f"Static Spaces can't be {what}")


def _set_hardware(world: World, call: Call, space: str) -> Answer:
    doc = world.writable(call.token, space, doing="hardware")
    _not_static(doc, "given hardware")
    body = call.json()
    flavor, sleep = body.get("flavor"), body.get("sleepTimeSeconds")
    if not isinstance(flavor, str) or not hardware.is_known(flavor):
        raise Refused(400, "✖ Invalid option: expected one of the listed flavors → at flavor")
    owner = doc["id"].split("/")[0]
    if flavor != doc["requested"]:
        world.check_billing(owner, flavor)
        world.check_plan(owner, flavor, _DOWNGRADE)
    if flavor == "zero-a10g" and doc["sdk"] != "gradio":
        raise Refused(400, "ZeroGPU is only available to Gradio Spaces")
    if flavor != doc["requested"]:
        doc["requested"] = flavor
        if flavor in FREE:
            doc["sleep_time"] = FREE_SLEEP
        elif world.seed.hub.switches.hardware_resets_sleep or doc["sleep_time"] == FREE_SLEEP:
            doc["sleep_time"] = machine.NEVER
        wakes = world.seed.hub.switches.hardware_change_wakes_paused
        machine.hardware_changed(doc, world.now, wakes_paused=wakes)
    if sleep is not None and flavor not in FREE:
        doc["sleep_time"] = _seconds(sleep)
    return _changed(world, doc)


def _set_sleep(world: World, call: Call, space: str) -> Answer:
    doc = world.writable(call.token, space, doing="sleeptime")
    _not_static(doc, "put to sleep")
    seconds = _seconds(call.json().get("seconds"))
    if doc["requested"] in FREE:
        if world.seed.hub.switches.sleeptime_on_free == "error":
            raise Refused(400, "Sleep time is not configurable on free hardware")
        return Answer(body=wire.runtime(doc))
    doc["sleep_time"] = seconds
    return _changed(world, doc)


def _seconds(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not (value > 0 or value == -1):
        raise Refused(400, "✖ Invalid input: expected an integer above 0, or -1 → at seconds")
    return value


def _pause(world: World, call: Call, space: str) -> Answer:
    doc = world.writable(call.token, space)
    _not_static(doc, "paused")
    machine.pause(doc, world.now)
    return _changed(world, doc)


def _restart(world: World, call: Call, space: str) -> Answer:
    doc = world.writable(call.token, space, doing="restart")
    _not_static(doc, "restarted")
    doc["restart_calls"] += 1
    doc["restarts"] += 1
    machine.start(doc, world.now)
    return _changed(world, doc)


def _dev_mode(world: World, call: Call, space: str) -> Answer:
    doc = world.writable(call.token, space)
    _not_static(doc, "put into dev mode")
    enabled = bool(call.json().get("enabled"))
    account = world.seed.accounts.get(doc["id"].split("/")[0])
    if enabled and account is not None and account.plan == "free":
        raise Refused(402, "Dev mode requires a PRO subscription or a Team plan.")
    if enabled != doc["dev_mode"]:
        doc["dev_mode"] = enabled
        machine.configuration_changed(doc, world.now, coalesce=world.seed.hub.switches.coalesce_restarts)
    return _changed(world, doc)


# ------------------------------------------------------------ variables, secrets, volumes


def _entries(kind: str, method: str) -> Handler:
    def read(world: World, call: Call, space: str) -> Answer:
        doc = world.readable_settings(call.token, space)
        return Answer(body=wire.entries(doc[kind], with_value=kind == "variables"))

    def write(world: World, call: Call, space: str) -> Answer:
        doc = world.writable(call.token, space)
        body = call.json()
        key, value = body.get("key"), body.get("value", "")
        if not isinstance(key, str) or not (_KEY.match(key) or method == "DELETE"):
            raise Refused(400, "✖ Invalid string: must match pattern /^[a-zA-Z][_a-zA-Z0-9]*$/ → at key")
        before = doc[kind].get(key)
        if method == "DELETE":
            doc[kind].pop(key, None)
        else:
            if not isinstance(value, str):
                raise Refused(400, "✖ Invalid input: expected string → at value")
            kept = None if world.seed.hub.switches.description_dropped else (before or {}).get("description")
            entry = {
                "value": value,
                "updated": wire.stamp(world.now),
                "description": body.get("description", kept),
            }
            doc[kind][key] = {name: item for name, item in entry.items() if item is not None}
        same = before is not None and _bare(before) == _bare(doc[kind].get(key) or {})
        if (method == "DELETE" and before is not None) or (
            method == "POST" and (not same or world.seed.hub.switches.identical_post_restarts)
        ):
            machine.configuration_changed(doc, world.now, coalesce=world.seed.hub.switches.coalesce_restarts)
        world.save(doc)
        shown = wire.entries(doc[kind], with_value=True) if kind == "variables" else {}
        return Answer(body=shown, effect=True)

    return read if method == "GET" else write


def _bare(entry: dict[str, Any]) -> tuple[Any, Any]:
    return entry.get("value"), entry.get("description")


def _set_volumes(world: World, call: Call, space: str) -> Answer:
    doc = world.writable(call.token, space)
    _not_static(doc, "given volumes")
    volumes = call.json().get("volumes")
    if not isinstance(volumes, list) or not volumes:
        raise Refused(400, "✖ Too small: expected array to have >=1 items → at volumes")
    doc["volumes"] = [
        {**item, "readOnly": item.get("readOnly", item.get("type") != "bucket")} for item in volumes
    ]
    machine.configuration_changed(doc, world.now, coalesce=world.seed.hub.switches.coalesce_restarts)
    world.save(doc)
    return Answer(body=wire.runtime(doc), effect=True)


def _delete_volumes(world: World, call: Call, space: str) -> Answer:
    doc = world.writable(call.token, space)
    if not doc["volumes"]:
        raise Refused(400, "No volumes attached to this Space")
    doc["volumes"] = []
    machine.configuration_changed(doc, world.now, coalesce=world.seed.hub.switches.coalesce_restarts)
    world.save(doc)
    return Answer(body=wire.runtime(doc), effect=True)


# ------------------------------------------------------------ repositories


def _settings(world: World, call: Call, space: str) -> Answer:
    doc = world.writable(call.token, space)
    body = call.json()
    wanted = body.get("visibility") or ("private" if body.get("private") else "public")
    if wanted not in {"public", "private", "protected"}:
        raise Refused(400, "✖ Invalid option: expected one of public|private|protected → at visibility")
    doc["visibility"] = wanted
    world.save(doc)
    return Answer(body={"visibility": wanted, "private": wanted == "private"}, effect=True)


def _create(world: World, call: Call, _: str) -> Answer:
    body = call.json()
    account, role = world.account(call.token)
    if account is None:
        raise Refused(401, "Invalid username or password.")
    owner = body.get("organization") or account
    space = f"{owner}/{body.get('name')}"
    if role not in {"write", "oauth"} or world.role_in(account, owner) not in {"write", "admin"}:
        raise Refused(403, f'You don\'t have the rights to create a space under the namespace "{owner}"')
    if world.store.space(space) is not None:
        url = f"{call.base}/spaces/{space}"
        raise Refused(409, "You already created this space repo", url=url)
    sdk = body.get("sdk")
    if sdk not in {"gradio", "docker", "static"}:
        raise Refused(400, '✖ Invalid option: expected one of "gradio"|"docker"|"static" → at sdk')
    _check_new(world, owner, body.get("hardware"), sdk, body)
    files = {"README.md": f"---\nsdk: {sdk}\n---\n"}
    if body.get("template"):
        files["app.py"] = "# from a template\n"
    for item in body.get("files") or []:
        content = item["content"]
        files[item["path"]] = (
            base64.b64decode(content).decode() if item.get("encoding") == "base64" else content
        )
    return _born(world, call, world.new(space, sdk, body.get("hardware"), files), body)


def _duplicate(world: World, call: Call, origin: str) -> Answer:
    source = world.find(call.token, origin)
    body = call.json()
    account, _role = world.account(call.token)
    space = str(body.get("repository"))
    owner = space.split("/")[0]
    if account is None or world.role_in(account, owner) not in {"write", "admin"}:
        raise Refused(403, f'You don\'t have the rights to create a space under the namespace "{owner}"')
    if world.store.space(space) is not None:
        raise Refused(409, "You already created this space repo", url=f"{call.base}/spaces/{space}")
    _check_new(world, owner, body.get("hardware"), source["sdk"], body)
    doc = world.new(space, source["sdk"], body.get("hardware"), {**source["files"], "app.py": "# a copy\n"})
    doc["variables"] = dict(source["variables"])  # copied with the Space; secrets are not
    return _born(world, call, doc, body)


def _check_new(world: World, owner: str, flavor: str | None, sdk: str, body: dict[str, Any]) -> None:
    if sdk == "static":
        return
    if flavor is not None and not hardware.is_known(flavor):
        raise Refused(400, "✖ Invalid option: expected one of the listed flavors → at hardware")
    if flavor == "zero-a10g" and sdk != "gradio":
        raise Refused(400, "ZeroGPU is only available to Gradio Spaces")
    world.check_plan(owner, flavor or "cpu-basic", _FREE_CREATE)
    world.check_billing(owner, flavor or "cpu-basic")
    for kind in ("secrets", "variables"):
        for item in body.get(kind) or []:
            if not _KEY.match(str(item.get("key"))):
                raise Refused(400, f"✖ Invalid string: must match pattern → at {kind}[0].key")


def _born(world: World, call: Call, doc: Doc, body: dict[str, Any]) -> Answer:
    doc["visibility"] = body.get("visibility") or ("private" if body.get("private") else "public")
    sleep = body.get("sleepTimeSeconds")
    if sleep is not None and doc["requested"] not in FREE:
        doc["sleep_time"] = _seconds(sleep)
    for kind in ("variables", "secrets"):
        for item in body.get(kind) or []:
            entry = {"value": str(item.get("value", "")), "updated": wire.stamp(world.now)}
            if item.get("description"):
                entry["description"] = item["description"]
            doc[kind][item["key"]] = entry
    doc["volumes"] = body.get("volumes") or []
    if "app.py" in doc["files"] and doc["sdk"] != "static":
        machine.start(doc, world.now)
    world.count("creates", doc["id"])
    world.save(doc)
    url = f"{call.base}/spaces/{doc['id']}"
    return Answer(body={"url": url, "name": doc["id"], "id": doc["oid"]}, effect=True)


def _delete(world: World, call: Call, _: str) -> Answer:
    body = call.json()
    account, _role = world.account(call.token)
    space = f"{body.get('organization') or account}/{body.get('name')}"
    doc = world.writable(call.token, space)
    world.store.remove(doc["id"])
    world.count("deletes", doc["id"])
    return Answer(body="OK", content_type="text/plain; charset=utf-8", effect=True)


def _move(world: World, call: Call, _: str) -> Answer:
    body = call.json()
    doc = world.writable(call.token, str(body.get("fromRepo")))
    target = str(body.get("toRepo"))
    if world.store.space(target) is not None:
        raise Refused(409, "A repository with this name exists already")
    world.store.remove(doc["id"])
    doc["id"] = target
    world.save(doc)
    return Answer(body={}, effect=True)


def _ok(world: World, call: Call, _: str) -> Answer:
    return Answer(body={"errors": [], "warnings": []})


_ID = r"(?P<id>[^/]+/[^/]+)"
_SPACE = rf"/api/spaces/{_ID}"


def _route(method: str, path: str, handler: Handler) -> tuple[str, re.Pattern[str], Handler]:
    return method, re.compile(path), handler


_ROUTES = [
    _route("GET", "/api/spaces", _list),
    _route("GET", "/api/spaces/hardware", _hardware_list),
    _route("GET", "/api/spaces/templates", _templates),
    _route("GET", "/api/spaces/by-subdomain/(?P<id>[^/]+)", _by_subdomain),
    _route("GET", "/api/whoami-v2", _whoami),
    _route("GET", "/api/settings/repositories", _repositories),
    _route("GET", "/api/organizations/(?P<id>[^/]+)/settings/repositories", _repositories),
    _route("POST", "/api/repos/create", _create),
    _route("DELETE", "/api/repos/delete", _delete),
    _route("POST", "/api/repos/move", _move),
    _route("POST", "/api/validate-yaml", _ok),
    _route("GET", _SPACE, _info),
    _route("GET", rf"{_SPACE}/revision/[^/]+", _info),
    _route("GET", rf"{_SPACE}/runtime", _runtime),
    _route("POST", rf"{_SPACE}/hardware", _set_hardware),
    _route("POST", rf"{_SPACE}/sleeptime", _set_sleep),
    _route("POST", rf"{_SPACE}/pause", _pause),
    _route("POST", rf"{_SPACE}/restart", _restart),
    _route("POST", rf"{_SPACE}/dev-mode", _dev_mode),
    _route("PUT", rf"{_SPACE}/settings", _settings),
    _route("PUT", rf"{_SPACE}/volumes", _set_volumes),
    _route("DELETE", rf"{_SPACE}/volumes", _delete_volumes),
    _route("POST", rf"{_SPACE}/duplicate", _duplicate),
    _route("GET", r"/api/spaces/(?P<id>[^/]+/[^/]+/logs/(?:build|run))", _logs),
    *(
        _route(method, rf"{_SPACE}/{kind}", _entries(kind, method))
        for kind in ("variables", "secrets")
        for method in ("GET", "POST", "DELETE")
    ),
]


def parse_query(text: str) -> dict[str, list[str]]:
    return parse_qs(text, keep_blank_values=True)
