"""HTTP to official trackio: POST /api/NAME, JSON both ways, errors told apart (trackio 0.43, asgi_app.py).

It is no Gradio app: gradio_client can't connect, and any unknown GET is answered with its page.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from hfspace.errors import NotSupported, TrackioError, TrackioRejected, TrackioUnavailable
from hfspace.live.gradio.fetch import MAX_BYTES, explain, safe_host
from hfspace.live.trackio.door import TooSlow
from hfspace.live.trackio.values import one_line, without
from hfspace.model import Json

READ_TRIES = 3
_PAUSES = (0.3, 1.0)
_WRITE_TOKEN_HINT = "Set TRACKIO_WRITE_TOKEN to the app's write token (on a Space: a secret of that name)."  # noqa: S105


class OfficialApi:
    """One trackio server. `token` (Hugging Face) and `write_token` (trackio's own) go to `base` only: the
    first with reads when `private`, both with writes. `timeout` is per request, in seconds."""

    def __init__(
        self,
        base: str,
        *,
        token: str | None = None,
        private: bool = False,
        write_token: str | None = None,
        timeout: float = 30.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.base = base
        self._token = token
        self._private = private
        self._write_token = write_token
        self._timeout = timeout
        self._sleep = sleep
        self._client: Any = None
        self._lock = threading.Lock()

    def close(self) -> None:
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def read(self, api: str, **arguments: Json) -> Json:
        """The data of a call that changes nothing. Tried again when no answer comes."""
        headers = {"authorization": f"Bearer {self._token}"} if self._private and self._token else {}
        for pause in (*_PAUSES[: READ_TRIES - 1], None):
            try:
                return self._post(api, arguments, headers)
            except TooSlow:
                raise
            except TrackioUnavailable:
                if pause is None:
                    raise
                self._sleep(pause)
        raise AssertionError("unreachable")

    def write(self, api: str, **arguments: Json) -> Json:
        """The data of a call that changes something. Never repeated."""
        headers = {}
        if self._token:
            headers["authorization"] = f"Bearer {self._token}"
        if self._write_token:
            headers["x-trackio-write-token"] = self._write_token
        return self._post(api, arguments, headers)

    def _post(self, api: str, arguments: Mapping[str, Json], headers: Mapping[str, str]) -> Json:
        import httpx

        deadline = time.monotonic() + self._timeout
        try:
            body = json.dumps(dict(arguments), allow_nan=False).encode()
            sent = {**headers, "content-type": "application/json"}
            with self._open().stream("POST", f"/api/{api}", content=body, headers=sent) as response:
                status, kind = response.status_code, response.headers.get("content-type", "")
                data = bytearray()
                for chunk in response.iter_bytes():
                    data += chunk
                    if time.monotonic() > deadline:
                        raise httpx.ReadTimeout("the body drips")
                    if len(data) > MAX_BYTES:
                        raise self._unavailable(f"/api/{api} answers with more than {MAX_BYTES >> 20} MiB")
        except httpx.HTTPError as error:
            kind_of = TooSlow if isinstance(error, httpx.TimeoutException) else TrackioUnavailable
            raise kind_of(f"/api/{api}: {explain(error, self.base, self._timeout)}") from None
        return self._answer(api, status, kind, bytes(data))

    def _open(self) -> Any:
        with self._lock:
            if self._client is None:
                import httpx

                self._client = httpx.Client(
                    base_url=self.base,
                    timeout=self._timeout,
                    follow_redirects=False,
                    verify=self.base.lower().startswith("https:"),
                )
            return self._client

    def _answer(self, api: str, status: int, kind: str, data: bytes) -> Json:
        told: Json = None
        if "json" in kind:
            try:
                text = data.decode("utf-8")
                told = json.loads(without(text, self._token, self._write_token))
            except (ValueError, RecursionError):
                told = None
        if status == 200 and isinstance(told, Mapping) and "data" in told:
            return told["data"]
        said = told.get("error") if isinstance(told, Mapping) else None
        if not isinstance(said, str):
            if status in {401, 403}:
                raise TrackioRejected(
                    f"{safe_host(self.base)} does not let this token in ({status}).",
                    hint="Use a token that may read, and to write may write, the Space.",
                )
            raise self._unavailable(f"/api/{api} answers {status} {one_line(kind)}")
        raise _refusal(api, status, one_line(said), hint=self._hint(said))

    def _hint(self, said: str) -> str:
        """What to set, when it is a token that is wanted and none was sent; else what the refusal means."""
        wants_hub, wants_own = "HF_TOKEN" in said or "hf_token" in said, "write_token" in said
        if not wants_hub and not wants_own:
            return ""
        if wants_own and not self._write_token:
            return _WRITE_TOKEN_HINT
        if wants_hub and not self._token and not self._write_token:
            return "Set HF_TOKEN to a token with write access to the Space."
        return (
            "The token that was sent is not taken. It needs write access to the Space; trackio 0.24 off "
            "Spaces takes none: upgrade the app's trackio."
        )

    def _unavailable(self, what: str) -> TrackioUnavailable:
        return TrackioUnavailable(
            f"{safe_host(self.base)} is not ready, or not understood: {what}.", hint="Try again in a moment."
        )


def _refusal(api: str, status: int, said: str, *, hint: str) -> TrackioError:
    if status == 404 and said.startswith("Unknown API"):
        return NotSupported(f"This trackio has no /api/{api}.", hint="Upgrade the app's trackio.")
    if status == 503:
        return TrackioUnavailable(f"Trackio takes no writes now: {said}.")
    return TrackioRejected(f"Trackio refuses: {said.rstrip('.')}.", hint=hint)
