"""Logs, status events and metrics, as server-sent events (docs/hub-api.md section 10)."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from hfspace.localhub import machine, wire
from hfspace.localhub.machine import Doc
from hfspace.localhub.routes.call import SPACE, Call, route
from hfspace.localhub.wire import Answer, Refused

_POLL = 0.1  # seconds between looks at a Space that somebody follows
_TALKS_EVERY = 10  # looks
_PAST = 30.0  # seconds: the server's Date is some seconds old under load, and lines after it are not read
_KEEP_ALIVE = b"data:\n\n"
_KEEP_ALIVE_EVERY = 150  # looks
_UNBUILT = ("BUILDING", "RUNNING_BUILDING", "BUILD_ERROR")


def logs(call: Call) -> Answer:
    """GET …/logs/{build,run}: what is there; with the switch, the stream stays open and goes on talking."""
    kind = call.rest["kind"]
    if kind not in {"build", "run"}:
        raise Refused(404, wire.NO_PAGE)
    doc = call.world.settings_of(call.who, call.space)
    tail = call.number("tail", 0, least=0)
    lines = lines_of(doc, kind)
    body = b"".join(
        _line(line, min(doc["since"], time.time() - _PAST)) for line in (lines[-tail:] if tail else lines)
    )
    stays = call.world.seed.hub.switches.logs_stay_open
    follow = _following(call, kind, len(lines)) if stays else None
    return Answer(body=body, content_type="text/event-stream", stream=follow)


def lines_of(doc: Doc, kind: str) -> list[str]:
    """The seed's lines, or some of our own; an error is the last line of the log that it belongs to."""
    lines = doc["logs"].get(kind)
    if lines is None:
        lines = [f"===== {'Build Queued' if kind == 'build' else 'Application Startup'} of {doc['id']} ====="]
        if kind == "build" and doc["stage"] not in _UNBUILT and doc["sha"]:
            lines = [*lines, "--> DONE"]
    failed = {"BUILD_ERROR": "build", "RUNTIME_ERROR": "run"}.get(doc["stage"])
    return [*lines, doc["error"]] if doc["error"] and failed == kind else list(lines)


def _line(line: str, written: float) -> bytes:
    # A line from the future makes huggingface_hub stop, and the Hub's clock may run ahead of the client's.
    at = wire.stamp(min(written, time.time()))
    return f"data: {json.dumps({'data': line + chr(10), 'timestamp': at})}\n\n".encode()


def _following(call: Call, kind: str, seen: int) -> Callable[[], AsyncIterator[bytes]]:
    async def follow() -> AsyncIterator[bytes]:
        sent, looks = seen, 0
        while (doc := _now(call)) is not None:
            lines = lines_of(doc, kind)
            for line in lines[sent:]:
                yield _line(line, time.time())
            sent, looks = max(sent, len(lines)), looks + 1
            if looks % _TALKS_EVERY == 0:
                yield _line(f"GET /health 200 (check {looks // _TALKS_EVERY})", time.time())
            await asyncio.sleep(_POLL)

    return follow


def events(call: Call) -> Answer:
    """GET …/events: the runtime now, and again whenever it changes. The real payload is not public."""
    doc = call.world.find(call.who, call.space)

    async def follow() -> AsyncIterator[bytes]:
        last, quiet = _runtime(call, doc), 0
        while (current := _now(call)) is not None:
            seen, quiet = _runtime(call, current), quiet + 1
            if seen != last:
                last = seen
                yield _event(seen)
            elif quiet % _KEEP_ALIVE_EVERY == 0:
                yield _KEEP_ALIVE
            await asyncio.sleep(_POLL)

    return Answer(body=_event(_runtime(call, doc)), content_type="text/event-stream", stream=follow)


def metrics(call: Call) -> Answer:
    """GET …/metrics: one measurement of an idle machine; none when there is no machine."""
    doc = call.world.find(call.who, call.space)
    reading = {"cpu_usage_pct": 0.0, "memory_used_bytes": 0, "memory_total_bytes": 16 * 2**30, "replica": "0"}
    body = f"data: {json.dumps(reading)}\n\n" if machine.is_up(doc) else ""
    return Answer(body=body, content_type="text/event-stream")


def _now(call: Call) -> Doc | None:
    doc = call.world.store.space(call.space)
    return None if doc is None else machine.settled(doc, call.world.now)


def _runtime(call: Call, doc: Doc) -> dict[str, Any]:
    return wire.runtime(doc, call.world.view(call.base))


def _event(runtime: dict[str, Any]) -> bytes:
    return f"event: runtime\ndata: {json.dumps({'runtime': runtime})}\n\n".encode()


ROUTES = (
    route("GET", f"{SPACE}/logs/{{kind}}", logs),
    route("GET", f"{SPACE}/events", events),
    route("GET", f"{SPACE}/metrics", metrics),
)
