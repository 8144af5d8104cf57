"""The local Hub as an ASGI app: reads requests, strikes faults, keeps windows, logs, answers."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from hfspace.localhub import machine, wire
from hfspace.localhub.api import Call, answer, parse_query
from hfspace.localhub.faults import Fault
from hfspace.localhub.seed import LocalHubError
from hfspace.localhub.wire import Answer, Refused
from hfspace.localhub.world import World

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Hook = Callable[[str, str, str], None]
"""Called with 'before' or 'after' (the effect, before the answer), the method and the path of a request."""


class App:
    """One Hub. Handles one request at a time, each as one transaction."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.faults = [Fault.read(raw) for raw in world.seed.hub.faults]
        self.hook: Hook | None = None
        self._windows: dict[str, tuple[int, float]] = {}
        self._stale: dict[str, list[Any]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return
        call = await _read(scope, receive)
        if call.path.startswith("/_local/"):
            await _send(send, self._admin(call), {})
            return
        fault = next((one for one in self.faults if one.strikes(call.method, call.path)), None)
        latency = self.world.seed.hub.latency_ms + (fault.latency_ms if fault else 0)
        if latency:
            await asyncio.sleep(latency / 1000)
        if self.hook:
            self.hook("before", call.method, call.path)
        given, headers = self._handle(call, fault)
        if self.hook:
            self.hook("after", call.method, call.path)
        broken = fault is not None and (fault.drop is not None or fault.body == "truncated")
        await _send(send, given, headers, broken=broken)

    def _handle(self, call: Call, fault: Fault | None) -> tuple[Answer, dict[str, str]]:
        with self.world.store.transaction():
            headers, over = self._window(call)
            struck = fault is not None and (fault.status is not None or fault.drop == "before")
            if over:
                given = Answer(
                    status=429, body={"error": "We had to rate limit you"}, headers={"Retry-After": over}
                )
            elif struck and fault is not None:
                given = Answer(
                    status=fault.status or 500, body={"error": "Service Unavailable"}, headers=fault.headers
                )
            else:
                given = self._answer(call)
                if fault is not None and fault.body is not None:
                    given = _spoiled(given, fault.body)
            self._log(call, given)
        if fault is not None and fault.headers:
            headers = {**headers, **fault.headers}
        return given, headers

    def _answer(self, call: Call) -> Answer:
        """The world's answer; a read may be stale for a while after a write."""
        stale = next((one for one in self.faults if one.stale > 0), None)
        key = f"{call.path}?{call.query}"
        if call.method == "GET" and call.path.startswith("/api/spaces/"):
            left = self._stale.get(key)
            if left and left[0] > 0:
                left[0] -= 1
                kept: Answer = left[1]
                return kept
        if stale is not None and call.method != "GET":
            self._keep_old_reads(call, stale.stale)
        return answer(self.world, call)

    def _keep_old_reads(self, call: Call, reads: int) -> None:
        """Before a write: what reads of this Space answer now is what they will answer for a while."""
        parts = call.path.split("/")
        if len(parts) < 5 or parts[2] != "spaces":
            return
        base = "/".join(parts[:5])
        for tail in ("", "/runtime", "/variables", "/secrets"):
            read = Call(method="GET", path=base + tail, token=call.token, base=call.base)
            old = answer(self.world, read)
            if old.status == 200:
                self._stale[f"{read.path}?{read.query}"] = [reads, old]

    def _window(self, call: Call) -> tuple[dict[str, str], str]:
        limit = self.world.seed.hub.rate_limit
        who, now = call.token or "anonymous", self.world.now
        used, opened = self._windows.get(who, (0, now))
        if now - opened >= limit.window:
            used, opened = 0, now
        over = used >= limit.requests
        used = used if over else used + 1
        self._windows[who] = (used, opened)
        left = max(limit.requests - used, 0)
        wait = max(1, int(limit.window - (now - opened)))
        headers = {
            "RateLimit": f'"api";r={left};t={wait}',
            "RateLimit-Policy": f'"fixed window";"api";q={limit.requests};w={limit.window}',
            "X-Request-Id": f"Root=1-{uuid.uuid4().hex[:8]};{uuid.uuid4()}",
            "X-Powered-By": "hfspace local Hub",
        }
        return headers, str(wait) if over else ""

    def _log(self, call: Call, given: Answer) -> None:
        try:
            account, role = self.world.account(call.token)
        except Refused:
            account, role = None, "invalid"
        self.world.store.log(
            {
                "time": time.time(),
                "method": call.method,
                "path": call.path,
                "query": call.query,
                "account": account,
                "token_role": role,
                "status": given.status,
                "effect": given.effect,
            }
        )

    # ------------------------------------------------------------ /_local

    def _admin(self, call: Call) -> Answer:
        try:
            return self._admin_answer(call)
        except (LocalHubError, Refused, ValueError, TypeError) as error:
            return Answer(status=400, body={"error": str(error)})

    def _admin_answer(self, call: Call) -> Answer:
        store = self.world.store
        match call.method, call.path.removeprefix("/_local/"):
            case "GET", "requests":
                lines = "".join(json.dumps(entry) + "\n" for entry in store.requests())
                return Answer(body=lines, content_type="application/x-ndjson")
            case "DELETE", "requests":
                store.clear_requests()
            case "POST", "faults":
                self.faults.append(Fault.read(call.json()))
            case "DELETE", "faults":
                self.faults.clear()
                self._stale.clear()
            case "POST", "clock":
                with store.transaction():
                    self.world.advance(float(call.json()["advance"]))
            case "GET", path if path.startswith("spaces/"):
                doc = store.space(path.removeprefix("spaces/"))
                if doc is None:
                    return Answer(status=404, body={"error": "no such Space"})
                return Answer(body=machine.settled(doc, self.world.now))
            case _:
                return Answer(status=404, body={"error": "no such path"})
        return Answer(body={"ok": True})


def _spoiled(given: Answer, how: str) -> Answer:
    bodies: dict[str, Any] = {
        "html": "<!doctype html><title>Hub</title>",
        "empty": "",
        "wrong_json": {"surprise": [1]},
    }
    kind = "text/html" if how == "html" else given.content_type
    return Answer(
        status=given.status, body=bodies.get(how, given.body), content_type=kind, effect=given.effect
    )


async def _read(scope: Scope, receive: Receive) -> Call:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    token = headers.get("authorization", "").removeprefix("Bearer ").strip() or None
    return Call(
        method="GET" if scope["method"] == "HEAD" else scope["method"],
        path=scope["path"],
        query=parse_query(scope["query_string"].decode("latin-1")),
        body=body,
        token=token,
        base=f"{scope['scheme']}://{headers.get('host', '127.0.0.1')}",
    )


async def _send(send: Send, given: Answer, extra: dict[str, str], *, broken: bool = False) -> None:
    """`broken` ends the connection in the middle: fewer bytes come than were said."""
    data = given.data()
    headers = {"Content-Type": given.content_type, "Content-Length": str(len(data) + (64 if broken else 0))}
    headers |= {
        **extra,
        **given.headers,
        "Vary": "Origin",
        "ETag": f'W/"{len(data):x}-{wire.digest(data.hex(), 12)}"',
    }
    raw = [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": given.status, "headers": raw})
    await send({"type": "http.response.body", "body": data[: len(data) // 2] if broken else data})
