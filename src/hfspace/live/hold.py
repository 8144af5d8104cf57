"""A hold on the Hub: a variable of the Space, so that every runner sees it."""

from __future__ import annotations

from datetime import UTC, datetime

from hfspace.live.ports import HubWriter
from hfspace.model import HOLD_VARIABLE, SpaceState, Variable

FOREVER = datetime.max.replace(tzinfo=UTC)
_DESCRIPTION = "hfspace: until then, the hours of the manifest leave this Space alone"


def held_until(state: SpaceState | None) -> datetime | None:
    """Until when somebody holds the Space, in UTC, over or not; FOREVER where what stands there is no time.
    None for a Space that nobody holds, or whose variables were not read."""
    variable = (state.variables or {}).get(HOLD_VARIABLE) if state else None
    if variable is None:
        return None
    try:
        until = datetime.fromisoformat(variable.value.strip())
        return until.astimezone(UTC) if until.tzinfo else until.replace(tzinfo=UTC)
    except (OverflowError, ValueError):
        return FOREVER


def hold(space: str, until: datetime, hub: HubWriter) -> None:
    """Keep the clock's hands off a Space until a time with a zone. A Space that runs is restarted by it.
    Raises HubError."""
    value = f"{until.astimezone(UTC):%Y-%m-%dT%H:%MZ}"
    hub.set_variable(space, HOLD_VARIABLE, Variable(value=value, description=_DESCRIPTION))


def release(space: str, hub: HubWriter) -> None:
    """End a hold. A Space that runs is restarted by it. Raises HubError."""
    hub.delete_variable(space, HOLD_VARIABLE)
