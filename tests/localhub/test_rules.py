"""Who may do what, and in which words the Hub says no."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from hfspace.localhub import LocalHub, LocalHubError, serve

ACCOUNTS = {
    "alice": {"type": "user", "plan": "pro", "orgs": {"acme": "admin", "readers": "read"}},
    "bob": {"type": "user", "plan": "free", "can_pay": False},
    "carol": {"type": "user", "orgs": {"acme": "contributor"}},
    "dave": {"type": "user", "orgs": {"acme": "write"}},
    "acme": {"type": "org", "plan": "team"},
    "readers": {"type": "org", "plan": "team"},
}
TOKENS = {
    "hf_write": {"account": "alice", "role": "write"},
    "hf_read": {"account": "alice", "role": "read"},
    "hf_fine": {"account": "alice", "role": "fineGrained", "spaces": ["acme/x"], "read": ["acme/hidden"]},
    "hf_oauth": {"account": "alice", "role": "oauth"},
    "hf_bob": {"account": "bob", "role": "write"},
    "hf_carol": {"account": "carol", "role": "write"},
    "hf_dave": {"account": "dave", "role": "write"},
}
SPACES: dict[str, Any] = {
    "acme/x": {"hardware": "t4-small"},
    "acme/hidden": {"visibility": "private"},
    "acme/half": {"visibility": "protected"},
    "acme/docker": {"sdk": "docker", "hardware": "cpu-upgrade"},
    "acme/page": {"sdk": "static"},
    "bob/mine": {"hardware": "cpu-upgrade"},
    "readers/x": {},
}
Ask = Callable[..., httpx.Response]


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    with LocalHub(seed={"accounts": ACCOUNTS, "tokens": TOKENS, "spaces": SPACES}, clock="manual") as hub:
        yield hub


@pytest.fixture
def ask(hub: LocalHub) -> Iterator[Ask]:
    with httpx.Client(base_url=hub.url, trust_env=False) as http:

        def ask(method: str, path: str, token: str | None = "hf_write", body: Any = None) -> httpx.Response:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            path = path if path.startswith("/api") else f"/api/spaces/{path}"
            return http.request(method, path, json=body, headers=headers)

        yield ask


READS = [
    # path, token, status
    ("acme/x", None, 200),
    ("acme/half", None, 200),
    ("acme/hidden", None, 401),
    ("acme/hidden", "hf_bob", 404),
    ("acme/hidden", "hf_read", 200),
    ("acme/hidden", "hf_fine", 200),
    ("acme/hidden", "hf_carol", 200),
    ("acme/none", None, 401),
    ("acme/none", "hf_write", 404),
    ("acme/x", "hf_nobody", 401),
    ("acme/x/variables", "hf_write", 200),
    ("acme/x/variables", "hf_read", 403),
    ("acme/x/variables", None, 401),
    ("acme/x/secrets", "hf_bob", 403),
    ("acme/x/logs/run", "hf_dave", 200),
]
WRITES = [
    ("acme/x/pause", "hf_write", 200),
    ("acme/x/pause", "hf_read", 403),
    ("acme/x/pause", None, 401),
    ("acme/x/pause", "hf_bob", 403),
    ("acme/x/pause", "hf_oauth", 200),
    ("acme/x/restart", "hf_oauth", 401),
    ("acme/x/restart", "hf_dave", 403),  # pause and restart are for admins
    ("acme/x/variables", "hf_dave", 200),
    ("acme/x/variables", "hf_carol", 403),
    ("acme/x/variables", "hf_fine", 200),
    ("acme/docker/variables", "hf_fine", 403),
    ("acme/hidden/variables", "hf_fine", 403),
    ("acme/hidden/variables", "hf_bob", 404),
    ("readers/x/variables", "hf_write", 403),
]


@pytest.mark.parametrize(("path", "token", "status"), READS)
def test_reading(ask: Ask, path: str, token: str | None, status: int) -> None:
    assert ask("GET", path, token).status_code == status


@pytest.mark.parametrize(("path", "token", "status"), WRITES)
def test_writing(ask: Ask, hub: LocalHub, path: str, token: str | None, status: int) -> None:
    answer = ask("POST", path, token, {"key": "A", "value": "1"})
    assert answer.status_code == status
    assert [entry.effect for entry in hub.requests()] == [status == 200]


REFUSALS = [
    # method, path, token, body, status, part of the text
    ("POST", "bob/mine/hardware", "hf_bob", {"flavor": "cpu-basic"}, 402, "Pause it instead"),
    ("POST", "bob/mine/hardware", "hf_bob", {"flavor": "t4-small"}, 403, "add a payment method"),
    (
        "POST",
        "/api/repos/create",
        "hf_bob",
        {"sdk": "gradio", "name": "n"},
        402,
        "requires a PRO subscription",
    ),
    (
        "POST",
        "/api/repos/create",
        "hf_bob",
        {"sdk": "gradio", "name": "n", "hardware": "zero-a10g"},
        402,
        "ZeroGPU",
    ),
    (
        "POST",
        "/api/repos/create",
        "hf_bob",
        {"sdk": "streamlit", "name": "n"},
        400,
        '"gradio"|"docker"|"static"',
    ),
    ("POST", "/api/repos/create", "hf_bob", {"sdk": "static", "name": "a--b"}, 400, "Invalid repo name"),
    (
        "POST",
        "/api/repos/create",
        "hf_write",
        {"sdk": "gradio", "name": "n", "organization": "bob"},
        403,
        "rights",
    ),
    (
        "POST",
        "/api/repos/create",
        "hf_write",
        {"sdk": "gradio", "name": "x", "organization": "acme"},
        409,
        "already",
    ),
    ("PUT", "bob/mine/settings", "hf_bob", {"visibility": "protected"}, 402, "Protected"),
    ("PUT", "acme/x/settings", "hf_write", {"visibility": "private", "private": True}, 400, "Only one"),
    ("POST", "bob/mine/dev-mode", "hf_bob", {"enabled": True}, 402, "Dev mode"),
    ("POST", "acme/page/pause", "hf_write", None, 400, "Static Spaces"),
    ("POST", "acme/page/restart", "hf_write", None, 400, "Static Spaces"),
    ("PUT", "acme/page/volumes", "hf_write", {"volumes": []}, 400, "Static Spaces"),
    ("POST", "acme/docker/hardware", "hf_write", {"flavor": "zero-a10g"}, 400, "only available to Gradio"),
    ("POST", "acme/x/hardware", "hf_write", {"flavor": "b900"}, 400, "Invalid option"),
    ("POST", "acme/x/sleeptime", "hf_write", {"seconds": 0}, 400, "above 0, or -1"),
    ("POST", "acme/half/sleeptime", "hf_write", {"seconds": 60}, 400, "free hardware"),
    ("POST", "acme/x/secrets", "hf_write", {"key": "_A", "value": "1"}, 400, "must match pattern"),
    ("POST", "acme/x/variables", "hf_write", {"key": "A", "value": 1}, 400, "expected string"),
    ("PUT", "acme/x/volumes", "hf_write", {"volumes": []}, 400, ">=1 items"),
    ("DELETE", "acme/x/volumes", "hf_write", None, 400, "No volumes"),
    ("GET", "/api/spaces?expand=host", "hf_write", None, 400, "Invalid option"),
    ("GET", "/api/nothing", "hf_write", None, 404, "can't find the page"),
    ("GET", "/api/spaces/zero-gpu/quota", "hf_fine", None, 403, "permissions"),
]


@pytest.mark.parametrize(("method", "path", "token", "body", "status", "says"), REFUSALS)
def test_a_refusal_has_the_hubs_words_and_headers_and_changes_nothing(
    ask: Ask, hub: LocalHub, method: str, path: str, token: str, body: Any, status: int, says: str
) -> None:
    before = {space: hub.space(space) for space in hub.spaces()}
    if path == "/api/repos/create":
        body = {**body, "type": "space"}
    answer = ask(method, path, token, body)
    assert answer.status_code == status
    assert says in answer.json()["error"]
    assert answer.headers["x-error-message"]
    assert answer.headers["x-request-id"].startswith("Root=1-")
    assert answer.headers["ratelimit"].startswith('"api";r=')
    assert answer.headers["ratelimit-policy"].startswith('"fixed window";"api";q=')
    assert {space: hub.space(space) for space in hub.spaces()} == before


def test_what_one_may_not_see_has_the_code_that_clients_look_for(ask: Ask) -> None:
    assert ask("GET", "acme/hidden", "hf_bob").headers["x-error-code"] == "RepoNotFound"
    anonymous = ask("GET", "acme/hidden", None)
    assert "x-error-code" not in anonymous.headers
    assert anonymous.headers["www-authenticate"].startswith("Bearer")


def test_windows_are_as_long_as_the_plan_says(ask: Ask) -> None:
    assert ";q=500;w=300" in ask("GET", "acme/x", None).headers["ratelimit-policy"]
    assert ";q=1000;w=300" in ask("GET", "acme/x", "hf_bob").headers["ratelimit-policy"]
    first, second = (ask("GET", "acme/x").headers["ratelimit"] for _ in range(2))
    assert (first, second) == ('"api";r=2499;t=300', '"api";r=2498;t=300')


def test_a_full_window_answers_429_until_it_opens_again() -> None:
    seed = {"spaces": {"acme/x": {}}, "hub": {"rate_limit": {"requests": 2, "window": 60}}}
    with LocalHub(seed=seed, clock="manual") as hub, httpx.Client(base_url=hub.url, trust_env=False) as http:
        said = [http.get("/api/spaces/acme/x") for _ in range(3)]
        assert [answer.status_code for answer in said] == [200, 200, 429]
        assert said[2].headers["retry-after"] == "60"
        assert '"api";r=0;t=60' in said[2].headers["ratelimit"]
        hub.advance(61)
        assert http.get("/api/spaces/acme/x").status_code == 200


def test_a_free_plan_runs_eight_spaces_and_not_nine() -> None:
    spaces = {f"bob/s{number}": {"stage": "RUNNING"} for number in range(8)} | {
        "bob/more": {"stage": "PAUSED"}
    }
    accounts = {"bob": {"type": "user", "plan": "free"}}
    with LocalHub(seed={"accounts": accounts, "spaces": spaces}, clock="manual") as hub:
        headers = {"Authorization": f"Bearer {hub.token}"}
        with httpx.Client(base_url=hub.url, trust_env=False, headers=headers) as http:
            refused = http.post("/api/spaces/bob/more/restart")
            assert (refused.status_code, hub.space("bob/more")["stage"]) == (403, "PAUSED")
            assert "CPU-basic quota" in refused.json()["error"]
            assert http.post("/api/spaces/bob/s0/pause").status_code == 200
            assert http.post("/api/spaces/bob/more/restart").status_code == 200


def test_a_token_that_looks_real_is_refused_and_warned_about_once(
    ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    real = "hf_" + "aB3" * 11 + "x"
    with caplog.at_level(logging.WARNING, "hfspace.localhub"):
        assert [ask("GET", "acme/x", real).status_code for _ in range(2)] == [401, 401]
    assert len(caplog.records) == 1
    assert real not in caplog.text


def test_it_listens_on_loopback_only_unless_told_in_so_many_words() -> None:
    with pytest.raises(LocalHubError, match="--allow-public"):
        serve(None, None, "0.0.0.0", 0, lambda url, tokens: None)
    with pytest.raises(LocalHubError, match="not a loopback address"):
        LocalHub(host="192.0.2.1")
