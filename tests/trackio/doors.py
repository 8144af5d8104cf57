"""The Gradio Trackio app without Gradio: the same texts, a stepped clock, and faults on demand."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hfspace.errors import TrackioRejected, TrackioUnavailable
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


class StoreDoor:
    """Stands in for hfspace.live.trackio.door.Door. `before(api)` and `after(api)` run around each call, and
    may raise; each call takes 0.1 s."""

    def __init__(self, store: Store, clock: Clock, base: str = "http://app") -> None:
        self.store = store
        self.clock = clock
        self.base = base
        self.calls: list[str] = []
        self.before: Callable[[str], None] = lambda api: None
        self.after: Callable[[str], None] = lambda api: None

    def close(self) -> None: ...

    def read(self, api: str, *args: str) -> str:
        return str(self.call(api, *args))

    def write(self, api: str, *args: str) -> str:
        return str(self.call(api, *args))

    def call(self, api: str, *args: str) -> Any:
        self.calls.append(api)
        self.clock.sleep(0.1)
        self.before(api)
        if api == "update_experiment_status_interface" and args[1] not in STATUSES:
            raise TrackioRejected(f"Value: {args[1]} is not in the list of choices")
        answer = getattr(self.store, api)(*args)
        self.after(api)
        if self.store.later and api in {"simulate_training_data", "create_demo_experiment"}:
            raise TrackioRejected("A  function didn't return enough output values (needed: 6, returned: 1)")
        return {"type": "plotly", "plot": answer} if api == "create_metrics_plot" else answer

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


def tracker(*, later: bool = False, spacing: Spacing | None = None) -> tuple[InterfaceTracker, StoreDoor]:
    clock = Clock()
    door = StoreDoor(Store(later=later, now=clock.server), clock)
    shared = spacing or Spacing(clock=clock, sleep=clock.sleep)
    return InterfaceTracker(door, spacing=shared), door  # type: ignore[arg-type]


def figure(**trace: Any) -> dict[str, Any]:
    return {"type": "plotly", "plot": json.dumps({"data": [trace], "layout": {}})}
