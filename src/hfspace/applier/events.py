"""What an apply tells while it works: values, for progress lines and the audit log to render."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from hfspace.model import Change, Outcome


class Kind(StrEnum):
    STARTED = "started"
    APPLIED = "applied"
    FAILED = "failed"
    RESOLVED = "resolved"  # an answer was lost; reading showed that the change had been made
    REPLANNED = "replanned"  # the Space had moved since the plan
    SENDING = "sending"  # large files are on their way
    WAITING = "waiting"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    kind: Kind
    space: str
    change: Change | None = None
    stage: str | None = None
    seconds: float = 0.0
    text: str = ""
    done: int = 0
    size: int = 0
    outcome: Outcome | None = None


Listener: TypeAlias = Callable[[Event], None]
"""Called from several threads, one call at a time."""
