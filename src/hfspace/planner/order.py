"""Which change comes first: within a Space, and across Spaces."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum

from hfspace.facets import ALL
from hfspace.model import Action, Change

_PLACE = {facet.name: place for place, facet in enumerate(ALL)}


class Phase(IntEnum):
    """Across Spaces: what frees money and quota, then what costs nothing more, then what starts and grows."""

    FREES = 0
    NEUTRAL = 1
    SPENDS = 2


def key(change: Change) -> tuple[str, int, int, str]:
    """Sorts the changes of a plan: by Space, then in the order in which they are applied."""
    return (change.space, *rank(change), change.address)


def rank(change: Change) -> tuple[int, int]:
    """Pause first, so that nothing bills meanwhile, save for what a paused Space refuses; a name that moves
    between variables and secrets is
    deleted before it is set (one name in both kills the Space); private before anything new is written
    there; the rest in facet order; starting it last."""
    if change.in_app:
        first = 5  # their deletes too: nothing that restarts the Space may come after them
    elif change.pauses:
        first = 0
    elif change.early:
        first = -1
    elif "hides" in change.effects:
        first = 1
    elif change.power or change.rebuild:
        first = 4  # a rebuild covers all that was written before
    elif change.action is Action.DELETE:
        first = 2
    else:
        first = 3
    return (first, _PLACE.get(change.facet, len(_PLACE)))


def phase(changes: Iterable[Change]) -> Phase:
    """Where one Space's changes belong."""
    listed = tuple(changes)
    if any(_spends(change) for change in listed):
        return Phase.SPENDS
    if any(_frees(change) for change in listed):
        return Phase.FREES
    return Phase.NEUTRAL


def phases(
    by_space: Mapping[str, Iterable[Change]], depends_on: Mapping[str, Iterable[str]]
) -> dict[str, Phase]:
    """The phase of every Space; one that depends on a later one waits for it."""
    phases = {space: phase(changes) for space, changes in by_space.items()}
    for _ in phases:
        moved = False
        for space in phases:
            latest = max(
                (phases[other] for other in depends_on.get(space, ()) if other in phases), default=Phase.FREES
            )
            if latest > phases[space]:
                phases[space], moved = latest, True
        if not moved:
            break
    return phases


def _spends(change: Change) -> bool:
    if change.starts:
        return True
    before, after = change.usd_per_hour_before, change.usd_per_hour_after
    return after is not None and after > (before or 0)


def _frees(change: Change) -> bool:
    if change.pauses or change.deletes_space:
        return True
    before, after = change.usd_per_hour_before, change.usd_per_hour_after
    return before is not None and after is not None and after < before
