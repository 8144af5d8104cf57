"""Waiting for observed movement: a stage that left and came back, requested = current hardware; never for a
RUNNING that was there before."""

from __future__ import annotations

from hfspace.applier.events import Kind
from hfspace.applier.ledger import Movement
from hfspace.applier.progress import Progress
from hfspace.applier.run import Run
from hfspace.errors import HubError, WaitTimeout
from hfspace.live.stages import readings
from hfspace.model import HELD, SpaceState


def settle(progress: Progress) -> None:
    """Wait until the Space has come to rest after the writes that restart it. One that is to stay paused must
    do so for a while, since a write may wake it some reads later. Raises WaitTimeout with the last stage."""
    ledger = progress.ledger
    assert ledger.moving is not None
    movement, ledger.moving.ended = ledger.moving, True
    progress.run.waiting(progress.space, True)
    try:
        state = _rest(progress, movement)
    except WaitTimeout:
        _pause_anyway(progress)
        raise
    finally:
        progress.run.waiting(progress.space, False)
    plain = (item.restarts and not item.power and not item.commits for item in ledger.applied)
    if all(plain) and not any(item.creates_space for item in ledger.applied):
        progress.rest = state
    progress.state = state
    ledger.came_up = ledger.came_up or state.stage == "RUNNING"


def _rest(progress: Progress, movement: Movement) -> SpaceState:
    run, ahead = progress.run, progress.run.pace.now() - movement.since
    for now in readings(run.ports.hub.runtime, movement.before, run.pace, run.options.poll_seconds):
        still_early = now.seconds < run.options.settle_seconds
        enough = now.moved or now.seconds + ahead >= run.options.settle_seconds
        may_wake = progress.stays_paused and now.state.stage in HELD and still_early
        if enough and now.is_at_rest and not may_wake and _is_new(progress, now.state):
            return now.state
        progress.tell(Kind.WAITING, stage=now.state.stage, seconds=now.seconds + ahead)
    raise AssertionError("readings end by raising")


def _is_new(progress: Progress, state: SpaceState) -> bool:
    """Whether what runs is the commit that was made, or a newer one: RUNNING may still be that of before."""
    commit = progress.ledger.commit
    if commit is None or state.stage != "RUNNING" or state.runtime_sha in {None, commit}:
        return True
    return progress.run.ports.hub.space(state.id).sha not in {None, commit}


def _pause_anyway(progress: Progress) -> None:
    """Time is up, and a Space that is to be paused is on its way up: it must not be left billing."""
    if progress.stays_paused:
        try:
            progress.run.ports.hub.pause(progress.space)
        except HubError as error:
            progress.tell(Kind.FAILED, text=error.message)


def log_tail(run: Run, state: SpaceState) -> tuple[str, ...]:
    """The last lines of the log that explains a failed stage; none when it can't be read. A log may go on for
    ever: it has some seconds, and no more than the run has left."""
    build, seconds = state.stage == "BUILD_ERROR", run.options.log_seconds
    if run.pace.left is not None:
        seconds = max(min(seconds, run.pace.left), 0.0)
    try:
        lines = run.ports.hub.logs(state.id, build=build, tail=run.options.log_lines, seconds=seconds)
        return tuple(lines)
    except HubError:
        return ()
