"""One Space, from what it is to what is declared: read, compare, write, and again until nothing differs.

Level-based: every round starts from a fresh read, so that a lost answer, a crash or a second runner needs
no case of its own. A write whose answer is lost is resolved by that read.
"""

from __future__ import annotations

from hfspace.applier import app_content, conflicts, waiting
from hfspace.applier.confirming import confirm
from hfspace.applier.events import Kind
from hfspace.applier.progress import Progress
from hfspace.applier.reverting import revert
from hfspace.applier.run import Run
from hfspace.applier.verdict import verdict
from hfspace.applier.writing import write
from hfspace.errors import HfspaceError, HubFault, Rejected, StalePlanError
from hfspace.model import HELD, Change, Outcome, Status
from hfspace.planner.digest import digest


def reconcile(run: Run, space: str, planned: tuple[Change, ...]) -> Outcome:
    """Bring one Space in line, in its own time. Never raises for what the Hub or an app does: the Outcome
    says it."""
    with run.pace.own_time():
        return _outcome(Progress(run=run, space=space, planned=planned))


def _outcome(progress: Progress) -> Outcome:
    started = progress.run.pace.now()
    progress.tell(Kind.STARTED)
    error: HfspaceError | None = None
    tail: tuple[str, ...] = ()
    try:
        _converge(progress)
        error, tail = verdict(progress)
        error = revert(progress, error) if error else None
    except HfspaceError as caught:
        error = caught
    outcome = Outcome(
        space=progress.space,
        status=Status.FAILED if error else Status.DONE,
        applied=tuple(progress.ledger.applied),
        pending=progress.ledger.pending(progress.planned) if error else (),
        stage=progress.stage,
        seconds=progress.run.pace.now() - started,
        error=error.message if error else "",
        hint=error.hint if error else "",
        log_tail=tail,
        final=isinstance(error, Rejected),
    )
    progress.tell(Kind.FINISHED, outcome=outcome, text=outcome.error)
    return outcome


def _converge(progress: Progress) -> None:
    """Rounds of read, compare and write until a read shows no difference."""
    progress.read()
    progress.known = progress.state
    _check_plan_holds(progress)
    _keep_paused(progress)
    for _ in range(progress.run.options.rounds):
        _check_there(progress)
        confirm(progress)
        app_content.leave_unseen(progress)
        if _is_done(progress):
            return
        progress.read()
    raise HubFault(
        f"{progress.space} still differs after {progress.run.options.rounds} rounds.",
        hint="Somebody or something else changes it at the same time; look at `hfspace plan`.",
    )


def _is_done(progress: Progress) -> bool:
    """One round: wait, or write what is to be written now. True when there is nothing to do."""
    settings = [change for change in progress.todo if not change.in_app and not _waits(progress, change)]
    if settings:
        if write(progress, settings) and _settles(progress):
            waiting.settle(progress)
    elif _settles(progress):
        waiting.settle(progress)
    elif progress.ledger.moving and any(change.in_app for change in progress.planned):
        kinds = sorted({change.facet for change in progress.planned if change.in_app})
        raise HfspaceError(
            f"{progress.space} restarts, and its {', '.join(kinds)} are written when it runs again.",
            hint="Run again without --no-wait.",
        )
    elif progress.todo:
        write(progress, progress.todo)
    else:
        return not (progress.ledger.waited and app_content.wait_for_app(progress))
    return False


def _check_plan_holds(progress: Progress) -> None:
    """The first read decides: a saved plan must still hold, any other is made again."""
    run, state, space = progress.run, progress.state, progress.space
    if run.expected is not None and (digest(state) if state else None) != run.expected.get(space):
        raise StalePlanError(f"{space} has moved since the plan was saved.", hint="Make a new plan.")
    planned = {(change.address, change.action) for change in progress.planned}
    unseen = [change for change in progress.todo if (change.address, change.action) not in planned]
    if unseen and not any(change.creates_space or change.deletes_space for change in unseen):
        progress.tell(Kind.REPLANNED, text=f"{len(unseen)} more to change than the plan showed")


def _keep_paused(progress: Progress) -> None:
    """Whether a change of hardware or secrets wakes a paused Space is not known (docs/hub-api.md section 9).
    One that was paused, and that nobody declares to run, is paused again if it does."""
    declared = progress.run.manifest.spaces[progress.space].state
    if progress.stage in HELD and declared in {None, "paused"}:
        progress.keep_paused()


def _check_there(progress: Progress) -> None:
    """A create or a delete that the plan did not show is never made, in no round; and a Space that is gone is
    not done."""
    whole = [change for change in progress.todo if change.creates_space or change.deletes_space]
    planned = {change.action for change in progress.planned if change.creates_space or change.deletes_space}
    unseen = [change for change in whole if change.action not in planned]
    gone = progress.state is None and not progress.todo
    declared = progress.run.manifest.spaces[progress.space].state
    if (gone and declared != "absent") or any(change.creates_space for change in unseen):
        raise conflicts.vanished(progress.space)
    if unseen:
        raise StalePlanError(
            f"{progress.space} has come since the plan was shown.", hint="Run again to see the new plan."
        )


def _waits(progress: Progress, change: Change) -> bool:
    """Whether `change` pauses once more a Space that is not at rest yet: a read that lags may still show it
    as it was before the pause, and a pause on its way up may be undone."""
    ledger = progress.ledger
    return change.pauses and ledger.moving is not None and ledger.was_taken(change)


def _settles(progress: Progress) -> bool:
    """Whether there is something to wait for: what the writes have set off."""
    return progress.ledger.moving is not None and (progress.run.options.wait or progress.stays_paused)
