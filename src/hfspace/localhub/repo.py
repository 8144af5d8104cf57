"""The repository of a Space: files by git's own object ids, commits, the card in README.md's front matter."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import yaml

from hfspace.localhub import wire
from hfspace.localhub.machine import Doc
from hfspace.localhub.store import Store
from hfspace.localhub.wire import Refused

SDKS = ("gradio", "docker", "static")
MAX_CARD_BYTES = 1_000_000
_STARTERS = {
    "gradio": ("app.py", "import gradio as gr\n\ngr.Interface(lambda name: name, 'text', 'text').launch()\n"),
    "docker": ("Dockerfile", "FROM python:3.12-slim\nCMD python -m http.server 7860\n"),
    "static": ("index.html", "<!doctype html><title>A static Space</title>\n"),
}


def starter(sdk: str) -> dict[str, str]:
    """The files of a Space that the seed says nothing about."""
    name, text = _STARTERS.get(sdk, _STARTERS["docker"])
    return {"README.md": readme(sdk), name: text}


def readme(sdk: str, title: str = "") -> str:
    return f"---\n{'title: ' + title + chr(10) if title else ''}sdk: {sdk}\n---\n"


def has_app(doc: Doc) -> bool:
    """Whether there is something to build. A card alone is not an app."""
    return any(
        path.rpartition("/")[2] not in {"README.md", ".gitattributes", "LICENSE"} for path in doc["files"]
    )


def blob_oid(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def commit(
    store: Store,
    doc: Doc,
    changes: Mapping[str, bytes | None],
    *,
    now: float,
    title: str,
    author: str,
    message: str = "",
) -> str:
    """Add, replace or (None) delete files; moves the Space's head, reads its card, returns the new head."""
    files = dict(doc["files"])
    for path, data in changes.items():
        if data is None:
            files.pop(path, None)
        else:
            oid = blob_oid(data)
            store.put_blob(oid, data)
            files[path] = {"oid": oid, "size": len(data)}
    doc["files"] = files
    parent = doc["sha"]
    doc["sha"] = wire.digest(f"{doc['oid']} {parent} {now} {title} {sorted(files.items())}")
    doc["modified"] = now
    _read_card(store, doc)
    commit = {
        "oid": doc["sha"],
        "title": title,
        "message": message,
        "author": author,
        "at": now,
        "files": files,
    }
    store.put_commit(doc["oid"], commit)
    return str(doc["sha"])


def _read_card(store: Store, doc: Doc) -> None:
    entry = doc["files"].get("README.md")
    text = store.blob(entry["oid"])[:MAX_CARD_BYTES].decode(errors="replace") if entry else ""
    doc["card"] = front_matter(text) or {}
    if doc["card"].get("sdk") in SDKS:
        doc["sdk"] = doc["card"]["sdk"]


def front_matter(text: str) -> dict[str, Any] | None:
    """The YAML between the first two lines of three dashes; None where there is none or it is broken."""
    if not text.startswith("---"):
        return {}
    try:
        card = yaml.safe_load(text[3:].partition("\n---")[0])
    except (yaml.YAMLError, RecursionError, ValueError):
        return None
    if not isinstance(card, dict):
        return None if card else {}
    return {str(key): _plain(value) for key, value in card.items()}


def _plain(value: Any, depth: int = 0) -> Any:
    """YAML has dates and other values that JSON lacks."""
    if isinstance(value, dict) and depth < 8:
        return {str(key): _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list) and depth < 8:
        return [_plain(item, depth + 1) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def at_revision(store: Store, doc: Doc, revision: str) -> tuple[str, dict[str, Any]]:
    """(head, files) at a branch, tag or commit. Raises Refused with RevisionNotFound."""
    wanted = doc["refs"].get(revision, {}).get("target", revision)
    if wanted in {"main", "HEAD", doc["sha"], "refs/heads/main"}:
        return doc["sha"], doc["files"]
    for commit in store.commits(doc["oid"]):
        if commit["oid"] == wanted or (len(wanted) >= 7 and commit["oid"].startswith(wanted)):
            return commit["oid"], commit["files"]
    raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")


def tree(files: Mapping[str, Any], folder: str, *, recursive: bool) -> list[dict[str, Any]]:
    """The entries of a folder, directories first named by their path. Raises Refused with EntryNotFound."""
    prefix = f"{folder.strip('/')}/" if folder.strip("/") else ""
    inside = {path: entry for path, entry in files.items() if path.startswith(prefix)}
    if prefix and not inside:
        raise Refused(404, f"{folder} does not exist on this revision", "EntryNotFound")
    entries: dict[str, dict[str, Any]] = {}
    for path, entry in sorted(inside.items()):
        steps = path[len(prefix) :].split("/")
        for depth in range(1, len(steps) if recursive else min(2, len(steps))):
            name = prefix + "/".join(steps[:depth])
            oid = wire.digest(name + str(sorted(p for p in files if p.startswith(name + "/"))))
            entries.setdefault(name, {"type": "directory", "oid": oid, "size": 0, "path": name})
        if recursive or len(steps) == 1:
            entries[path] = {"type": "file", "oid": entry["oid"], "size": entry["size"], "path": path}
    return list(entries.values())


def volume(raw: Mapping[str, Any]) -> dict[str, Any]:
    """A volume as it is kept: repositories are read-only, buckets are not unless they say so."""
    kind = raw.get("type", "bucket")
    return {**raw, "type": kind, "readOnly": raw.get("readOnly", False) if kind == "bucket" else True}
