"""A hold on the Hub: a tag of the Space's repository, so that every runner sees it.

A variable would do as well, but for one thing: a change of a variable restarts the Space (docs/hub-api.md
section 4), and somebody is using it.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime

from hfspace.errors import Conflict, NotVisible
from hfspace.live.ports import Hub, HubReader, HubWriter
from hfspace.model import HOLD_TAG, SpaceState

FOREVER = datetime.max.replace(tzinfo=UTC)
_FORM = "%Y%m%dT%H%MZ"


def read_holds(space: str, hub: HubReader) -> tuple[str, ...]:
    """The tags of a Space that are holds, over or not. Raises HubError."""
    refs = hub.get(space, "refs")
    tags = refs.get("tags") if isinstance(refs, dict) else None
    names = (tag.get("name") for tag in tags or () if isinstance(tag, dict))
    return tuple(sorted(name for name in names if isinstance(name, str) and name.startswith(HOLD_TAG)))


def time_of(tag: str) -> datetime:
    """Until when a hold is, in UTC; FOREVER where it says no time."""
    try:
        return datetime.strptime(tag.removeprefix(HOLD_TAG), _FORM).replace(tzinfo=UTC)
    except ValueError:
        return FOREVER


def held_until(state: SpaceState | None) -> datetime | None:
    """Until when somebody holds the Space, in UTC, over or not. None for a Space that nobody holds, or whose
    tags were not read."""
    return max(map(time_of, (state.holds or ()) if state else ()), default=None)


def hold(space: str, until: datetime, hub: Hub) -> None:
    """Keep the clock's hands off a Space until a time with a zone, to the minute, in place of any hold of
    before. Nothing restarts. Raises HubError."""
    tag, before = f"{HOLD_TAG}{until.astimezone(UTC):{_FORM}}", read_holds(space, hub)
    if tag not in before:
        with suppress(Conflict):  # somebody else holds it until the same minute
            hub.send("POST", space, "tag/main", {"tag": tag})
    release(space, (one for one in before if one != tag), hub)


def release(space: str, tags: Iterable[str], hub: HubWriter) -> None:
    """End these holds. Nothing restarts. Raises HubError."""
    for tag in tags:
        try:
            hub.send("DELETE", space, f"tag/{tag}")
        except NotVisible:
            continue  # gone already
