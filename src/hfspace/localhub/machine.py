"""The stages of one Space over time, as a pure function of its document and the Hub's clock.

A document keeps the steps that lie ahead (`ahead`: at, stage); `settled` takes those that are due. Sources:
huggingface_hub's SpaceStage, docs/hub/spaces-overview.md, and recordings of the real Hub.
"""

from __future__ import annotations

from typing import Any

from hfspace.localhub import ledger

Doc = dict[str, Any]

BUILD_SECONDS = 30.0
FACTORY_SECONDS = 60.0
START_SECONDS = 10.0
FLIP_SECONDS = 5.0
UNHEALTHY_SECONDS = 1800.0
FREE = frozenset({"cpu-basic", "zero-a10g"})
FREE_SLEEP = 172800
NEVER = -1
COLLISION = "Collision on variables and secrets names."
_HELD = frozenset({"NO_APP_FILE", "BUILD_ERROR"})
_IDLE = frozenset({"SLEEPING", "STOPPED"})
_UP = frozenset({"RUNNING", "RUNNING_BUILDING", "RUNNING_APP_STARTING"})
_MOVING = frozenset({"BUILDING", "APP_STARTING", "RUNNING_BUILDING", "RUNNING_APP_STARTING"})
_NO_MACHINE = frozenset({"PAUSED", "BUILDING", "BUILD_ERROR", "CONFIG_ERROR", "NO_APP_FILE"}) | _IDLE
MESSAGES = {
    "BUILD_ERROR": "Job failed with exit code: 1. Reason: cache miss: [5/8] RUN pip install",
    "RUNTIME_ERROR": "Exit code: 1. Reason: the application stopped.",
}
_TIMED_OUT = "Launch timed out, Space was not healthy after 30 min"


def settled(doc: Doc, now: float) -> Doc:
    """The document as of `now`: due steps taken, asleep when nobody came. Leaves `doc` alone."""
    if not is_due(doc, now):
        return doc
    doc = {**doc, "ahead": [list(step) for step in doc["ahead"]]}
    while doc["ahead"] and doc["ahead"][0][0] <= now:
        at, stage, *message = doc["ahead"].pop(0)
        if message:
            doc["error"] = message[0]
        _enter(doc, stage, at)
    if _falls_asleep(doc) <= now:
        _enter(doc, "SLEEPING", _falls_asleep(doc))
    return doc


def is_due(doc: Doc, now: float) -> bool:
    return bool(doc["ahead"] and doc["ahead"][0][0] <= now) or _falls_asleep(doc) <= now


def _falls_asleep(doc: Doc) -> float:
    if doc["stage"] != "RUNNING" or doc["sdk"] == "static" or doc["sleep_time"] <= 0:
        return float("inf")
    return float(max(doc["since"], doc["visited"]) + doc["sleep_time"])


def is_moving(doc: Doc) -> bool:
    return doc["stage"] in _MOVING


def is_up(doc: Doc) -> bool:
    """Whether the app answers: also while its successor is being built."""
    return doc["stage"] in _UP


def start(doc: Doc, now: float, *, factory: bool = False, lag: float = 0) -> None:
    """From any stage through a build: restart, wake, first start. `lag`: how long the old idle stage is
    still shown."""
    error = doc["error"]
    _through(doc, now, ["BUILDING", "APP_STARTING"], build=FACTORY_SECONDS if factory else BUILD_SECONDS)
    if lag > 0 and doc["stage"] == "BUILDING":
        doc["ahead"] = [[at + lag, *rest] for at, *rest in [[now, "BUILDING", None], *doc["ahead"]]]
        doc["stage"], doc["error"] = doc["before"], error


def committed(doc: Doc, now: float) -> None:
    """A commit rebuilds; the app of before serves until then. A paused Space stays paused."""
    if doc["sdk"] == "static" or doc["stage"] == "PAUSED":
        return
    up = doc["stage"] in _UP
    _through(doc, now, ["RUNNING_BUILDING", "RUNNING_APP_STARTING"] if up else ["BUILDING", "APP_STARTING"])


def configuration_changed(
    doc: Doc, now: float, *, coalesce: bool = False, wakes_paused: bool = False, wakes_sleeping: bool = False
) -> None:
    """A variable, secret or volume changed: a running Space starts over."""
    if doc["sdk"] == "static":
        return
    if set(doc["variables"]) & set(doc["secrets"]):
        doc["ahead"] = []
        doc["error"] = COLLISION
        _enter(doc, "CONFIG_ERROR", now)
        return
    stays = doc["stage"] == "PAUSED" and not wakes_paused
    stays = stays or (doc["stage"] in _IDLE and not wakes_sleeping)
    if stays or doc["stage"] in _HELD:
        return
    if not (coalesce and doc["stage"] in _MOVING):
        doc["restarts"] += 1
    if doc["stage"] in _UP:
        _through(doc, now, ["RUNNING_APP_STARTING"])
    elif doc["stage"] == "BUILDING":  # what is being built has not read its configuration yet
        _through(doc, now, ["BUILDING", "APP_STARTING"])
    else:
        _through(doc, now, ["APP_STARTING"])


def hardware_changed(doc: Doc, now: float, *, wakes_paused: bool, coalesce: bool = False) -> None:
    """Another flavor was requested; `current` follows when the new machine is up."""
    if (doc["stage"] == "PAUSED" and not wakes_paused) or doc["stage"] in _HELD | {"CONFIG_ERROR"}:
        return
    if not (coalesce and doc["stage"] in _MOVING):
        doc["restarts"] += 1
    if doc["stage"] in _UP:
        _through(doc, now, ["RUNNING_BUILDING", "RUNNING_APP_STARTING"])
    else:
        _through(doc, now, ["BUILDING", "APP_STARTING"])


def pause(doc: Doc, now: float) -> None:
    doc["ahead"], doc["error"] = [], None
    doc["pauses"] += 1
    _enter(doc, "PAUSED", now)


def read(doc: Doc, now: float) -> Doc:
    """The document after one more read of its runtime: what happens so many reads later comes nearer."""
    behind = doc.get("behind")
    if behind:
        doc = {**doc, "behind": {**behind, "reads": behind["reads"] - 1} if behind["reads"] > 1 else None}
    if doc["stage"] != "PAUSED" or not doc.get("wakes_after"):
        return doc
    doc = {**doc, "wakes_after": doc["wakes_after"] - 1}
    if not doc["wakes_after"]:
        start(doc, now)
    return doc


def fall_behind(doc: Doc, before: Doc, reads: int) -> None:
    """The next `reads` reads show the stage of `before`."""
    values = {key: before[key] for key in ("stage", "current", "error", "since")}
    doc["behind"] = {"reads": reads, "values": values}


def lagging(doc: Doc) -> Doc | None:
    """The document with the stage of before, while reads show that."""
    behind = doc.get("behind")
    return {**doc, **behind["values"]} if behind else None


def visit(doc: Doc, now: float) -> None:
    """Somebody opens the app: a sleeping Space wakes, a paused one does not."""
    doc["visited"] = now
    if doc["stage"] in _IDLE:
        start(doc, now)


def _through(doc: Doc, now: float, stages: list[str], *, build: float = BUILD_SECONDS) -> None:
    """Plan the way through `stages` to RUNNING, as the seed says that builds and starts go."""
    doc["before"] = doc["stage"]
    if set(doc["variables"]) & set(doc["secrets"]):  # a restart does not heal a collision
        doc["ahead"], doc["error"] = [], COLLISION
        _enter(doc, "CONFIG_ERROR", now)
        return
    doc["ahead"], doc["error"], doc["started"] = [], None, now
    _enter(doc, stages[0], now)
    at = now
    for stage, following in zip(stages, [*stages[1:], "RUNNING"], strict=True):
        building = stage.endswith("BUILDING")
        outcome = _outcome(doc, building)
        if outcome == "stuck":
            if not building:
                doc["ahead"].append([at + UNHEALTHY_SECONDS, "RUNTIME_ERROR", _TIMED_OUT])
            return
        at += build if building else START_SECONDS
        if outcome in {"fail", "crash"}:
            doc["ahead"].append([at, "BUILD_ERROR" if building else "RUNTIME_ERROR"])
            return
        doc["ahead"].append([at, following])
    if doc["start"] == "flip":
        doc["ahead"].append([at + FLIP_SECONDS, "RUNTIME_ERROR"])


def _outcome(doc: Doc, building: bool) -> str:
    """How the build or the start goes: as the files of the commit say, else as the seed does."""
    fails = {"BUILD_ERROR": True, "RUNTIME_ERROR": False}.get(doc.get("fails") or "")
    if fails is building:
        return "fail"
    return str(doc["build" if building else "start"])


def _enter(doc: Doc, stage: str, at: float) -> None:
    doc["stage"], doc["since"] = stage, at
    if stage == "RUNNING":
        doc["wakes_after"] = 0
        doc["current"], doc["built_sha"], doc["error"] = doc["requested"], doc["sha"], None
    elif stage in _NO_MACHINE:
        doc["current"] = None
    ledger.meter(doc, at)
    if stage in MESSAGES and not doc["error"]:
        doc["error"] = MESSAGES[stage]


def resume(doc: Doc, now: float) -> None:
    """A document found in a moving stage goes on from there."""
    error, way = doc["error"], {
        "BUILDING": ["BUILDING", "APP_STARTING"],
        "APP_STARTING": ["APP_STARTING"],
        "RUNNING_BUILDING": ["RUNNING_BUILDING", "RUNNING_APP_STARTING"],
        "RUNNING_APP_STARTING": ["RUNNING_APP_STARTING"],
    }  # fmt: skip
    current = doc["current"]
    _through(doc, now, way[doc["stage"]])
    doc["error"], doc["current"] = error, current
    ledger.meter(doc, now)
