"""Which machine the Space runs on. Compared with the *requested* flavor: a move under way is no difference.

One request carries the sleep time too: whether a hardware request without one keeps it is not known
(docs/hub-api.md section 9), so it is always sent where the new hardware takes one.
"""

from __future__ import annotations

from difflib import get_close_matches

from hfspace.facets.base import Facet
from hfspace.facets.desired import Desired
from hfspace.live.ports import Ports
from hfspace.model import HELD, IDLE, Action, Change, Check, Effect, SpaceState

ZERO_GPU = "zero-a10g"


class Hardware(Facet):
    name = "hardware"
    restarts = True
    priced = True
    carries = frozenset({"sleep_time"})

    def compare(self, desired: Desired, state: SpaceState) -> list[Change | Check]:
        wanted = desired.spec.hardware
        if wanted is None or wanted == state.hardware:
            return []
        if state.is_static:
            return [
                desired.check(self.name, "error", "a static Space runs on no hardware.", hint="Remove it.")
            ]
        if desired.flavors and wanted not in desired.flavors:
            return [_unknown(desired, wanted)]
        if wanted == ZERO_GPU and state.sdk not in {None, "gradio"}:
            return [
                desired.check(
                    self.name,
                    "error",
                    f"ZeroGPU runs gradio Spaces only, and this one is {state.sdk}.",
                    hint="Declare other hardware.",
                )
            ]
        if state.hardware is None and state.stage is None:
            return [
                desired.check(
                    self.name, "unknown", "the Hub does not tell what it runs on.", hint="Run again."
                )
            ]
        return [self._change(desired, state, wanted)]

    def _change(self, desired: Desired, state: SpaceState, wanted: str) -> Change:
        held = (state.stage in HELD and not desired.spec.is_up) or desired.spec.state == "paused"
        note = "while paused nothing is billed" if held else ""
        asleep = state.stage in IDLE
        effects: list[Effect] = [] if held else ["wakes" if asleep else "restart"]
        if desired.price(wanted) and not held:
            effects.append("bills")
        return desired.change(
            self.name,
            Action.UPDATE,
            before=state.hardware,
            after=wanted,
            effects=effects,
            flavor=wanted,
            note=note,
        )

    def apply(self, change: Change, desired: Desired, ports: Ports) -> None:
        flavor = str(change.after)
        sleep = desired.spec.sleep_time
        if "sleep_time" in desired.spec.ignore or sleep is None:
            sleep = self._kept(change, desired, ports)
        ports.hub.set_hardware(desired.id, flavor, None if desired.is_free(flavor) else sleep)

    def _kept(self, change: Change, desired: Desired, ports: Ports) -> int | None:
        """The live sleep time, where it was somebody's choice and not the fixed one of free hardware."""
        if desired.is_free(str(change.before)) or desired.is_free(str(change.after)):
            return None
        live = desired.live or ports.hub.space(desired.id)
        return live.sleep_time


def _unknown(desired: Desired, wanted: str) -> Check:
    if desired.prices_of:
        message = f"whether the Hub has hardware '{wanted}' is not known: its listing could not be read."
        return desired.check("hardware", "unknown", message, hint="Run again later.")
    near = get_close_matches(wanted, desired.flavors, n=3, cutoff=0.5)
    listed = f"Did you mean {' or '.join(near)}?" if near else f"The Hub lists: {', '.join(desired.flavors)}."
    return desired.check("hardware", "error", f"the Hub lists no hardware '{wanted}'.", hint=listed)
