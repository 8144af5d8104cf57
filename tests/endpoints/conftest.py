"""Stand-ins that are closed after each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.endpoints.stand_in import NOT_FOUND, Reply, StandIn

Serve = Callable[..., StandIn]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """serve(routes, default=...) starts a stand-in."""
    running: list[StandIn] = []

    def start(routes: dict[str, Reply] | None = None, default: Reply = NOT_FOUND) -> StandIn:
        running.append(StandIn(routes or {}, default))
        return running[-1]

    yield start
    for item in running:
        item.close()
