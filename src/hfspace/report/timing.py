"""What a plan says of time: which time it is of, what is held, and until when it is true."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from hfspace.manifest.hours import DAYS
from hfspace.manifest.zones import zone
from hfspace.model import Plan
from hfspace.planner.counts import drift_of
from hfspace.text import plain

_MOST_HELD = 10


def timing(plan: Plan) -> Iterator[str]:
    """A sentence for each; none for a manifest without hours."""
    if plan.at is not None:
        yield f"The plan of {local(plan.at, plan.timezone)}, from what is live now: it can't be applied."
    for space, until in list(plan.held.items())[:_MOST_HELD]:
        yield f"{plain(space)} is held {end_of_hold(until, plan.timezone)}: its hours are left alone."
    if len(plan.held) > _MOST_HELD:
        yield f"{len(plan.held) - _MOST_HELD:,} more Spaces are held."
    if plan.valid_until is not None:
        yield f"Valid until {local(plan.valid_until, plan.timezone)}, when the hours ask for something else."


def drift(plan: Plan) -> dict[str, str]:
    """How far each declared Space is from its declaration, and until when it is held, in words."""
    held = {space: f", held {end_of_hold(until, plan.timezone)}" for space, until in plan.held.items()}
    return {space: f"{words}{held.get(space, '')}" for space, words in drift_of(plan).items()}


def end_of_hold(until: str, timezone: str) -> str:
    return f"until {local(until, timezone)}" if until else "until it is released"


def local(time: str, timezone: str) -> str:
    """A time of a plan as people of a zone read it: Wed 2026-11-25 19:00 (Europe/Paris)."""
    name = timezone or "UTC"
    here = datetime.fromisoformat(time).astimezone(zone(name))
    seconds = f":{here:%S}" if here.second else ""
    return f"{DAYS[here.weekday()]} {here:%Y-%m-%d %H:%M}{seconds} ({name})"
