"""huggingface_hub below one HubClient: every call under its limiter, every failure a HubError. Listings and
Spaces are read as JSON, since the library's own classes end a whole listing over one odd item."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterator
from functools import cached_property, partial
from typing import Any, TypeVar
from urllib.parse import urljoin

from hfspace.errors import HfspaceError, HubError, HubFault, HubUnreachable
from hfspace.live import hub_errors, transport
from hfspace.live.limiter import Limiter
from hfspace.live.sockets import current_answer_end
from hfspace.live.transport import current_download, current_endpoint, current_limiter
from hfspace.loopback import is_loopback_url
from hfspace.redaction import KnownSecrets
from hfspace.version import __version__

T = TypeVar("T")
Params = list[tuple[str, str | int | float | bool | None]]

Sink = Callable[[bytes], object]

MOST_PAGES = 10_000
_SLOWEST = 50_000
"""Bytes a second of the slowest line that a file is waited for on."""
_AGENT: dict[str, Any] = {
    "library_name": "hfspace",
    "library_version": f"{__version__}; python/{platform.python_version()}",
}
_UNREADABLE = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


class Library:
    """One endpoint and one token. Safe to use from several threads."""

    def __init__(
        self, endpoint: str, token: str | None, limiter: Limiter, secrets: KnownSecrets, *, has_token: bool
    ) -> None:
        # Telemetry would be a hidden request (docs/hub-api.md section 15). The variable is read at the first
        # import of the library, which a program that uses us may have done long before.
        if os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1") == "1":
            from huggingface_hub import constants

            constants.HF_HUB_DISABLE_TELEMETRY = True
        transport.install()
        self.endpoint = endpoint
        self.limiter = limiter
        self.has_token = has_token
        self._secrets = secrets
        self._token: str | bool = token or False
        secrets.add([token] if token else [])

    @cached_property
    def api(self) -> Any:
        """The library's own methods, for what changes something; no read needs them, and their import takes
        longer than planning 500 Spaces."""
        from huggingface_hub import HfApi, constants

        if is_loopback_url(self.endpoint):  # a Hub of this machine's own has no storage that speaks Xet
            constants.HF_HUB_DISABLE_XET = True
        return HfApi(endpoint=self.endpoint, token=self._token, **_AGENT)

    def call(self, doing: str, what: str, call: Callable[[], T], *, write: bool = False) -> T:
        """The result of one library call, which is `doing` something to `what`. Raises HubError."""
        limiter, endpoint = current_limiter.set(self.limiter), current_endpoint.set(self.endpoint)
        try:
            return call()
        except HfspaceError:
            raise
        except Exception as error:  # noqa: BLE001 - the library raises anything on an odd answer
            raise hub_errors.translate(
                error,
                doing=doing,
                what=what,
                endpoint=self.endpoint,
                has_token=self.has_token,
                write=write,
                secrets=self._secrets,
            ) from None
        finally:
            current_endpoint.reset(endpoint)
            current_limiter.reset(limiter)

    def json(self, path: str, *, token: str | bool | None = None) -> Any:
        """The JSON at `path`, asked with `token` (None: the one of this library); for use in `call`."""
        return self._request("GET", f"{self.endpoint}{path}", token=token).json()

    def save(self, what: str, path: str, size: int, sink: Sink, *, token: str | bool | None = None) -> None:
        """Send the file at `path`, which is called `what`, to `sink` in pieces: never more than `size` bytes,
        and within a time that a slow line needs for them; for use in `call`. Raises HubFault,
        HubUnreachable."""
        from huggingface_hub import get_session, hf_raise_for_status

        end = time.monotonic() + transport.ANSWER_SECONDS + size / _SLOWEST
        download, answer_end = current_download.set(True), current_answer_end.set(end)
        try:
            with get_session().stream(
                "GET", f"{self.endpoint}{path}", headers=self._headers(token)
            ) as response:
                hf_raise_for_status(response)
                if response.headers.get("content-encoding", "identity") != "identity":
                    raise HubFault(f"{what} came encoded, as nobody asked for.")
                for data in response.iter_bytes():
                    size -= len(data)
                    self.limiter.pace.sleep(0, "reading a file")  # raises when the time is up
                    if size < 0:
                        raise HubFault(f"{what} is larger than the Hub says.")
                    if time.monotonic() > end:
                        raise HubUnreachable(f"{what} did not come in its time.", hint="Run again.")
                    sink(data)
        finally:
            current_answer_end.reset(answer_end)
            current_download.reset(download)

    def text(self, path: str, *, token: str | bool | None = None) -> str:
        """The text at `path`; for use in `call`. JSON that is one text is that text."""
        response = self._request("GET", f"{self.endpoint}{path}", token=token)
        if "json" in response.headers.get("content-type", ""):
            return str(response.json())
        return str(response.text)

    def content(self, path: str, *, token: str | bool | None = None) -> bytes:
        """The bytes at `path`; for use in `call`."""
        return bytes(self._request("GET", f"{self.endpoint}{path}", token=token).content)

    def send(self, method: str, path: str, body: Any, *, token: str | bool | None = None) -> None:
        """One request that changes something; for use in `call`."""
        self._request(method, f"{self.endpoint}{path}", token=token, json=body)

    def items(
        self,
        doing: str,
        what: str,
        path: str,
        params: Params | None = None,
        *,
        token: str | bool | None = None,
    ) -> Iterator[Any]:
        """The raw items of a listing; a page is fetched when its first item is asked for.

        Raises HubError, also for a listing that has no end, leads back to itself, or is no list.
        """
        following: str | None = f"{self.endpoint}{path}"
        turned: set[str] = set()
        while following is not None:
            if following in turned or len(turned) >= MOST_PAGES:
                raise HubFault("The Hub's listing has no end.", hint="Run again; check HF_ENDPOINT.")
            if turned:
                self.limiter.pace.sleep(0, "reading a listing of the Hub")  # raises when the time is up
            page = partial(self._page, following, None if turned else params, token)
            items, here, link = self.call(doing, what, page)
            turned |= {following, here}
            following = urljoin(here, link) if link else None
            yield from items

    def _page(
        self, url: str, params: Params | None, token: str | bool | None
    ) -> tuple[list[Any], str, str | None]:
        """The items, the page's own address, and the link to the next one."""
        response = self._request("GET", url, params=params, token=token)
        items = response.json()
        if not isinstance(items, list):
            raise TypeError("a listing is no list")
        return items, str(response.request.url), response.links.get("next", {}).get("url")

    def _request(self, method: str, url: str, *, token: str | bool | None = None, **given: Any) -> Any:
        from huggingface_hub import get_session, hf_raise_for_status

        response = get_session().request(method, url, headers=self._headers(token), **given)
        hf_raise_for_status(response)
        return response

    def _headers(self, token: str | bool | None) -> dict[str, str]:
        from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]  # exported lazily

        headers: dict[str, str] = build_hf_headers(token=self._token if token is None else token, **_AGENT)
        return headers


def understand(what: str, read: Callable[[], T]) -> T:
    """What `read` makes of an answer about `what`. Raises HubFault where it makes no sense."""
    try:
        return read()
    except HubError:
        raise
    except _UNREADABLE as error:
        raise HubFault(
            f"The Hub's answer about {what} is not what it documents ({hub_errors.oddity(error)}).",
            hint="Run again; if it stays, the Hub changed: look for a newer hfspace.",
        ) from None
