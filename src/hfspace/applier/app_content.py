"""What is kept inside a Space's running app, such as its experiments: written after everything that restarts
it, told when no plan could show it, and never quietly made again when it was there and is gone."""

from __future__ import annotations

from dataclasses import dataclass, field

from hfspace.applier.events import Kind
from hfspace.applier.run import Run
from hfspace.errors import DataLoss
from hfspace.facets import ALL
from hfspace.model import Action, Change, SpaceState

LOOKS = 15


@dataclass(slots=True)
class Seen:
    """What one apply has found in the app so far: the addresses that were there, and whether it was told
    that there is more than the plan showed."""

    there: set[str] = field(default_factory=set)
    told: bool = False


def planned_only(
    run: Run,
    space: str,
    state: SpaceState | None,
    todo: list[Change],
    planned: tuple[Change, ...],
    seen: Seen,
    *,
    restarted: bool,
) -> list[Change]:
    """`todo` without what nobody saw inside the app: one that did not run tells what it holds only after
    something else has started it. Deletes are never made then, and of a saved plan nothing more is.

    Raises DataLoss when one is gone that was there, and this run has restarted nothing.
    """
    lost = _lost(space, state, todo, run, seen)
    if lost and not restarted:
        raise DataLoss(
            f"{lost[0]} was there when this run began, and is gone.",
            hint="The app restarted, or somebody created one in the same second. Run again to make it anew.",
        )
    addresses = {change.address for change in planned}
    unseen = [change for change in todo if change.in_app and change.address not in addresses]
    saved = run.expected is not None
    left = {change.address for change in unseen if saved or change.action is Action.DELETE}
    if unseen and not seen.told:
        seen.told = True
        what = f"of its {unseen[0].facet}"
        text = f"the plan could not show {len(unseen)} {what}"
        if lost:
            text = f"the restart lost {len(lost)} {what}, with all that was in them"
        run.tell(Kind.REPLANNED, space, text=f"{text}: left for the next plan" if left else text)
    return [change for change in todo if change.address not in left]


def wait_for_app(run: Run, space: str, state: SpaceState | None) -> bool:
    """Whether an app that does not answer after a start does so within some looks: the Hub may say RUNNING
    before that. False for one that does answer."""
    looks = LOOKS if _is_silent(state) else 0
    for _ in range(looks):
        run.pace.sleep(run.options.poll_seconds, f"waiting for the app of {space}")
        state = run.read(space)
        if not _is_silent(state):
            return True
    return False


def _lost(space: str, state: SpaceState | None, todo: list[Change], run: Run, seen: Seen) -> list[str]:
    """The addresses that were there in an earlier read of this run and would now be created."""
    if state is None:
        return []
    held = {facet.name: facet.held(run.manifest.spaces[space], state) for facet in ALL}
    created = {change.address for change in todo if change.in_app and change.action is Action.CREATE}
    lost = {
        change.address
        for change in todo
        if change.address in created & seen.there and held[change.facet] is not None
    }
    seen.there |= {f"{space}.{name}.{key}" for name, keys in held.items() for key in keys or ()}
    return sorted(lost)


def _is_silent(state: SpaceState | None) -> bool:
    return state is not None and any(facet.is_silent(state) for facet in ALL)
