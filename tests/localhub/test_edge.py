"""What stands in front of the apps: the recorded texts and headers, waking, and passing on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from hfspace.localhub import LocalHub
from tests.endpoints.stand_in import Reply, StandIn


@pytest.fixture
def app() -> Iterator[StandIn]:
    stand_in = StandIn({"/config": Reply.json({"version": "6.0"}), "/a/b": Reply.html("deep")})
    yield stand_in
    stand_in.close()


@pytest.fixture
def hub(app: StandIn) -> Iterator[LocalHub]:
    spaces: dict[str, Any] = {
        stage.lower(): {"stage": stage, "host": app.url, "hardware": "t4-small"}
        for stage in ("RUNNING", "RUNNING_BUILDING", "SLEEPING", "PAUSED", "BUILDING", "RUNTIME_ERROR")
    }
    spaces["hidden"] = {"visibility": "private", "host": app.url}
    spaces["nothing.there_x"] = {"host": "http://127.0.0.1:1"}
    seed = {"spaces": {f"acme/{name}": item for name, item in spaces.items()}, "hub": {"edge": True}}
    with LocalHub(seed=seed, clock="manual") as hub:
        yield hub


def visit(hub: LocalHub, name: str, path: str = "config", **headers: str) -> httpx.Response:
    with httpx.Client(base_url=hub.url, trust_env=False) as http:
        info = http.get(f"/api/spaces/acme/{name}", headers={"Authorization": f"Bearer {hub.token}"}).json()
        return http.get(f"{info['host']}/{path}", headers=headers)


@pytest.mark.parametrize("name", ["running", "running_building"])
def test_an_app_that_serves_is_reached(hub: LocalHub, name: str) -> None:
    answer = visit(hub, name)
    assert answer.json() == {"version": "6.0"}
    assert answer.headers["link"] == f'<https://huggingface.co/spaces/acme/{name}>;rel="canonical"'
    assert answer.headers["x-proxied-path"] == "/config"
    assert visit(hub, name, "a/b?c=d").text == "deep"
    assert visit(hub, name, "nope").status_code == 404


@pytest.mark.parametrize("name", ["sleeping", "paused", "building", "runtime_error", "nothing.there_x"])
def test_one_that_does_not_is_a_recorded_503(hub: LocalHub, app: StandIn, name: str) -> None:
    answer = visit(hub, name)
    assert (answer.status_code, answer.headers["content-type"][:9]) == (503, "text/html")
    assert hashlib.sha256(answer.content).hexdigest().startswith("d967395a643b")
    assert answer.headers["link"] == f'<https://huggingface.co/spaces/acme/{name}>;rel="canonical"'
    assert "x-proxied-path" not in answer.headers
    assert app.seen == []


def test_a_visit_wakes_a_sleeping_space_and_no_paused_one(hub: LocalHub) -> None:
    for name in ("sleeping", "paused"):
        visit(hub, name)
    hub.advance(60)
    assert hub.space("acme/sleeping")["stage"] == "RUNNING"
    assert hub.space("acme/paused")["stage"] == "PAUSED"
    assert visit(hub, "sleeping").status_code == 200


def test_a_visit_keeps_a_space_awake(hub: LocalHub) -> None:
    hub.set_space("acme/running", sleep_time=3600)
    for _ in range(3):
        hub.advance(3000)
        assert visit(hub, "running").status_code == 200
    hub.advance(3601)
    assert hub.space("acme/running")["stage"] == "SLEEPING"


def test_a_private_app_is_for_those_who_may_see_it(hub: LocalHub) -> None:
    assert visit(hub, "hidden").status_code == 401
    assert visit(hub, "hidden", authorization="Bearer hf_wrong").status_code == 401
    assert visit(hub, "hidden", authorization=f"Bearer {hub.token}").status_code == 200


def test_a_name_that_no_space_has(hub: LocalHub) -> None:
    answer = httpx.get(f"{hub.url}/_edge/acme-nobody/config", trust_env=False)
    assert (answer.status_code, "can't find the page" in answer.text) == (404, True)
    assert "link" not in answer.headers
