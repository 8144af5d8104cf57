"""Reading Spaces: listings in pages, one Space, its runtime, hardware and templates."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import urlencode

from hfspace.localhub import hardware, machine, rules, wire
from hfspace.localhub.machine import Doc
from hfspace.localhub.routes.call import SPACE, Call, route
from hfspace.localhub.wire import EXPANDABLE, Answer, Refused

TEMPLATES = {
    "SpacesExamples/jupyterlab": "docker",
    "SpacesExamples/streamlit": "docker",
    "gradio-templates/chatbot": "gradio",
    "static-templates/plain": "static",
}
_SORTS = {
    "lastModified": "modified", "last_modified": "modified", "createdAt": "created", "created_at": "created",
    "likes": "likes", "trendingScore": "likes", "trending_score": "likes",
}  # fmt: skip


def spaces(call: Call) -> Answer:
    """GET /api/spaces (docs/hub-api.md section 1)."""
    expand = _expand(call)
    sort = call.one("sort")
    if sort is not None and sort not in _SORTS:
        raise Refused(400, f"✖ Invalid option: expected one of {_options(_SORTS)} → at sort")
    matching = sorted(_matching(call), key=lambda doc: _position(doc, sort))
    most = call.world.seed.hub.switches.max_page
    size = min(call.number("limit", most), most)
    if call.one("cursor"):
        after = _cursor(call.one("cursor") or "")
        matching = [doc for doc in matching if _position(doc, sort) > after]
    page, more = matching[:size], len(matching) > size
    view = call.world.view(call.base, listing=True)
    now = [machine.settled(doc, view.now) for doc in page]
    read = [call.world.read(doc) for doc in now] if "runtime" in expand else now
    items = [wire.item(doc, view, expand, full=call.flag("full")) for doc in read]
    return Answer(body=items, headers=_next(call, _position(page[-1], sort)) if more else {})


def _expand(call: Call) -> list[str]:
    expand = call.several("expand")
    if unknown := [name for name in expand if name not in EXPANDABLE]:
        raise Refused(400, f"✖ Invalid option: expected one of {_options(EXPANDABLE)} (got {unknown[0]})")
    return expand


def _options(names: Any) -> str:
    return "|".join(f'"{name}"' for name in names)


def _matching(call: Call) -> list[Doc]:
    seed, who = call.world.seed, call.who
    author, search = (call.one("author") or "").lower(), (call.one("search") or "").lower()
    wanted = call.several("filter")
    matching = []
    for key, doc in call.world.store.docs().items():
        if (author and not key.startswith(f"{author}/")) or search not in key:
            continue
        if wanted and not set(wanted) <= set(wire.tags(doc)):
            continue
        if (models := call.several("models")) and not set(models) & set(doc["card"].get("models") or []):
            continue
        if (sets := call.several("datasets")) and not set(sets) & set(doc["card"].get("datasets") or []):
            continue
        if rules.may_read(seed, who, doc):
            matching.append(doc)
    return matching


def _position(doc: Doc, sort: str | None) -> list[Any]:
    """Where a Space stands in a listing; also the cursor, so that what comes or goes moves no page."""
    return [-float(doc[_SORTS[sort]]) if sort else 0.0, doc["id"].lower()]


def _cursor(text: str) -> list[Any]:
    try:
        raw = json.loads(base64.urlsafe_b64decode(text))
        return [float(raw[0]), str(raw[1])]
    except (ValueError, TypeError, IndexError, KeyError):
        raise Refused(400, "✖ Invalid cursor → at cursor") from None


def _next(call: Call, position: list[Any]) -> dict[str, str]:
    cursor = base64.urlsafe_b64encode(json.dumps(position).encode()).decode()
    query = {**{name: values for name, values in call.query.items() if name != "cursor"}, "cursor": [cursor]}
    return {"Link": f'<{call.base}{call.path}?{urlencode(query, doseq=True)}>; rel="next"'}


def info(call: Call) -> Answer:
    """GET /api/spaces/{id}, also at a revision (docs/hub-api.md section 2)."""
    from hfspace.localhub import repo

    doc = call.world.read(call.world.find(call.who, call.space))
    expand = _expand(call)
    view = call.world.view(call.base)
    if expand:
        return Answer(body=wire.item(doc, view, expand))
    raw = wire.space(doc, view)
    if "rev" in call.rest:
        raw["sha"], files = repo.at_revision(call.world.store, doc, call.rest["rev"])
        raw["siblings"] = [{"rfilename": path} for path in sorted(files)]
    if call.flag("blobs"):
        for sibling in raw["siblings"]:
            entry = doc["files"].get(sibling["rfilename"], {"oid": None, "size": None})
            sibling |= {"blobId": entry["oid"], "size": entry["size"]}
            if lfs := entry.get("lfs"):
                sibling["lfs"] = {
                    "sha256": lfs["oid"],
                    "size": lfs["size"],
                    "pointerSize": lfs["pointerSize"],
                }
    return Answer(body=raw, headers={"X-Repo-Commit": raw["sha"]})


def runtime(call: Call) -> Answer:
    doc = call.world.read(call.world.find(call.who, call.space))
    return Answer(body=wire.runtime(doc, call.world.view(call.base)))


def by_subdomain(call: Call) -> Answer:
    """GET /api/spaces/by-subdomain/{subdomain}: which Space a host belongs to."""
    for doc in call.world.store.docs().values():
        matches = wire.subdomain(doc["id"]) == call.rest["subdomain"]
        if matches and rules.may_read(call.world.seed, call.who, doc):
            return Answer(body={"_id": doc["oid"], "id": doc["id"], "subdomain": call.rest["subdomain"]})
    raise Refused(404, "Repository not found", "RepoNotFound")


def search(call: Call) -> Answer:
    """GET /api/spaces/semantic-search: here, plain words in id and title."""
    words = (call.one("q") or "").lower().split()
    view = call.world.view(call.base)
    items = []
    for doc in _matching(call):
        now = machine.settled(doc, view.now)
        title = str(doc["card"].get("title") or doc["id"].split("/")[1])
        visible = call.flag("includeNonRunning") or now["stage"] == "RUNNING"
        sdk = call.several("sdk")
        if (
            visible
            and (not sdk or doc["sdk"] in sdk)
            and any(word in f"{doc['id']} {title}".lower() for word in words)
        ):
            raw = wire.item(now, view, [], full=True)
            items.append({**raw, "author": doc["id"].split("/")[0], "title": title, "emoji": "🚀",
                          "runtime": wire.runtime(now, view), "semanticRelevancyScore": 1.0})  # fmt: skip
    return Answer(body=items)


def flavors(call: Call) -> Answer:
    return Answer(body=hardware.listing())


def job_flavors(call: Call) -> Answer:
    """The same flavors for Jobs, with a disk."""
    return Answer(body=[{**flavor, "ephemeralStorage": "50 GB"} for flavor in hardware.listing()])


def templates(call: Call) -> Answer:
    every = [
        {"name": repo_id.split("/")[1], "repoId": repo_id, "sdk": sdk, "preferredPrivate": False}
        for repo_id, sdk in TEMPLATES.items()
    ]
    return Answer(body={"templates": every})


ROUTES = (
    route("GET", "/api/spaces", spaces),
    route("GET", "/api/spaces/hardware", flavors),
    route("GET", "/api/spaces/templates", templates),
    route("GET", "/api/spaces/semantic-search", search),
    route("GET", "/api/spaces/by-subdomain/{subdomain}", by_subdomain),
    route("GET", "/api/jobs/hardware", job_flavors),
    route("GET", f"{SPACE}/runtime", runtime),
    route("GET", f"{SPACE}/revision/{{rev}}", info),
)
# Two parts after /api/spaces/ are any Space: this comes after all that is more exact.
LAST = (route("GET", SPACE, info),)
