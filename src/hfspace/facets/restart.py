"""The `restart` marker: a new value restarts the Space once.

The marker is a variable of the Space. Any change of a variable restarts it (docs/hub/spaces-overview.md),
so marker and restart are one request: no crash can come between them.
"""

from __future__ import annotations

from hfspace.facets.base import NOTHING, Facet, Need
from hfspace.facets.desired import Desired, restarts_now
from hfspace.live.ports import Ports
from hfspace.manifest.models import SpaceSpec
from hfspace.model import HELD, IDLE, RESTART_VARIABLE, UNKNOWN, Action, Change, Check, SpaceState, Variable

_HINT = "It is restarted, and the value used up, at the first apply that finds it running."


class Restart(Facet):
    name = "restart"
    restarts = True

    def needs(self, spec: SpaceSpec, state: SpaceState) -> frozenset[Need]:
        return NOTHING if spec.restart is None else frozenset({Need.VARIABLES})

    def compare(self, desired: Desired, state: SpaceState) -> list[Change | Check]:
        wanted = desired.spec.restart
        if wanted is None:
            return []
        if state.variables is None:
            return [
                desired.check(
                    self.name,
                    "unknown",
                    "the marker is kept in a variable, and this token may not read those.",
                    hint="Use a token with write access.",
                )
            ]
        live = state.variables.get(RESTART_VARIABLE)
        if live is not None and live.value.strip() == wanted.strip():
            return []
        if state.is_static:
            return [desired.check(self.name, "error", "a static Space never restarts.", hint="Remove it.")]
        if why := _waits(desired, state):
            return [desired.check(self.name, "warning", f"{wanted} waits: {why}.", hint=_HINT)]
        before = live.value if live else None
        return [
            desired.change(
                self.name, Action.RESTART, before=before, after=wanted, effects=restarts_now(state)
            )
        ]

    def value(self, state: SpaceState, key: str | None) -> object:
        if state.variables is None:
            return UNKNOWN
        marker = state.variables.get(RESTART_VARIABLE)
        return marker.value if marker else None

    def apply(self, change: Change, desired: Desired, ports: Ports) -> None:
        marker = Variable(value=str(change.after), description="hfspace: restart marker")
        ports.hub.set_variable(desired.id, RESTART_VARIABLE, marker)


def _waits(desired: Desired, state: SpaceState) -> str:
    """Why the marker is not written now: nothing runs that it could restart, and a marker that is written is
    used up. A start is as good as a restart."""
    if desired.spec.state == "paused":
        return "the Space is to be paused"
    starts = desired.spec.state == "running" and state.stage in HELD | {"STOPPED"}
    if not starts and state.stage in HELD | IDLE | {"BUILD_ERROR", "CONFIG_ERROR", "NO_APP_FILE"}:
        return f"the Space is {state.stage}"
    return ""
