"""What is kept inside a Space's running app, its experiments: written after everything that restarts it, told
when no plan could show it, and never quietly made again when it was there and is gone."""

from __future__ import annotations

from dataclasses import dataclass, field

from hfspace.applier.events import Kind
from hfspace.applier.run import Run
from hfspace.errors import DataLoss, HfspaceError
from hfspace.facets import BY_NAME
from hfspace.model import Action, Change, Check, SpaceState

FACET = "experiments"
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
        text = f"the plan could not show {len(unseen)} of its experiments"
        if lost:
            text = f"the restart lost {len(lost)} of its experiments, with their metrics"
        run.tell(Kind.REPLANNED, space, text=f"{text}: left for the next plan" if left else text)
    return [change for change in todo if change.address not in left]


def wait_for_app(run: Run, space: str, state: SpaceState | None) -> bool:
    """Whether an app that does not answer after a start does so within some looks: the Hub may say RUNNING
    before that. False for one that does answer."""
    looks = LOOKS if _silent(state) else 0
    for _ in range(looks):
        run.pace.sleep(run.options.poll_seconds, f"waiting for the app of {space}")
        state = run.read(space)
        if not _silent(state):
            return True
    return False


def experiment_error(run: Run, space: str, final: SpaceState) -> HfspaceError | None:
    """Experiments that could not be planned, since the app did not run before."""
    live, desired = final.experiments, run.desired(space)
    if live is None or FACET in desired.spec.ignore:
        return None
    for item in BY_NAME[FACET].compare(desired, final):
        if isinstance(item, Check) and (live.problem or item.severity == "error"):
            return HfspaceError(f"{space} runs, but its experiments: {item.message}", hint=item.hint)
    return None


def _lost(space: str, state: SpaceState | None, todo: list[Change], run: Run, seen: Seen) -> list[str]:
    """The addresses that were there in an earlier read of this run and would now be created."""
    live = state.experiments if state else None
    if live is None or live.problem:
        return []
    missing = {item.address for item in todo if item.in_app and item.action is Action.CREATE}
    lost = sorted(missing & seen.there)
    keys = run.manifest.spaces[space].experiments or {}
    held = {item.key for item in live.items}
    seen.there |= {f"{space}.{FACET}.{key}" for key in keys if key in held}
    return lost


def _silent(state: SpaceState | None) -> bool:
    live = state.experiments if state else None
    return live is not None and bool(live.problem) and not live.backend
