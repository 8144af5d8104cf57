"""A hold: until its time, the clock of the manifest leaves a Space alone, since somebody is using it. One
whose time is over is removed, so that it leaves nothing behind."""

from __future__ import annotations

from hfspace.facets.base import NOTHING, Facet, Need, known
from hfspace.facets.desired import Desired
from hfspace.live.hold import FOREVER, of, release, time_of
from hfspace.live.ports import Ports
from hfspace.manifest.models import SpaceSpec
from hfspace.model import Action, Change, Check, SpaceState


class Hold(Facet):
    name = "hold"

    def needs(self, spec: SpaceSpec, state: SpaceState) -> frozenset[Need]:
        return frozenset({Need.MARKS}) if spec.has_hours else NOTHING

    def compare(self, desired: Desired, state: SpaceState) -> list[Change | Check]:
        if not desired.spec.has_hours:
            return []
        if state.marks is None:
            message = "whether somebody holds it can't be read with this token."
            return [desired.check(self.name, "unknown", message, hint="Use a token that sees its tags.")]
        now = desired.manifest.as_of
        times = {tag: time_of(tag) for tag in of(state.marks)}
        over = [tag for tag, until in times.items() if now is not None and until <= now]
        items: list[Change | Check] = []
        if over:
            items.append(desired.change(self.name, Action.DELETE, before=over, note="its time is over"))
        if FOREVER in times.values():
            message = "a hold says no time: its hours are left alone until it is released."
            hint = f"End it with `hfspace hold {desired.id} --release`."
            items.append(desired.check(self.name, "warning", message, hint=hint))
        return items

    def value(self, state: SpaceState, key: str | None) -> object:
        return known(state.marks)

    def apply(self, change: Change, desired: Desired, ports: Ports) -> None:
        release(desired.id, change.before, ports.hub)
