"""The history of a Space: commits, branches and tags, and what changed between two commits."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from hfspace.localhub import repo, wire
from hfspace.localhub.machine import Doc
from hfspace.localhub.routes.call import SPACE, Call, route
from hfspace.localhub.store import Store
from hfspace.localhub.wire import Answer, Refused

_LARGEST_DIFF = 2**20
_TEXT = "text/plain; charset=utf-8"


def last_commit(call: Call, doc: Doc) -> dict[str, str]:
    commits = call.world.store.commits(doc["oid"])
    newest = commits[0] if commits else {"oid": doc["sha"], "title": "", "at": doc["created"]}
    return {"id": newest["oid"], "title": newest["title"], "date": wire.stamp(newest["at"])}


def commits(call: Call) -> Answer:
    """GET …/commits/{rev}: newest first, in pages of 50."""
    doc = call.world.find(call.who, call.space)
    head, _ = repo.at_revision(call.world.store, doc, call.rest["rev"])
    commits = call.world.store.commits(doc["oid"])
    commits = commits[next((place for place, one in enumerate(commits) if one["oid"] == head), 0) :]
    page, size = call.number("p", 0, least=0), min(call.number("limit", 50), 1000)
    shown = [
        {
            "id": one["oid"],
            "title": one["title"],
            "message": one["message"],
            "authors": [{"user": one["author"]}],
            "date": wire.stamp(one["at"]),
            **(
                {"formatted": {"title": one["title"], "message": one["message"]}}
                if call.one("expand")
                else {}
            ),
        }
        for one in commits[page * size : (page + 1) * size]
    ]
    return Answer(body=shown, headers={"X-Total-Count": str(len(commits))})


def refs(call: Call) -> Answer:
    doc = call.world.find(call.who, call.space)
    named: dict[str, list[dict[str, str]]] = {"tags": [], "branches": [], "converts": []}
    named["branches"].append({"name": "main", "ref": "refs/heads/main", "targetCommit": doc["sha"]})
    for name, ref in doc["refs"].items():
        kind = "tags" if ref["tag"] else "branches"
        path = f"refs/{'tags' if ref['tag'] else 'heads'}/{name}"
        named[kind].append({"name": name, "ref": path, "targetCommit": ref["target"]})
    return Answer(body={**named, "pullRequests": []} if call.flag("include_prs") else named)


def add_ref(call: Call) -> Answer:
    """POST …/tag/{rev} names the tag in its body, POST …/branch/{name} the start."""
    doc = call.world.writable(call.who, call.space)
    body = call.json()
    is_tag = "/tag/" in call.path
    name = str(body.get("tag")) if is_tag else call.rest["rev"]
    start = call.rest["rev"] if is_tag else str(body.get("startingPoint") or "main")
    if name in doc["refs"] or name == "main":
        raise Refused(409, f"Tag reference exists already: {name}" if is_tag else "Reference already exists")
    target, _ = repo.at_revision(call.world.store, doc, start)
    doc["refs"][name] = {"target": target, "tag": is_tag}
    call.world.save(doc)
    return Answer(body="OK", content_type="text/plain; charset=utf-8", effect=True)


def remove_ref(call: Call) -> Answer:
    doc = call.world.writable(call.who, call.space)
    if doc["refs"].pop(call.rest["rev"], None) is None:
        raise Refused(404, f"Invalid rev id: {call.rest['rev']}", "RevisionNotFound")
    call.world.save(doc)
    return Answer(body="OK", content_type="text/plain; charset=utf-8", effect=True)


def compare(call: Call) -> Answer:
    """GET …/compare/{from}..{to}: what changed, as git writes it; a JSON string unless `raw` is asked for."""
    doc, store = call.world.find(call.who, call.space), call.world.store
    first, dots, second = call.rest["compare"].partition("..")
    if not dots:
        raise Refused(400, "✖ Invalid input: expected two revisions with .. between them → at compare")
    _, before = repo.at_revision(store, doc, first)
    _, after = repo.at_revision(store, doc, second.removeprefix("."))
    text = "".join(_diff(store, before, after))
    raw = "raw" in call.query and (call.one("raw") or "").lower() not in {"false", "0"}
    return Answer(body=text.encode(), content_type=_TEXT) if raw else Answer(body=json.dumps(text))


def _diff(store: Store, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for path in sorted({*before, *after}):
        old, new = before.get(path), after.get(path)
        if (old and old["oid"]) == (new and new["oid"]):
            continue
        yield f"diff --git a/{path} b/{path}\n"
        if old is None:
            yield "new file mode 100644\n"
        elif new is None:
            yield "deleted file mode 100644\n"
        yield f"index {(old['oid'] if old else '0' * 40)[:7]}..{(new['oid'] if new else '0' * 40)[:7]}\n"
        yield from _lines(path, _data(store, old), _data(store, new))


def _data(store: Store, entry: Mapping[str, Any] | None) -> bytes | None:
    """What git has of a file: the pointer of a large one. None where there is none."""
    return store.blob(entry["oid"]) if entry else None


def _lines(path: str, old: bytes | None, new: bytes | None) -> Iterator[str]:
    names = f"a/{path}" if old is not None else "/dev/null", f"b/{path}" if new is not None else "/dev/null"
    try:
        texts = [(data or b"").decode() for data in (old, new)]
    except UnicodeDecodeError:
        texts = ["\0"]
    if any("\0" in text or len(text) > _LARGEST_DIFF for text in texts):
        yield f"Binary files {names[0]} and {names[1]} differ\n"
        return
    lines = [text.splitlines(keepends=True) for text in texts]
    for line in difflib.unified_diff(lines[0], lines[1], *names):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


ROUTES = (
    route("GET", f"{SPACE}/commits/{{rev}}", commits),
    route("GET", f"{SPACE}/refs", refs),
    route("POST", f"{SPACE}/tag/{{rev}}", add_ref),
    route("DELETE", f"{SPACE}/tag/{{rev}}", remove_ref),
    route("POST", f"{SPACE}/branch/{{rev}}", add_ref),
    route("DELETE", f"{SPACE}/branch/{{rev}}", remove_ref),
    route("GET", f"{SPACE}/compare/{{compare}}", compare),
)
