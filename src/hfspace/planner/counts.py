"""How many Spaces a plan creates, deletes, changes and leaves as they are; its exit code."""

from __future__ import annotations

from collections import Counter

from hfspace.model import Plan


def counts(plan: Plan) -> tuple[int, int, int]:
    """Spaces to create, to delete, and to change."""
    created = {change.space for change in plan.changes if change.creates_space}
    deleted = {change.space for change in plan.changes if change.deletes_space}
    changed = {change.space for change in plan.changes} - created - deleted
    return len(created), len(deleted), len(changed)


def unchanged(plan: Plan) -> int:
    """Declared Spaces that are as declared: nothing to change, and no failed check."""
    touched = {change.space for change in plan.changes} | {check.space for check in plan.checks}
    return len(set(plan.declared) - touched)


def drift_of(plan: Plan) -> dict[str, str]:
    """How far each declared Space is from its declaration, in words."""
    words: dict[str, list[str]] = {space: [] for space in plan.declared}
    for space, count in Counter(change.space for change in plan.changes).items():
        words[space].append(f"{count} to change")
    for check in plan.checks:
        if check.space in words:
            words[check.space].append(f"{'?' if check.severity == 'unknown' else '!'} {check.message}")
    return {space: ", ".join(parts) or "in line" for space, parts in words.items()}


UNKNOWN = 4
"""The exit code when something that was declared or asked for could not be read or compared."""


def exit_code(plan: Plan, *, force: bool = False, allow_unknown: bool = False) -> int:
    """1 for an error (one that `force` overrides is none), 4 for something unknown, else 0."""
    if any(not (force and check.overridable) for check in plan.errors):
        return 1
    return UNKNOWN if plan.unknowns and not allow_unknown else 0
