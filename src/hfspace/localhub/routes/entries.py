"""Variables and secrets, and the settings of a repository (docs/hub-api.md sections 6 and 8)."""

from __future__ import annotations

import re
from typing import Any

from hfspace.localhub import rules, wire
from hfspace.localhub.routes.call import SPACE, Call, Handler, route
from hfspace.localhub.wire import Answer, Refused

_KEY = re.compile(r"[a-zA-Z][_a-zA-Z0-9]*")
_VISIBILITIES = ("private", "public", "protected")
_KEPT_SETTINGS = (
    "discussionsDisabled", "discussionsSorting", "gated", "orgMembersGated", "gatedNotificationsEmail",
    "gatedNotificationsMode",
)  # fmt: skip


def _read(kind: str) -> Handler:
    def read(call: Call) -> Answer:
        doc = call.world.settings_of(call.who, call.space)
        return Answer(body=wire.entries(doc[kind], with_value=kind == "variables"))

    return read


def _upsert(kind: str) -> Handler:
    def upsert(call: Call) -> Answer:
        doc = call.world.writable(call.who, call.space)
        body = call.json()
        key = key_of(body.get("key"), "key")
        before = doc[kind].get(key)
        switches = call.world.seed.hub.switches
        kept = None if switches.description_dropped or before is None else before.get("description")
        doc[kind][key] = entry_of(call, body, "", description=kept)
        if switches.identical_post_restarts or _bare(before) != _bare(doc[kind][key]):
            call.world.restarted(doc)
        return _saved(call, kind, doc)

    return upsert


def _delete(kind: str) -> Handler:
    def delete(call: Call) -> Answer:
        doc = call.world.writable(call.who, call.space)
        key = call.json().get("key")
        if not isinstance(key, str):
            raise Refused(400, "✖ Invalid input: expected string, received undefined → at key")
        if doc[kind].pop(key, None) is None:
            body = wire.entries(doc[kind], with_value=True) if kind == "variables" else {}
            return Answer(body=body)
        call.world.restarted(doc)
        return _saved(call, kind, doc)

    return delete


def _saved(call: Call, kind: str, doc: dict[str, Any]) -> Answer:
    call.world.save(doc)
    return Answer(body=wire.entries(doc[kind], with_value=True) if kind == "variables" else {}, effect=True)


def key_of(value: object, where: str) -> str:
    if not isinstance(value, str) or not _KEY.fullmatch(value):
        raise Refused(400, f"✖ Invalid string: must match pattern /^[a-zA-Z][_a-zA-Z0-9]*$/ → at {where}")
    return value


def entry_of(call: Call, body: dict[str, Any], place: str, *, description: object = None) -> dict[str, Any]:
    """A variable or secret as it is kept. Raises Refused for values that are not text."""
    value, said = body.get("value", ""), body.get("description", description)
    for name, text in (("value", value), ("description", said)):
        if not isinstance(text, str) and not (name == "description" and text is None):
            raise Refused(400, f"✖ Invalid input: expected string → at {place}{name}")
    switches = call.world.seed.hub.switches
    if switches.trims_values:
        value = value.strip()
    if said and switches.trims_descriptions:
        said = said.strip()
    entry = {"value": value, "updated": wire.stamp(call.world.now)}
    return {**entry, "description": said} if said else entry


def entries_of(call: Call, raw: object, kind: str) -> dict[str, Any]:
    """The variables or secrets of a create or duplicate request."""
    if raw is None:
        return {}
    if not isinstance(raw, list) or not all(isinstance(item, dict) for item in raw):
        raise Refused(400, f"✖ Invalid input: expected array → at {kind}")
    return {
        key_of(item.get("key"), f"{kind}[{n}].key"): entry_of(call, item, f"{kind}[{n}].")
        for n, item in enumerate(raw)
    }


def _bare(entry: dict[str, Any] | None) -> tuple[Any, Any]:
    return (None, None) if entry is None else (entry.get("value"), entry.get("description"))


def settings(call: Call) -> Answer:
    """PUT settings: answers with what was asked for."""
    doc = call.world.writable(call.who, call.space)
    body = call.json()
    if "visibility" in body or "private" in body:
        doc["visibility"] = visibility_of(call, body, doc["id"].split("/")[0])
    said = {name: body[name] for name in _KEPT_SETTINGS if name in body}
    doc["settings"] |= said
    call.world.save(doc)
    echo = {name: body[name] for name in ("visibility", "private") if name in body}
    return Answer(body={**echo, **said}, effect=True)


def visibility_of(call: Call, body: dict[str, Any], owner: str) -> str:
    """From `visibility` or the older `private`, which must not come together."""
    visibility, private = body.get("visibility"), body.get("private")
    if visibility is not None and private is not None:
        raise Refused(400, "✖ Only one of visibility and private may be given → at visibility")
    if visibility is None:
        return "private" if private else "public"
    if visibility not in _VISIBILITIES:
        raise Refused(400, '✖ Invalid option: expected one of "private"|"public"|"protected" → at visibility')
    if visibility == "protected":
        rules.check_plan(call.world.seed, owner, "Protected visibility")
    return str(visibility)


def resource_group(call: Call) -> Answer:
    doc = call.world.find(call.who, call.space)
    if doc["resource_group"] is None:
        raise Refused(404, "This repository is in no resource group")
    return Answer(body={"id": doc["resource_group"], "name": "group", "numUsers": 1})


def set_resource_group(call: Call) -> Answer:
    doc = call.world.writable(call.who, call.space)
    group = call.json().get("resourceGroupId")
    if group is not None and not re.fullmatch(r"[0-9a-f]{24}", str(group)):
        raise Refused(400, "✖ Invalid string: must match pattern /^[0-9a-f]{24}$/ → at resourceGroupId")
    doc["resource_group"] = group
    call.world.save(doc)
    private = doc["visibility"] == "private"
    body = {"name": doc["id"], "type": "space", "private": private, "addedBy": call.who.account}
    return Answer(body=body, effect=True)


ROUTES = (
    *(
        one
        for kind in ("variables", "secrets")
        for one in (
            route("GET", f"{SPACE}/{kind}", _read(kind)),
            route("POST", f"{SPACE}/{kind}", _upsert(kind)),
            route("DELETE", f"{SPACE}/{kind}", _delete(kind)),
        )
    ),
    route("PUT", f"{SPACE}/settings", settings),
    route("GET", f"{SPACE}/resource-group", resource_group),
    route("POST", f"{SPACE}/resource-group", set_resource_group),
)
