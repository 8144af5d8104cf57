"""How the local Hub writes its answers: runtimes, Spaces, errors, as the real one does."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from hfspace.localhub.machine import NEVER, Doc
from hfspace.text import plain

NOT_ALLOWED = "You have read access but not the required permissions for this operation"
NO_USER = "Invalid username or password."
NO_PAGE = "Sorry, we can't find the page you are looking for."


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One HTTP answer; `effect` says whether it changed something, `stream` follows the body."""

    status: int = 200
    body: Any = None
    content_type: str = "application/json; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    effect: bool = False
    stream: Callable[[], AsyncIterator[bytes]] | None = None

    def data(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        if isinstance(self.body, str):
            return self.body.encode()
        return json.dumps(self.body, separators=(",", ":"), ensure_ascii=False).encode()


class Refused(Exception):
    """An error answer of the Hub."""

    def __init__(self, status: int, error: str, code: str = "", **extra: str) -> None:
        super().__init__(error)
        headers = {"X-Error-Message": header_safe(error)}
        if code:
            headers["X-Error-Code"] = code
        if status == 401:
            headers["WWW-Authenticate"] = 'Bearer realm="Authentication required", charset="UTF-8"'
        self.answer = Answer(status=status, body={"error": error, **extra}, headers=headers)


class Moved(Exception):
    """The Space has another name now."""

    def __init__(self, old: str, new: str) -> None:
        super().__init__(new)
        self.old, self.new = old, new


def header_safe(text: str) -> str:
    return plain(text).encode("latin-1", "replace").decode("latin-1")


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What an answer depends on besides the document."""

    now: float
    base: str = "http://127.0.0.1"
    edge: bool = False
    ports: Mapping[str, int] = field(default_factory=dict)
    protected_in_private: bool = True
    paused_forgets_after: float = 0.0
    volumes: bool = True
    error: bool = True


def runtime(doc: Doc, view: View, *, fresh: bool = False) -> dict[str, Any]:
    """The runtime object (docs/hub-api.md section 3). `fresh`: the answer to the request that changed it, in
    which a paused Space still has everything (recorded); later ones lack sleep time, dev mode and domains."""
    if doc["sdk"] == "static":
        replicas = {"requested": 1, "current": 1}
        return {
            "stage": doc["stage"],
            "hardware": {"current": None, "requested": None},
            "storage": None,
            "replicas": replicas,
        }
    paused_for = view.now - doc["since"] if doc["stage"] == "PAUSED" else -1.0
    whole = fresh or paused_for < 0 or paused_for < view.paused_forgets_after
    up = doc["current"] is not None
    raw: dict[str, Any] = {
        "stage": doc["stage"],
        "hardware": {"current": doc["current"], "requested": doc["requested"]},
        "storage": None,
    }
    if whole and doc["sleep_time"] != NEVER:
        raw["gcTimeout"] = doc["sleep_time"]
    count = doc["replicas"]
    raw["replicas"] = {
        "requested": count,
        **({"current": 1 if count == "auto" else count} if up else {} if whole else {"current": None}),
    }
    if whole:
        raw["devMode"] = doc["dev_mode"]
        raw["domains"] = [{"domain": host(doc, view).partition("://")[2], "stage": "READY"}]
        raw["domains"] += [{"domain": name, "stage": "PENDING", "isCustom": True} for name in doc["domains"]]
    if up:
        raw["sha"] = doc["built_sha"]
    if doc["error"] and view.error:
        raw["errorMessage"] = doc["error"]
    if doc["volumes"] and view.volumes:
        raw["volumes"] = [volume(item) for item in doc["volumes"]]
    return raw


def volume(item: Mapping[str, Any]) -> dict[str, Any]:
    """A source that nobody may see comes masked."""
    public = {key: value for key, value in item.items() if key != "hidden"}
    return {**public, "source": "****/******"} if item.get("hidden") else public


def _private(doc: Doc, view: View) -> bool:
    seen = doc["visibility"] == "protected" and view.protected_in_private
    return bool(doc["visibility"] == "private" or seen)


def host(doc: Doc, view: View) -> str:
    """Where the app is: the seed's own URL, the edge of this Hub, or a name that nothing answers to."""
    if view.edge:
        port = view.ports.get(doc["id"].lower())
        origin = f"{view.base.rpartition(':')[0]}:{port}"
        return origin if port else f"{view.base}/_edge/{subdomain(doc['id'])}"
    if doc["host"]:
        return str(doc["host"])
    static = ".static" if doc["sdk"] == "static" else ""
    return f"https://{subdomain(doc['id'])}{static}.hf.space"


FIELDS: dict[str, Callable[[Doc, View], Any]] = {
    "author": lambda doc, view: doc["id"].split("/")[0],
    "cardData": lambda doc, view: doc["card"],
    "createdAt": lambda doc, view: stamp(doc["created"]),
    "datasets": lambda doc, view: _listed(doc, "datasets"),
    "disabled": lambda doc, view: False,
    "lastModified": lambda doc, view: stamp(doc["modified"]),
    "likes": lambda doc, view: doc["likes"],
    "models": lambda doc, view: _listed(doc, "models"),
    "private": _private,
    "region": lambda doc, view: doc["region"],
    "resourceGroup": lambda doc, view: doc["resource_group"],
    "runtime": runtime,
    "sdk": lambda doc, view: doc["sdk"],
    "sha": lambda doc, view: doc["sha"],
    "siblings": lambda doc, view: [{"rfilename": path} for path in sorted(doc["files"])],
    "subdomain": lambda doc, view: subdomain(doc["id"]),
    "tags": lambda doc, view: tags(doc),
    "trendingScore": lambda doc, view: doc["likes"],
    "usedStorage": lambda doc, view: sum(entry["size"] for entry in doc["files"].values()),
    "xetEnabled": lambda doc, view: False,
}
EXPANDABLE = tuple(FIELDS)
_WHOLE = (
    "author", "sha", "lastModified", "private", "disabled", "subdomain", "tags", "likes", "sdk", "cardData",
    "siblings", "createdAt", "usedStorage", "models", "datasets", "region", "runtime",
)  # fmt: skip
_LISTED = ("author", "createdAt", "lastModified", "likes", "private", "sdk", "sha", "tags", "trendingScore")
_LISTED_FULL = (*_LISTED, "cardData", "siblings", "subdomain")


def space(doc: Doc, view: View) -> dict[str, Any]:
    """The full object of GET /api/spaces/{id} (docs/hub-api.md section 2)."""
    raw: dict[str, Any] = {"_id": doc["oid"], "id": doc["id"], "gated": False, "host": host(doc, view)}
    return raw | {name: FIELDS[name](doc, view) for name in _WHOLE}


def item(doc: Doc, view: View, expand: list[str], *, full: bool = False) -> dict[str, Any]:
    """One Space of a listing, or of an info with `expand`: the asked fields and nothing else."""
    names = expand or (_LISTED_FULL if full else _LISTED)
    raw: dict[str, Any] = {"_id": doc["oid"], "id": doc["id"]}
    for name in names:
        if name == "runtime" and doc["runtime_missing"]:
            continue
        raw[name] = FIELDS[name](doc, view)
    return raw


def entries(values: dict[str, Any], *, with_value: bool) -> dict[str, Any]:
    """The map of variables, or of secrets without values (docs/hub-api.md section 6)."""
    fields: dict[str, Any] = {}
    for key, entry in values.items():
        raw = {"key": key, "updatedAt": entry["updated"]}
        if with_value:
            raw["value"] = entry["value"]
        if entry.get("description"):
            raw["description"] = entry["description"]
        fields[key] = raw
    return fields


def tags(doc: Doc) -> list[str]:
    card = doc["card"].get("tags") if isinstance(doc["card"], dict) else None
    own = [tag for tag in card if isinstance(tag, str)] if isinstance(card, list) else []
    return [*doc["tags"], *own, doc["sdk"], f"region:{doc['region']}"]


def _listed(doc: Doc, name: str) -> list[str]:
    values = doc["card"].get(name)
    return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []


def subdomain(space: str) -> str:
    return space.lower().replace("/", "-").replace("_", "-").replace(".", "-")


def stamp(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def digest(text: str | bytes, length: int = 40) -> str:
    data = text.encode() if isinstance(text, str) else text
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()[:length]
