"""What time has to do with a plan: what is held, why something changes now, and how long that is true."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from hfspace.errors import UsageError
from hfspace.live.hold import FOREVER, held_until
from hfspace.manifest import clock
from hfspace.manifest.models import Manifest, Moment, SpaceSpec
from hfspace.manifest.zones import zone
from hfspace.model import Change, Snapshot, SpaceState


def resolved(manifest: Manifest, snapshot: Snapshot, now: float | None) -> Manifest:
    """The manifest of one time, and with the clock's hands off what is held. Nothing is done twice to one
    that is so already. Raises UsageError where there are hours and no time is given."""
    if manifest.as_of is None:
        if now is None and any(spec.has_hours for spec in manifest.spaces.values()):
            raise UsageError("This manifest has hours: what it says depends on the time.", hint="Give now.")
        manifest = clock.at(manifest, datetime.fromtimestamp(now or 0.0, UTC))
    return _with_holds(manifest, snapshot)


def left_alone(spec: SpaceSpec, state: SpaceState | None, as_of: datetime | None) -> frozenset[str]:
    """The keys that are not changed now: `ignore`, and of a Space that is held those that a time decides."""
    return frozenset({*spec.ignore, *(spec.ruled if is_held(spec, state, as_of) else ())})


def is_held(spec: SpaceSpec, state: SpaceState | None, as_of: datetime | None) -> bool:
    """Whether the hours of a Space are to be left alone at a time."""
    until = held_until(state) if spec.has_hours else None
    return until is not None and as_of is not None and until > as_of


def held(manifest: Manifest, snapshot: Snapshot) -> dict[str, str]:
    """Until when each Space that is held is held, as text; "" for until somebody releases it."""
    spaces = {space: snapshot.spaces.get(space) for space in sorted(manifest.clock)}
    return {
        space: "" if (until := held_until(state)) in {None, FOREVER} else text(until)
        for space, state in spaces.items()
        if is_held(manifest.spaces[space], state, manifest.as_of)
    }


def valid_until(manifest: Manifest, spaces: Iterable[str]) -> str | None:
    """When the next of `spaces` is to be otherwise than in this plan."""
    moments = (manifest.clock[space] for space in spaces if space in manifest.clock)
    first = min((moment.ends for moment in moments if moment.ends is not None), default=None)
    return text(first) if first is not None else None


def text(time: datetime) -> str:
    """A time as plans and files hold it: UTC, to the second."""
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def explained(change: Change, manifest: Manifest) -> Change:
    """`change` with the reason for which the time asks for it."""
    moment = manifest.clock.get(change.space)
    if moment is None or change.facet not in moment.declared.in_windows:
        return change
    return replace(change, note=", ".join(part for part in (change.note, moment.reason) if part))


def _with_holds(manifest: Manifest, snapshot: Snapshot) -> Manifest:
    spaces, moments = dict(manifest.spaces), dict(manifest.clock)
    for space, moment in manifest.clock.items():
        state = snapshot.spaces.get(space)
        if is_held(moment.declared, state, manifest.as_of):
            moments[space] = _held(moment, manifest, state)
            ignore = left_alone(moment.declared, state, manifest.as_of)
            spaces[space] = spaces[space].model_copy(update={"ignore": ignore})
    return replace(manifest, spaces=spaces, clock=moments)


def _held(moment: Moment, manifest: Manifest, state: SpaceState | None) -> Moment:
    until = held_until(state)
    if until is None or until == FOREVER or manifest.as_of is None:
        return replace(moment, reason="held")
    words = clock.day_and_time(until, manifest.as_of, zone(manifest.timezone))
    ends = until if moment.until is None else min(until, moment.until)
    return replace(moment, reason=f"held until {words}", until=ends)
