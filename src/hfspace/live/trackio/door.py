"""Calls of the Gradio Trackio app through gradio_client: always every argument, an end in time, and the
library's many ways to fail turned into the few that mean something."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Any

from hfspace.errors import NotSupported, TrackioError, TrackioRejected, TrackioUnavailable
from hfspace.live.gradio.fetch import explain, safe_host
from hfspace.live.trackio.values import one_line, without
from hfspace.model import Json

READ_TRIES = 3
WORKERS = 4
_PAUSES = (0.3, 1.0)
_IDLE_SECONDS = 60.0


class TooSlow(TrackioUnavailable):
    """No complete answer in time: asking again would take as long again."""


class Door:
    """One session with one app. `token` goes to `base` only. `timeout` is per call, in seconds."""

    def __init__(
        self,
        base: str,
        *,
        token: str | None,
        timeout: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.base = base
        self._token = token
        self._timeout = timeout
        self._sleep = sleep
        self._client: Any = None
        self._used = 0.0
        self._lock = threading.Lock()
        self._connecting = threading.Lock()

    def close(self) -> None:
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def read(self, api: str, *args: str) -> str:
        """The text of an endpoint that changes nothing. Tried again when the connection fails."""
        for pause in (*_PAUSES[: READ_TRIES - 1], None):
            try:
                return without(_text(api, self.call(api, *args)), self._token)
            except TooSlow:
                raise
            except TrackioUnavailable:
                self.close()
                if pause is None:
                    raise
                self._sleep(pause)
        raise AssertionError("unreachable")

    def write(self, api: str, *args: str) -> str:
        """The text of an endpoint that changes something. Never repeated."""
        return without(_text(api, self.call(api, *args)), self._token)

    def call(self, api: str, *args: str) -> Json:
        """The raw answer. Raises TrackioRejected when the app raises, TrackioUnavailable when no usable
        answer comes (whether the call was carried out is then not known), NotSupported without such an
        endpoint."""
        answers: queue.SimpleQueue[tuple[Json, BaseException | None]] = queue.SimpleQueue()

        def work() -> None:
            try:
                answers.put((self._open().submit(*args, api_name=f"/{api}").result(), None))
            except BaseException as error:  # noqa: BLE001 - it is raised by the caller
                answers.put((None, error))

        # In a thread of its own: connecting and cancelling wait far longer than they are told to.
        threading.Thread(target=work, daemon=True).start()
        try:
            answer, error = answers.get(timeout=self._timeout)
        except queue.Empty:
            self._give_up()
            raise TooSlow(
                f"/{api} of {safe_host(self.base)} did not complete within {self._timeout:g} s."
            ) from None
        if error is not None:
            raise self._failure(api, error) from None
        return answer

    def _give_up(self) -> None:
        """Leave a connection that may hang; closing it may hang as well."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            threading.Thread(target=client.close, daemon=True).start()

    def _open(self) -> Any:
        with self._connecting:
            with self._lock:
                client, fresh = self._client, time.monotonic() - self._used < _IDLE_SECONDS
                self._used = time.monotonic()
            if client is not None and fresh:
                return client
            from hfspace.live.gradio.client import open_client

            # gradio_client calls by position in the configuration that it read: after a redeployment that
            # would be another function.
            self.close()
            client = open_client(self.base, self._token, self._timeout, workers=WORKERS)
            with self._lock:
                self._client = client
            return client

    def _failure(self, api: str, error: BaseException) -> TrackioError:
        if isinstance(error, TrackioError):
            return error
        kind, host = type(error).__name__, safe_host(self.base)
        said = one_line(without(str(error), self._token))
        if kind == "AppError":
            if "has not enabled verbose error reporting" in said:
                said = "it does not show which error (show_error is off)"
            return TrackioRejected(f"The app raised an error in /{api}: {said}.")
        if "Cannot find a function" in said:
            return NotSupported(f"{host} has no endpoint /{api}.")
        if kind == "CancelledError":
            return TrackioUnavailable(f"/{api} of {host} was cancelled before it completed.")
        if kind == "AuthenticationError":
            return TrackioUnavailable(f"{host} does not let this token in.")
        if kind in {"TypeError", "ValueError", "JSONDecodeError"}:
            return TrackioUnavailable(f"{host} is not ready, or not understood: {said}.")
        if isinstance(error, Exception):
            return TrackioUnavailable(f"/{api}: {explain(error, self.base, self._timeout)}")
        return TrackioUnavailable(f"/{api} of {host} failed ({kind}).")


def _text(api: str, answer: Json) -> str:
    """The first output: a create of the later generation answers with a second one for its own page."""
    if isinstance(answer, list | tuple) and answer:
        answer = answer[0]
    if not isinstance(answer, str):
        raise TrackioUnavailable(
            f"/{api} answers with {type(answer).__name__}, and text was expected.",
            hint="The app's code may have changed; nothing was concluded from it.",
        )
    return answer
