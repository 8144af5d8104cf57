"""One call of an endpoint as data, and the ways in which it fails."""

from __future__ import annotations

from dataclasses import dataclass, field

from hfspace.errors import AppError
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
class Call:
    """One call. `values` is a list for positions, a mapping for names (the body itself for an HTTP route).
    `token` goes to `base` only, as Authorization. `timeout` is in seconds, for the whole call."""

    base: str
    app: ServedApp
    endpoint: ServedEndpoint
    values: Json
    payload: str = "data"
    token: str | None = field(default=None, repr=False)
    timeout: float = CALL_SECONDS
