"""Following the stage of a Space: the one loop that waits for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hfspace.errors import WaitTimeout
from hfspace.live.limiter import Pace
from hfspace.model import FAILED, HELD, IDLE, MOVING, SpaceState

LOG_COMMANDS = {"BUILD_ERROR": " --build", "BUILDING": " --build", "RUNNING_BUILDING": " --build"}


@dataclass(frozen=True, slots=True)
class StageReading:
    """A Space `seconds` after the first reading. `moved`: it has been seen to move since the state before."""

    state: SpaceState
    moved: bool
    seconds: float

    @property
    def is_at_rest(self) -> bool:
        """Whether it runs on the hardware that was asked for, or will not move by itself."""
        if self.state.stage == "RUNNING":
            return self.state.hardware_current in (None, self.state.hardware)
        return self.state.stage in FAILED | HELD | IDLE


def readings(
    read: Callable[[SpaceState], SpaceState], before: SpaceState, pace: Pace, poll: float
) -> Iterator[StageReading]:
    """The Space again and again: every `poll` seconds, half as often once it moves.

    Ends where the caller stops. Raises WaitTimeout, which names the stage, at the deadline of `pace`; what
    `read` raises.
    """
    state, moved, began = before, False, pace.now()
    while True:
        state = read(state)
        moved = moved or _has_moved(before, state)
        yield StageReading(state, moved, pace.now() - began)
        try:
            pace.sleep(poll * (2 if moved else 1), f"waiting for {before.id}")
        except WaitTimeout:
            raise _still(state, pace.now() - began) from None


def _has_moved(before: SpaceState, now: SpaceState) -> bool:
    return (
        now.stage in MOVING
        or now.stage != before.stage
        or now.hardware_current != before.hardware_current
        or (now.runtime_sha is not None and now.runtime_sha != before.runtime_sha)
    )


def _still(state: SpaceState, seconds: float) -> WaitTimeout:
    stage = state.stage or "in an unknown stage"
    log = LOG_COMMANDS.get(stage, "")
    return WaitTimeout(
        f"{state.id} is still {stage} after {seconds:.0f} s.",
        hint=f"See `hfspace logs {state.id}{log}`; run again with a longer --timeout.",
    )
