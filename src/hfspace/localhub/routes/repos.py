"""Creating, duplicating, deleting and moving Spaces (docs/hub-api.md section 8)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

from hfspace.localhub import ledger, machine, repo, rules, uploads, wire
from hfspace.localhub.machine import FREE, Doc
from hfspace.localhub.routes.call import SPACE, Call, route
from hfspace.localhub.routes.entries import entries_of, visibility_of
from hfspace.localhub.routes.listing import TEMPLATES
from hfspace.localhub.routes.runtime import check_zero_gpu, flavor_of, seconds_of, volumes_of
from hfspace.localhub.wire import Answer, Refused

_NAME = re.compile(r"(?!.*(--|\.\.))[A-Za-z0-9_][\w.-]{0,95}(?<!\.git)")


def create(call: Call) -> Answer:
    """POST /api/repos/create."""
    body = call.json()
    if body.get("type") != "space":
        raise Refused(400, "✖ The local Hub has Spaces only → at type")
    space = _new_id(call, body.get("organization"), body.get("name"))
    sdk = body.get("sdk")
    if sdk not in repo.SDKS:
        raise Refused(400, '✖ Invalid option: expected one of "gradio"|"docker"|"static" → at sdk')
    template = body.get("template")
    given = _files(body.get("files"))
    call.world.refuse_leaks(given)
    files: dict[str, repo.Content] = {**given}
    if template is not None:
        files = {**_template(call, str(template)), **files}
    doc = _prepared(call, space, sdk, body)
    own: dict[str, repo.Content] = {
        uploads.GIT_ATTRIBUTES: uploads.STARTING_ATTRIBUTES.encode(),
        "README.md": repo.readme(sdk).encode(),
    }
    return _born(call, doc, body, {**own, **files})


def duplicate(call: Call) -> Answer:
    """POST /api/spaces/{id}/duplicate: variables are copied, secrets are not."""
    source = call.world.find(call.who, call.space)
    body = call.json()
    owner, _, name = str(body.get("repository")).rpartition("/")
    space = _new_id(call, owner, name)
    if body.get("visibility") is None and body.get("private") is None:
        body["visibility"] = source["visibility"]
    doc = _prepared(call, space, source["sdk"], body)
    doc["variables"] = {**source["variables"], **doc["variables"]}
    contents = _contents(call, source)
    return _born(call, doc, body, contents, status_name=False)


def _new_id(call: Call, organization: object, name: object) -> str:
    """owner/name, if this may be made. Raises Refused: 400, 401, 403, 409."""
    who = call.who
    if who.account is None:
        raise Refused(401, wire.NO_USER)
    owner = str(organization or who.account)
    space = f"{owner}/{name}"
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise Refused(400, f"Invalid repo name: {str(name)[:96]}")
    if who.role == "oidc" or not rules.may_write(call.world.seed, who, space):
        raise Refused(403, f'You don\'t have the rights to create a space under the namespace "{owner}"')
    doc = call.world.store.space(space)
    if doc is not None:
        raise Refused(409, "You already created this space repo", url=f"{call.base}/spaces/{doc['id']}")
    return space


def _prepared(call: Call, space: str, sdk: str, body: dict[str, Any]) -> Doc:
    """The new Space with all that the request says, nothing saved. Raises Refused."""
    owner = space.split("/")[0]
    flavor = None if body.get("hardware") is None else flavor_of(body["hardware"], "hardware")
    check_zero_gpu(sdk, flavor)
    if sdk != "static":
        others = call.world.store.docs().values()
        rules.check_flavor(call.world.seed, owner, flavor or "cpu-basic", others, creating=True)
    elif body.get("volumes"):
        raise Refused(400, "Static Spaces can't be given volumes")
    if len(str(body.get("short_description") or "")) > 60:
        raise Refused(400, "✖ Too big: expected string to have <=60 characters → at short_description")
    doc = call.world.new(space, sdk, flavor)
    doc["visibility"] = visibility_of(call, body, owner)
    if body.get("sleepTimeSeconds") is not None:
        seconds = seconds_of(body["sleepTimeSeconds"], "sleepTimeSeconds")
        doc["sleep_time"] = doc["sleep_time"] if doc["requested"] in FREE | {None} else seconds
    for kind in ("variables", "secrets"):
        doc[kind] = entries_of(call, body.get(kind), kind)
    doc["volumes"] = volumes_of(body.get("volumes") or [])
    doc["region"] = body.get("region") or "us"
    doc["resource_group"] = body.get("resourceGroupId")
    if body.get("devModeEnabled"):
        rules.check_plan(call.world.seed, owner, "Dev mode")
        doc["dev_mode"] = True
    return doc


def _born(
    call: Call, doc: Doc, body: dict[str, Any], files: Mapping[str, repo.Content], *, status_name: bool = True
) -> Answer:
    world = call.world
    author = str(call.who.account)
    sdk = doc["sdk"]
    repo.commit(world.store, doc, files, now=world.now, title="initial commit", author=author)
    doc["sdk"] = sdk  # what was asked for, whatever a copied card says
    doc["built_sha"] = doc["sha"]
    if sdk != "static" and repo.has_app(doc):
        machine.start(doc, world.now)
    world.count("creates", doc["id"])
    world.store.set_meta(
        "moved", {old: new for old, new in world.store.meta("moved", {}).items() if old != doc["id"].lower()}
    )
    world.save(doc)
    url = f"{call.base}/spaces/{doc['id']}"
    return Answer(
        body={"url": url, "name": doc["id"], "id": doc["oid"]} if status_name else {"url": url}, effect=True
    )


def _contents(call: Call, source: Doc) -> dict[str, repo.Content]:
    return {path: repo.content(call.world.store, entry) for path, entry in source["files"].items()}


def _template(call: Call, template: str) -> dict[str, repo.Content]:
    """The files of a template: a Space of this Hub, else one of the listed ones."""
    source = call.world.store.space(template)
    if source is not None:
        return _contents(call, source)
    if template not in TEMPLATES:
        raise Refused(404, "Template not found", "RepoNotFound")
    return {path: text.encode() for path, text in repo.starter(TEMPLATES[template]).items()}


def _files(raw: object) -> dict[str, bytes]:
    if raw is None:
        return {}
    if not isinstance(raw, list):
        raise Refused(400, "✖ Invalid input: expected array → at files")
    files = {}
    for place, item in enumerate(raw):
        if not isinstance(item, dict) or not isinstance(item.get("path"), str):
            raise Refused(400, f"✖ Invalid input: expected string → at files[{place}].path")
        files[item["path"]] = content(item, f"files[{place}]")
    return files


def content(item: dict[str, Any], where: str) -> bytes:
    """The bytes of a file that a request carries. Raises Refused."""
    text = item.get("content", "")
    if not isinstance(text, str):
        raise Refused(400, f"✖ Invalid input: expected string → at {where}.content")
    if item.get("encoding") != "base64":
        return text.encode()
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise Refused(400, f"✖ Invalid base64 → at {where}.content") from None


def delete(call: Call) -> Answer:
    """DELETE /api/repos/delete: the name comes in the body, the answer is text."""
    body = call.json()
    doc = call.world.writable(call.who, f"{body.get('organization') or call.who.account}/{body.get('name')}")
    if call.who.role == "oidc":
        raise Refused(403, wire.NOT_ALLOWED)
    call.world.bury(doc)
    call.world.store.remove(doc["id"])
    call.world.count("deletes", doc["id"])
    return Answer(body="OK", content_type="text/plain; charset=utf-8", effect=True)


def move(call: Call) -> Answer:
    """POST /api/repos/move. The old name redirects from now on."""
    body = call.json()
    doc = call.world.writable(call.who, str(body.get("fromRepo")))
    target = str(body.get("toRepo"))
    owner, _, name = target.partition("/")
    if not _NAME.fullmatch(name):
        raise Refused(400, f"Invalid repo name: {name[:96]}")
    if call.who.role == "oidc" or not rules.may_write(call.world.seed, call.who, target):
        raise Refused(403, f'You don\'t have the rights to create a space under the namespace "{owner}"')
    if call.world.store.space(target) is not None and target.lower() != doc["id"].lower():
        raise Refused(409, "A repository with this name exists already")
    old = doc["id"]
    call.world.store.remove(old)
    if old.partition("/")[0].lower() != owner.lower():
        call.world.bury(doc)
        doc |= {"meter": [], "resource_group": None}
    doc["id"] = target
    ledger.meter(doc, call.world.now)
    moved = {key: target if new == old else new for key, new in call.world.store.meta("moved", {}).items()}
    moved.pop(target.lower(), None)
    call.world.store.set_meta(
        "moved", {**moved, old.lower(): target} if old.lower() != target.lower() else moved
    )
    call.world.save(doc)
    return Answer(body={}, effect=True)


ROUTES = (
    route("POST", "/api/repos/create", create),
    route("DELETE", "/api/repos/delete", delete),
    route("POST", "/api/repos/move", move),
    route("POST", f"{SPACE}/duplicate", duplicate),
)
