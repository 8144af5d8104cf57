"""GitHub's REST API, as much of it as comments and issues need: pages, rate limits, one base URL."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from hfspace.errors import HfspaceError, UsageError
from hfspace.live.channel import is_confidential
from hfspace.retries import Retries

if TYPE_CHECKING:
    import httpx

_ATTEMPTS = 5
_LONGEST_WAIT = 90.0
_MOST_PAGES = 100
_HINTS = {
    401: "The token is missing or invalid: pass GITHUB_TOKEN to this step.",
    403: "Give the job `permissions:` pull-requests: write (comments) or issues: write (the drift issue).",
    404: "The token may not see it, or it does not exist.",
    422: "GitHub does not accept the value.",
}


class GitHubError(HfspaceError):
    """GitHub refused. `status` is the HTTP status, 0 when no answer came; `unknown` is True when a write
    may have happened all the same."""

    def __init__(self, message: str, *, hint: str = "", status: int = 0, unknown: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.unknown = unknown


class GitHub:
    """A client for one API base URL (GITHUB_API_URL; on GitHub Enterprise Server it ends in /api/v3).

    The token is sent there and nowhere else: redirects are not followed, and a next page elsewhere is an
    error. Source of headers and limits: docs.github.com/rest/using-the-rest-api.
    """

    def __init__(
        self,
        api_url: str,
        token: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        import httpx

        self._base = api_url.rstrip("/")
        if not is_confidential(self._base):
            raise UsageError(f"GITHUB_API_URL is not an https URL: {self._base}.")
        if not token:
            raise UsageError(
                "There is no GitHub token.", hint="Pass `GITHUB_TOKEN: ${{ github.token }}` to this step."
            )
        self._retries = Retries(attempts=_ATTEMPTS, longest=_LONGEST_WAIT, sleep=sleep, now=now)
        self._http = httpx.Client(
            timeout=httpx.Timeout(30, connect=10),
            follow_redirects=False,
            trust_env=not self._base.startswith("http://"),
            headers={
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {token}",
                "User-Agent": "hfspace",
                "X-GitHub-Api-Version": "2022-11-28",
            },
        )

    def __enter__(self) -> GitHub:
        return self

    def __exit__(self, *error: object) -> None:
        self._http.close()

    def pages(self, path: str, params: Mapping[str, str] | None = None) -> Iterator[dict[str, Any]]:
        """The items of a listing, page by page."""
        url: str | None = self._url(path)
        query: Mapping[str, str] | None = {"per_page": "100", **(params or {})}
        for _ in range(_MOST_PAGES):
            if url is None:
                return
            response = self._ask("GET", url, params=query)
            items = _json(response)
            if not isinstance(items, list):
                raise GitHubError(f"GitHub answered {path} with something that is not a list.")
            yield from (item for item in items if isinstance(item, dict))
            url, query = self._next(response), None

    def get(self, path: str) -> dict[str, Any]:
        return _object(self._ask("GET", self._url(path)))

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return _object(self._ask("POST", self._url(path), body=body))

    def patch(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return _object(self._ask("PATCH", self._url(path), body=body))

    def delete(self, path: str) -> None:
        try:
            self._ask("DELETE", self._url(path))
        except GitHubError as error:
            if error.status != 404:  # gone already, maybe by the try before
                raise

    def _url(self, path: str) -> str:
        return f"{self._base}{path}"

    def _next(self, response: httpx.Response) -> str | None:
        url = response.links.get("next", {}).get("url")
        if url and not url.startswith(f"{self._base}/"):
            raise GitHubError("GitHub names a next page on another server; it was not followed.")
        return url

    def _ask(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> httpx.Response:
        """One request, with the tries that are safe. Raises GitHubError."""
        import httpx

        why = ""
        response: httpx.Response | None = None
        try:
            response = self._retries.send(
                lambda: self._http.request(method, url, params=params, json=body), repeatable=method != "POST"
            )
        except (httpx.TransportError, httpx.InvalidURL) as error:
            why = type(error).__name__
        if response is None or not response.is_success:
            raise _refused(method, url.removeprefix(self._base), response, why)
        return response


def _refused(method: str, path: str, response: httpx.Response | None, why: str) -> GitHubError:
    path = path.partition("?")[0]
    if response is None:
        return GitHubError(
            f"GitHub gave no answer to {method} {path} ({why}).",
            hint="Run the job again.",
            unknown=method == "POST",
        )
    text = ""
    try:
        text = str(json.loads(response.content[:65536]).get("message", ""))[:200]
    except (ValueError, AttributeError, RecursionError):
        text = response.reason_phrase
    status = response.status_code
    limited = status == 429 or response.headers.get("x-ratelimit-remaining") == "0"
    return GitHubError(
        f"GitHub answered {method} {path} with {status}: {text}.",
        hint="The rate limit is used up: run the job again later." if limited else _HINTS.get(status, ""),
        status=status,
        unknown=method == "POST" and status >= 500,
    )


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except (ValueError, RecursionError):
        raise GitHubError("GitHub's answer is not JSON.", status=response.status_code) from None


def _object(response: httpx.Response) -> dict[str, Any]:
    body = _json(response)
    if not isinstance(body, dict):
        raise GitHubError("GitHub's answer is not an object.", status=response.status_code)
    return body
