"""What an apply has done."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hfspace.model.plan import Change


class Status(StrEnum):
    DONE = "done"
    FAILED = "failed"
    NOT_TRIED = "not tried"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one Space in an apply. `applied` are the changes that the Hub took. `final`: it was
    refused for a reason that stays, so that the same run again ends the same way."""

    space: str
    status: Status
    applied: tuple[Change, ...] = ()
    pending: tuple[Change, ...] = ()
    stage: str | None = None
    seconds: float = 0.0
    error: str = ""
    hint: str = ""
    log_tail: tuple[str, ...] = ()
    final: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyResult:
    outcomes: tuple[Outcome, ...]
    interrupted: bool = False

    @property
    def changed(self) -> bool:
        return any(outcome.applied for outcome in self.outcomes)

    @property
    def failed(self) -> bool:
        return any(outcome.status is not Status.DONE for outcome in self.outcomes)

    @property
    def exit_code(self) -> int:
        """0 done, 1 nothing was changed, 3 something was changed and something failed, 130 interrupted."""
        if self.interrupted:
            return 130
        if not self.failed:
            return 0
        return 3 if self.changed else 1
