"""How the local Hub writes its answers: runtimes, Spaces, errors, as the real one does."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from hfspace.localhub.machine import NEVER, Doc

EXPANDABLE = (
    "author",
    "cardData",
    "createdAt",
    "datasets",
    "disabled",
    "lastModified",
    "likes",
    "models",
    "private",
    "region",
    "resourceGroup",
    "runtime",
    "sdk",
    "sha",
    "siblings",
    "subdomain",
    "tags",
    "trendingScore",
    "usedStorage",
    "xetEnabled",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One HTTP answer; `effect` says whether it changed something."""

    status: int = 200
    body: Any = None
    content_type: str = "application/json; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    effect: bool = False

    def data(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        if isinstance(self.body, str):
            return self.body.encode()
        return json.dumps(self.body, separators=(",", ":")).encode()


class Refused(Exception):
    """An error answer of the Hub."""

    def __init__(self, status: int, error: str, code: str = "", **extra: str) -> None:
        super().__init__(error)
        headers = {"X-Error-Message": error.encode("latin-1", "replace").decode("latin-1")}
        if code:
            headers["X-Error-Code"] = code
        if status == 401:
            headers["WWW-Authenticate"] = 'Bearer realm="Authentication required", charset="UTF-8"'
        self.answer = Answer(status=status, body={"error": error, **extra}, headers=headers)


def runtime(doc: Doc, *, volumes: bool = True, error: bool = True) -> dict[str, Any]:
    """The runtime object (hub-api 1.3)."""
    if doc["sdk"] == "static":
        replicas = {"requested": 1, "current": 1}
        return {
            "stage": "RUNNING",
            "hardware": {"current": None, "requested": None},
            "storage": None,
            "replicas": replicas,
        }
    paused = doc["stage"] == "PAUSED"
    up = doc["current"] is not None
    raw: dict[str, Any] = {
        "stage": doc["stage"],
        "hardware": {"current": doc["current"], "requested": doc["requested"]},
        "storage": None,
    }
    if not paused and doc["sleep_time"] != NEVER:
        raw["gcTimeout"] = doc["sleep_time"]
    raw["replicas"] = {"requested": doc["replicas"], **({"current": doc["replicas"]} if up else {})}
    if not paused:
        raw["devMode"] = doc["dev_mode"]
        raw["domains"] = [{"domain": f"{subdomain(doc['id'])}.hf.space", "stage": "READY"}]
    if up:
        raw["sha"] = doc["built_sha"]
    if doc["error"] and error:
        raw["errorMessage"] = doc["error"]
    if doc["volumes"] and volumes:
        raw["volumes"] = doc["volumes"]
    return raw


def space(doc: Doc, *, protected_reads_private: bool = True) -> dict[str, Any]:
    """The full object of GET /api/spaces/{id} (hub-api 1.2)."""
    author, name = doc["id"].split("/")
    host = doc["host"] or f"https://{subdomain(doc['id'])}.hf.space"
    private = doc["visibility"] == "private" or (doc["visibility"] == "protected" and protected_reads_private)
    return {
        "_id": doc["oid"],
        "id": doc["id"],
        "author": author,
        "sha": doc["sha"],
        "lastModified": stamp(doc["created"]),
        "private": private,
        "gated": False,
        "disabled": False,
        "host": host,
        "subdomain": subdomain(doc["id"]),
        "tags": [doc["sdk"], "region:us"],
        "likes": 0,
        "sdk": doc["sdk"],
        "cardData": {"title": name, "sdk": doc["sdk"]},
        "siblings": [{"rfilename": path} for path in sorted(doc["files"])],
        "createdAt": stamp(doc["created"]),
        "usedStorage": sum(len(text) for text in doc["files"].values()),
        "models": [],
        "datasets": [],
        "region": "us",
        "runtime": runtime(doc),
    }


def entries(values: dict[str, Any], *, with_value: bool) -> dict[str, Any]:
    """The map of variables, or of secrets without values (hub-api 1.6)."""
    shown: dict[str, Any] = {}
    for key, item in values.items():
        entry = {"key": key, "updatedAt": item["updated"]}
        if with_value:
            entry["value"] = item["value"]
        if item.get("description"):
            entry["description"] = item["description"]
        shown[key] = entry
    return shown


def subdomain(space: str) -> str:
    return space.lower().replace("/", "-").replace("_", "-").replace(".", "-")


def stamp(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def digest(text: str, length: int = 40) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()[:length]
