"""Faults on demand, over the wire: what the client meets, and whether the effect happened."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from hfspace.localhub import LocalHub, LocalHubError

PAUSE = "/api/spaces/acme/x/pause"


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    with LocalHub(seed={"spaces": {"acme/x": {}, "acme/y": {}}}, clock="manual") as hub:
        yield hub


@pytest.fixture
def http(hub: LocalHub) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {hub.token}"}
    with httpx.Client(base_url=hub.url, headers=headers, trust_env=False, timeout=5) as http:
        yield http


def test_a_status_with_text_and_headers_as_often_as_told(hub: LocalHub, http: httpx.Client) -> None:
    hub.add_fault({
        "path": "*/pause", "status": 503, "times": 2, "error": "no room", "headers": {"Retry-After": "3"},
    })  # fmt: skip
    said = [http.post(PAUSE) for _ in range(3)]
    assert [answer.status_code for answer in said] == [503, 503, 200]
    assert (said[0].json(), said[0].headers["retry-after"]) == ({"error": "no room"}, "3")


def test_after_lets_requests_pass_first(hub: LocalHub, http: httpx.Client) -> None:
    hub.add_fault({"method": "GET", "path": "*/acme/x", "status": 500, "times": 1, "after": 2})
    assert [http.get("/api/spaces/acme/x").status_code for _ in range(4)] == [200, 200, 500, 200]


def test_a_probability_is_repeatable_with_its_seed(hub: LocalHub, http: httpx.Client) -> None:
    histories = []
    for _ in range(2):
        hub.clear_faults()
        hub.add_fault({"probability": 0.5, "seed": 7, "status": 502})
        histories.append([http.get("/api/spaces/acme/x").status_code for _ in range(12)])
    assert histories[0] == histories[1]
    assert set(histories[0]) == {200, 502}


@pytest.mark.parametrize(("when", "stage"), [("before", "RUNNING"), ("after", "PAUSED")])
def test_a_dropped_connection_has_no_status_line(
    hub: LocalHub, http: httpx.Client, when: str, stage: str
) -> None:
    hub.add_fault({"path": "*/pause", "drop": when, "times": 1})
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        http.post(PAUSE)
    assert hub.space("acme/x")["stage"] == stage
    assert http.post(PAUSE).status_code == 200


def test_a_hanging_answer_never_comes(hub: LocalHub, http: httpx.Client) -> None:
    hub.add_fault({"path": "*/runtime", "hang": True, "times": 1})
    with pytest.raises(httpx.ReadTimeout):
        http.get("/api/spaces/acme/x/runtime", timeout=0.3)
    assert http.get("/api/spaces/acme/x/runtime").status_code == 200


@pytest.mark.parametrize("how", ["html", "empty", "wrong_json"])
def test_a_body_that_nobody_expects(hub: LocalHub, http: httpx.Client, how: str) -> None:
    hub.add_fault({"path": "*/runtime", "body": how, "times": 1})
    text = http.get("/api/spaces/acme/x/runtime").text
    assert "RUNNING" not in text
    assert (text == "") == (how == "empty")


def test_a_truncated_body(hub: LocalHub, http: httpx.Client) -> None:
    hub.add_fault({"path": "*/runtime", "body": "truncated", "times": 1})
    with pytest.raises(httpx.RemoteProtocolError):
        http.get("/api/spaces/acme/x/runtime")


def test_latency(hub: LocalHub, http: httpx.Client) -> None:
    hub.add_fault({"path": "*/runtime", "latency_ms": 60, "times": 1})
    assert http.get("/api/spaces/acme/x/runtime").elapsed.total_seconds() >= 0.06


def test_reads_lag_behind_a_write_for_as_many_reads_as_told(hub: LocalHub, http: httpx.Client) -> None:
    hub.add_fault({"path": "*/pause", "stale": 3})
    http.post(PAUSE)

    def stage() -> str:
        return str(http.get("/api/spaces/acme/x/runtime").json()["stage"])

    listed = http.get("/api/spaces", params={"expand": "runtime"}).json()
    assert [item["runtime"]["stage"] for item in listed] == ["RUNNING", "RUNNING"]  # a listing lags too
    assert [stage(), stage(), stage()] == ["RUNNING", "RUNNING", "PAUSED"]
    assert http.get("/api/spaces/acme/y/runtime").json()["stage"] == "RUNNING"


def test_faults_by_the_admin_path(hub: LocalHub, http: httpx.Client) -> None:
    assert http.post("/_local/faults", json={"status": 503, "times": 1}).json() == {"ok": True}
    assert http.get("/_local/faults").json() == [{"status": 503, "times": 1}]
    assert http.get("/api/spaces/acme/x").status_code == 503
    http.delete("/_local/faults")
    assert http.get("/_local/faults").json() == []
    refused = http.post("/_local/faults", json={"statu": 503})
    assert (refused.status_code, "statu" in refused.json()["error"]) == (400, True)


@pytest.mark.parametrize(
    "fault", [{"status": 200}, {"drop": "never"}, {"probability": 2}, {"times": -1}, {"nope": 1}, {"path": 3}]
)
def test_what_is_no_fault_is_refused(hub: LocalHub, fault: dict[str, object]) -> None:
    with pytest.raises(LocalHubError, match="a fault"):
        hub.add_fault(fault)


def test_the_log_says_who_did_what_with_which_end(hub: LocalHub, http: httpx.Client) -> None:
    http.post(PAUSE)
    http.get("/api/spaces/acme/none", headers={"Authorization": ""})
    lines = [json.loads(line) for line in http.get("/_local/requests").text.splitlines()]
    kept = [(one["method"], one["path"], one["account"], one["status"], one["effect"]) for one in lines]
    assert kept == [
        ("POST", PAUSE, "alice", 200, True),
        ("GET", "/api/spaces/acme/none", None, 401, False),
    ]
    assert [entry.path for entry in hub.writes()] == [PAUSE]
    http.delete("/_local/requests")
    assert hub.requests() == []


def test_the_clock_and_a_space_by_the_admin_path(hub: LocalHub, http: httpx.Client) -> None:
    http.post("/_local/clock", json={"advance": 172801})
    assert http.get("/_local/spaces/acme/x").json()["stage"] == "SLEEPING"
    assert (
        http.patch("/_local/spaces/acme/x", json={"stage": "RUNTIME_ERROR"}).json()["stage"]
        == "RUNTIME_ERROR"
    )
    assert http.patch("/_local/spaces/acme/x", json={"stag": "X"}).status_code == 400
    assert http.get("/_local/spaces/acme/none").status_code == 404
    assert http.post("/_local/clock", json={"advance": "soon"}).status_code == 400
    assert http.post("/_local/clock", content=b"[" * 100_000).status_code == 400
    assert http.get("/_local/other").status_code == 404
