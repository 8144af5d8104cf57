"""A page of 1,000 Spaces with their runtimes, as the server's own time: no sockets, the ASGI app called.

Beside it a bare Starlette app that answers with the same JSON. Prints medians in ms and their ratio:
    .venv/bin/python bench/local_hub.py
"""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from hfspace.localhub.app import App
from hfspace.localhub.seed import DEFAULT_TOKEN, read
from hfspace.localhub.store import Store
from hfspace.localhub.world import World

SPACES, ROUNDS = 1000, 40
QUERY = b"author=acme&expand=runtime&expand=private&expand=sdk&expand=sha&expand=cardData&expand=subdomain"


async def ask(app: Any, path: str) -> tuple[float, bytes]:
    """(seconds, body) of one GET."""
    body = bytearray()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        body.extend(message.get("body", b""))

    headers = [(b"authorization", f"Bearer {DEFAULT_TOKEN}".encode()), (b"host", b"127.0.0.1")]
    scope = {
        "type": "http", "http_version": "1.1", "method": "GET", "scheme": "http", "path": path,
        "raw_path": path.encode(), "query_string": QUERY, "root_path": "", "headers": headers,
    }  # fmt: skip
    begin = time.perf_counter()
    await app(scope, receive, send)
    return time.perf_counter() - begin, bytes(body)


async def main() -> None:
    names = [f"acme/space-{number:04}" for number in range(SPACES)]
    seed = read({"spaces": {name: {"hardware": "t4-small", "sleep_time": 3600} for name in names}})
    store = Store(":memory:")
    hub = App(World(store, seed, manual_clock=False))
    _, page = await ask(hub, "/api/spaces")
    import json

    answer = json.loads(page)
    assert len(answer) == SPACES

    async def same(request: Request) -> JSONResponse:
        return JSONResponse(answer)

    bare = Starlette(routes=[Route("/api/spaces", same)])
    times: dict[str, list[float]] = {"local Hub": [], "bare Starlette": []}
    for _ in range(ROUNDS):
        times["local Hub"].append((await ask(hub, "/api/spaces"))[0])
        times["bare Starlette"].append((await ask(bare, "/api/spaces"))[0])
    medians = {name: statistics.median(taken) * 1000 for name, taken in times.items()}
    print(f"a page of {SPACES} Spaces, {len(page) / 1024:.0f} KiB, median of {ROUNDS} (worst)")
    for name, taken in times.items():
        print(f"  {name:<15} {medians[name]:6.1f} ms ({max(taken) * 1000:.1f} ms)")
    print(f"  ratio           {medians['local Hub'] / medians['bare Starlette']:6.1f}")
    store.close()


if __name__ == "__main__":
    asyncio.run(main())
