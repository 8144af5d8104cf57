"""What the app of one Space serves, for a plan: two or three GETs, the token only where the rule lets it."""

from __future__ import annotations

from dataclasses import replace

from hfspace.live.gradio.fetch import TIMEOUT_SECONDS
from hfspace.live.gradio.probe import Place, look
from hfspace.live.gradio.tokens import host_token
from hfspace.manifest.models import EndpointSpec
from hfspace.model import Details, ServedApp, SpaceState


def place_of(
    state: SpaceState, *, hub_endpoint: str, token: str | None, timeout: float, zero_gpu: bool = False
) -> Place:
    """Where the app of `state` is, with the token where its host may get it: a private Space's, and with
    `zero_gpu` any."""
    host, details = state.host or "", state.details or Details()
    needed = zero_gpu or state.visibility == "private"
    return Place(
        host=host,
        path=details.base_path or "",
        sdk=state.sdk,
        sdk_version=details.sdk_version,
        token=host_token(host, hub_endpoint=hub_endpoint, needed=needed, token=token),
        public=state.visibility == "public",
        timeout=timeout,
    )


def read_space_app(
    state: SpaceState,
    *,
    hub_endpoint: str,
    token: str | None,
    declared: EndpointSpec | None = None,
    timeout: float = TIMEOUT_SECONDS,
) -> ServedApp:
    """What the running app of `state` serves; `problem` says why when it can't be read.

    Only for Spaces that run: reading wakes a sleeping one. `token` goes only to a private Space's own host.
    """
    if state.is_static:
        return ServedApp(kind="static", problem="It is a static Space: there is no app to call.")
    if not state.host:
        return ServedApp(kind="unknown", problem="The Hub names no host for this Space.")
    place = place_of(state, hub_endpoint=hub_endpoint, token=token, timeout=timeout)
    place = replace(place, declared=declared)
    app = look(place).app
    if place.path and app.kind != "gradio":
        root = look(replace(place, path="")).app
        app = root if root.kind == "gradio" or app.problem else app
    if state.sdk == "gradio" and app.kind in {"openapi", "http"} and not (declared and declared.path):
        problem = "The root of its host is not Gradio, and its README has no base_path that leads to it."
        return ServedApp(kind="unknown", problem=problem)
    return app
