"""Who may see the Space: public, private, or protected (the app is public, its files are not)."""

from __future__ import annotations

from hfspace.facets.base import Facet
from hfspace.facets.desired import Desired
from hfspace.live.ports import Ports
from hfspace.model import Action, Change, Check, SpaceState


class Visibility(Facet):
    name = "visibility"

    def compare(self, desired: Desired, state: SpaceState) -> list[Change | Check]:
        wanted = desired.spec.visibility
        if wanted is None or state.visibility is None or wanted == state.visibility:
            return []
        if not state.visibility_exact and wanted != "public":
            # A listing shows private and protected alike; only the owner's settings tell them apart.
            return [
                desired.check(
                    self.name,
                    "unknown",
                    "is private or protected: this token may not read which.",
                    hint="Use a token that may read the owner's repository settings.",
                )
            ]
        note = "anybody can see it from then on" if wanted == "public" else ""
        return [
            desired.change(
                self.name,
                Action.UPDATE,
                before=state.visibility,
                after=wanted,
                effects=("exposes" if wanted == "public" else "hides",),
                note=note,
            )
        ]

    def apply(self, change: Change, desired: Desired, ports: Ports) -> None:
        if ports.exact:
            ports.exact.doubt(desired.id)
        ports.hub.set_visibility(desired.id, str(change.after))
        if ports.exact:
            ports.exact.wrote(desired.id, str(change.after))
