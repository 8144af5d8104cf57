"""Waking a sleeping Space by one visit, and waiting until it runs."""

from __future__ import annotations

from contextlib import suppress

from hfspace.errors import HubUnreachable
from hfspace.live.gradio.fetch import Ask, fetch_all
from hfspace.live.gradio.tokens import host_token
from hfspace.live.hub import HubClient
from hfspace.live.stages import readings
from hfspace.model import IDLE, MOVING, SpaceState

_POLL_SECONDS = 1.0
WAKE_SECONDS = 300.0
STIR_SECONDS = 30.0
"""A visited Space begins to start within seconds; one that does not was not woken."""


def visit(hub: HubClient, state: SpaceState) -> None:
    """Open the app once. Raises HubUnreachable where that is not possible."""
    if not state.host:
        raise HubUnreachable(f"The Hub does not tell where {state.id} is served, to wake it by a visit.")
    token = host_token(
        state.host,
        hub_endpoint=hub.endpoint,
        needed=state.visibility == "private",
        token=hub.token_for(state.id),
    )
    (answer,) = fetch_all([Ask(url=state.host.rstrip("/") + "/", token=token)], max_bytes=1 << 16)
    if not answer.status:
        raise HubUnreachable(f"{state.id} could not be visited at {state.host}: {answer.problem}.")


def wake(hub: HubClient, state: SpaceState) -> SpaceState:
    """Visit a sleeping Space once and wait, at most five minutes, until it runs. May start a bill."""
    if not state.host:
        return state
    with suppress(HubUnreachable):  # whether it stirs is seen below
        visit(hub, state)
    for now in readings(hub.runtime, state, hub.pace, _POLL_SECONDS):
        longest = STIR_SECONDS if now.state.stage in IDLE else WAKE_SECONDS
        if now.state.stage not in IDLE | MOVING or now.seconds > longest:
            return now.state
    raise AssertionError("readings end by raising")
