"""What is kept inside a Space's running app, such as its experiments: written after everything that restarts
it, told when no plan could show it, and never quietly made again when it was there and is gone."""

from __future__ import annotations

from hfspace.applier.events import Kind
from hfspace.applier.progress import Progress
from hfspace.errors import DataLoss
from hfspace.facets import of
from hfspace.manifest.models import SpaceSpec
from hfspace.model import Action, SpaceState

LOOKS = 15


def leave_unseen(progress: Progress) -> None:
    """Take out of `todo` what nobody saw inside the app: one that did not run tells what it holds only after
    something else has started it. Deletes are never made then, and of a saved plan nothing more is.

    Raises DataLoss when one is gone that was there, and this run has restarted nothing.
    """
    lost = _lost(progress)
    if lost and progress.ledger.movement is None:
        raise DataLoss(
            f"{lost[0]} was there when this run began, and is gone.",
            hint="The app restarted, or somebody created one in the same second. Run again to make it anew.",
        )
    addresses = {change.address for change in progress.planned}
    unseen = [change for change in progress.todo if change.in_app and change.address not in addresses]
    saved = progress.run.expected is not None
    left = {change.address for change in unseen if saved or change.action is Action.DELETE}
    if unseen and not progress.ledger.told_unseen:
        progress.ledger.told_unseen = True
        what = f"of its {unseen[0].facet}"
        text = f"the plan could not show {len(unseen)} {what}"
        if lost:
            text = f"the restart lost {len(lost)} {what}, with all that was in them"
        progress.tell(Kind.REPLANNED, text=f"{text}: left for the next plan" if left else text)
    progress.todo = [change for change in progress.todo if change.address not in left]


def wait_for_app(progress: Progress) -> bool:
    """Whether an app that does not answer after a start does so within some looks: the Hub may say RUNNING
    before that. False for one that does answer."""
    run, spec = progress.run, progress.desired.spec
    looks = LOOKS if _is_silent(spec, progress.state) else 0
    for _ in range(looks):
        run.pace.sleep(run.options.poll_seconds, f"waiting for the app of {progress.space}")
        if not _is_silent(spec, run.read(progress.space)):
            return True
    return False


def _lost(progress: Progress) -> list[str]:
    """The addresses that were there in an earlier read of this run and would now be created."""
    state, ledger, spec = progress.state, progress.ledger, progress.desired.spec
    if state is None:
        return []
    held = {facet.name: facet.held(spec, state) for facet in of(spec)}
    created = [change for change in progress.todo if change.in_app and change.action is Action.CREATE]
    lost = {change.address for change in created if held[change.facet] is not None} & ledger.held
    ledger.held |= {f"{progress.space}.{name}.{key}" for name, keys in held.items() for key in keys or ()}
    return sorted(lost)


def _is_silent(spec: SpaceSpec, state: SpaceState | None) -> bool:
    return state is not None and any(facet.is_silent(state) for facet in of(spec))
