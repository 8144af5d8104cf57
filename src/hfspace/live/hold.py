"""A hold on the Hub: a tag of the Space's repository, so that every runner sees it.

A variable would do as well, but for one thing: a change of a variable restarts the Space (docs/hub-api.md
section 4), and somebody is using it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from hfspace.live.marks import read_marks, remove_mark, set_mark
from hfspace.live.ports import Hub, HubReader, HubWriter
from hfspace.model import HOLD_TAG, SpaceState

FOREVER = datetime.max.replace(tzinfo=UTC)
_FORM = "%Y%m%dT%H%MZ"


def read_holds(space: str, hub: HubReader) -> tuple[str, ...]:
    """The tags of a Space that are holds, over or not. Raises HubError."""
    return of(read_marks(space, hub))


def of(marks: Iterable[str]) -> tuple[str, ...]:
    """Those of `marks` that are holds."""
    return tuple(mark for mark in marks if mark.startswith(HOLD_TAG))


def time_of(tag: str) -> datetime:
    """Until when a hold is, in UTC; FOREVER where it says no time."""
    try:
        until = datetime.strptime(tag.removeprefix(HOLD_TAG), _FORM).replace(tzinfo=UTC)
    except ValueError:
        return FOREVER
    return FOREVER if until.year == FOREVER.year else until  # in another zone there is no such time


def held_until(state: SpaceState | None) -> datetime | None:
    """Until when somebody holds the Space, in UTC, over or not. None for a Space that nobody holds, or whose
    tags were not read."""
    return max(map(time_of, of(state.marks or ()) if state else ()), default=None)


def hold(space: str, until: datetime, hub: Hub) -> None:
    """Keep the clock's hands off a Space until a time with a zone, to the minute, in place of any hold of
    before. Nothing restarts. Raises HubError."""
    tag, before = f"{HOLD_TAG}{until.astimezone(UTC):{_FORM}}", read_holds(space, hub)
    if tag not in before:
        set_mark(space, tag, hub)
    release(space, (one for one in before if one != tag), hub)


def release(space: str, tags: Iterable[str], hub: HubWriter) -> None:
    """End these holds. Nothing restarts. Raises HubError."""
    for tag in tags:
        remove_mark(space, tag, hub)
