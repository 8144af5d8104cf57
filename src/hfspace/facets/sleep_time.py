"""After how long without a visit the Space goes to sleep, in seconds; -1 for never.

Free hardware has a fixed one: declaring another there could never converge, so it is a check.
"""

from __future__ import annotations

from hfspace.facets.base import Facet
from hfspace.facets.desired import Desired
from hfspace.live.ports import Ports
from hfspace.manifest.values import format_duration
from hfspace.model import HELD, Action, Change, Check, Json, SpaceState


class SleepTime(Facet):
    name = "sleep_time"

    def compare(self, desired: Desired, state: SpaceState) -> list[Change | Check]:
        wanted = desired.spec.sleep_time
        if wanted is None or wanted == state.sleep_time:
            return []
        if state.is_static:
            return [
                desired.check(self.name, "error", "a static Space never sleeps.", hint="Remove sleep_time.")
            ]
        ignored = "hardware" in desired.spec.ignore
        hardware = state.hardware if ignored or desired.spec.hardware is None else desired.spec.hardware
        if hardware is not None and desired.is_free(hardware):
            return [
                desired.check(
                    self.name,
                    "error",
                    f"runs on {hardware}, whose sleep time is fixed.",
                    hint="Remove sleep_time, or declare paid hardware.",
                )
            ]
        if state.sleep_time is None or state.stage in HELD:
            return []  # a paused Space may report none, and may refuse a new one: set when it is awake
        carried = not ignored and desired.spec.hardware not in {None, state.hardware}
        early = desired.spec.state == "paused" and not carried
        return [desired.change(self.name, Action.UPDATE, before=state.sleep_time, after=wanted, early=early)]

    def show(self, value: Json) -> str:
        return format_duration(value if isinstance(value, int) else None)

    def apply(self, change: Change, desired: Desired, ports: Ports) -> None:
        ports.hub.set_sleep_time(desired.id, int(change.after))
