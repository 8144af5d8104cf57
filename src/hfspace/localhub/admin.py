"""What only this Hub has: its log, clock, faults and whole Spaces, under a path that the Hub has not."""

from __future__ import annotations

import json
from collections.abc import Callable

from hfspace.localhub import machine
from hfspace.localhub.faults import Fault
from hfspace.localhub.routes.call import Call
from hfspace.localhub.seed import LocalHubError
from hfspace.localhub.wire import Answer, Refused

PREFIX = "/_local/"


def answer(call: Call, faults: list[Fault], forget_stale: Callable[[], None]) -> Answer:
    """Never raises for bad input: 400 with one sentence, 404 for what is not there."""
    try:
        return _answer(call, faults, forget_stale)
    except LocalHubError as error:
        return Answer(status=400, body={"error": str(error)})
    except Refused as refused:
        return refused.answer


def _answer(call: Call, faults: list[Fault], forget_stale: Callable[[], None]) -> Answer:
    store = call.world.store
    match call.method, call.path.removeprefix(PREFIX):
        case "GET", "requests":
            lines = "".join(json.dumps(entry) + "\n" for entry in store.requests())
            return Answer(body=lines, content_type="application/x-ndjson")
        case "DELETE", "requests":
            store.clear_requests()
        case "GET", "faults":
            return Answer(body=[fault.model_dump(exclude_defaults=True) for fault in faults])
        case "POST", "faults":
            faults.append(Fault.read(call.json()))
        case "DELETE", "faults":
            faults.clear()
            forget_stale()
        case "POST", "clock":
            call.world.advance(_seconds(call))
        case (("GET" | "PATCH"), path) if path.startswith("spaces/"):
            return _space(call, path.removeprefix("spaces/"))
        case _:
            return Answer(status=404, body={"error": "no such path"})
    return Answer(body={"ok": True})


def _seconds(call: Call) -> float:
    seconds = call.json().get("advance")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < 1e10:
        raise LocalHubError('The clock takes {"advance": seconds}, with seconds from 0 on.')
    return float(seconds)


def _space(call: Call, space: str) -> Answer:
    """The whole document; PATCH sets fields of it, as if somebody had clicked."""
    if call.method == "PATCH":
        call.world.patch(space, call.json())
    doc = call.world.store.space(space)
    if doc is None:
        return Answer(status=404, body={"error": "no such Space"})
    return Answer(body=machine.settled(doc, call.world.now))
