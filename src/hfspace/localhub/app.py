"""The local Hub as an ASGI app: reads requests, strikes faults, keeps windows, logs, answers."""

from __future__ import annotations

import asyncio
import io
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import parse_qs

from hfspace.localhub import admin, edge, groups, large, rules, wire
from hfspace.localhub.edge import Visit
from hfspace.localhub.faults import Fault
from hfspace.localhub.routes import answer
from hfspace.localhub.routes.call import Call
from hfspace.localhub.routes.large import upload_limit
from hfspace.localhub.store import Docs
from hfspace.localhub.wire import Answer, Refused
from hfspace.localhub.world import World
from hfspace.loopback import is_loopback_url

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Hook = Callable[[str, str, str], None]
"""Called with 'before' or 'after' (the effect, before the answer), the method and the path of a request."""

_MAX_BODY = 256 * 2**20


def _foreign(scope: Scope) -> str:
    """Why a request is refused before it is read: a web page that reaches loopback by a name of its own, or
    from another origin, could read secrets here. "" for everybody else."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    if not is_loopback_url(f"//{headers.get('host', '')}"):
        return "This local Hub answers only on loopback names."
    origin = headers.get("origin")
    return "" if origin is None or is_loopback_url(origin) else "This local Hub answers no other origin."


class App:
    """One Hub. Handles one request at a time, each as one transaction."""

    def __init__(self, world: World, *, any_host: bool = False) -> None:
        self.world = world
        self._any_host = any_host
        self.faults = [Fault.read(raw) for raw in world.seed.hub.faults]
        self.hook: Hook | None = None
        self._doors = {port: space for space, port in world.ports.items()}
        self._stale: dict[str, tuple[int, dict[str, Any]]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if not self._any_host and (why := _foreign(scope)):
            await send({"type": "http.response.start", "status": 403, "headers": []})
            await send({"type": "http.response.body", "body": why.encode()})
            return
        call = await _read(self.world, scope, receive)
        if call is None:
            return
        try:
            await self._serve(call, scope, receive, send)
        finally:
            _discard(call.spool)

    async def _serve(self, call: Call, scope: Scope, receive: Receive, send: Send) -> None:
        space = self._doors.get((scope.get("server") or ("", 0))[1])
        if space:
            await self._edge(call, scope, receive, send, wire.subdomain(space), call.path.lstrip("/"))
        elif call.path.startswith(admin.PREFIX):
            with self.world.store.transaction():
                given = admin.answer(call, self.faults, self.forget_stale)
            await _send(send, call, given, {})
        elif call.path.startswith(edge.PREFIX):
            subdomain, _, path = call.path.removeprefix(edge.PREFIX).partition("/")
            await self._edge(call, scope, receive, send, subdomain, path)
        else:
            await self._api(call, receive, send)

    async def _api(self, call: Call, receive: Receive, send: Send) -> None:
        fault = next((one for one in self.faults if one.strikes(call.method, call.path)), None)
        if fault and fault.hang:
            await _gone(receive)
            return
        latency = self.world.seed.hub.latency_ms + (fault.latency_ms if fault else 0)
        if latency:
            await asyncio.sleep(latency / 1000)
        if self.hook:
            self.hook("before", call.method, call.path)
        given, headers = self._handle(call, fault)
        if self.hook:
            self.hook("after", call.method, call.path)
        if fault and fault.drop:
            await _cut(send)
            return
        await _send(send, call, given, headers, broken=bool(fault and fault.body == "truncated"))
        await _stream(receive, send, call, given)

    async def _edge(
        self, call: Call, scope: Scope, receive: Receive, send: Send, subdomain: str, path: str
    ) -> None:
        visit = Visit(
            subdomain=subdomain,
            method=scope["method"],
            path=path,
            query=scope["query_string"].decode("latin-1"),
            headers=tuple(scope["headers"]),
            body=call.body,
            token=call.token,
        )
        with self.world.store.transaction():
            met = edge.arrive(self.world, visit)
            self._log(call, met if isinstance(met, Answer) else Answer())
        if isinstance(met, Answer):
            await _send(send, call, met, {})
            await _stream(receive, send, call, met)
        else:
            await edge.pass_on(visit, *met, send)

    def forget_stale(self) -> None:
        self._stale.clear()

    def _handle(self, call: Call, fault: Fault | None) -> tuple[Answer, dict[str, str]]:
        with self.world.store.transaction():
            headers, wait = self._window(call)
            if wait:
                given = Answer(status=429, body={"error": _LIMITED}, headers={"Retry-After": wait})
            elif fault and (fault.status or fault.drop == "before"):
                said = fault.error or "Service Unavailable"
                given = Refused(fault.status or 500, said).answer
            else:
                groups.enforce(self.world.store, self.world.now)
                given = self._answer(call, fault)
                if fault and fault.body:
                    given = _spoiled(given, fault.body)
            self._log(call, given)
        return given, {**headers, **(fault.headers if fault else {})}

    # ------------------------------------------------------------ reads that lag behind

    def _answer(self, call: Call, fault: Fault | None) -> Answer:
        if call.method == "GET" and (old := self._lagging(call)):
            with self.world.store.frozen(old):
                return answer(call)
        if fault and fault.stale:
            space = "/".join(call.path.split("/")[3:5]).lower()
            before = self.world.store.docs().get(space)
            if before is not None:
                self._stale[space] = (fault.stale, before)
        return answer(call)

    def _lagging(self, call: Call) -> Docs | None:
        """The documents with the Spaces that this read is to see as they were; counts the read."""
        if not self._stale or not call.path.startswith("/api/spaces"):
            return None
        space = "/".join(call.path.split("/")[3:5]).lower()
        seen = [space] if space in self._stale else list(self._stale) if call.path == "/api/spaces" else []
        if not seen:
            return None
        old = dict(self.world.store.docs())
        for name in seen:
            left, doc = self._stale.pop(name)
            old[name] = doc
            if left > 1:
                self._stale[name] = (left - 1, doc)
        return old

    # ------------------------------------------------------------ windows and the log

    def _window(self, call: Call) -> tuple[dict[str, str], str]:
        """The headers, and how long to wait ("" when the request may pass)."""
        limit, now = self.world.seed.hub.rate_limit, self.world.client_now
        who = self._account(call)[0]
        allowed = limit.requests if limit.requests is not None else rules.quota(self.world.seed, who)
        key = who or "anonymous"
        used, opened = self.world.store.window(key) or (0, now)
        if now - opened >= limit.window:
            used, opened = 0, now
        over = used >= allowed
        self.world.store.set_window(key, used if over else used + 1, opened)
        wait = str(max(1, int(limit.window - (now - opened))))
        left = 0 if over else allowed - used - 1
        trace = wire.header_safe(call.headers.get("x-amzn-trace-id") or str(uuid.uuid4()))
        headers = {
            "RateLimit": f'"api";r={left};t={wait}',
            "RateLimit-Policy": f'"fixed window";"api";q={allowed};w={limit.window}',
            "X-Request-Id": f"Root=1-{uuid.uuid4().hex[:8]};{trace}",
            "X-Powered-By": "hfspace local Hub",
            "Access-Control-Expose-Headers": "X-Repo-Commit,X-Request-Id,X-Error-Code,X-Error-Message,"
            "X-Total-Count,ETag,Link,Accept-Ranges,Content-Range",
        }
        return headers, wait if over else ""

    def _account(self, call: Call) -> tuple[str | None, str]:
        try:
            return call.who.account, call.who.role
        except Refused:
            return None, "invalid"

    def _log(self, call: Call, given: Answer) -> None:
        account, role = self._account(call)
        self.world.store.log(
            {
                "time": time.time(),
                "method": call.method,
                "path": call.path,
                "query": dict(call.query),
                "account": account,
                "token_role": role,
                "status": given.status,
                "effect": given.effect,
            }
        )


_LIMITED = (
    "We had to rate limit you. To continue using our service, create a HF account or login to your existing "
    "account, and make sure you pass a HF_TOKEN if you're using the API."
)


def _spoiled(given: Answer, how: str) -> Answer:
    bodies: dict[str, Any] = {
        "html": "<!doctype html><title>Hub</title>",
        "empty": "",
        "wrong_json": {"surprise": [1]},
    }
    kind = "text/html" if how == "html" else given.content_type
    return replace(given, body=bodies.get(how, given.body), content_type=kind, stream=None)


async def _read(world: World, scope: Scope, receive: Receive) -> Call | None:
    """The whole request; None when the client left before its end. The bytes of a large file go to disk."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    bearer = headers.get("authorization") or headers.get("x-hf-authorization") or ""
    memory, spool = io.BytesIO(), None
    if scope["method"] == "PUT" and scope["path"].startswith(large.PREFIX):
        limit = upload_limit(scope["path"], world.store)
        spool, file = world.store.large.receive()
        with file:
            size = await _receive(receive, file, limit)
    else:
        limit = _MAX_BODY
        size = await _receive(receive, memory, limit)
    if size < 0:
        _discard(spool)
        return None
    return Call(
        world=world,
        method="GET" if scope["method"] == "HEAD" else scope["method"],
        path=scope["path"],
        query=parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True),
        headers={**headers, ":method": scope["method"]},
        body=memory.getvalue(),
        token=bearer.removeprefix("Bearer ").strip() or None,
        base=f"{scope['scheme']}://{headers.get('host', '127.0.0.1')}",
        spool=spool,
        too_long=size > limit,
    )


async def _receive(receive: Receive, file: BinaryIO, limit: int) -> int:
    """Write a body to `file` and give its size: more than `limit` when it is too long to be read on, -1 when
    the client left in the middle of it."""
    size = 0
    while size <= limit:
        message = await receive()
        if message["type"] != "http.request":
            return -1
        size += len(message.get("body", b""))
        if size <= limit:
            file.write(message.get("body", b""))
        if not message.get("more_body", False):
            break
    return size


def _discard(spool: Path | None) -> None:
    if spool is not None:
        spool.unlink(missing_ok=True)


async def _send(
    send: Send, call: Call, given: Answer, extra: dict[str, str], *, broken: bool = False
) -> None:
    """`broken` ends the connection in the middle: fewer bytes come than were said."""
    data = given.data()
    date = formatdate(time.time() + call.world.seed.hub.clock_ahead, usegmt=True)
    headers = {"Content-Type": given.content_type, "Vary": "Origin", "Date": date}
    if given.stream is None:
        headers["Content-Length"] = str(len(data) + (64 if broken else 0))
        headers["ETag"] = f'W/"{len(data):x}-{wire.digest(data, 12)}"'
    headers |= {**extra, **given.headers}
    raw = [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": given.status, "headers": raw})
    if call.headers[":method"] == "HEAD":
        data = b""
    body = data[: len(data) // 2] if broken else data
    more = given.stream is not None and call.headers[":method"] != "HEAD"
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def _stream(receive: Receive, send: Send, call: Call, given: Answer) -> None:
    """Send what follows the body, if anything does, until it ends or the client leaves."""
    if given.stream is None or call.headers[":method"] == "HEAD":
        return
    leaving = asyncio.ensure_future(_gone(receive))
    try:
        async for chunk in given.stream():
            if leaving.done():
                return
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        leaving.cancel()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _cut(send: Send) -> None:
    """Close the connection without a status line; uvicorn's own `send` knows it."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        await send({"type": "http.response.start", "status": 502, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        return
    transport.abort()
    for _ in range(3):  # until the server has noticed, which else answers with a 500 of its own
        await asyncio.sleep(0)
