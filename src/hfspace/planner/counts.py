"""How many Spaces a plan creates, deletes, changes and leaves as they are."""

from __future__ import annotations

from hfspace.model import Action, Plan


def counts(plan: Plan) -> tuple[int, int, int]:
    """Spaces to create, to delete, and to change."""
    whole = [change for change in plan.changes if change.facet == "existence"]
    created = {change.space for change in whole if change.action is Action.CREATE}
    deleted = {change.space for change in whole if change.action is Action.DELETE}
    changed = {change.space for change in plan.changes} - created - deleted
    return len(created), len(deleted), len(changed)


def unchanged(plan: Plan) -> int:
    """Declared Spaces that are as declared: nothing to change, and no failed check."""
    touched = {change.space for change in plan.changes} | {check.space for check in plan.checks}
    return len(set(plan.declared) - touched)
