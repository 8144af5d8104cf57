"""The writes of one round, in order; what the Hub refuses ends them, and so does an answer that is lost."""

from __future__ import annotations

from hfspace import facets
from hfspace.applier import confirming, conflicts
from hfspace.applier.ledger import Answer
from hfspace.applier.progress import Progress
from hfspace.errors import (
    Conflict,
    HfspaceError,
    HubError,
    HubFault,
    HubUnreachable,
    NotVisible,
    Rejected,
)
from hfspace.facets import Desired
from hfspace.model import Action, Change, SpaceState

_UNANSWERED = (HubUnreachable, HubFault, Conflict)


def write(progress: Progress, todo: list[Change]) -> bool:
    """Apply `todo`. False when only a read can tell what is left: an answer was lost, or the Space as a whole
    was created or deleted."""
    desired = progress.desired
    carried: frozenset[str] = frozenset()
    wrote = False
    for change in todo:
        if change.facet in carried:
            progress.take(change)
            continue
        progress.run.check_stop()
        if wrote and change.power and not _still_needed(progress, change):
            continue
        wakes = facets.by(change).restarts and not change.power
        progress.ledger.may_have_woken |= wakes
        if progress.state is not None and (change.restarts or (wakes and progress.stays_paused)):
            progress.begin_movement(progress.state)
        if not _send(progress, change, desired):
            return False
        wrote = True
        progress.ledger.may_have_woken &= not change.power
        progress.take(change)
        if change.creates_space:
            progress.begin_movement(SpaceState(id=progress.space, sdk=desired.spec.sdk))
        if change.creates_space or change.deletes_space:
            return False
        carried |= facets.by(change).carries
    return True


def _send(progress: Progress, change: Change, desired: Desired) -> bool:
    """One write. False when only a read can tell what became of it; raises what the Hub refuses: a 4xx is
    final, unless it says that what was to go is gone."""
    try:
        commit = facets.by(change).apply(change, desired, progress.run.ports)
        progress.ledger.commit = commit or progress.ledger.commit
        return True
    except _UNANSWERED as error:
        _lose(progress, change, error)
    except (NotVisible, Rejected) as error:
        if not change.removes:
            if isinstance(error, NotVisible) and progress.run.read(progress.space) is None:
                raise conflicts.vanished(progress.space) from None
            progress.fail(change, error)
            raise
        entry = progress.ledger.attempt(change)
        entry.answer, entry.error = Answer.REFUSED, error
    except HfspaceError as error:
        if error.partly:
            progress.ledger.applied.append(change)
        progress.fail(change, error)
        raise
    return False


def _lose(progress: Progress, change: Change, error: HubError) -> None:
    """No answer came: a read after a moment tells what became of the write. Raises after too many of them."""
    ledger = progress.ledger
    ledger.lost += 1
    if ledger.lost > progress.run.options.lost_answers:
        progress.fail(change, error)
        raise error
    entry = ledger.attempt(change)
    entry.answer, entry.before = Answer.LOST, progress.state
    progress.run.pace.sleep(min(0.5 * 2**ledger.lost, 8.0), f"waiting to read {progress.space} again")


def _still_needed(progress: Progress, change: Change) -> bool:
    """Whether a pause or a restart is still called for after other writes, which may have woken the Space.
    Where one of them has restarted it, a read that lags may show the failure of before."""
    if progress.state is None:
        return True
    looks = confirming.READS if progress.ledger.moving and change.action is Action.RESTART else 1
    for look in range(looks):
        if look:
            progress.pause_reading()
        now = progress.run.ports.hub.runtime(progress.state)
        todo = progress.run.todo(progress.space, now)
        if (change.address, change.action) not in {(item.address, item.action) for item in todo}:
            return False
    return True
