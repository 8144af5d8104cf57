"""HTTP to official trackio: POST /api/NAME, JSON both ways, errors told apart (trackio 0.43, asgi_app.py).

It is no Gradio app: gradio_client can't connect, and any unknown GET is answered with its page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from hfspace.errors import NotSupported, TrackioError, TrackioRejected, TrackioUnavailable
from hfspace.live.trackio.app_http import AppAnswer, AppCall, AppConnection, AppHttp, parsed, unusable
from hfspace.live.trackio.uploads import Watch, send_file
from hfspace.live.trackio.values import one_line, without
from hfspace.model import Json

_WRITE_TOKEN_HINT = "Set TRACKIO_WRITE_TOKEN to the app's write token (on a Space: a secret of that name)."  # noqa: S105


class OfficialApi:
    """One trackio server. `token` (Hugging Face) and `write_token` (trackio's own) go to this server only:
    the first with reads when `private`, both with writes."""

    def __init__(
        self,
        http: AppHttp,
        *,
        token: str | None = None,
        private: bool = False,
        write_token: str | None = None,
    ) -> None:
        self._http = http
        self._token = token
        self._private = private
        self._write_token = write_token

    def read(self, api: str, **arguments: Json) -> Json:
        """The data of a call that changes nothing. Tried again when no answer comes."""
        return self.read_all(api, [arguments])[0]

    def read_all(self, api: str, calls: Sequence[Mapping[str, Json]]) -> tuple[Json, ...]:
        """`read` for each of these arguments, in order."""
        headers = {"authorization": f"Bearer {self._token}"} if self._private and self._token else {}
        return self._http.read([self._call(api, arguments, headers) for arguments in calls])

    def write(self, api: str, **arguments: Json) -> Json:
        """The data of a call that changes something. Never repeated."""
        return self._http.write(self._call(api, arguments, self._write_headers()))

    def stage(self, path: Path, watch: Watch) -> Json:
        """Send a file for the call that comes next; what the server calls it until then."""
        return send_file(self._http, self._write_headers(), path, watch=watch)

    def _write_headers(self) -> dict[str, str]:
        headers = {}
        if self._token:
            headers["authorization"] = f"Bearer {self._token}"
        if self._write_token:
            headers["x-trackio-write-token"] = self._write_token
        return headers

    def _call(self, api: str, arguments: Mapping[str, Json], headers: Mapping[str, str]) -> AppCall[Json]:
        async def make(connection: AppConnection) -> Json:
            answer = await connection.answer("POST", f"/api/{api}", dict(arguments), headers)
            return self._data(api, answer)

        return AppCall(f"/api/{api}", make)

    def _data(self, api: str, answer: AppAnswer) -> Json:
        text = answer.body.decode("utf-8", "replace") if "json" in answer.content_type else ""
        document = parsed(without(text, self._token, self._write_token))
        if answer.status == 200 and isinstance(document, Mapping) and "data" in document:
            return document["data"]
        message = document.get("error") if isinstance(document, Mapping) else None
        if not isinstance(message, str):
            if answer.status in {401, 403}:
                raise TrackioRejected(
                    f"{self._http.host} does not let this token in ({answer.status}).",
                    hint="Use a token that may read, and to write may write, the Space.",
                )
            raise unusable(self._http.host, f"/api/{api}", answer.status, answer.content_type)
        raise _refusal(api, answer.status, one_line(message), hint=self._hint(message))

    def _hint(self, message: str) -> str:
        """What to set, when it is a token that is wanted and none was sent; else what the refusal means."""
        wants_hub, wants_own = "HF_TOKEN" in message or "hf_token" in message, "write_token" in message
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


def _refusal(api: str, status: int, message: str, *, hint: str) -> TrackioError:
    if status == 404 and message.startswith("Unknown API"):
        return NotSupported(f"This trackio has no /api/{api}.", hint="Upgrade the app's trackio.")
    if status == 503:
        return TrackioUnavailable(f"Trackio takes no writes now: {message}.")
    return TrackioRejected(f"Trackio refuses: {message.rstrip('.')}.", hint=hint)
