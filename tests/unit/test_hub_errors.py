"""What the Hub refuses becomes one clear sentence with a next step; nothing else gets out of the adapter."""

from __future__ import annotations

from typing import Any

import pytest

from hfspace import errors
from hfspace.live.hub import connect

URL = "https://hub.test/api/spaces/acme/x/restart"
CASES = [
    (401, {"error": "Invalid username or password."}, errors.Unauthorized, "does not accept this token"),
    (402, {"error": "Subscribe to PRO"}, errors.BillingRefused, "Subscribe to PRO"),
    (403, {"error": "You must add a payment method"}, errors.BillingRefused, "payment method"),
    (403, {"error": "You have read access"}, errors.NeedsWrite, "may not restart acme/x"),
    (404, {"error": "Repository not found"}, errors.NotVisible, "can't see it"),
    (409, {"error": "busy"}, errors.Conflict, "busy"),
    (400, {"error": {"code": "X", "message": "✖ no → at key"}}, errors.Rejected, "✖ no → at key"),
    (500, None, errors.HubFault, "failed (500)"),
]


@pytest.mark.parametrize(("status", "body", "kind", "says"), CASES)
def test_a_refusal(httpx2_mock: Any, status: int, body: Any, kind: type[errors.HubError], says: str) -> None:
    route = httpx2_mock.post(URL).respond(status, json=body)
    with pytest.raises(kind) as caught:
        connect("https://hub.test", "hf_token_of_ours_123456").restart("acme/x")
    assert says in caught.value.message
    assert caught.value.hint
    assert caught.value.status == status
    assert route.call_count == 1  # a write is never repeated by itself


def test_a_token_in_the_hubs_own_words_is_cut_out(httpx2_mock: Any) -> None:
    httpx2_mock.post(URL).respond(400, json={"error": "bad token hf_token_of_ours_123456"})
    with pytest.raises(errors.Rejected) as caught:
        connect("https://hub.test", "hf_token_of_ours_123456").restart("acme/x")
    assert "hf_token" not in str(caught.value)


def test_the_token_does_not_follow_a_redirect_to_another_host(httpx2_mock: Any) -> None:
    httpx2_mock.get("https://hub.test/api/spaces/acme/x").respond(
        307, headers={"Location": "https://elsewhere.test/api/spaces/acme/x"}
    )
    other = httpx2_mock.get("https://elsewhere.test/api/spaces/acme/x").respond(404, json={"error": "no"})
    with pytest.raises(errors.HubError):
        connect("https://hub.test", "hf_token_of_ours_123456").space("acme/x")
    assert other.call_count == 1
    assert "authorization" not in other.calls[0].request.headers
