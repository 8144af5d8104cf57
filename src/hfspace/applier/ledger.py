"""What one apply has done to one Space: an attempt per address, and the movement that its writes set off."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from hfspace.errors import HubError
from hfspace.model import Change, SpaceState


class Answer(StrEnum):
    """What the Hub said to the last write of a change."""

    NONE = "none"  # not written yet
    TAKEN = "taken"
    LOST = "lost"
    REFUSED = "refused"


@dataclass(slots=True)
class Attempt:
    """One change as it was tried. `times`: how often the Hub took it; `before`: the Space as it was read
    before the last time; `error`: the refusal."""

    change: Change
    answer: Answer = Answer.NONE
    times: int = 0
    before: SpaceState | None = None
    error: HubError | None = None

    @property
    def is_open(self) -> bool:
        """Whether only a read can tell what became of it."""
        return self.answer in {Answer.LOST, Answer.REFUSED}


@dataclass(slots=True)
class Movement:
    """A restart under way, or one that may come: the Space as it was before, and since when (seconds)."""

    before: SpaceState
    since: float
    ended: bool = False


@dataclass(slots=True)
class Ledger:
    """`lost` counts answers that never came; `may_have_woken`: something that may wake a paused Space
    was written since it was last paused or started. `held` are the addresses that were in the app,
    `told_unseen`: that it holds more than the plan showed was told. `commit` is the newest that was made."""

    attempts: dict[str, Attempt] = field(default_factory=dict)
    applied: list[Change] = field(default_factory=list)
    movement: Movement | None = None
    lost: int = 0
    may_have_woken: bool = False
    came_up: bool = False
    held: set[str] = field(default_factory=set)
    told_unseen: bool = False
    commit: str | None = None

    def attempt(self, change: Change) -> Attempt:
        entry = self.attempts.setdefault(change.address, Attempt(change=change))
        entry.change = change
        return entry

    def open(self) -> list[Attempt]:
        return [one for one in self.attempts.values() if one.is_open]

    def take(self, change: Change, before: SpaceState | None) -> None:
        """The Hub took `change`."""
        entry = self.attempt(change)
        entry.answer, entry.before, entry.times = Answer.TAKEN, before, entry.times + 1
        self.applied.append(change)

    def begin_movement(self, before: SpaceState, now: float) -> None:
        """Something that may restart the Space is about to be written."""
        if self.movement is None or self.movement.ended:
            self.movement = Movement(before=before, since=now)

    def was_taken(self, change: Change) -> bool:
        entry = self.attempts.get(change.address)
        return entry is not None and entry.times > 0

    @property
    def waited(self) -> bool:
        return self.movement is not None and self.movement.ended

    @property
    def moving(self) -> Movement | None:
        return self.movement if self.movement and not self.movement.ended else None

    def pending(self, planned: tuple[Change, ...]) -> tuple[Change, ...]:
        done = {change.address for change in self.applied}
        return tuple(change for change in planned if change.address not in done)
