"""One Space, from what it is to what is declared: read, compare, write, and again until nothing differs.

Level-based: every round starts from a fresh read, so that a lost answer, a crash or a second runner needs
no case of its own. A write whose answer is lost is resolved by that read.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

from hfspace.applier import in_app, meanwhile, waiting
from hfspace.applier.events import Kind
from hfspace.applier.run import Run
from hfspace.errors import (
    FINAL,
    Conflict,
    DataLoss,
    HfspaceError,
    HubError,
    HubFault,
    HubUnreachable,
    NotVisible,
    Rejected,
    StalePlanError,
    TrackioError,
)
from hfspace.facets import BY_NAME
from hfspace.model import FAILED, Action, Change, Check, Outcome, SpaceState, Status
from hfspace.planner.plan import digest

_UNANSWERED = (HubUnreachable, HubFault, Conflict)
_REFUSED = (NotVisible, Rejected)
"""Somebody else may have done it first: deleting what is gone, detaching what is detached."""
_CONFIRM_READS = 5


@dataclass(slots=True)
class _Progress:
    """What this run has done to one Space so far. `taken`: what the Hub has acknowledged, with the Space as
    it was read before; `moved_on`: something was written since it was paused or started; `came_up`: it was
    seen running after a restart."""

    applied: list[Change] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    taken: dict[str, SpaceState | None] = field(default_factory=dict)
    refused: dict[str, HubError] = field(default_factory=dict)
    moved_on: bool = False
    came_up: bool = False
    lost: int = 0
    unresolved: dict[str, Change] = field(default_factory=dict)
    before_wait: SpaceState | None = None
    wait_from: float = 0.0
    waited: bool = False
    app: in_app.Seen = field(default_factory=in_app.Seen)
    stage: str | None = None


def reconcile(run: Run, space: str, planned: tuple[Change, ...]) -> Outcome:
    """Bring one Space in line. Never raises for what the Hub or an app does: the Outcome says it."""
    started = run.pace.now()
    progress = _Progress()
    run.tell(Kind.STARTED, space)
    error: HfspaceError | None = None
    tail: tuple[str, ...] = ()
    try:
        final = _converge(run, space, planned, progress)
        error, tail = _verdict(run, space, final, progress)
    except HfspaceError as caught:
        error = caught
    outcome = Outcome(
        space=space,
        status=Status.FAILED if error else Status.DONE,
        applied=tuple(progress.applied),
        pending=() if not error else _pending(planned, progress),
        stage=progress.stage,
        seconds=run.pace.now() - started,
        error=error.message if error else "",
        hint=error.hint if error else "",
        log_tail=tail,
        final=isinstance(error, FINAL),
    )
    run.tell(Kind.FINISHED, space, outcome=outcome, text=outcome.error)
    return outcome


def _converge(run: Run, space: str, planned: tuple[Change, ...], progress: _Progress) -> SpaceState | None:
    """Rounds of read, compare and write until a read shows no difference."""
    for number in range(run.options.rounds):
        state = run.read(space)
        progress.stage = state.stage if state else None
        todo = run.todo(space, state)
        if number == 0:
            _check_unmoved(run, space, state, todo, planned)
            run = _keeping_paused(run, space, state)
        _check_there(run, space, state, todo, planned)
        state, todo = _confirmed(run, space, state, todo, progress)
        restarted = progress.before_wait is not None
        todo = in_app.shown(run, space, state, todo, planned, progress.app, restarted=restarted)
        settings = [change for change in todo if change.facet != in_app.FACET]
        moving = progress.before_wait is not None and not progress.waited
        if settings:
            _write(run, space, state, settings, progress)
        elif moving and run.options.wait and progress.before_wait is not None:
            progress.waited = True
            rest = waiting.settle(run, progress.before_wait, progress.wait_from)
            progress.stage = rest.stage
            progress.came_up = progress.came_up or rest.stage == "RUNNING"
        elif moving and any(change.facet == in_app.FACET for change in planned):
            raise HfspaceError(
                f"{space} restarts, and its experiments are written when it runs again.",
                hint="Run again without --no-wait.",
            )
        elif todo:
            _write(run, space, state, todo, progress)
        elif not (progress.waited and in_app.comes(run, space, state)):
            return state
    raise HubFault(
        f"{space} still differs after {run.options.rounds} rounds.",
        hint="Somebody or something else changes it at the same time; look at `hfspace plan`.",
    )


def _keeping_paused(run: Run, space: str, state: SpaceState | None) -> Run:
    """Whether a change of hardware or secrets wakes a paused Space is not known (hub-api section 9). One
    that was paused, and that nobody declares to run, is paused again if it does; --target or not."""
    spec = run.manifest.spaces[space]
    if state is None or state.stage != "PAUSED" or spec.state not in {None, "paused"}:
        return run
    kept = spec.model_copy(update={"state": "paused"})
    targets = (*run.targets, f"{space}.state") if run.targets else ()
    manifest = replace(run.manifest, spaces={**run.manifest.spaces, space: kept})
    return replace(run, manifest=manifest, targets=targets)


def _check_unmoved(
    run: Run, space: str, state: SpaceState | None, todo: list[Change], planned: tuple[Change, ...]
) -> None:
    """The first read decides whether the plan still holds: a saved one must, any other is planned again."""
    if run.expected is not None and (digest(state) if state else None) != run.expected.get(space):
        raise StalePlanError(f"{space} has moved since the plan was saved.", hint="Make a new plan.")
    shown = {(change.address, change.action) for change in planned}
    unseen = [change for change in todo if (change.address, change.action) not in shown]
    if unseen and not any(change.facet == "existence" for change in unseen):
        run.tell(Kind.REPLANNED, space, text=f"{len(unseen)} more to change than the plan showed")


def _check_there(
    run: Run, space: str, state: SpaceState | None, todo: list[Change], planned: tuple[Change, ...]
) -> None:
    """A create or a delete that the plan did not show is never made, in no round; and a Space that is gone
    is not done."""
    shown = {change.action for change in planned if change.facet == "existence"}
    unseen = [change for change in todo if change.facet == "existence" and change.action not in shown]
    if state is None and not todo and run.manifest.spaces[space].state != "absent":
        raise meanwhile.vanished(space)
    if not unseen:
        return
    if unseen[0].action is Action.CREATE:
        raise meanwhile.vanished(space)
    raise StalePlanError(f"{space} has come since the plan was shown.", hint="Run again to see the new plan.")


def _confirmed(
    run: Run, space: str, state: SpaceState | None, todo: list[Change], progress: _Progress
) -> tuple[SpaceState | None, list[Change]]:
    """`todo` once more, if it holds something that this run has written, or perhaps: its answer was lost.
    Reads may lag behind writes. What the Hub has acknowledged and what differs even then was changed by
    somebody else, or fails again and again; what may never have arrived is left in `todo`."""
    for _ in range(_CONFIRM_READS):
        _settle_unresolved(run, space, todo, progress)
        if not any(_again(change, progress) for change in todo):
            return state, todo
        run.pace.sleep(min(run.options.poll_seconds, 1.0), f"confirming the changes of {space}")
        state = run.read(space)
        progress.stage = state.stage if state else None
        todo = run.todo(space, state)
    _settle_unresolved(run, space, todo, progress)
    for change in todo:
        if change.address in progress.refused:
            error = progress.refused[change.address]
            run.tell(Kind.FAILED, space, change=change, text=error.message)
            raise error
        if change.address not in progress.unresolved and _again(change, progress):
            if change.facet == in_app.FACET and change.action is Action.CREATE:
                raise DataLoss(
                    f"{change.address} was created and read back, and is gone.",
                    hint="The app restarted, or somebody created one in the same second. Run again.",
                )
            _check_not_overwritten(run, change, state, progress)
    progress.unresolved.clear()
    return state, todo


def _settle_unresolved(run: Run, space: str, todo: list[Change], progress: _Progress) -> None:
    """Changes whose answer was lost, or that were refused, and which a read no longer shows, were made."""
    open_addresses = {change.address for change in todo}
    for address in [address for address in progress.unresolved if address not in open_addresses]:
        change = progress.unresolved.pop(address)
        progress.refused.pop(address, None)
        progress.applied.append(change)
        progress.counts[address] += 1
        if change.facet == "existence" and change.action is Action.CREATE:
            _remember(run, SpaceState(id=space), progress)
        run.tell(Kind.RESOLVED, space, change=change)


def _check_not_overwritten(run: Run, change: Change, state: SpaceState | None, progress: _Progress) -> None:
    if change.action is Action.RESTART and change.facet == "state" and progress.stage in FAILED:
        times = progress.counts[change.address]
        if times >= run.options.restarts:
            raise meanwhile.fails_again(change, times, progress.came_up, progress.stage)
    elif change.address in progress.taken:
        raise meanwhile.overwritten(change, progress.taken[change.address], state)


def _again(change: Change, progress: _Progress) -> bool:
    """Whether this was done already, or perhaps. To be paused once more after writes that may wake is no
    repetition."""
    if change.address in progress.unresolved:
        return True
    if change.facet == "state" and change.action is Action.PAUSE and progress.moved_on:
        return False
    return progress.counts[change.address] > 0


def _write(run: Run, space: str, state: SpaceState | None, todo: list[Change], progress: _Progress) -> None:
    """Apply `todo` in order; stops early when an answer is lost, since only a read can tell what is left."""
    desired = run.desired(space)
    carried: frozenset[str] = frozenset()
    wrote = False
    for change in todo:
        if change.facet in carried:
            _done(run, change, progress)
            continue
        run.check_stop()
        facet = BY_NAME[change.facet]
        if wrote and change.facet == "state" and not _still_needed(run, change, state, progress):
            continue
        if _restarts(change) and state is not None:
            _remember(run, state, progress)
        progress.counts[change.address] += 1
        try:
            facet.apply(change, desired, run.ports)
        except _UNANSWERED as error:
            _lost(run, change, error, progress)
            return
        except _REFUSED as error:
            progress.refused[change.address] = error
            progress.unresolved[change.address] = change
            progress.counts[change.address] -= 1
            return
        except HfspaceError as error:
            if isinstance(error, TrackioError) and error.partly:
                progress.applied.append(change)
            run.tell(Kind.FAILED, space, change=change, text=error.message)
            raise
        wrote = True
        progress.taken[change.address] = state
        progress.moved_on = change.facet != "state"
        _done(run, change, progress)
        if change.facet == "existence":
            if change.action is Action.CREATE:
                _remember(run, SpaceState(id=space, sdk=desired.spec.sdk), progress)
            return
        carried |= facet.carries


def _done(run: Run, change: Change, progress: _Progress) -> None:
    progress.applied.append(change)
    progress.counts[change.address] = max(progress.counts[change.address], 1)
    run.tell(Kind.APPLIED, change.space, change=change)


def _lost(run: Run, change: Change, error: HubError, progress: _Progress) -> None:
    progress.lost += 1
    if progress.lost > run.options.lost_answers:
        run.tell(Kind.FAILED, change.space, change=change, text=error.message)
        raise error
    progress.unresolved[change.address] = change
    progress.counts[change.address] -= 1
    progress.moved_on = progress.moved_on or change.facet != "state"
    run.pace.sleep(min(0.5 * 2**progress.lost, 8.0), f"waiting to read {change.space} again")


def _still_needed(run: Run, change: Change, state: SpaceState | None, progress: _Progress) -> bool:
    """Whether a pause or a restart is still called for after other writes, which may have woken the Space.

    Where one of them has restarted it, a read that lags may show the failure that it had before.
    """
    if state is None:
        return True
    restarted = progress.before_wait is not None and not progress.waited
    looks = _CONFIRM_READS if restarted and change.action is Action.RESTART else 1
    for look in range(looks):
        if look:
            run.pace.sleep(min(run.options.poll_seconds, 1.0), f"confirming the changes of {change.space}")
        now = run.ports.hub.runtime(state)
        found = BY_NAME["state"].compare(run.desired(change.space), now)
        if not any(isinstance(item, Change) and item.action is change.action for item in found):
            return False
    return True


def _remember(run: Run, state: SpaceState, progress: _Progress) -> None:
    """Something that restarts the Space is about to be written: what movement will be measured against."""
    if progress.before_wait is None or progress.waited:
        progress.before_wait = state
        progress.wait_from = run.pace.now()
        progress.waited = False


def _restarts(change: Change) -> bool:
    return bool({"restart", "wakes"} & set(change.effects))


def _verdict(
    run: Run, space: str, final: SpaceState | None, progress: _Progress
) -> tuple[HfspaceError | None, tuple[str, ...]]:
    """Whether the Space that came to rest is what was asked for: held, up, and serving what is declared."""
    if problems := run.problems(space, final):
        # The plan had none, or the Space would not have been touched: this came up meanwhile.
        return HfspaceError(f"{space}: {problems[0].message}", hint=problems[0].hint), ()
    if final is None or not progress.waited:
        return None, ()
    if final.stage in FAILED and final.stage != "NO_APP_FILE":
        said = f": {final.error_message}" if final.error_message else ""
        log = waiting.LOG_COMMANDS.get(final.stage or "", "")
        error = HfspaceError(
            f"{space} is {final.stage} after the change{said}", hint=f"See `hfspace logs {space}{log}`."
        )
        return error, waiting.log_tail(run, final)
    return _unserved(run, space, final) or in_app.unheld(run, space, final), ()


def _unserved(run: Run, space: str, final: SpaceState) -> HfspaceError | None:
    spec = run.manifest.spaces[space]
    if not run.options.verify or spec.endpoint is None or final.stage != "RUNNING" or run.look.apps is None:
        return None
    checks: list[Change | Check] = []
    for attempt in range(_CONFIRM_READS):
        state = run.read(space, endpoints=True)
        checks = BY_NAME["endpoint"].compare(run.desired(space), state) if state else []
        if not checks:
            return None
        if attempt + 1 < _CONFIRM_READS:
            run.pace.sleep(run.options.poll_seconds, f"verifying the endpoint of {space}")
    first = next(item for item in checks if isinstance(item, Check))
    return HfspaceError(f"{space} runs, but its endpoint: {first.message}", hint=first.hint)


def _pending(planned: tuple[Change, ...], progress: _Progress) -> tuple[Change, ...]:
    done = {change.address for change in progress.applied}
    return tuple(change for change in planned if change.address not in done)
