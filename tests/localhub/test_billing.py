"""The local Hub's ledger: what is billed is what was starting or running, by the minute; and what the two
endpoints, the resource groups and their limits say of it, as the published description has them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

from hfspace.localhub import LocalHub

DESCRIPTION = json.loads((Path(__file__).parent / "data/hub-openapi-billing.json").read_text())
MONTH = {"startDate": 1793491200, "endDate": 1796083200}  # November 2026
T4_MINUTE = 6667  # micro USD, as the Hub rounds $0.40 an hour
SEED: dict[str, Any] = {
    "hub": {"now": "2026-11-01T00:00:00Z"},
    "accounts": {
        "acme": {"type": "org", "plan": "team", "groups": {"speech": {"spaces": ["acme/x"]}}},
        "alice": {"type": "user", "orgs": {"acme": "admin"}},
        "bob": {"type": "user", "orgs": {"acme": "write"}},
    },
    "tokens": {
        "hf_local_write": {"account": "alice"},
        "hf_fine": {"account": "alice", "role": "fineGrained", "spaces": ["acme"]},
        "hf_fine_billing": {"account": "alice", "role": "fineGrained", "spaces": ["acme"], "billing": True},
        "hf_bob": {"account": "bob"},
    },
    "spaces": {
        "acme/x": {"hardware": "t4-small", "sleep_time": 3600},
        "alice/own": {"hardware": "cpu-basic"},
    },
}


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    with LocalHub(seed=SEED, clock="manual") as hub:
        yield hub


def ask(hub: LocalHub, method: str, path: str, token: str = "", **given: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token or hub.token}"}
    with httpx.Client(base_url=hub.url, trust_env=False, headers=headers) as http:
        return http.request(method, path, **given)


def used(hub: LocalHub, owner: str = "acme") -> list[dict[str, Any]]:
    path = f"/api/organizations/{owner}/billing/usage-v2"
    items: list[dict[str, Any]] = ask(hub, "GET", path, params=MONTH).json()["usage"]["Spaces"]
    return items


def minutes(hub: LocalHub) -> list[tuple[str, int]]:
    return [(item["product"], item["quantity"]) for item in used(hub)]


def test_sleeping_is_not_billed_and_neither_is_building(hub: LocalHub) -> None:
    hub.advance(24 * 3600)  # it slept after one hour
    assert minutes(hub) == [("spaces/t4-small/minutes", 60)]
    ask(hub, "POST", "/api/spaces/acme/x/restart")
    hub.advance(30)  # built
    assert minutes(hub) == [("spaces/t4-small/minutes", 60)]
    hub.advance(600)  # starts for 10 s of it
    assert minutes(hub) == [("spaces/t4-small/minutes", 60), ("spaces/t4-small/minutes", 10)]
    assert [item["active"] for item in used(hub)] == [False, True]


def test_other_hardware_is_another_line_and_the_old_one_bills_until_the_new_one_runs(hub: LocalHub) -> None:
    hub.advance(600)
    ask(hub, "POST", "/api/spaces/acme/x/hardware", json={"flavor": "a10g-small", "sleepTimeSeconds": 7200})
    hub.advance(640)  # 40 s of it on the old machine, while it builds and starts
    assert minutes(hub) == [("spaces/t4-small/minutes", 11), ("spaces/a10g-small/minutes", 10)]
    item = used(hub)[0]
    assert item["totalCostMicroUSD"] == 11 * T4_MINUTE == item["quantity"] * item["unitCostMicroUSD"]
    assert (item["startedAt"], item["stoppedAt"]) == ("2026-11-01T00:00:00.000Z", "2026-11-01T00:10:40.000Z")


def test_a_pause_ends_the_bill_and_replicas_multiply_it(hub: LocalHub) -> None:
    ask(hub, "POST", "/api/spaces/acme/x/replicas", json={"replicas": 3})
    hub.advance(600)
    ask(hub, "POST", "/api/spaces/acme/x/pause")
    hub.advance(6000)
    assert minutes(hub) == [("spaces/t4-small/minutes", 30)]


def test_what_was_used_outlives_the_space_and_stays_with_its_owner(hub: LocalHub) -> None:
    hub.advance(600)
    ask(hub, "DELETE", "/api/repos/delete", json={"type": "space", "organization": "acme", "name": "x"})
    hub.advance(600)
    assert minutes(hub) == [("spaces/t4-small/minutes", 10)]


def test_history_of_the_seed_is_billed_in_its_months() -> None:
    october = {"started": "2026-10-31T22:00:00Z", "stopped": "2026-11-01T02:00:00Z", "hardware": "l4x1"}
    seed = {
        "hub": {"now": "2026-11-10T00:00:00Z"},
        "spaces": {"acme/x": {"stage": "PAUSED", "hardware": "l4x1", "uptime": [october]}},
    }
    with LocalHub(seed=seed, clock="manual") as hub:
        assert minutes(hub) == [("spaces/l4x1/minutes", 120)]


def test_a_grant_costs_nothing() -> None:
    space = {"hardware": "t4-small", "free_grant": True}
    with LocalHub(seed={"spaces": {"acme/x": space}}, clock="manual") as hub:
        hub.advance(3600)
        item = ask(hub, "GET", "/api/organizations/acme/billing/usage").json()["usage"]["Spaces"][0]
        assert (item["freeGrant"], item["quantity"], item["totalCostMicroUSD"]) == (True, 60, 0)


@pytest.mark.parametrize(("token", "status"), [("hf_fine", 403), ("hf_bob", 403), ("hf_fine_billing", 200)])
def test_usage_needs_the_billing_permission(hub: LocalHub, token: str, status: int) -> None:
    for name in ("usage", "usage-v2", "usage-by-resource-group"):
        params = MONTH if name == "usage-v2" else {}
        answer = ask(hub, "GET", f"/api/organizations/acme/billing/{name}", token, params=params)
        assert answer.status_code == status, name


def test_dates_are_seconds_and_milliseconds_are_a_fault(hub: LocalHub) -> None:
    path = "/api/settings/billing/usage-v2"
    assert ask(hub, "GET", path, params=MONTH).status_code == 200
    in_ms = {name: seconds * 1000 for name, seconds in MONTH.items()}
    assert ask(hub, "GET", path, params=in_ms).status_code == 500
    assert ask(hub, "GET", path, params={"startDate": "x"}).status_code == 400


def test_a_reached_limit_pauses_at_that_moment_and_refuses_to_start_or_upgrade(hub: LocalHub) -> None:
    group = ask(hub, "GET", "/api/organizations/acme/resource-groups").json()[0]
    path = f"/api/organizations/acme/resource-groups/{group['id']}"
    ask(hub, "PATCH", path, json={"spendLimits": {"spaces": 20}})
    hub.set_space("acme/x", sleep_time=-1)
    hub.advance(10 * 3600)
    assert hub.space("acme/x")["stage"] == "PAUSED"
    assert minutes(hub) == [("spaces/t4-small/minutes", 30)]  # 30 * 0.6667 cents are 20.001
    for doing, body in (("restart", {}), ("hardware", {"flavor": "a10g-small"})):
        answer = ask(hub, "POST", f"/api/spaces/acme/x/{doing}", json=body)
        assert (answer.status_code, "spend limit" in answer.json()["error"]) == (403, True)
    assert ask(hub, "POST", "/api/spaces/acme/x/hardware", json={"flavor": "cpu-basic"}).status_code == 200
    ask(hub, "PATCH", path, json={"spendLimits": {"spaces": None}})
    assert ask(hub, "POST", "/api/spaces/acme/x/hardware", json={"flavor": "t4-small"}).status_code == 200


def test_a_limit_holds_for_its_month_alone(hub: LocalHub) -> None:
    group = ask(hub, "GET", "/api/organizations/acme/resource-groups").json()[0]
    path = f"/api/organizations/acme/resource-groups/{group['id']}"
    ask(hub, "PATCH", path, json={"spendLimits": {"total": 20}})
    hub.set_space("acme/x", sleep_time=-1)
    hub.advance(40 * 86400)
    assert hub.space("acme/x")["stage"] == "PAUSED"
    assert ask(hub, "POST", "/api/spaces/acme/x/restart").status_code == 200


GROUP = "/api/organizations/{name}/resource-groups/{resourceGroupId}"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("get", "/api/settings/billing/usage", None),
        ("get", "/api/organizations/{name}/billing/usage", None),
        ("get", "/api/organizations/{name}/billing/usage-by-resource-group", None),
        ("get", "/api/organizations/{name}/resource-groups", None),
        ("post", "/api/organizations/{name}/resource-groups", {"name": "vision"}),
        ("get", GROUP, None),
        ("patch", GROUP, {"spendLimits": {"total": 100, "jobs": 5}}),
        ("delete", GROUP, None),
    ],
)
def test_an_answer_is_as_described(hub: LocalHub, method: str, path: str, body: Any) -> None:
    hub.advance(7200)
    known = ask(hub, "GET", "/api/organizations/acme/resource-groups").json()[0]["id"]
    answer = ask(hub, method.upper(), path.format(name="acme", resourceGroupId=known), json=body)
    responses = DESCRIPTION["paths"][path][method]["responses"]
    schema = responses[str(answer.status_code)]["content"]["application/json"]["schema"]
    group = schema.get("items", schema)
    if "repos" in group["required"]:  # the description requires it, and allows nothing of that name
        group["required"].remove("repos")
    jsonschema.Draft202012Validator(schema).validate(answer.json())
    if path.endswith("billing/usage"):
        assert answer.json()["usage"]["Spaces"]


def test_every_described_answer_is_asked_for() -> None:
    described = {
        (method, path)
        for path, methods in DESCRIPTION["paths"].items()
        for method, operation in methods.items()
        if "content" in operation.get("responses", {}).get("200", {})
    }
    asked = test_an_answer_is_as_described.pytestmark[0].args[1]  # type: ignore[attr-defined]
    assert described == {(method, path) for method, path, _ in asked}
