"""The whole way, over the local Hub: stages, private Spaces, and hosts that must not be woken."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml

from hfspace.diagnosis import examine
from hfspace.live.apps import AppReaders
from hfspace.live.gradio.codes import Code
from hfspace.live.hub import connect
from hfspace.localhub import LocalHub
from hfspace.manifest.loader import load
from hfspace.observer import Look, observe
from tests.endpoints.conftest import Serve
from tests.endpoints.stand_in import StandIn, gradio_routes

STAGES = {
    "RUNNING": Code.HEALTHY,
    "PAUSED": Code.PAUSED,
    "SLEEPING": Code.SLEEPING,
    "BUILD_ERROR": Code.BUILD_ERROR,
    "RUNTIME_ERROR": Code.RUNTIME_ERROR,
    "CONFIG_ERROR": Code.CONFIG_ERROR,
    "NO_APP_FILE": Code.NO_APP_FILE,
}


@pytest.fixture
def fleet(serve: Serve) -> Iterator[tuple[LocalHub, dict[str, StandIn]]]:
    """One Space per stage, each with a host of its own, and a private one."""
    hosts = {stage: serve(dict(gradio_routes("plain", "6.31.0"))) for stage in (*STAGES, "PRIVATE")}
    spaces = {
        f"acme/{stage.lower().replace('_', '-')}": {
            "sdk": "gradio",
            "stage": "RUNNING" if stage == "PRIVATE" else stage,
            "hardware": "cpu-basic",
            "visibility": "private" if stage == "PRIVATE" else "public",
            "host": host.url,
            "error": "it broke" if stage.endswith("_ERROR") else None,
        }
        for stage, host in hosts.items()
    }
    seed = {
        "accounts": {"acme": {"type": "org"}, "alice": {"type": "user", "orgs": {"acme": "admin"}}},
        "tokens": {"hf_local_write": {"account": "alice", "role": "write"}},
        "spaces": spaces,
    }
    with LocalHub(seed) as hub:
        yield hub, hosts


def test_every_stage_over_the_wire(fleet: tuple[LocalHub, dict[str, StandIn]]) -> None:
    hub, hosts = fleet
    door = connect(hub.url, "hf_local_write")

    found = {stage: examine(f"acme/{stage.lower().replace('_', '-')}", door) for stage in STAGES}

    assert {stage: item.verdict.code for stage, item in found.items()} == STAGES
    assert "it broke" in found["RUNTIME_ERROR"].verdict.seen
    assert {stage for stage, host in hosts.items() if host.seen} == {"RUNNING"}


def test_a_private_space_with_and_without_a_token(fleet: tuple[LocalHub, dict[str, StandIn]]) -> None:
    hub, hosts = fleet

    assert examine("acme/private", connect(hub.url, None)).verdict.code is Code.MISSING_OR_PRIVATE
    assert hosts["PRIVATE"].seen == []
    assert examine("acme/private", connect(hub.url, "hf_wrong")).verdict.code is Code.WRONG_TOKEN
    assert hosts["PRIVATE"].seen == []
    assert examine("acme/private", connect(hub.url, "hf_local_write")).verdict.code is Code.HEALTHY
    assert {seen.headers.get("authorization") for seen in hosts["PRIVATE"].seen} == {"Bearer hf_local_write"}


@pytest.mark.parametrize("edge", [False, True])
def test_the_apps_of_a_listing_are_asked_where_the_hub_says_that_they_are(serve: Serve, edge: bool) -> None:
    apps = {f"acme/{name}": serve(dict(gradio_routes("plain", "6.31.0"))) for name in "abcd"}
    seed = {"spaces": {space: {"host": app.url} for space, app in apps.items()}, "hub": {"edge": edge}}
    endpoint = {"endpoint": {"api_name": "/add"}}
    with LocalHub(seed) as local:
        hub = connect(local.url, local.token)
        manifest = {"version": 1, "spaces": dict.fromkeys(apps, endpoint)}
        look = Look(apps=AppReaders(hub=hub), endpoints=True)

        spaces = observe(load([("f", yaml.safe_dump(manifest))], env={}), hub, look).spaces

        assert not [one for one in local.requests() if one.path.startswith("/api/spaces/acme/")]
        assert {space: state.host for space, state in spaces.items()} == {
            space: hub.space(space).host for space in apps
        }
    assert {state.app.problem if state.app else None for state in spaces.values()} == {""}
    assert all(app.seen for app in apps.values())


def test_a_plan_finds_mounted_apps_by_the_cards_of_one_listing(serve: Serve) -> None:
    apps = {f"acme/{name}": serve(dict(gradio_routes("plain", "6.31.0", "/sub"))) for name in "abc"}
    files = {"README.md": "---\nsdk: gradio\nbase_path: /sub\n---\n", "app.py": "pass"}
    seed = {
        "spaces": {space: {"sdk": "gradio", "host": app.url, "files": files} for space, app in apps.items()}
    }
    manifest = {"version": 1, "spaces": {key: {"endpoint": {"api_name": "/add"}} for key in apps}}
    with LocalHub(seed) as local:
        hub = connect(local.url, local.token)
        look = Look(apps=AppReaders(hub=hub), endpoints=True)

        spaces = observe(load([("f", yaml.safe_dump(manifest))], env={}), hub, look).spaces

        assert not [one for one in local.requests() if one.path.startswith("/api/spaces/acme/")]
    assert {state.app.endpoints[0].url if state.app else "" for state in spaces.values()} == {
        f"{app.url}/sub/gradio_api/call/add" for app in apps.values()
    }
