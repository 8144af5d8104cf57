"""What stands in front of the apps: it passes requests on to one that runs and answers for one that does not.

With `hub.edge: true` the host of a Space with an app is a port of its own, that of another Space is
/_edge/<subdomain>. Texts and headers are the recorded ones of hf.space; what it says to somebody who may not
look in is not public, and plain here.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from mimetypes import guess_type
from typing import Any

from hfspace.localhub import machine, rules, wire
from hfspace.localhub.machine import Doc
from hfspace.localhub.rules import NOBODY
from hfspace.localhub.wire import Answer, Refused
from hfspace.localhub.world import World
from hfspace.loopback import is_loopback_url

PREFIX = "/_edge/"
DOWN = "Your space is in error, check its status on hf.co"
_HOP = frozenset({"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "host"})
_TIMEOUT = 60.0

Send = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request to an app. `path` is what comes after the subdomain."""

    subdomain: str
    method: str
    path: str
    query: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    token: str | None


def arrive(world: World, visit: Visit) -> tuple[Doc, str] | Answer:
    """The Space and the app's URL, or what the edge says in its place. Wakes a sleeping Space."""
    doc = next(
        (doc for doc in world.store.docs().values() if wire.subdomain(doc["id"]) == visit.subdomain), None
    )
    if doc is None:
        return _page(404, wire.NO_PAGE)
    link = {"Link": _canonical(doc)}
    try:
        who = world.identify(visit.token)
    except Refused:
        who = NOBODY
    if not rules.may_read(world.seed, who, doc):
        return _page(401, "Unauthorized", link)
    doc = machine.settled({**doc}, world.now)
    up = machine.is_up(doc)
    machine.visit(doc, world.now)
    world.save(doc, write=False)
    if doc["sdk"] == "static" and not doc["host"]:
        return _file(world, doc, visit.path or "index.html", link)
    if not up or not _is_here(str(doc["host"] or "")):
        return _page(503, DOWN, link)
    return doc, str(doc["host"])


def _is_here(host: str) -> bool:
    """Whether an app is on this machine: the edge passes visits on, and is no way to any other."""
    return host.startswith("http://") and is_loopback_url(host)


def _file(world: World, doc: Doc, path: str, headers: dict[str, str]) -> Answer:
    """A file of a static Space. Its pages get the variables, and as the docs say, the secrets too."""
    entry = doc["files"].get(path)
    if entry is None:
        return _page(404, wire.NO_PAGE, headers)
    if lfs := entry.get("lfs"):
        headers = {**headers, "Content-Length": str(lfs["size"])}
        kind = guess_type(path)[0] or "application/octet-stream"
        chunks = world.store.large.stream(lfs["oid"], 0, lfs["size"] - 1)
        return Answer(body=b"", content_type=kind, headers=headers, stream=chunks)
    body, kind = world.store.blob(entry["oid"]), guess_type(path)[0] or "application/octet-stream"
    if kind == "text/html":
        kinds = ["variables"] + ["secrets"] * world.seed.hub.switches.static_secrets_on_page
        values = {key: item["value"] for name in kinds for key, item in doc[name].items()}
        script = json.dumps({"variables": values}).replace("<", "\\u003c")
        body = f"<script>window.huggingface = {script}</script>\n".encode() + body
    return Answer(body=body, content_type=kind, headers=headers)


async def pass_on(visit: Visit, doc: Doc, app: str, send: Send) -> None:
    """Stream the app's own answer; 503 when nothing answers."""
    import httpx

    url = f"{app.rstrip('/')}/{visit.path}{'?' + visit.query if visit.query else ''}"
    headers = [(name, value) for name, value in visit.headers if name.decode("latin-1").lower() not in _HOP]
    try:
        async with (
            httpx.AsyncClient(timeout=_TIMEOUT, trust_env=False) as http,
            http.stream(visit.method, url, headers=headers, content=visit.body) as response,
        ):
            await send(_start(response.status_code, _kept(response, doc, app, visit)))
            async for chunk in _raw(response):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
    except httpx.ConnectError:
        answer = _page(503, DOWN, {"Link": _canonical(doc)})
        named = {"Content-Type": answer.content_type, **answer.headers}
        await send(_start(answer.status, [(k.encode(), v.encode()) for k, v in named.items()]))
        await send({"type": "http.response.body", "body": answer.data()})


def _raw(response: Any) -> AsyncIterator[bytes]:
    chunks: AsyncIterator[bytes] = response.aiter_raw()
    return chunks


def _kept(response: Any, doc: Doc, app: str, visit: Visit) -> list[tuple[bytes, bytes]]:
    """The app's headers with those that show that the container was reached."""
    own = [
        (name, value) for name, value in response.headers.raw if name.decode("latin-1").lower() not in _HOP
    ]
    added = {
        "Link": _canonical(doc),
        "X-Proxied-Host": app,
        "X-Proxied-Replica": f"{doc['oid'][:8]}-0",
        "X-Proxied-Path": f"/{visit.path}",
    }
    return own + [(name.encode(), value.encode("latin-1", "replace")) for name, value in added.items()]


def _canonical(doc: Doc) -> str:
    return f'<https://huggingface.co/spaces/{doc["id"]}>;rel="canonical"'


def _start(status: int, headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": headers}


def _page(status: int, text: str, headers: dict[str, str] | None = None) -> Answer:
    return Answer(status=status, body=text, content_type="text/html; charset=utf-8", headers=headers or {})
