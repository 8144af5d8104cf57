"""What each switch about the unknown of the real Hub does, seen with plain requests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from hfspace.localhub import LocalHub

SPACE = {"hardware": "t4-small", "sleep_time": 3600}


@contextmanager
def hub_with(space: dict[str, Any] = SPACE, edge: bool = False, **switches: Any) -> Iterator[Any]:
    """(hub, ask) of a Hub with one Space, acme/x; `ask` takes what comes after its path."""
    seed = {"spaces": {"acme/x": space}, "hub": {"switches": switches, "edge": edge}}
    with LocalHub(seed=seed, clock="manual") as hub:
        headers = {"Authorization": f"Bearer {hub.token}"}
        with httpx.Client(base_url=hub.url, headers=headers, trust_env=False, timeout=10) as http:

            def ask(method: str, path: str, body: Any = None) -> httpx.Response:
                path = path if path.startswith("/api") else f"/api/spaces/acme/x{path}"
                return http.request(method, path, json=body)

            yield hub, ask


def stages(ask: Any, reads: int) -> list[str]:
    return [ask("GET", "/runtime").json()["stage"] for _ in range(reads)]


@pytest.mark.parametrize(
    ("change", "after"), [("/pause", "PAUSED"), ("/restart", "BUILDING")], ids=["pause", "restart"]
)
def test_the_runtime_lags_by_reads_of_any_kind(change: str, after: str) -> None:
    with hub_with(runtime_lags_reads=3) as (_, ask):
        assert ask("POST", change).json()["stage"] == after  # the answer to the change itself does not lag
        listed = ask("GET", "/api/spaces?author=acme&expand=runtime").json()[0]["runtime"]["stage"]
        single = ask("GET", "").json()["runtime"]["stage"]
        assert [listed, single, *stages(ask, 2)] == ["RUNNING", "RUNNING", "RUNNING", after]


def test_only_the_runtime_lags_not_what_else_is_read() -> None:
    with hub_with(runtime_lags_reads=3) as (_, ask):
        ask("POST", "/variables", {"key": "A", "value": "1"})
        assert ask("GET", "/variables").json()["A"]["value"] == "1"
        assert stages(ask, 4) == ["RUNNING"] * 3 + ["RUNNING_APP_STARTING"]


def test_a_change_that_had_not_come_through_wakes_the_paused_space_later() -> None:
    with hub_with(change_wakes_after_reads=3) as (hub, ask):
        ask("POST", "/variables", {"key": "A", "value": "1"})
        ask("POST", "/pause")
        assert stages(ask, 3) == ["PAUSED", "PAUSED", "BUILDING"]
        hub.advance(60)
        assert stages(ask, 1) == ["RUNNING"]
        ask("POST", "/pause")
        assert stages(ask, 4) == ["PAUSED"] * 4  # nothing is left to come through


def test_a_change_that_came_through_before_the_pause_wakes_nothing() -> None:
    with hub_with(change_wakes_after_reads=1) as (hub, ask):
        ask("POST", "/hardware", {"flavor": "t4-medium"})
        hub.advance(60)
        ask("POST", "/pause")
        assert stages(ask, 3) == ["PAUSED"] * 3


@pytest.mark.parametrize(("setting", "status"), [("accept", 200), ("refuse", 400)])
def test_a_sleep_time_on_a_paused_space(setting: str, status: int) -> None:
    with hub_with(sleep_time_when_paused=setting) as (hub, ask):
        ask("POST", "/pause")
        assert ask("POST", "/sleeptime", {"seconds": 300}).status_code == status
        assert hub.space("acme/x")["sleep_time"] == (300 if status == 200 else 3600)


@pytest.mark.parametrize("trims", [True, False])
def test_what_is_trimmed(trims: bool) -> None:
    with hub_with(trims_values=trims, trims_descriptions=trims) as (hub, ask):
        body = {"key": "A", "value": " v\n", "description": "why\n"}
        ask("POST", "/variables", body)
        ask("POST", "/secrets", {**body, "key": "S", "description": " \n"})
        doc = hub.space("acme/x")
        variable, secret = doc["variables"]["A"], doc["secrets"]["S"]
        assert (variable["value"], secret["value"]) == (("v", "v") if trims else (" v\n", " v\n"))
        assert (variable["description"], secret.get("description")) == (
            ("why", None) if trims else ("why\n", " \n")
        )


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("single", [True, False])
def test_private_of_a_protected_space_in_a_listing_and_in_a_single_read(listed: bool, single: bool) -> None:
    switches = {"protected_in_private": single, "list_protected_in_private": listed}
    with hub_with({"visibility": "protected"}, **switches) as (_, ask):
        items = ask("GET", "/api/spaces?author=acme&expand=private").json()
        assert (items[0]["private"], ask("GET", "").json()["private"]) == (listed, single)


@pytest.mark.parametrize("handed_out", [True, False])
def test_the_page_of_a_static_space_gets_its_variables_and_maybe_its_secrets(handed_out: bool) -> None:
    space = {
        "sdk": "static",
        "variables": {"V": "</script>"},
        "secrets": {"S": "s3cret"},
        "files": {"index.html": "<h1>hello</h1>", "data.txt": "plain"},
    }
    with hub_with(space, edge=True, static_secrets_on_page=handed_out) as (hub, _):
        page = httpx.get(f"{hub.url}/_edge/acme-x/", trust_env=False).text
        script, _, rest = page.partition("\n")
        values = json.loads(script.removeprefix("<script>window.huggingface = ").removesuffix("</script>"))
        assert values == {"variables": {"V": "</script>", **({"S": "s3cret"} if handed_out else {})}}
        assert rest == "<h1>hello</h1>"
        assert httpx.get(f"{hub.url}/_edge/acme-x/data.txt", trust_env=False).text == "plain"
        assert httpx.get(f"{hub.url}/_edge/acme-x/none", trust_env=False).status_code == 404


def test_a_log_that_stays_open_goes_on_talking() -> None:
    with hub_with({"logs": {"run": ["one"]}}, logs_stay_open=True) as (hub, _):
        headers = {"Authorization": f"Bearer {hub.token}"}
        url = f"{hub.url}/api/spaces/acme/x/logs/run"
        with httpx.stream("GET", url, headers=headers, trust_env=False, timeout=10) as response:
            lines = (json.loads(line[6:])["data"] for line in response.iter_lines() if line)
            said = [next(lines) for _ in range(3)]
        assert said == ["one\n", "GET /health 200 (check 1)\n", "GET /health 200 (check 2)\n"]
