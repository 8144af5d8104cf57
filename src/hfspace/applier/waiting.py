"""Waiting for observed movement: a stage that left and came back, requested = current hardware; never for a
RUNNING that was there before."""

from __future__ import annotations

from hfspace.applier.events import Kind
from hfspace.applier.run import Run
from hfspace.errors import HubError
from hfspace.live.stages import readings
from hfspace.model import HELD, SpaceState


def settle(run: Run, before: SpaceState, started: float, *, quiet: bool = False) -> SpaceState:
    """Wait until the Space has come to rest after writes that restart it; the state it rests in.

    `before` is the state read before those writes, which were made at `started`. `quiet`: what was paused
    must stay so for a while, since a write may wake it some reads later. Raises WaitTimeout with the last
    stage.
    """
    ahead = run.pace.now() - started
    for now in readings(run.ports.hub.runtime, before, run.pace, run.options.poll_seconds):
        still_early = now.seconds < run.options.settle_seconds
        enough = now.moved or now.seconds + ahead >= run.options.settle_seconds
        if enough and now.is_at_rest and not (quiet and now.state.stage in HELD and still_early):
            return now.state
        run.tell(Kind.WAITING, before.id, stage=now.state.stage, seconds=now.seconds + ahead)
    raise AssertionError("readings end by raising")


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
