"""One call of an endpoint as data, and the ways in which it fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hfspace.errors import AppError
from hfspace.live.gradio.fetch import Ask
from hfspace.model import Json, ServedApp, ServedEndpoint

CALL_SECONDS = 60.0
MAX_ANSWER_BYTES = 64 << 20


class EndpointError(AppError):
    """The endpoint was called and refused, failed, or can't be called this way."""


class CallTimeout(EndpointError):
    """No complete answer within the time given; the call was cancelled."""


class QueueOnly(EndpointError):
    """The app takes no direct POST to this endpoint (api_open=False)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppCall:
    """One call. `values` is a list for positions, a mapping for names; an HTTP route has its request in `ask`
    instead. `token` and the `cookies` of a login go to `base` only. `timeout` is in seconds, for the whole
    call."""

    base: str
    app: ServedApp
    endpoint: ServedEndpoint
    values: Json = None
    ask: Ask | None = None
    token: str | None = field(default=None, repr=False)
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout: float = CALL_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The answer as a whole, and the seconds that the call took: without the start-up of our own client."""

    answer: Json
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """An answer of an HTTP route that is neither JSON nor text."""

    name: str
    content_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEvent:
    """One event of an HTTP stream."""

    data: Json
