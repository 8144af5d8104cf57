"""The files of a Space: trees, commits, small uploads and downloads (docs/hub-api.md section 2)."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlencode

from hfspace.localhub import machine, repo, wire
from hfspace.localhub.machine import Doc
from hfspace.localhub.routes.call import SPACE, Call, route
from hfspace.localhub.routes.repos import content
from hfspace.localhub.wire import Answer, Refused

_MAX_FILE = 10 * 2**20
_PAGE = 1000
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


def tree(call: Call) -> Answer:
    """GET …/tree/{rev}[/{path}], in pages."""
    doc = call.world.find(call.who, call.space)
    head, files = repo.at_revision(call.world.store, doc, call.rest["rev"])
    entries = repo.tree(files, call.rest.get("path", ""), recursive=call.flag("recursive"))
    if call.flag("expand"):
        entries = [{**entry, "lastCommit": _last(call, doc)} for entry in entries]
    begin, size = call.number("cursor", 0, least=0), min(call.number("limit", _PAGE), _PAGE)
    page = entries[begin : begin + size]
    headers = {"X-Repo-Commit": head}
    if begin + size < len(entries):
        query = {**call.query, "cursor": [str(begin + size)]}
        headers["Link"] = f'<{call.base}{call.path}?{urlencode(query, doseq=True)}>; rel="next"'
    return Answer(body=page, headers=headers)


def paths_info(call: Call) -> Answer:
    """POST …/paths-info/{rev}, as JSON or as a form; unknown paths are left out."""
    doc = call.world.find(call.who, call.space)
    _, files = repo.at_revision(call.world.store, doc, call.rest["rev"])
    paths, expand = _asked(call)
    entries = {entry["path"]: entry for entry in repo.tree(files, "", recursive=True)}
    present = [entries[path] for path in paths if path in entries]
    if expand:
        present = [{**entry, "lastCommit": _last(call, doc)} for entry in present]
    return Answer(body=present)


def _asked(call: Call) -> tuple[list[str], bool]:
    if "form" in call.headers.get("content-type", ""):
        form = parse_qs(call.body.decode(errors="replace"))
        return form.get("paths", []), form.get("expand", ["false"])[-1].lower() == "true"
    body = call.json()
    paths = body.get("paths", [])
    if isinstance(paths, str):
        paths = [paths]
    if not isinstance(paths, list):
        raise Refused(400, "✖ Invalid input: expected array → at paths")
    return [str(path) for path in paths], bool(body.get("expand"))


def _last(call: Call, doc: Doc) -> dict[str, str]:
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


def preupload(call: Call) -> Answer:
    """POST …/preupload/{rev}: here every file is small. Answers without write permission, as the Hub does."""
    doc = call.world.find(call.who, call.space)
    _, files = repo.at_revision(call.world.store, doc, call.rest["rev"])
    asked = call.json().get("files")
    if not isinstance(asked, list) or not all(isinstance(item, dict) for item in asked):
        raise Refused(400, "✖ Invalid input: expected array → at files")
    answers = []
    for item in asked:
        path = str(item.get("path"))
        known = {"oid": files[path]["oid"]} if path in files else {}
        answers.append({"path": path, "uploadMode": "regular", "shouldIgnore": False, **known})
    return Answer(body={"files": answers, "commitOid": doc["sha"]})


def commit(call: Call) -> Answer:
    """POST …/commit/{rev} with one JSON object a line; every commit rebuilds."""
    doc = call.world.writable(call.who, call.space, doing="commit")
    if call.rest["rev"] != "main" or call.flag("create_pr"):
        raise Refused(400, "The local Hub takes commits to main only, without pull requests")
    header, changes = _changes(call, doc)
    parent = header.get("parentCommit")
    if parent is not None and parent != doc["sha"]:
        raise Refused(412, "A commit has happened since. Please refresh and try again.")
    title = str(header.get("summary") or "")
    if not title:
        raise Refused(400, "✖ Commit summary cannot be empty → at summary")
    head = repo.commit(
        call.world.store, doc, changes, now=call.world.now, title=title,
        author=str(call.who.account), message=str(header.get("description") or ""),
    )  # fmt: skip
    if repo.has_app(doc):
        machine.committed(doc, call.world.now)
    call.world.save(doc)
    url = f"{call.base}/spaces/{doc['id']}/commit/{head}"
    body = {"success": True, "commitOid": head, "commitUrl": url, "hookOutput": ""}
    return Answer(body=body, effect=True)


def _changes(call: Call, doc: Doc) -> tuple[dict[str, Any], dict[str, bytes | None]]:
    """The header and what becomes of each path. Raises Refused."""
    header: dict[str, Any] = {}
    changes: dict[str, bytes | None] = {}
    for number, line in enumerate(line for line in call.body.splitlines() if line.strip()):
        key, value = _operation(line, number)
        path = str(value.get("path", ""))
        if key == "header":
            header = value
        elif key == "file":
            changes[_path(path)] = content(value, f"operations[{number}]")
            if len(changes[path] or b"") > _MAX_FILE:
                raise Refused(413, "The local Hub keeps files up to 10 MB")
        elif key == "deletedFile":
            changes[_path(path)] = None
        elif key == "deletedFolder":
            inside = f"{path.strip('/')}/"
            changes |= {name: None for name in doc["files"] if name.startswith(inside)}
        elif key == "copyFile" and value.get("srcPath") in doc["files"]:
            changes[_path(path)] = call.world.store.blob(doc["files"][value["srcPath"]]["oid"])
        else:
            raise Refused(400, f"✖ The local Hub does not know this operation: {key[:40]}")
    return header, changes


def _operation(line: bytes, number: int) -> tuple[str, dict[str, Any]]:
    try:
        raw = json.loads(line)
        key, value = raw["key"], raw["value"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Refused(400, f"✖ Invalid line in the body → at line {number + 1}") from None
    if not isinstance(key, str) or not isinstance(value, dict):
        raise Refused(400, f"✖ Invalid line in the body → at line {number + 1}")
    return key, value


def _path(path: str) -> str:
    parts = path.split("/")
    if not path or any(part in {"", ".", "..", ".git"} for part in parts):
        raise Refused(400, f"✖ Invalid path: {path[:96]}")
    return path


def resolve(call: Call) -> Answer:
    """GET /spaces/{id}/resolve/{rev}/{path}: the file itself, whole, in part, or 304."""
    doc = call.world.find(call.who, call.space)
    head, files = repo.at_revision(call.world.store, doc, call.rest["rev"])
    entry = files.get(call.rest["path"])
    if entry is None:
        raise Refused(404, "Entry not found", "EntryNotFound")
    data, etag = call.world.store.blob(entry["oid"]), f'"{entry["oid"]}"'
    headers = {"ETag": etag, "X-Repo-Commit": head, "Accept-Ranges": "bytes"}
    plain = "text/plain; charset=utf-8"
    if call.headers.get("if-none-match") == etag:
        return Answer(status=304, body=b"", content_type=plain, headers=headers)
    part = _RANGE.fullmatch(call.headers.get("range", ""))
    if part is None:
        return Answer(body=data, content_type=plain, headers=headers)
    first, last = int(part[1]), min(int(part[2] or len(data) - 1), len(data) - 1)
    if first > last:
        raise Refused(416, "Range Not Satisfiable")
    headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
    return Answer(status=206, body=data[first : last + 1], content_type=plain, headers=headers)


def validate_yaml(call: Call) -> Answer:
    """POST /api/validate-yaml: the card of a README before it is committed."""
    card = repo.front_matter(str(call.json().get("content") or ""))
    errors = [{"message": "The metadata is not valid YAML"}] if card is None else []
    if card and card.get("sdk") not in {*repo.SDKS, "streamlit", None}:
        errors.append({"message": '"sdk" must be one of [gradio, docker, static]'})
    return Answer(status=400 if errors else 200, body={"errors": errors, "warnings": []})


ROUTES = (
    route("GET", f"{SPACE}/tree/{{rev}}", tree),
    route("GET", f"{SPACE}/tree/{{rev}}/{{path...}}", tree),
    route("POST", f"{SPACE}/paths-info/{{rev}}", paths_info),
    route("GET", f"{SPACE}/commits/{{rev}}", commits),
    route("GET", f"{SPACE}/refs", refs),
    route("POST", f"{SPACE}/tag/{{rev}}", add_ref),
    route("DELETE", f"{SPACE}/tag/{{rev}}", remove_ref),
    route("POST", f"{SPACE}/branch/{{rev}}", add_ref),
    route("DELETE", f"{SPACE}/branch/{{rev}}", remove_ref),
    route("POST", f"{SPACE}/preupload/{{rev}}", preupload),
    route("POST", f"{SPACE}/commit/{{rev}}", commit),
    route("GET", "/spaces/{owner}/{name}/resolve/{rev}/{path...}", resolve),
    route("POST", "/api/validate-yaml", validate_yaml),
)
