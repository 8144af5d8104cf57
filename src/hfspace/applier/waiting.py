"""Waiting for observed movement: a stage that left and came back, requested = current hardware; never for a
RUNNING that was there before."""

from __future__ import annotations

from hfspace.applier.events import Kind
from hfspace.applier.run import Run
from hfspace.errors import HubError, WaitTimeout
from hfspace.model import FAILED, HELD, IDLE, MOVING, SpaceState

LOG_COMMANDS = {"BUILD_ERROR": " --build", "BUILDING": " --build", "RUNNING_BUILDING": " --build"}


def settle(run: Run, before: SpaceState, started: float, *, quiet: bool = False) -> SpaceState:
    """Wait until the Space has come to rest after writes that restart it; the state it rests in.

    `before` is the state read before those writes. `quiet`: what was paused must stay so for a while, since a
    write may wake it some reads later. Raises WaitTimeout with the last stage.
    """
    state, moved, began = before, False, run.pace.now()
    while True:
        state = run.ports.hub.runtime(state)
        waited = run.pace.now() - started
        moved = moved or _moved(before, state)
        still_early = run.pace.now() - began < run.options.settle_seconds
        enough = moved or waited >= run.options.settle_seconds
        if enough and _at_rest(state) and not (quiet and state.stage in HELD and still_early):
            return state
        run.tell(Kind.WAITING, before.id, stage=state.stage, seconds=waited)
        try:
            run.pace.sleep(run.options.poll_seconds * (2 if moved else 1), f"waiting for {before.id}")
        except WaitTimeout:
            raise still(state, waited) from None


def still(state: SpaceState, seconds: float) -> WaitTimeout:
    stage = state.stage or "in an unknown stage"
    log = LOG_COMMANDS.get(stage, "")
    return WaitTimeout(
        f"{state.id} is still {stage} after {seconds:.0f} s.",
        hint=f"See `hfspace logs {state.id}{log}`; run again with a longer --timeout.",
    )


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


def _moved(before: SpaceState, now: SpaceState) -> bool:
    return (
        now.stage in MOVING
        or now.stage != before.stage
        or now.hardware_current != before.hardware_current
        or (now.runtime_sha is not None and now.runtime_sha != before.runtime_sha)
    )


def _at_rest(state: SpaceState) -> bool:
    if state.stage == "RUNNING":
        return state.hardware_current in (None, state.hardware)
    return state.stage in FAILED | HELD | IDLE
