"""The Gradio Trackio app without Gradio: the same texts, a stepped clock, and faults on demand."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hfspace.errors import TrackioRejected, TrackioUnavailable
from hfspace.live.experiments.client import TrackioClient
from hfspace.live.trackio.address import Address
from hfspace.live.trackio.endpoints import USUAL
from hfspace.live.trackio.interface import InterfaceTracker
from hfspace.live.trackio.spacing import Spacing
from tests.apps.trackio_store import STATUSES, Store


class Clock:
    """Seconds, and the server's time that goes with them. Sleeping takes none."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def server(self) -> datetime:
        return datetime(2026, 11, 21, 1, 45, tzinfo=UTC).replace(tzinfo=None) + timedelta(
            seconds=self.seconds
        )


class StoreClient:
    """Stands in for hfspace.live.trackio.queue_client.QueueClient. `before(api)` and `after(api)` run around
    each call, and may raise; each call takes 0.1 s."""

    host = "app"

    def __init__(self, store: Store, clock: Clock, base: str = "http://app") -> None:
        self.store = store
        self.clock = clock
        self.base = base
        self.calls: list[str] = []
        self.before: Callable[[str], None] = lambda api: None
        self.after: Callable[[str], None] = lambda api: None

    def read(self, use: str, *args: str) -> str:
        return str(self.call(use, *args))

    def read_all(self, use: str, calls: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
        return tuple(self.read(use, *args) for args in calls)

    def write(self, use: str, *args: str) -> str:
        return str(self.call(use, *args))

    def figure(self, *args: str) -> Any:
        return {"type": "plotly", "plot": self.call("plot", *args)}

    def call(self, use: str, *args: str) -> Any:
        api = USUAL[use]
        self.calls.append(api)
        self.clock.sleep(0.1)
        self.before(api)
        if use == "update_status" and args[1] not in STATUSES:
            raise TrackioRejected(f"Value: {args[1]} is not in the list of choices")
        answer = getattr(self.store, api)(*args)
        self.after(api)
        if self.store.later and use in {"simulate", "demo"}:
            raise TrackioRejected("A  function didn't return enough output values (needed: 6, returned: 1)")
        return answer

    def lose(self, api: str, *, carried_out: bool, times: int = 1) -> None:
        """The answers of the next calls of `api` are lost, after or before their effect."""
        left = [times]

        def fail(called: str) -> None:
            if called == api and left[0]:
                left[0] -= 1
                raise TrackioUnavailable("the connection broke")

        if carried_out:
            self.after = fail
        else:
            self.before = fail


def tracker(
    *, later: bool = False, spacing: Spacing | None = None, clock: Clock | None = None
) -> tuple[InterfaceTracker, StoreClient]:
    clock = clock or Clock()
    client = StoreClient(Store(later=later, now=clock.server), clock)
    shared = spacing or Spacing(clock=clock, sleep=clock.sleep)
    return InterfaceTracker(client, spacing=shared), client  # type: ignore[arg-type]


def client_over(backend: InterfaceTracker, space: str = "acme/track") -> TrackioClient:
    """A client that has found this app."""
    client = TrackioClient.at(Address(base="http://app"), space=space)
    client._connected = lambda address: backend  # type: ignore[method-assign]
    return client


def figure(**trace: Any) -> dict[str, Any]:
    return {"type": "plotly", "plot": json.dumps({"data": [trace], "layout": {}})}
