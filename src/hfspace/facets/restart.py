"""The `restart` marker: a new value restarts the Space once.

The marker is a variable of the Space. Any change of a variable restarts it (docs/hub/spaces-overview.md),
so marker and restart are one request: no crash can come between them.
"""

from __future__ import annotations

from dataclasses import dataclass

from hfspace.facets.base import Desired, restarts_now
from hfspace.live.ports import Ports
from hfspace.model import RESTART_VARIABLE, Action, Change, Check, SpaceState, Variable


@dataclass(frozen=True)
class Restart:
    name: str = "restart"
    restarts: bool = True
    carries: frozenset[str] = frozenset()

    def compare(self, desired: Desired, state: SpaceState) -> list[Change | Check]:
        wanted = desired.spec.restart
        if wanted is None:
            return []
        if state.variables is None:
            return [
                desired.check(
                    self.name,
                    "warning",
                    "the marker is kept in a variable, and this token may not read those.",
                    hint="Use a token with write access.",
                )
            ]
        live = state.variables.get(RESTART_VARIABLE)
        if live is not None and live.value == wanted:
            return []
        before = live.value if live else None
        return [
            desired.change(
                self.name, Action.RESTART, before=before, after=wanted, effects=restarts_now(state)
            )
        ]

    def apply(self, change: Change, desired: Desired, ports: Ports) -> None:
        marker = Variable(value=str(change.after), description="hfspace: restart marker")
        ports.hub.set_variable(desired.id, RESTART_VARIABLE, marker)
