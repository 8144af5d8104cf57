"""The GitHub client: pages, rate limits, what is tried again, and where the token goes."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
import respx

from hfspace.errors import UsageError
from hfspace.github.client import GitHub, GitHubError

API = "https://ghe.example/api/v3"
LIST = f"{API}/repos/o/r/issues"


class Client(GitHub):
    """Sleeps on paper. It is 1,000 s after the epoch."""

    def __init__(self, api_url: str = API) -> None:
        self.slept: list[float] = []
        super().__init__(api_url, "ghs_token", sleep=self.slept.append, now=lambda: 1000.0)


def answers(*found: httpx.Response | Exception) -> Callable[[httpx.Request], httpx.Response]:
    """One after the other, the last for ever."""
    left = list(found)

    def answer(request: httpx.Request) -> httpx.Response:
        one = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(one, Exception):
            raise one
        return httpx.Response(one.status_code, headers=one.headers, content=one.content)

    return answer


@respx.mock
def test_a_listing_is_read_page_by_page_on_an_enterprise_server() -> None:
    pages = {
        "1": httpx.Response(200, json=[{"n": 1}, "?"], headers={"Link": f'<{LIST}?page=2>; rel="next"'}),
        "2": httpx.Response(200, json=[{"n": 2}]),
    }
    route = respx.get(LIST).mock(side_effect=lambda request: pages[request.url.params.get("page", "1")])
    assert [item["n"] for item in Client().pages("/repos/o/r/issues", {"state": "open"})] == [1, 2]
    assert route.calls[0].request.url.params["per_page"] == "100"
    assert route.calls[0].request.headers["authorization"] == "Bearer ghs_token"


@pytest.mark.parametrize(
    "page", ["https://evil.example/api/v3/x", "https://ghe.example/api/v3.evil.example/x"]
)
@respx.mock
def test_a_next_page_on_another_server_is_not_followed(page: str) -> None:
    headers = {"Link": f'<{page}>; rel="next"'}
    respx.get(LIST).mock(return_value=httpx.Response(200, json=[], headers=headers))
    with pytest.raises(GitHubError, match="another server"):
        list(Client().pages("/repos/o/r/issues"))
    assert len(respx.calls) == 1


@respx.mock
def test_redirects_are_not_followed() -> None:
    respx.get(f"{API}/x").mock(return_value=httpx.Response(302, headers={"Location": "https://evil.example"}))
    with pytest.raises(GitHubError, match="302"):
        Client().get("/x")
    assert len(respx.calls) == 1


@pytest.mark.parametrize(
    ("headers", "status", "text", "slept"),
    [
        ({"retry-after": "7"}, 403, "", 7),
        ({"retry-after": "7"}, 429, "", 7),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1030"}, 403, "", 31),
        ({"x-ratelimit-remaining": "0"}, 429, "", 60),
        ({}, 403, "You have exceeded a secondary rate limit.", 60),
        ({}, 429, "", 1),
    ],
)
@respx.mock
def test_a_limited_request_was_not_carried_out_so_it_is_sent_again(
    headers: dict[str, str], status: int, text: str, slept: float
) -> None:
    limited = httpx.Response(status, headers=headers, json={"message": text})
    respx.post(f"{API}/x").mock(side_effect=answers(limited, httpx.Response(201, json={"id": 1})))
    client = Client()
    assert client.post("/x", {})["id"] == 1
    assert client.slept == [slept]


@respx.mock
def test_a_window_that_opens_in_an_hour_is_not_waited_for() -> None:
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "4600"}
    respx.get(f"{API}/x").mock(return_value=httpx.Response(403, headers=headers, json={"message": "limit"}))
    client = Client()
    with pytest.raises(GitHubError, match=r"403: limit\. The rate limit is used up"):
        client.get("/x")
    assert client.slept == []


@respx.mock
def test_a_missing_permission_is_named_and_not_tried_again() -> None:
    refused = httpx.Response(403, json={"message": "Resource not accessible by integration"})
    route = respx.post(f"{API}/repos/o/r/issues/7/comments").mock(return_value=refused)
    with pytest.raises(GitHubError, match=r"pull-requests: write \(comments\)"):
        Client().post("/repos/o/r/issues/7/comments", {})
    assert route.call_count == 1


@respx.mock
def test_a_read_is_tried_again_and_a_lost_post_is_not() -> None:
    get = respx.get(f"{API}/x").mock(
        side_effect=answers(httpx.ReadTimeout("slow"), httpx.Response(502), httpx.Response(200, json={}))
    )
    post = respx.post(f"{API}/x").mock(side_effect=answers(httpx.ReadTimeout("slow")))
    client = Client()
    assert client.get("/x") == {}
    assert (get.call_count, client.slept) == (3, [1, 2])
    with pytest.raises(GitHubError) as error:
        client.post("/x", {})
    assert (post.call_count, error.value.unknown) == (1, True)


@respx.mock
def test_what_is_gone_already_is_deleted() -> None:
    respx.delete(f"{API}/x").mock(return_value=httpx.Response(404, json={"message": "Not Found"}))
    Client().delete("/x")
    respx.delete(f"{API}/y").mock(return_value=httpx.Response(401, json={"message": "Bad credentials"}))
    with pytest.raises(GitHubError, match="401: Bad credentials"):
        Client().delete("/y")


@pytest.mark.parametrize("content", [b"<html>", b"[1]", b"[" * 100_000, b""])
@respx.mock
def test_an_odd_answer_is_an_error_in_one_sentence(content: bytes) -> None:
    respx.get(f"{API}/x").mock(return_value=httpx.Response(200, content=content))
    respx.get(f"{API}/y").mock(return_value=httpx.Response(418, content=content))
    for path in ("/x", "/y"):
        with pytest.raises(GitHubError) as error:
            Client().get(path)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("url", ["http://ghe.example/api/v3", "ftp://x", "", "http://127.0.0.1.evil.example"])
def test_a_base_without_tls_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="not an https URL"):
        Client(url)


def test_no_token_no_client() -> None:
    with pytest.raises(UsageError, match="no GitHub token"):
        GitHub(API, "")
