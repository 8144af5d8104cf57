"""Waking a sleeping Space for a look, which only --wake asks for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hfspace import TrackioClient
from hfspace.errors import TrackioUnavailable
from hfspace.live.apps import AppReaders
from hfspace.live.hub import connect
from hfspace.live.limiter import Pace
from hfspace.live.waking import STIR_SECONDS
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
    app: StandIn, hardware: str, wake: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hfspace.live.waking.STIR_SECONDS", 0.0)
    with hub_for(app.url, stage="SLEEPING", hardware=hardware) as hub:
        client = TrackioClient(SPACE, hub.token, endpoint=hub.url, wake=wake, env={})
        with pytest.raises(TrackioUnavailable):
            client.list()
    assert app.seen != []


def test_a_client_that_wakes_waits_until_it_runs(app: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    app.routes |= {
        "/version": Reply.json({"version": "0.43.0", "api_version": 1, "api_transport": "http"}),
        "/api/get_all_projects": Reply.json({"data": []}),
    }
    with hub_for(app.url, stage="SLEEPING", hardware="t4-small") as hub:

        def pass_time(pace: Pace, seconds: float, what: str) -> None:
            hub.set_space(SPACE, stage="RUNNING")

        monkeypatch.setattr(Pace, "sleep", pass_time)
        assert TrackioClient(SPACE, hub.token, endpoint=hub.url, wake=True, env={}).list() == ()
    assert app.seen[0].path == "/"


def test_a_space_that_fell_asleep_since_the_last_call_sleeps_on(
    app: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.routes |= {
        "/version": Reply.json({"version": "0.43.0", "api_version": 1, "api_transport": "http"}),
        "/api/get_all_projects": Reply.json({"data": []}),
    }
    monkeypatch.setattr("hfspace.live.experiments.client.IDLE_SECONDS", 0.0)
    with hub_for(app.url, hardware="t4-small") as hub:
        client = TrackioClient(SPACE, hub.token, endpoint=hub.url, env={})
        assert client.list() == ()
        asked = len(app.seen)
        assert client.list() == ()
        assert [seen.path for seen in app.seen[asked:]] == ["/api/get_all_projects"]

        hub.set_space(SPACE, stage="SLEEPING")
        asked = len(app.seen)
        with pytest.raises(TrackioUnavailable, match="SLEEPING on t4-small"):
            client.list()
        assert len(app.seen) == asked

        hub.set_space(SPACE, stage="RUNNING")
        assert client.list() == ()
