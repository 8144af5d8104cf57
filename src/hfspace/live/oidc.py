"""Keyless: a CI job's identity, exchanged for a short-lived token per Space (docs/hub-api.md section 12)."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from hfspace.errors import HubUnreachable, NotTrusted, Unauthorized
from hfspace.live.channel import is_confidential
from hfspace.retries import Retries

if TYPE_CHECKING:
    import httpx

_GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
_ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"  # noqa: S105 - a type name of RFC 8693
_EARLY = 120.0  # seconds before its end from which a token is not used any more
_ATTEMPTS = 4
_LONGEST_PAUSE = 300.0
_DOCS = "docs/github-actions.md, 'Without a stored token'"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    token: str
    until: float


def is_available(env: Mapping[str, str]) -> bool:
    """True in a GitHub Actions job with `permissions: id-token: write`."""
    return bool(env.get("ACTIONS_ID_TOKEN_REQUEST_URL") and env.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN"))


class KeylessTokens:
    """Tokens by Space: each is exchanged when it is first needed, kept for its life, and renewed.

    A token is good for writing to one Space and for nothing else; it can't create a Space. Safe to use from
    several threads. `clock` and `sleep` are in seconds.
    """

    def __init__(
        self,
        env: Mapping[str, str],
        endpoint: str,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._env, self._endpoint = env, endpoint.rstrip("/")
        self._clock = clock
        self._retries = Retries(attempts=_ATTEMPTS, longest=_LONGEST_PAUSE, sleep=sleep)
        self._held: dict[str, _Held] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def token_for(self, space: str) -> str:
        """A write token for owner/name. Raises NotTrusted naming a Space without a trusted publisher,
        HubUnreachable when no answer comes."""
        with self._guard:
            lock = self._locks.setdefault(space, threading.Lock())
        with lock:
            held = self._held.get(space)
            if held is None or self._clock() >= held.until:
                held = self._exchange(space)
                self._held[space] = held
            return held.token

    def _exchange(self, space: str) -> _Held:
        if not is_confidential(self._endpoint):
            raise Unauthorized(
                f"This job's identity is not sent to {self._endpoint}, which is not an https URL.",
                hint="Set HF_ENDPOINT to the https address of the Hub.",
            )
        started = self._clock()
        body = {
            "grant_type": _GRANT,
            "subject_token_type": _ID_TOKEN,
            "subject_token": self._id_token(),
            "resource": f"spaces/{space}",
        }
        response = self._ask("POST", f"{self._endpoint}/oauth/token", "the Hub", json=body)
        answer = _answer(response)
        if response.status_code in {400, 401, 403, 404}:
            raise NotTrusted(_why(space, response.status_code, answer), hint=_hint(space), status=401)
        token, life = answer.get("access_token"), answer.get("expires_in")
        if not response.is_success or not isinstance(token, str) or not token:
            raise HubUnreachable(
                f"The Hub answered the token exchange for {space} with {response.status_code}.",
                hint="Run it again.",
                status=response.status_code,
            )
        seconds = float(life) if isinstance(life, int | float) and not isinstance(life, bool) else 0.0
        # A token shorter than the margin is used once and exchanged anew the next time.
        return _Held(token=token, until=started + max(0.0, seconds - _EARLY))

    def _id_token(self) -> str:
        """The job's identity, minted anew: it lives for minutes only."""
        if not is_available(self._env):
            raise Unauthorized(
                "There is no token, and this job may not ask GitHub for an identity.",
                hint="Set HF_TOKEN, or give the job `permissions:` id-token: write.",
            )
        url = self._env["ACTIONS_ID_TOKEN_REQUEST_URL"]
        if not is_confidential(url):
            raise Unauthorized("ACTIONS_ID_TOKEN_REQUEST_URL is not an https URL.")
        joint = "&" if "?" in url else "?"
        response = self._ask(
            "GET",
            f"{url}{joint}audience={quote(self._endpoint, safe='')}",
            "GitHub",
            headers={"Authorization": f"Bearer {self._env['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}"},
        )
        value = _answer(response).get("value")
        if not response.is_success or not isinstance(value, str) or not value:
            raise Unauthorized(
                f"GitHub gave this job no identity token (it answered {response.status_code}).",
                hint="Give the job `permissions:` id-token: write.",
                status=401,
            )
        return value

    def _ask(self, method: str, url: str, whom: str, **options: Any) -> httpx.Response:
        """An exchange has no effect that lasts, so both requests may be sent again."""
        import httpx

        status = 0
        # Proxies of the environment are for the world outside, not for a server on this machine.
        local = url.startswith("http://")
        with httpx.Client(timeout=20, follow_redirects=False, trust_env=not local) as http:
            try:
                response = self._retries.send(lambda: http.request(method, url, **options), repeatable=True)
            except httpx.TransportError:
                pass
            else:
                status = response.status_code
                if status != 429 and status < 500:
                    return response
        what = f"answered {status}" if status else "gave no answer"
        raise HubUnreachable(f"{whom[0].upper()}{whom[1:]} {what} when a token was asked for.", status=status)


def _answer(response: httpx.Response) -> dict[str, Any]:
    try:
        answer = json.loads(response.content[:262144])
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _why(space: str, status: int, answer: Mapping[str, Any]) -> str:
    reason = str(answer.get("error_description") or answer.get("error") or status)[:200]
    return f"{space} has no trusted publisher that fits this job: the Hub says '{reason}'."


def _hint(space: str) -> str:
    return (
        f"Add this repository and workflow as a trusted publisher in the settings of spaces/{space}, or set "
        f"HF_TOKEN ({_DOCS})."
    )
