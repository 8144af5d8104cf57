"""Waking a sleeping Space for a look, which only --wake asks for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hfspace import TrackioClient
from hfspace.errors import TrackioUnavailable
from hfspace.live.apps import STIR_SECONDS, AppReaders
from hfspace.live.hub import connect
from tests.converge.harness import HubPace
from tests.endpoints.stand_in import Reply, StandIn
from tests.trackio.runner import SPACE, hub_for


@pytest.fixture
def app() -> Iterator[StandIn]:
    app = StandIn({}, Reply.html("waking"))
    yield app
    app.close()


@pytest.mark.parametrize("wakes", [True, False])
@pytest.mark.parametrize("visibility", ["public", "private"])
def test_one_visit_and_then_waiting(app: StandIn, wakes: bool, visibility: str) -> None:
    with hub_for(app.url, stage="SLEEPING", visibility=visibility) as hub:
        pace = HubPace(hub)
        client = connect(hub.url, hub.token, pace=pace)
        if wakes:
            hub.set_space(SPACE, ahead=[[20, "APP_STARTING"], [60, "RUNNING"]])

        state = AppReaders(hub=client).wake(client.space(SPACE))

        assert state.stage == ("RUNNING" if wakes else "SLEEPING")
        assert pace.slept <= (62 if wakes else STIR_SECONDS + 4)
    assert [seen.path for seen in app.seen] == ["/"]
    sent = app.seen[0].headers.get("authorization")
    assert sent == (f"Bearer {hub.token}" if visibility == "private" else None)


@pytest.mark.parametrize(
    ("hardware", "wake"), [("t4-small", False), ("t4-small", None), ("cpu-basic", False)]
)
def test_a_client_leaves_a_sleeping_space_asleep(app: StandIn, hardware: str, wake: bool | None) -> None:
    with hub_for(app.url, stage="SLEEPING", hardware=hardware) as hub:
        client = TrackioClient(SPACE, hub.token, endpoint=hub.url, wake=wake, env={})
        with pytest.raises(TrackioUnavailable, match="SLEEPING on"):
            client.list()
    assert app.seen == []


@pytest.mark.parametrize(("hardware", "wake"), [("t4-small", True), ("cpu-basic", None)])
def test_a_client_wakes_it_when_asked_or_where_that_is_free(
    app: StandIn, hardware: str, wake: bool | None
) -> None:
    with hub_for(app.url, stage="SLEEPING", hardware=hardware) as hub:
        client = TrackioClient(SPACE, hub.token, endpoint=hub.url, wake=wake, env={})
        with pytest.raises(TrackioUnavailable):
            client.list()
    assert app.seen != []
