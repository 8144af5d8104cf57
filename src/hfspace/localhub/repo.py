"""The repository of a Space: files by git's own object ids, commits, the card in README.md's front matter."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import yaml

from hfspace.localhub import uploads, wire
from hfspace.localhub.large import LargeFile
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
        path.rpartition("/")[2] not in {"README.md", uploads.GIT_ATTRIBUTES, "LICENSE"}
        for path in doc["files"]
    )


def blob_oid(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


Content = bytes | LargeFile
"""What a path of a repository holds."""


def commit(
    store: Store,
    doc: Doc,
    changes: Mapping[str, Content | None],
    *,
    now: float,
    title: str,
    author: str,
    message: str = "",
) -> str:
    """Add, replace or (None) delete files; moves the Space's head, reads its card, returns the new head."""
    files = dict(doc["files"])
    for path, content in changes.items():
        if content is None:
            files.pop(path, None)
        else:
            files[path] = _stored(store, content)
    large = sorted(path for path, content in changes.items() if isinstance(content, LargeFile))
    if large:
        attributes = text(store, files, uploads.GIT_ATTRIBUTES)
        files[uploads.GIT_ATTRIBUTES] = _stored(store, uploads.with_large(attributes, large).encode())
    doc["files"] = files
    parent = doc["sha"]
    doc["sha"] = wire.digest(f"{doc['oid']} {parent} {now} {title} {sorted(files.items())}")
    doc["modified"] = now
    doc["fails"] = next((entry["fails"] for entry in files.values() if entry.get("fails")), None)
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


def _stored(store: Store, content: Content) -> dict[str, Any]:
    """The entry of a file; of a large one git has the pointer."""
    data = content if isinstance(content, bytes) else content.pointer
    oid = blob_oid(data)
    store.put_blob(oid, data)
    if isinstance(content, LargeFile):
        lfs = {"oid": content.oid, "size": content.size, "pointerSize": len(data)}
        return {"oid": oid, "size": content.size, "lfs": lfs}
    fails = uploads.outcome(data)
    return {"oid": oid, "size": len(data), **({"fails": fails} if fails else {})}


def content(store: Store, entry: Mapping[str, Any]) -> Content:
    """What an entry of a Space's files holds."""
    lfs = entry.get("lfs")
    return LargeFile(lfs["oid"], lfs["size"]) if lfs else store.blob(entry["oid"])


def text(store: Store, files: Mapping[str, Any], path: str) -> str:
    """A small file as text; "" where there is none."""
    entry = files.get(path)
    return store.blob(entry["oid"]).decode(errors="replace") if entry else ""


def _read_card(store: Store, doc: Doc) -> None:
    doc["card"] = front_matter(text(store, doc["files"], "README.md")[:MAX_CARD_BYTES]) or {}
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
    inside = [path for path in sorted(files) if path.startswith(prefix)]
    if prefix and not inside:
        raise Refused(404, f"{folder} does not exist on this revision", "EntryNotFound")
    folders: dict[str, list[str]] = {}
    entries: dict[str, dict[str, Any]] = {}
    for path in inside:
        steps = path[len(prefix) :].split("/")
        for depth in range(1, len(steps)):
            name = prefix + "/".join(steps[:depth])
            folders.setdefault(name, []).append(files[path]["oid"])
            if recursive or depth == 1:
                entries.setdefault(name, {"type": "directory", "oid": "", "size": 0, "path": name})
        if recursive or len(steps) == 1:
            entries[path] = file_entry(path, files[path])
    for name, entry in entries.items():
        if entry["type"] == "directory":
            entry["oid"] = wire.digest(f"{name} {' '.join(folders[name])}")
    return list(entries.values())


def file_entry(path: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """A file as a tree names it."""
    lfs = {"lfs": entry["lfs"]} if entry.get("lfs") else {}
    return {"type": "file", "oid": entry["oid"], "size": entry["size"], **lfs, "path": path}


def volume(raw: Mapping[str, Any]) -> dict[str, Any]:
    """A volume as it is kept: repositories are read-only, buckets are not unless they say so."""
    kind = raw.get("type", "bucket")
    return {**raw, "type": kind, "readOnly": raw.get("readOnly", False) if kind == "bucket" else True}
