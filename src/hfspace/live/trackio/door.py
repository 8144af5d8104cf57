"""Calls of the Gradio Trackio app through gradio_client: always every argument, an end in time, and the
library's many ways to fail turned into the few that mean something."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from hfspace.errors import NotSupported, TrackioError, TrackioRejected, TrackioUnavailable
from hfspace.live.gradio.fetch import explain, safe_host
from hfspace.live.trackio.values import one_line
from hfspace.model import Json

READ_TRIES = 3
WORKERS = 4
_PAUSES = (0.3, 1.0)
_IDLE_SECONDS = 60.0


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

    def close(self) -> None:
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def read(self, api: str, *args: str) -> str:
        """The text of an endpoint that changes nothing. Tried again when no answer comes."""
        for pause in (*_PAUSES[: READ_TRIES - 1], None):
            try:
                return _text(api, self.call(api, *args))
            except TrackioUnavailable:
                self.close()
                if pause is None:
                    raise
                self._sleep(pause)
        raise AssertionError("unreachable")

    def write(self, api: str, *args: str) -> str:
        """The text of an endpoint that changes something. Never repeated."""
        return _text(api, self.call(api, *args))

    def call(self, api: str, *args: str) -> Json:
        """The raw answer. Raises TrackioRejected when the app raises, TrackioUnavailable when no usable
        answer comes (whether the call was carried out is then not known), NotSupported without such an
        endpoint."""
        try:
            job = self._open().submit(*args, api_name=f"/{api}")
            try:
                return job.result(timeout=self._timeout)
            finally:
                if not job.done():
                    job.cancel()
        except TrackioError:
            raise
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
            raise self._failure(api, error) from None

    def _open(self) -> Any:
        with self._lock:
            if self._client is not None and time.monotonic() - self._used > _IDLE_SECONDS:
                # gradio_client calls by position in the configuration that it read: after a redeployment
                # that would be another function.
                self._client.close()
                self._client = None
            self._used = time.monotonic()
            if self._client is None:
                from hfspace.live.gradio.client_calls import open_client

                self._client = open_client(self.base, self._token, self._timeout, workers=WORKERS)
            return self._client

    def _failure(self, api: str, error: BaseException) -> TrackioError:
        kind, said, host = type(error).__name__, one_line(str(error)), safe_host(self.base)
        if kind == "AppError":
            if "has not enabled verbose error reporting" in said:
                said = "it does not show which error (show_error is off)"
            return TrackioRejected(f"The app raised an error in /{api}: {said}.")
        if "Cannot find a function" in said:
            return NotSupported(f"{host} has no endpoint /{api}.")
        if kind in {"TimeoutError", "CancelledError"}:
            return TrackioUnavailable(f"/{api} of {host} did not complete within {self._timeout:g} s.")
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
