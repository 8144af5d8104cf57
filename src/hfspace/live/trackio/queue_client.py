"""Calls of the Gradio Trackio app over its HTTP API: POST /call/NAME, then the events of the session until
one says that the call is complete (Gradio 4.20 to 6).

gradio_client is not used: its threads read a stream for as long as an app keeps it open, without a limit.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from urllib.parse import quote

from hfspace.errors import NotSupported, TrackioRejected, TrackioUnavailable
from hfspace.live.trackio.app_http import AppAnswer, AppCall, AppConnection, AppHttp, parsed, unusable
from hfspace.live.trackio.endpoints import USUAL
from hfspace.live.trackio.values import one_line, without
from hfspace.model import Json

_FINAL = frozenset({"process_completed", "unexpected_error", "server_stopped"})


class QueueClient:
    """The named endpoints of one app. `prefix` is that of its API; `names` maps a use (endpoints.USUAL) to
    the app's own name, `served` are the names that it has (None: not known). `token` goes to this app only.
    """

    def __init__(
        self,
        http: AppHttp,
        *,
        token: str | None = None,
        prefix: str = "/gradio_api",
        names: Mapping[str, str] = USUAL,
        served: frozenset[str] | None = None,
    ) -> None:
        self._http = http
        self._token = token
        self._prefix = prefix
        self._names = names
        self._served = served

    @property
    def base(self) -> str:
        return self._http.base

    @property
    def host(self) -> str:
        return self._http.host

    def read(self, use: str, *args: str) -> str:
        """The text of an endpoint that changes nothing. Raises as `AppHttp.read`, TrackioRejected when the
        app raises, and NotSupported without such an endpoint."""
        return self.read_all(use, [args])[0]

    def read_all(self, use: str, calls: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
        """`read` for each of these arguments, in order."""
        answers = self._http.read(self._call(use, args) for args in calls)
        return tuple(self._text(use, answer) for answer in answers)

    def write(self, use: str, *args: str) -> str:
        """The text of an endpoint that changes something. Never repeated."""
        return self._text(use, self._http.write(self._call(use, args)))

    def figure(self, *args: str) -> Json:
        """What the plot endpoint draws."""
        session = secrets.token_hex(8)
        plot = self._call("plot", args, session)
        if self._served is None or self._names["refresh"] not in self._served:
            return self._http.read([plot])[0]
        # The later generation plots only experiments that its session has in its menu.
        refresh = self._call("refresh", (), session)

        async def refreshed(connection: AppConnection) -> Json:
            await refresh.make(connection)
            return await plot.make(connection)

        return self._http.read([AppCall(plot.name, refreshed)])[0]

    def _call(self, use: str, args: tuple[str, ...], session: str | None = None) -> AppCall[Json]:
        name = self._names[use]
        if self._served is not None and name not in self._served:
            raise NotSupported(f"{self.host} has no endpoint /{name}.")
        body: Json = {"data": list(args), "session_hash": session or secrets.token_hex(8)}
        return AppCall(f"/{name}", lambda connection: self._complete(connection, name, body))

    async def _complete(self, connection: AppConnection, name: str, body: Mapping[str, Json]) -> Json:
        """Make a call and wait for its end. Gradio numbers the calls of a session; ours has one at a time."""
        headers = {"authorization": f"Bearer {self._token}"} if self._token else {}
        started = await connection.answer("POST", f"{self._prefix}/call/{quote(name)}", body, headers)
        event = self._event(name, started)
        path = f"{self._prefix}/queue/data?session_hash={body['session_hash']}"
        async with connection.client.stream("GET", path, headers=headers) as response:
            if response.status_code != 200:
                kind = response.headers.get("content-type", "")
                raise unusable(self.host, f"/{name}", response.status_code, kind)
            async for message in _messages(connection.pieces(response)):
                if message.get("msg") in _FINAL and message.get("event_id") in {event, None}:
                    return self._output(name, message)
        raise TrackioUnavailable(f"{self.host} broke off its answer to /{name}.")

    def _event(self, name: str, answer: AppAnswer) -> str:
        """The id of the call that was taken."""
        document = parsed(answer.body.decode("utf-8", "replace")) if "json" in answer.content_type else None
        ref = document.get("event_id") if answer.status == 200 and isinstance(document, Mapping) else None
        if not isinstance(ref, str):
            raise unusable(self.host, f"/{name}", answer.status, answer.content_type)
        return ref

    def _output(self, name: str, message: Mapping[str, Json]) -> Json:
        """The first output: a create of the later generation answers with a second one for its own page."""
        output = message.get("output")
        output = output if isinstance(output, Mapping) else {}
        if message.get("msg") != "process_completed":
            raise TrackioUnavailable(f"/{name} of {self.host} was cancelled before it completed.")
        if message.get("success") is not True:
            error = output.get("error")
            why = one_line(without(error, self._token)).rstrip(".") if isinstance(error, str) else ""
            raise TrackioRejected(
                f"The app raised an error in /{name}: "
                f"{why or 'it does not show which error (show_error is off)'}."
            )
        data = output.get("data")
        return data[0] if isinstance(data, list) and data else None

    def _text(self, use: str, answer: Json) -> str:
        if not isinstance(answer, str):
            raise TrackioUnavailable(
                f"/{self._names[use]} answers with {type(answer).__name__}, and text was expected.",
                hint="The app's code may have changed; nothing was concluded from it.",
            )
        return without(answer, self._token)


async def _messages(pieces: AsyncIterator[bytes]) -> AsyncIterator[Mapping[str, Json]]:
    """The events of a stream that are JSON objects."""
    rest = bytearray()
    async for piece in pieces:
        rest += piece
        if b"\n" not in piece:
            continue
        *lines, last = bytes(rest).split(b"\n")
        rest = bytearray(last)
        for line in lines:
            field, _, value = line.partition(b":")
            message = parsed(value.decode("utf-8", "replace")) if field == b"data" else None
            if isinstance(message, Mapping):
                yield message
