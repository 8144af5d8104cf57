"""What a pull request changes, apart from what differed before it: two plans against the same Hub."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from hfspace.model import Change, Check, Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """`mine` comes of the pull request, `before` was pending without it, `settled` is pending no more."""

    mine: tuple[Change, ...]
    before: tuple[Change, ...]
    settled: tuple[Change, ...]
    checks_mine: tuple[Check, ...]
    checks_before: tuple[Check, ...]


def split(head: Plan, base: Plan | None) -> Split:
    """Compares the plan of the pull request's manifest with that of the target branch's manifest.

    Without a base plan everything counts as the pull request's.
    """
    if base is None:
        return Split(mine=head.changes, before=(), settled=(), checks_mine=head.checks, checks_before=())
    pending = {_identity(change) for change in base.changes}
    left = {change.address for change in head.changes}
    failed = {_failure(check) for check in base.checks}
    return Split(
        mine=tuple(change for change in head.changes if _identity(change) not in pending),
        before=tuple(change for change in head.changes if _identity(change) in pending),
        settled=tuple(change for change in base.changes if change.address not in left),
        checks_mine=tuple(check for check in head.checks if _failure(check) not in failed),
        checks_before=tuple(check for check in head.checks if _failure(check) in failed),
    )


def _identity(change: Change) -> tuple[Any, ...]:
    values = json.dumps([change.before, change.after], sort_keys=True, default=str)
    return (change.address, change.action, values, change.sensitive)


def _failure(check: Check) -> tuple[str, str, str]:
    return (check.address, check.severity, check.message)
