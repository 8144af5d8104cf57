"""Dev mode: SSH and a VS Code into the running Space. Needs PRO, Team or Enterprise to be switched on."""

from __future__ import annotations

from hfspace.facets.base import Facet
from hfspace.facets.desired import Desired, restarts_now
from hfspace.live.ports import Ports
from hfspace.model import Action, Change, Check, SpaceState


class DevMode(Facet):
    name = "dev_mode"
    restarts = True

    def compare(self, desired: Desired, state: SpaceState) -> list[Change | Check]:
        wanted = desired.spec.dev_mode
        # A paused Space may not report it: unknown, not drift (docs/hub-api.md section 3).
        if wanted is None or state.dev_mode is None or wanted == state.dev_mode:
            return []
        if state.is_static:
            return [desired.check(self.name, "error", "a static Space has no dev mode.", hint="Remove it.")]
        return [
            desired.change(
                self.name, Action.UPDATE, before=state.dev_mode, after=wanted, effects=restarts_now(state)
            )
        ]

    def apply(self, change: Change, desired: Desired, ports: Ports) -> None:
        ports.hub.set_dev_mode(desired.id, bool(change.after))
