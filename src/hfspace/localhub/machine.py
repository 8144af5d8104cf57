"""The stages of one Space over time, as a pure function of its document and the Hub's clock.

A document keeps the steps that lie ahead (`ahead`: at, stage); `settled` takes those that are due. Sources:
huggingface_hub's SpaceStage, docs/hub/spaces-overview.md, and recordings of the real Hub.
"""

from __future__ import annotations

from typing import Any

Doc = dict[str, Any]

BUILD_SECONDS = 30.0
START_SECONDS = 10.0
FREE = frozenset({"cpu-basic", "zero-a10g"})
FREE_SLEEP = 172800
NEVER = -1
_DOWN = frozenset({"PAUSED", "SLEEPING", "STOPPED"})
_COLLISION = "Collision on variables and secrets names."


def settled(doc: Doc, now: float) -> Doc:
    """The document as of `now`: due steps taken, asleep when nobody came."""
    while doc["ahead"] and doc["ahead"][0][0] <= now:
        at, stage = doc["ahead"].pop(0)
        _enter(doc, stage, at)
    sleep = doc["sleep_time"]
    idle_since = max(doc["since"], doc["visited"])
    if doc["stage"] == "RUNNING" and doc["sdk"] != "static" and sleep > 0 and now - idle_since >= sleep:
        _enter(doc, "SLEEPING", idle_since + sleep)
    return doc


def start(doc: Doc, now: float) -> None:
    """From any stage through a build: restart, wake, first start."""
    _through(doc, now, ["BUILDING", "APP_STARTING"])


def configuration_changed(doc: Doc, now: float, *, coalesce: bool) -> None:
    """A variable, secret or volume changed: a running Space starts over."""
    if set(doc["variables"]) & set(doc["secrets"]):
        doc["ahead"] = []
        doc["error"] = _COLLISION
        _enter(doc, "CONFIG_ERROR", now)
        return
    if doc["sdk"] == "static" or doc["stage"] in _DOWN | {"NO_APP_FILE", "BUILD_ERROR"}:
        return
    under_way = doc["stage"] in {"APP_STARTING", "RUNNING_APP_STARTING", "BUILDING", "RUNNING_BUILDING"}
    if not (coalesce and under_way):
        doc["restarts"] += 1
    up = doc["stage"] in {"RUNNING", "RUNNING_APP_STARTING", "RUNNING_BUILDING"}
    _through(doc, now, ["RUNNING_APP_STARTING"] if up else ["APP_STARTING"])


def hardware_changed(doc: Doc, now: float, *, wakes_paused: bool) -> None:
    """Another flavor was requested; `current` follows when the new machine is up."""
    if doc["stage"] == "PAUSED" and not wakes_paused:
        return
    if doc["stage"] in {"NO_APP_FILE", "BUILD_ERROR"}:
        return
    doc["restarts"] += 1
    if doc["stage"] in {"RUNNING", "RUNNING_BUILDING", "RUNNING_APP_STARTING"}:
        _through(doc, now, ["RUNNING_BUILDING", "RUNNING_APP_STARTING"])
    else:
        _through(doc, now, ["BUILDING", "APP_STARTING"])


def pause(doc: Doc, now: float) -> None:
    doc["ahead"] = []
    doc["pauses"] += 1
    _enter(doc, "PAUSED", now)


def visit(doc: Doc, now: float) -> None:
    """Somebody opens the app: a sleeping Space wakes, a paused one does not."""
    doc["visited"] = now
    if doc["stage"] == "SLEEPING":
        start(doc, now)


def _through(doc: Doc, now: float, stages: list[str]) -> None:
    lengths = {"BUILDING": BUILD_SECONDS, "RUNNING_BUILDING": BUILD_SECONDS}
    doc["ahead"], doc["error"] = [], None
    _enter(doc, stages[0], now)
    at = now
    for stage, following in zip(stages, [*stages[1:], "RUNNING"], strict=True):
        building = stage in lengths
        if doc["build" if building else "start"] == "stuck":
            return
        at += lengths.get(stage, START_SECONDS)
        if building and doc["build"] == "fail":
            doc["ahead"].append([at, "BUILD_ERROR"])
            return
        if not building and doc["start"] == "crash":
            doc["ahead"].append([at, "RUNTIME_ERROR"])
            return
        doc["ahead"].append([at, following])


def _enter(doc: Doc, stage: str, at: float) -> None:
    doc["stage"], doc["since"] = stage, at
    if stage == "RUNNING":
        doc["current"] = doc["requested"]
    elif stage in _DOWN | {"BUILDING", "BUILD_ERROR", "CONFIG_ERROR", "NO_APP_FILE"}:
        doc["current"] = None
    if stage in {"BUILD_ERROR", "RUNTIME_ERROR"} and not doc["error"]:
        doc["error"] = "Build failed with exit code: 1" if stage == "BUILD_ERROR" else "The app crashed."
