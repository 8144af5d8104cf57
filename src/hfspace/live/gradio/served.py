"""What the app of one Space serves, for a plan: two or three GETs, the token only where the rule lets it."""

from __future__ import annotations

from hfspace.live.gradio.fetch import TIMEOUT_SECONDS
from hfspace.live.gradio.probe import read_app
from hfspace.live.gradio.tokens import host_token
from hfspace.manifest.models import EndpointSpec
from hfspace.model import ServedApp, SpaceState


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
    needed = state.visibility == "private"
    app = read_app(
        state.host,
        sdk=state.sdk,
        token=host_token(state.host, hub_endpoint=hub_endpoint, needed=needed, token=token),
        declared=declared,
        timeout=timeout,
    )
    if state.sdk == "gradio" and app.kind == "openapi":
        # A listing does not tell base_path, and a plan has no requests to spare for guessing it.
        problem = "The root of its host is not Gradio: the app seems to be mounted below a path."
        return ServedApp(kind="unknown", problem=problem)
    return app
