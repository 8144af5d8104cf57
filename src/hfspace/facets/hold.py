"""A hold: until its time, the clock of the manifest leaves a Space alone, since somebody is using it.

Removing it restarts a running Space: one whose time is over goes when the Space is at rest or is paused, and
means nothing meanwhile.
"""

from __future__ import annotations

from hfspace.facets.base import NOTHING, Facet, Need
from hfspace.facets.desired import Desired, restarts_now
from hfspace.live.hold import FOREVER, held_until, release
from hfspace.live.ports import Ports
from hfspace.manifest.models import SpaceSpec
from hfspace.model import HOLD_VARIABLE, UNKNOWN, Action, Change, Check, SpaceState


class Hold(Facet):
    name = "hold"
    restarts = True

    def needs(self, spec: SpaceSpec, state: SpaceState) -> frozenset[Need]:
        return frozenset({Need.VARIABLES}) if spec.has_hours else NOTHING

    def compare(self, desired: Desired, state: SpaceState) -> list[Change | Check]:
        if not desired.spec.has_hours:
            return []
        if state.variables is None:
            message = "whether somebody holds it can't be read with this token."
            return [desired.check(self.name, "unknown", message, hint="Use a token with write access.")]
        until, now = held_until(state), desired.manifest.as_of
        if until == FOREVER:
            message = f"{HOLD_VARIABLE} holds no time: its hours are left alone."
            hint = f"End it with `hfspace hold {desired.id} --release`."
            return [desired.check(self.name, "warning", message, hint=hint)]
        is_at_rest = not restarts_now(state) or desired.spec.stays_paused
        if until is None or now is None or until > now or not is_at_rest:
            return []
        return [
            desired.change(
                self.name,
                Action.DELETE,
                before=state.variables[HOLD_VARIABLE].value,
                note="its time is over",
            )
        ]

    def value(self, state: SpaceState, key: str | None) -> object:
        if state.variables is None:
            return UNKNOWN
        variable = state.variables.get(HOLD_VARIABLE)
        return variable.value if variable else None

    def apply(self, change: Change, desired: Desired, ports: Ports) -> None:
        release(desired.id, ports.hub)
