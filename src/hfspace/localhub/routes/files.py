"""The files of a Space: trees, uploads, commits and downloads (docs/hub-api.md section 2)."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlencode

from hfspace.localhub import machine, repo, uploads
from hfspace.localhub.large import LargeFile
from hfspace.localhub.machine import Doc
from hfspace.localhub.routes import large
from hfspace.localhub.routes.call import SPACE, Call, route
from hfspace.localhub.routes.history import last_commit
from hfspace.localhub.routes.repos import content
from hfspace.localhub.wire import Answer, Refused

_PAGE = 1000
_TEXT = "text/plain; charset=utf-8"


def tree(call: Call) -> Answer:
    """GET …/tree/{rev}[/{path}], in pages."""
    doc = call.world.find(call.who, call.space)
    head, files = repo.at_revision(call.world.store, doc, call.rest["rev"])
    entries = repo.tree(files, call.rest.get("path", ""), recursive=call.flag("recursive"))
    if call.flag("expand"):
        entries = [{**entry, "lastCommit": last_commit(call, doc)} for entry in entries]
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
        present = [{**entry, "lastCommit": last_commit(call, doc)} for entry in present]
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


def preupload(call: Call) -> Answer:
    """POST …/preupload/{rev}: how each file is sent, and which ones .gitignore drops. Answers without write
    permission, as the Hub does."""
    doc, store = call.world.find(call.who, call.space), call.world.store
    _, files = repo.at_revision(store, doc, call.rest["rev"])
    body = call.json()
    asked = body.get("files")
    if not isinstance(asked, list) or not all(isinstance(item, dict) for item in asked):
        raise Refused(400, "✖ Invalid input: expected array → at files")
    attributes, ignore = body.get("gitAttributes"), body.get("gitIgnore")
    if not isinstance(attributes, str):
        attributes = repo.text(store, files, uploads.GIT_ATTRIBUTES)
    if not isinstance(ignore, str):
        ignore = repo.text(store, files, ".gitignore")
    dropped = uploads.ignored((str(item.get("path")) for item in asked), ignore)
    over = call.world.seed.hub.large_files.over
    answers = []
    for item in asked:
        path, size = str(item.get("path")), item.get("size")
        if isinstance(size, bool) or not isinstance(size, int | float) or size < 0:
            raise Refused(400, "✖ Invalid input: expected number → at files.size")
        entry = files.get(path)
        known = {"oid": entry["lfs"]["oid"] if entry.get("lfs") else entry["oid"]} if entry else {}
        mode = "lfs" if uploads.is_large(path, int(size), attributes, over) else "regular"
        answers.append({"path": path, "uploadMode": mode, "shouldIgnore": path in dropped, **known})
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
    call.world.refuse_leaks({path: data for path, data in changes.items() if isinstance(data, bytes)})
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


def _changes(call: Call, doc: Doc) -> tuple[dict[str, Any], dict[str, repo.Content | None]]:
    """The header and what becomes of each path. Raises Refused."""
    header: dict[str, Any] = {}
    changes: dict[str, repo.Content | None] = {}
    for number, line in enumerate(line for line in call.body.splitlines() if line.strip()):
        key, value = _operation(line, number)
        path = str(value.get("path", ""))
        if key == "header":
            header = value
        elif key == "file":
            changes[_path(path)] = _small(call, path, content(value, f"operations[{number}]"))
        elif key == "lfsFile":
            changes[_path(path)] = _large(call, path, value)
        elif key == "deletedFile":
            changes[_path(path)] = None
        elif key == "deletedFolder":
            inside = f"{path.strip('/')}/"
            changes |= {name: None for name in doc["files"] if name.startswith(inside)}
        elif key == "copyFile" and value.get("srcPath") in doc["files"]:
            changes[_path(path)] = repo.content(call.world.store, doc["files"][value["srcPath"]])
        else:
            raise Refused(400, f"✖ The local Hub does not know this operation: {key[:40]}")
    return header, changes


def _small(call: Call, path: str, data: bytes) -> bytes:
    over = call.world.seed.hub.large_files.over
    if len(data) > over:
        raise Refused(
            400,
            f"Your push was rejected because it contains files larger than {over // 2**20} MiB.\n"
            f"Offending files:\n  - {path}",
        )
    return data


def _large(call: Call, path: str, value: dict[str, Any]) -> LargeFile:
    """A file that has arrived before, by its SHA-256."""
    oid, large = str(value.get("oid")), call.world.store.large
    if not re.fullmatch(r"[0-9a-f]{64}", oid) or not large.has(oid):
        raise Refused(
            400,
            "Your push was rejected because an LFS pointer pointed to a file that does not exist.\n"
            f"Offending file:\n  - {path}",
        )
    return LargeFile(oid, large.path(oid).stat().st_size)


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
    """GET /spaces/{id}/resolve/{rev}/{path}: the file itself, in part, or 304; where a large one is."""
    doc = call.world.find(call.who, call.space)
    head, files = repo.at_revision(call.world.store, doc, call.rest["rev"])
    entry = files.get(call.rest["path"])
    if entry is None:
        raise Refused(404, "Entry not found", "EntryNotFound")
    headers = {"X-Repo-Commit": head, "Accept-Ranges": "bytes"}
    if lfs := entry.get("lfs"):
        return large.fetch(call, lfs, headers)
    data, etag = call.world.store.blob(entry["oid"]), f'"{entry["oid"]}"'
    headers["ETag"] = etag
    if call.headers.get("if-none-match") == etag:
        return Answer(status=304, body=b"", content_type=_TEXT, headers=headers)
    part = large.part_of(call, len(data))
    if part is None:
        return Answer(body=data, content_type=_TEXT, headers=headers)
    first, last = part
    headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
    return Answer(status=206, body=data[first : last + 1], content_type=_TEXT, headers=headers)


def tree_size(call: Call) -> Answer:
    """GET …/treesize/{rev}/{path}: bytes below a folder, large files with their own size."""
    doc = call.world.find(call.who, call.space)
    _, files = repo.at_revision(call.world.store, doc, call.rest["rev"])
    folder = call.rest.get("path", "").strip("/")
    inside = [
        entry
        for path, entry in files.items()
        if not folder or path == folder or path.startswith(f"{folder}/")
    ]
    if folder and not inside:
        raise Refused(404, f"{folder} does not exist on this revision", "EntryNotFound")
    return Answer(body={"path": f"/{folder}", "size": sum(entry["size"] for entry in inside)})


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
    route("GET", f"{SPACE}/treesize/{{rev}}", tree_size),
    route("GET", f"{SPACE}/treesize/{{rev}}/{{path...}}", tree_size),
    route("POST", f"{SPACE}/paths-info/{{rev}}", paths_info),
    route("POST", f"{SPACE}/preupload/{{rev}}", preupload),
    route("POST", f"{SPACE}/commit/{{rev}}", commit),
    route("GET", "/spaces/{owner}/{name}/resolve/{rev}/{path...}", resolve),
    route("POST", "/api/validate-yaml", validate_yaml),
)
