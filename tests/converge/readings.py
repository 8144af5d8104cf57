"""What a manifest says and what a Hub holds, compared by a reading that shares no code with hfspace."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

Folders = Mapping[str, Mapping[str, str]]


def declared_differs(
    spec: Mapping[str, Any], doc: Mapping[str, Any], env: Mapping[str, str], folders: Folders
) -> list[str]:
    """What is not as declared, by a reading of the manifest that shares nothing with hfspace."""
    ignored, prune = spec.get("ignore", []), spec.get("prune", [])
    paused = doc["stage"] == "PAUSED"
    wrong = []
    if "hardware" in spec and "hardware" not in ignored and doc["requested"] != spec["hardware"]:
        wrong.append("hardware")
    sleep = {"never": -1}.get(spec.get("sleep_time"), spec.get("sleep_time"))
    if sleep is not None and not paused and doc["sleep_time"] != sleep:
        wrong.append("sleep_time")
    if "visibility" in spec and "visibility" not in ignored and doc["visibility"] != spec["visibility"]:
        wrong.append("visibility")
    if "dev_mode" in spec and not paused and doc["dev_mode"] != spec["dev_mode"]:
        wrong.append("dev_mode")
    if (spec.get("state") == "paused") != paused and "state" in spec:
        wrong.append("state")
    wanted = {
        "variables": dict(spec.get("variables", {})),
        "secrets": {key: env[source["env"]] for key, source in spec.get("secrets", {}).items()},
    }
    for kind, values in wanted.items():
        has = {key: item["value"] for key, item in doc[kind].items() if key != "HFSPACE_RESTART"}
        wrong += [f"{kind}.{key}" for key, value in values.items() if has.get(key) != value]
        if kind in prune:
            wrong += [f"{kind}.{key} is there" for key in has.keys() - values.keys()]
    marker = doc["variables"].get("HFSPACE_RESTART", {}).get("value")
    if "restart" in spec and doc["stage"] == "RUNNING" and marker != spec["restart"]:
        wrong.append("restart")  # elsewhere it waits for something that it can restart
    mounted = {item["mountPath"] for item in doc["volumes"]}
    paths = {item["mount_path"] for item in spec.get("volumes", [])}
    if not paths <= mounted or ("volumes" in prune and mounted != paths):
        wrong.append("volumes")
    wanted_files = _files(spec, folders)
    wrong += [f"files.{path}" for path, oid in wanted_files.items() if _oid(doc, path) != oid]
    if isinstance(spec.get("files"), Mapping) and spec["files"].get("prune"):
        extra = doc["files"].keys() - folders[spec["files"]["from"]].keys() - {".gitattributes", "README.md"}
        wrong += [f"files.{path} is there" for path in extra]
    wrong += [f"card.{key}" for key, value in spec.get("card", {}).items() if doc["card"].get(key) != value]
    return wrong


def _files(spec: Mapping[str, Any], folders: Folders) -> dict[str, str]:
    """The files that a folder has, by git's name for each; a README with a card is another one."""
    given = spec.get("files")
    name = given["from"] if isinstance(given, Mapping) else given
    return {
        path: hashlib.sha1(f"blob {len(text)}\0{text}".encode()).hexdigest()
        for path, text in (folders[name] if name else {}).items()
        if path != "README.md" or "card" not in spec
    }


def _oid(doc: Mapping[str, Any], path: str) -> str | None:
    return doc["files"][path]["oid"] if path in doc["files"] else None


def undeclared_differs(
    spec: Mapping[str, Any], was: Mapping[str, Any], doc: Mapping[str, Any], folders: Folders
) -> list[str]:
    """What nobody declared, and what is not as it was."""
    ignored, prune = spec.get("ignore", []), spec.get("prune", [])
    wrong = []
    free = {"hardware"} & (set(spec) - set(ignored)) and "cpu-basic" in {was["requested"], doc["requested"]}
    for name, key in (("hardware", "requested"), ("visibility", "visibility"), ("dev_mode", "dev_mode")):
        if (name not in spec or name in ignored) and doc[key] != was[key]:
            wrong.append(name)
    # A paused Space does not tell its sleep time, so a hardware request can't carry it (docs/reliability.md).
    untold = was["stage"] == "PAUSED" and doc["requested"] != was["requested"]
    if "sleep_time" not in spec and not (free or untold) and doc["sleep_time"] != was["sleep_time"]:
        wrong.append("sleep_time")
    if "state" not in spec and (was["stage"] == "PAUSED") != (doc["stage"] == "PAUSED"):
        wrong.append("state")
    for kind, other in (("variables", "secrets"), ("secrets", "variables")):
        if kind not in prune:
            kept = (
                was[kind].keys()
                - spec.get(kind, {}).keys()
                - spec.get(other, {}).keys()
                - {"HFSPACE_RESTART"}
            )
            wrong += [f"{kind}.{key}" for key in kept if doc[kind].get(key) != was[kind][key]]
    if "volumes" not in prune and "volumes" not in spec and doc["volumes"] != was["volumes"]:
        wrong.append("volumes")
    ours = _files(spec, folders).keys() | ({"README.md"} if "card" in spec or "files" in spec else set())
    prunes = isinstance(spec.get("files"), Mapping) and spec["files"].get("prune")
    kept = set() if prunes else was["files"].keys() - ours
    wrong += [f"files.{path}" for path in kept if _oid(doc, path) != _oid(was, path)]
    if not ours and doc["files"] != was["files"]:
        wrong.append("files")
    return wrong
