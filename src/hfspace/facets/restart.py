"""The `restart` marker: a new value restarts the Space once.

The marker is a variable of the Space. Any change of a variable restarts it (docs/hub/spaces-overview.md),
so marker and restart are one request: no crash can come between them. A factory rebuild is a second request.
It comes after the marker: a variable that changes while a Space is built would begin another, plain build.
From before the first until after the second, a tag of the repository says that a rebuild is due: whatever
comes between them, it is made, if need be twice.
"""

from __future__ import annotations

from hfspace.facets.base import NOTHING, Facet, Need
from hfspace.facets.desired import Desired, marker, restart_marker, restarts_now
from hfspace.live.marks import remove_mark, set_mark
from hfspace.live.ports import Ports
from hfspace.manifest import ticks
from hfspace.manifest.clock import day_and_time
from hfspace.manifest.models import SpaceSpec
from hfspace.manifest.zones import zone
from hfspace.model import (
    HELD,
    IDLE,
    REBUILD_TAG,
    RESTART_VARIABLE,
    UNKNOWN,
    Action,
    Change,
    Check,
    SpaceState,
)

_AHEAD = 24 * 3600.0
"""Seconds by which a tick on the Space may be ahead of this clock: another runner's may go before ours."""

_HINT = "It is restarted, and the value used up, at the first apply that finds it running."


class Restart(Facet):
    name = "restart"
    restarts = True

    def needs(self, spec: SpaceSpec, state: SpaceState) -> frozenset[Need]:
        restart = spec.restart
        has_marker = restart is not None and (restart.value is not None or restart.follows_files)
        if not has_marker:
            return NOTHING
        return frozenset({Need.VARIABLES, Need.MARKS} if restart and restart.rebuild else {Need.VARIABLES})

    def compare(self, desired: Desired, state: SpaceState) -> list[Change | Check]:
        restart = desired.spec.restart
        wanted = restart_marker(desired)
        if restart is None or wanted is None:
            return []
        if state.variables is None:
            return [_unknown(desired, "the marker is kept in a variable, and this token may not read those.")]
        if restart.rebuild and state.marks is None:
            return [_unknown(desired, "whether a rebuild is due is kept in a tag, and those can't be read.")]
        due = restart.rebuild and REBUILD_TAG in (state.marks or ())
        live = state.variables.get(RESTART_VARIABLE)
        is_newest = live is not None and (
            live.value.strip() == wanted.strip() or _is_newer(desired, live.value)
        )
        if is_newest and not due:
            return []
        if state.is_static:
            return [desired.check(self.name, "error", "a static Space never restarts.", hint="Remove it.")]
        if why := _waits(desired, state):
            if restart.value is None or restart.every is not None:
                return []  # the start that comes restarts it as well
            return [desired.check(self.name, "warning", f"{wanted} waits: {why}.", hint=_HINT)]
        effects = restarts_now(state)
        return [
            desired.change(
                self.name,
                Action.RESTART,
                before=live.value if live else None,
                after=wanted,
                effects=effects,
                rebuild=restart.rebuild and bool(effects),
                note=", ".join(_notes(desired, rebuild=restart.rebuild and bool(effects), due=due)),
            )
        ]

    def value(self, state: SpaceState, key: str | None) -> object:
        if state.variables is None:
            return UNKNOWN
        live = state.variables.get(RESTART_VARIABLE)
        return live.value if live else None

    def apply(self, change: Change, desired: Desired, ports: Ports) -> None:
        restart = desired.spec.restart
        if change.rebuild:
            set_mark(desired.id, REBUILD_TAG, ports.hub)
        if change.before != change.after:
            ports.hub.set_variable(desired.id, RESTART_VARIABLE, marker(str(change.after)))
        if change.rebuild:
            ports.hub.restart(desired.id, factory=True)
        if restart is not None and restart.rebuild:  # a start is as good as a rebuild
            remove_mark(desired.id, REBUILD_TAG, ports.hub)


def _unknown(desired: Desired, message: str) -> Check:
    return desired.check("restart", "unknown", message, hint="Use a token with write access.")


def _notes(desired: Desired, *, rebuild: bool, due: bool) -> list[str]:
    restart, now = desired.spec.restart, desired.manifest.as_of
    tick = ticks.tick_of(restart.value or "") if restart and restart.every else None
    words = [f"factory rebuild{', still due' if due else ''}"] if rebuild else []
    if tick is not None and now is not None:
        words.append(f"the tick of {day_and_time(tick, now, zone(desired.manifest.timezone))}")
    return words


def _is_newer(desired: Desired, live: str) -> bool:
    """Whether the Space has had a later tick than the one that passed last here: two runners whose clocks
    differ must not restart it in turns."""
    wanted, has = desired.spec.restart, ticks.tick_of(live)
    tick = ticks.tick_of(wanted.value or "") if wanted and wanted.every else None
    if tick is None or has is None:
        return False
    newest = max(tick.timestamp(), desired.inputs.now or 0.0) + _AHEAD
    return tick <= has and has.timestamp() <= newest


def _waits(desired: Desired, state: SpaceState) -> str:
    """Why the marker is not written now: nothing runs that it could restart, and a marker that is written is
    used up. A start is as good as a restart."""
    if desired.spec.state == "paused":
        return "the Space is to be paused"
    down = HELD | IDLE if desired.spec.state == "awake" else HELD | {"STOPPED"}
    starts = desired.spec.is_up and state.stage in down
    if not starts and state.stage in HELD | IDLE | {"BUILD_ERROR", "CONFIG_ERROR", "NO_APP_FILE"}:
        return f"the Space is {state.stage}"
    return ""
