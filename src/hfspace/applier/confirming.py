"""What became of the writes: a read shows that one holds, or that it has to be made again, or that somebody
else has changed it."""

from __future__ import annotations

from hfspace.applier import conflicts
from hfspace.applier.events import Kind
from hfspace.applier.ledger import Answer, Attempt
from hfspace.applier.progress import Progress
from hfspace.errors import DataLoss
from hfspace.model import FAILED, Action, Change, SpaceState

READS = 10


def confirm(progress: Progress) -> None:
    """Read again while a read shows something that this run has written, or perhaps: its answer was lost.
    Reads may lag behind writes. What the Hub took and what differs even then was changed by somebody else, or
    fails again and again; what may never have arrived stays in `todo`."""
    for _ in range(READS):
        _resolve(progress)
        if not any(_repeats(progress, change) for change in progress.todo):
            break
        progress.read_again()
    _resolve(progress)
    for change in progress.todo:
        entry = progress.ledger.attempts.get(change.address)
        if entry is None or not _repeats(progress, change):
            continue
        if entry.answer is Answer.REFUSED and entry.error is not None:
            progress.fail(change, entry.error)
            raise entry.error
        if entry.answer is Answer.TAKEN:
            _check_not_overwritten(progress, change, entry)
    _ask_again(progress)


def _resolve(progress: Progress) -> None:
    """Open attempts that a read no longer shows as a difference are closed, if it shows that they hold: a
    lost one was made. What a read can't tell is unknown, and unknown is never made."""
    differing = {change.address for change in progress.todo}
    for entry in progress.ledger.open():
        change = entry.change
        if change.address in differing or not progress.run.holds(change, progress.state):
            continue
        if entry.answer is Answer.REFUSED:  # what was to go is gone: somebody else was first
            entry.answer = Answer.NONE
            continue
        if change.commits and progress.state is not None:
            progress.ledger.commit = progress.state.sha
        if change.creates_space:
            progress.begin_movement(SpaceState(id=progress.space))
        progress.ledger.take(change, entry.before)
        progress.tell(Kind.RESOLVED, change=change)


def _ask_again(progress: Progress) -> None:
    """A write that never arrived, as far as reads tell, or that they can't tell of, is made again."""
    differing = {change.address for change in progress.todo}
    for entry in progress.ledger.open():
        if entry.answer is Answer.REFUSED and entry.error is not None:
            raise entry.error
        entry.answer = Answer.TAKEN if entry.times else Answer.NONE
        if entry.change.address not in differing:
            progress.todo.append(entry.change)


def _check_not_overwritten(progress: Progress, change: Change, entry: Attempt) -> None:
    if change.in_app and change.action is Action.CREATE:
        raise DataLoss(
            f"{change.address} was created and read back, and is gone.",
            hint="The app restarted, or somebody created one in the same second. Run again.",
        )
    if change.mends and progress.stage in FAILED:
        if entry.times >= progress.run.options.restarts:
            raise conflicts.fails_again(change, entry.times, progress.ledger.came_up, progress.stage)
        return
    raise conflicts.concurrent_change(change, entry.before, progress.state)


def _repeats(progress: Progress, change: Change) -> bool:
    """Whether this was done already, or perhaps. To be paused once more after writes that may wake is no
    repetition."""
    entry = progress.ledger.attempts.get(change.address)
    if entry is None:
        return False
    if change.action is Action.PAUSE and progress.ledger.may_have_woken:
        return entry.is_open
    return entry.is_open or entry.times > 0
