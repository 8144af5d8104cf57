"""Serving the local Hub: in a thread for tests and the demo, in the foreground for `hfspace hub serve`."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from hfspace.localhub import machine
from hfspace.localhub.app import App, Hook
from hfspace.localhub.faults import Fault
from hfspace.localhub.seed import LocalHubError, Seed, read
from hfspace.localhub.store import Store
from hfspace.localhub.world import World
from hfspace.loopback import is_loopback


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedRequest:
    """One request that the Hub served. `effect`: it changed something."""

    time: float
    method: str
    path: str
    query: dict[str, list[str]]
    account: str | None
    token_role: str
    status: int
    effect: bool


class LocalHub:
    """A Hub on 127.0.0.1 in a thread: `with LocalHub(seed=...) as hub: hub.url, hub.token`."""

    def __init__(
        self,
        seed: dict[str, Any] | str | Path | None = None,
        *,
        db: str = ":memory:",
        port: int = 0,
        host: str = "127.0.0.1",
        clock: Literal["real", "manual"] = "real",
    ) -> None:
        _check_host(host, allow_public=False)
        self._store = Store(db)
        self._world = World(self._store, read(seed), manual_clock=clock == "manual")
        self._socket = _bound(host, port)
        self._doors = _doors(self._world, host)
        self._app = App(self._world)
        self._server: Any = None
        self._thread: threading.Thread | None = None
        self.url = f"http://{host}:{self._socket.getsockname()[1]}"
        self.token = default_token(self._world.seed)

    def __enter__(self) -> LocalHub:
        self._server = _server(self._app)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket, *self._doors],), daemon=True
        )
        self._thread.start()
        deadline = time.monotonic() + 10
        while not self._server.started:
            if time.monotonic() > deadline:
                raise LocalHubError("The local Hub did not start within 10 s.")
            time.sleep(0.005)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._server.force_exit = True
        if self._thread is not None:
            self._thread.join(10)
        for one in (self._socket, *self._doors):
            one.close()
        self._store.close()

    def requests(self) -> list[LoggedRequest]:
        return [LoggedRequest(**entry) for entry in self._store.requests()]

    def writes(self) -> list[LoggedRequest]:
        """Requests other than GET, whether they were taken or refused."""
        return [entry for entry in self.requests() if entry.method != "GET"]

    def clear_requests(self) -> None:
        self._store.clear_requests()

    def advance(self, seconds: float) -> None:
        """Step the Hub's clock."""
        with self._store.transaction():
            self._world.advance(seconds)

    def add_fault(self, fault: dict[str, Any]) -> None:
        self._app.faults.append(Fault.read(fault))

    def set_hook(self, hook: Hook | None) -> None:
        """Call `hook` at every request, before and after its effect: tests kill their clients there."""
        self._app.hook = hook

    def clear_faults(self) -> None:
        self._app.faults.clear()
        self._app.forget_stale()

    def spaces(self) -> list[str]:
        return [doc["id"] for doc in self._store.docs().values()]

    def space(self, space: str) -> dict[str, Any]:
        """The whole document of a Space as of now, secrets' values included. Raises KeyError."""
        doc = self._store.space(space)
        if doc is None:
            raise KeyError(space)
        return machine.settled(doc, self._world.now)

    def set_space(self, space: str, **values: Any) -> None:
        """Somebody clicked: set fields of the document, such as stage, requested, current, sleep_time."""
        with self._store.transaction():
            self._world.patch(space, values)

    def counts(self, what: str) -> dict[str, int]:
        """How often each Space was created ('creates') or deleted ('deletes')."""
        counts: dict[str, int] = self._store.meta(what, {})
        return counts


def serve(
    seed: Path | None,
    db: Path | None,
    host: str,
    port: int,
    on_ready: Callable[[str, list[str]], None],
    *,
    allow_public: bool = False,
) -> None:
    """Serve until interrupted. Raises LocalHubError: a port in use, a bad seed, a public address."""
    _check_host(host, allow_public=allow_public)
    store = Store(str(db) if db else ":memory:")
    world = World(store, read(seed), manual_clock=False)
    bound = _bound(host, port)
    doors = _doors(world, host)
    server = _server(App(world, any_host=allow_public))
    on_ready(f"http://{host}:{bound.getsockname()[1]}", [default_token(world.seed), *world.seed.tokens])
    server.run([bound, *doors])


def default_token(seed: Seed) -> str:
    """The first token that may write."""
    return next(
        (token for token, item in seed.tokens.items() if item.role == "write"), next(iter(seed.tokens))
    )


def _server(app: App) -> Any:
    import uvicorn

    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    config = uvicorn.Config(
        app,
        log_level="critical",
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=0,
        date_header=False,  # the Hub has a clock of its own (hub.clock_ahead)
    )
    return uvicorn.Server(config)


def _doors(world: World, host: str) -> list[socket.socket]:
    """With the edge on, a port for each Space that has an app."""
    doors = []
    for space, doc in world.store.docs().items() if world.seed.hub.edge else ():
        if doc["host"]:
            doors.append(_bound(host, 0))
            world.ports[space] = doors[-1].getsockname()[1]
    return doors


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio switches Nagle's delay off only then: 40 ms for every answer.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise LocalHubError(f"Port {port} of {host} can't be used: {error.strerror}.") from None
    return bound


def _check_host(host: str, *, allow_public: bool) -> None:
    if not allow_public and not is_loopback(host):
        raise LocalHubError(f"{host} is not a loopback address; pass --allow-public if you mean it.")
