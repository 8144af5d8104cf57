"""The audit log: one JSON object per line for every change that was tried. Never a secret's value."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import BinaryIO

from hfspace.applier.events import Event, Kind
from hfspace.model import Plan

_LOGGED = frozenset({Kind.APPLIED, Kind.FAILED, Kind.RESOLVED, Kind.FINISHED})


class AuditLog:
    """Writes each line at once, so that a crash loses none that was done.

    `file` is unbuffered. An entry that can't be written ends nothing, since the Hub was changed all the
    same: its address and event are kept in `missing`.
    """

    def __init__(self, file: BinaryIO, plan: Plan, now: Callable[[], datetime]) -> None:
        self._file = file
        self._plan = plan
        self._now = now
        self.missing: list[str] = []

    def __call__(self, event: Event) -> None:
        if event.kind not in _LOGGED:
            return
        line = (json.dumps(self._line(event)) + "\n").encode()
        try:
            complete = self._file.write(line) == len(line)
        except OSError:
            complete = False
        if not complete:
            about = event.change.address if event.change else event.space or "the end"
            self.missing.append(f"{about} ({event.kind})")

    def _line(self, event: Event) -> dict[str, object]:
        line: dict[str, object] = {
            "time": self._now().isoformat(timespec="milliseconds"),
            "event": str(event.kind),
            "hub": self._plan.hub,
            "account": self._plan.account,
            "manifest": self._plan.manifest.sha256,
            "space": event.space,
        }
        if event.change is not None:
            change = event.change
            line |= {"address": change.address, "action": str(change.action)}
            if not change.sensitive:
                line |= {"before": change.before, "after": change.after}
        if event.outcome is not None:
            outcome = event.outcome
            line |= {
                "status": str(outcome.status),
                "stage": outcome.stage,
                "seconds": round(outcome.seconds, 1),
            }
        if event.text:
            line["message"] = event.text
        return line
