"""The exchange of a job's identity for tokens of Spaces: cached, renewed, and told clearly when refused."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
import respx

from hfspace.errors import HubUnreachable, NotTrusted, Unauthorized
from hfspace.live.oidc import KeylessTokens, is_available

HUB = "https://hub.example"
EXCHANGE = f"{HUB}/oauth/token"
MINT = "https://actions.example/token"
ENV = {
    "ACTIONS_ID_TOKEN_REQUEST_URL": f"{MINT}?api-version=2.0",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "runner-token",
}


class Clock:
    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now


def tokens(clock: Clock | None = None, hub: str = HUB, **env: str) -> KeylessTokens:
    clock = clock or Clock()
    return KeylessTokens({**ENV, **env}, hub, clock=clock, sleep=clock.slept.append)


def granted(life: object = 3600) -> respx.Route:
    """GitHub mints, the Hub exchanges: hf_jwt_1, hf_jwt_2, …"""
    respx.get(MINT).mock(return_value=httpx.Response(200, json={"value": "e30.e30.x"}))
    route = respx.post(EXCHANGE)
    route.side_effect = lambda request: httpx.Response(
        200, json={"access_token": f"hf_jwt_{route.call_count + 1}", "expires_in": life}
    )
    return route


@respx.mock
def test_the_exchange_as_both_sides_document_it() -> None:
    route = granted()
    assert tokens().token_for("acme/whisper") == "hf_jwt_1"
    minted = respx.calls[0].request
    assert minted.headers["authorization"] == "Bearer runner-token"
    assert dict(minted.url.params) == {"api-version": "2.0", "audience": HUB}
    assert json.loads(route.calls[0].request.content) == {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
        "subject_token": "e30.e30.x",
        "resource": "spaces/acme/whisper",
    }
    assert "authorization" not in route.calls[0].request.headers


@respx.mock
def test_a_token_is_kept_for_its_life_and_renewed_before_its_end() -> None:
    route, clock = granted(3600), Clock()
    keyless = tokens(clock)
    first = keyless.token_for("acme/a")
    clock.now = 3479
    assert keyless.token_for("acme/a") == first
    clock.now = 3480
    assert keyless.token_for("acme/a") != first
    assert route.call_count == 2


@respx.mock
def test_every_space_has_a_token_of_its_own_and_threads_share_it() -> None:
    route = granted()
    keyless = tokens()
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(keyless.token_for, ["acme/a", "acme/b"] * 20))
    assert len(found) == route.call_count == 2


@pytest.mark.parametrize("life", [None, "3600", True, 60, -5])
@respx.mock
def test_a_token_of_unknown_or_short_life_is_used_once(life: object) -> None:
    route = granted(life)
    keyless = tokens()
    assert keyless.token_for("acme/a") != keyless.token_for("acme/a")
    assert route.call_count == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404])
@respx.mock
def test_a_space_without_a_trusted_publisher_is_named(status: int) -> None:
    granted()
    refused = {"error": "invalid_grant", "error_description": "No trusted publisher matches"}
    route = respx.post(EXCHANGE).mock(return_value=httpx.Response(status, json=refused))
    with pytest.raises(NotTrusted) as error:
        tokens().token_for("acme/whisper")
    assert error.value.message == (
        "acme/whisper has no trusted publisher that fits this job: the Hub says "
        "'No trusted publisher matches'."
    )
    assert "settings of spaces/acme/whisper" in error.value.hint
    assert route.call_count == 1


@respx.mock
def test_a_refusal_is_not_kept() -> None:
    granted()
    good = httpx.Response(200, json={"access_token": "hf_jwt", "expires_in": 3600})
    respx.post(EXCHANGE).mock(side_effect=[httpx.Response(400, json={}), good])
    keyless = tokens()
    with pytest.raises(NotTrusted, match="the Hub says '400'"):
        keyless.token_for("acme/a")
    assert keyless.token_for("acme/a") == "hf_jwt"


@respx.mock
def test_failures_of_the_network_are_tried_again() -> None:
    granted()
    clock = Clock()
    good = httpx.Response(200, json={"access_token": "hf_jwt", "expires_in": 3600})
    respx.post(EXCHANGE).mock(side_effect=[httpx.ConnectError("no"), httpx.Response(503), good])
    assert tokens(clock).token_for("acme/a") == "hf_jwt"
    assert clock.slept == [1, 2]


@respx.mock
def test_a_rate_limit_is_waited_for_as_long_as_it_asks() -> None:
    granted()
    clock = Clock()
    good = httpx.Response(200, json={"access_token": "hf_jwt", "expires_in": 3600})
    limited = [httpx.Response(429, headers={"retry-after": text}) for text in ("41", "soon")]
    respx.post(EXCHANGE).mock(side_effect=[*limited, good])
    assert tokens(clock).token_for("acme/a") == "hf_jwt"
    assert clock.slept == [41, 2]


@respx.mock
def test_a_rate_limit_of_a_day_is_not_waited_for() -> None:
    granted()
    clock = Clock()
    post = respx.post(EXCHANGE).mock(return_value=httpx.Response(429, headers={"retry-after": "86400"}))
    with pytest.raises(HubUnreachable, match="429"):
        tokens(clock).token_for("acme/a")
    assert (post.call_count, clock.slept) == (1, [])


@pytest.mark.parametrize(
    "answer",
    [httpx.Response(503), httpx.Response(200, text="<html>"), httpx.Response(200, json={"access_token": ""})],
)
@respx.mock
def test_no_usable_answer_is_one_sentence(answer: httpx.Response) -> None:
    granted()
    respx.post(EXCHANGE).mock(return_value=answer)
    with pytest.raises(HubUnreachable) as error:
        tokens().token_for("acme/a")
    assert "\n" not in str(error.value)


@respx.mock
def test_a_job_without_the_permission_is_told_which() -> None:
    respx.get(MINT).mock(return_value=httpx.Response(403))
    with pytest.raises(Unauthorized, match="id-token: write"):
        tokens().token_for("acme/a")
    with pytest.raises(Unauthorized, match="id-token: write"):
        KeylessTokens({}, HUB).token_for("acme/a")


@pytest.mark.parametrize(
    "url", ["http://actions.example/token", "http://127.0.0.1.evil.example", "file:///x"]
)
def test_the_runners_token_goes_over_tls_only(url: str) -> None:
    with pytest.raises(Unauthorized, match="not an https URL"):
        tokens(ACTIONS_ID_TOKEN_REQUEST_URL=url).token_for("acme/a")


def test_the_jobs_identity_goes_to_a_hub_over_tls_only() -> None:
    with pytest.raises(Unauthorized, match=r"not sent to http://hub\.example"):
        tokens(hub="http://hub.example").token_for("acme/a")


@respx.mock
def test_redirects_are_not_followed() -> None:
    elsewhere = {"Location": "https://evil.example"}
    respx.get(MINT).mock(return_value=httpx.Response(307, headers=elsewhere))
    with pytest.raises(Unauthorized):
        tokens().token_for("acme/a")
    granted()
    respx.post(EXCHANGE).mock(return_value=httpx.Response(307, headers=elsewhere))
    with pytest.raises(HubUnreachable):
        tokens().token_for("acme/a")


def test_is_available() -> None:
    assert is_available(ENV)
    assert not is_available({**ENV, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": ""})
    assert not is_available({})
