"""Where a Trackio app is: asked from the Hub, which also says whether a visit would wake it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from hfspace.errors import HubError, HubUnreachable, TrackioUnavailable, UsageError
from hfspace.hub_url import hub_url
from hfspace.live.credentials import find_token
from hfspace.live.gradio.tokens import host_token
from hfspace.live.trackio.address import Address
from hfspace.model import FAILED, FREE_HARDWARE, HELD, SpaceState

WRITE_TOKEN = "TRACKIO_WRITE_TOKEN"  # noqa: S105 - the name of a variable


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackioPlace:
    """What a client was given: a Space, or the URL of an app. `token` and `endpoint` are the Hub's; `env`
    says them where they are None. `wake`: a sleeping Space is visited, and waited for; None: it may be
    visited where that is free."""

    space: str | None
    url: str | None
    token: str | None = field(default=None, repr=False)
    endpoint: str | None = None
    wake: bool | None = False
    env: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def hub(self) -> str:
        return self.endpoint.rstrip("/") if self.endpoint else hub_url(self.env)

    @property
    def hub_token(self) -> str | None:
        return self.token or find_token(self.env)

    def locate(self) -> Address:
        """The app's address. Asks the Hub, but for a URL of no Space. Raises TrackioUnavailable when the app
        can't be up, or sleeps and may not be woken."""
        write_token = self.env.get(WRITE_TOKEN) or None
        typed = urlsplit(self.url).hostname or "" if self.url else ""
        if self.url is not None and (self.wake or not typed.endswith(".hf.space")):
            return Address(base=self.url, write_token=write_token)
        # Only the Hub's client costs this import.
        from hfspace.live.hosts import resolve
        from hfspace.live.hub import connect
        from hfspace.live.waking import wake

        token = self.hub_token
        try:
            hub = connect(self.hub, token)
            space = typed or str(self.space)
            state = hub.space(resolve(hub, space) if space.endswith(".hf.space") else space)
        except HubUnreachable as error:
            hint = f"{error.hint} Or ask the app itself, which may wake it: --url https://….hf.space --wake"
            raise TrackioUnavailable(error.message, hint=hint.strip()) from None
        except (HubError, UsageError) as error:
            raise TrackioUnavailable(error.message, hint=error.hint) from None
        leave_asleep(state, self.wake)
        if self.wake and state.stage == "SLEEPING":
            state = wake(hub, state)
        if self.url is not None:
            return Address(base=self.url, write_token=write_token)
        return address_of(state, hub_endpoint=hub.endpoint, token=token, write_token=write_token)


def leave_asleep(state: SpaceState, wake: bool | None) -> None:
    """Raises TrackioUnavailable for a sleeping Space, unless it may be woken (None: where that is free)."""
    is_free = state.hardware in FREE_HARDWARE
    if state.stage == "SLEEPING" and not (is_free if wake is None else wake):
        raise TrackioUnavailable(
            f"{state.id} is SLEEPING on {state.hardware}: a visit would wake it"
            f"{'' if is_free else ', which starts a bill'}.",
            hint="Wake it: --wake, or TrackioClient(wake=True).",
        )


def address_of(
    state: SpaceState, *, hub_endpoint: str, token: str | None, write_token: str | None
) -> Address:
    """Where the app of a Space is, from what the Hub says. Raises TrackioUnavailable when it can't be up."""
    if state.is_static:
        raise TrackioUnavailable(
            f"{state.id} is a static Space: there is no app to keep experiments.", not_trackio=True
        )
    if state.stage in HELD | FAILED:
        raise TrackioUnavailable(
            f"{state.id} is {state.stage}.", hint=f"See why: hfspace diagnose {state.id}"
        )
    if not state.host:
        raise TrackioUnavailable(f"The Hub names no host for {state.id}.")
    return Address(
        base=state.host.rstrip("/"),
        private=state.visibility == "private",
        token=host_token(state.host, hub_endpoint=hub_endpoint, needed=True, token=token),
        write_token=write_token,
    )
