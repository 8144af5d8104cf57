"""Step outputs: numbers and paths for the steps that follow, in the runner's file format."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from hfspace.errors import UsageError
from hfspace.model import Plan
from hfspace.planner.counts import counts


def plan_outputs(plan: Plan) -> dict[str, str]:
    """What the action promises to say about a plan. Money is USD, as a plain decimal."""
    created, deleted, changed = counts(plan)
    return {
        "changes": str(len(plan.changes)),
        "creates": str(created),
        "updates": str(changed),
        "deletes": str(deleted),
        "checks-failed": str(len(plan.checks) - len(plan.unknowns)),
        "usd-per-month-before": _usd(plan.cost.before_usd_per_month),
        "usd-per-month-after": _usd(plan.cost.after_usd_per_month),
    }


def write_outputs(path: str, values: Mapping[str, str]) -> None:
    """Append to the file of GITHUB_OUTPUT. Raises UsageError when it can't be written."""
    text = "".join(_entry(name, value) for name, value in values.items())
    try:
        with Path(path).open("a", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"GITHUB_OUTPUT can't be written: {error.strerror}.") from None


def _entry(name: str, value: str) -> str:
    """`name<<delimiter`: with a delimiter nobody can guess, no value can end early or add an output."""
    delimiter = f"hfspace_{secrets.token_hex(16)}"
    return f"{name}<<{delimiter}\n{value}\n{delimiter}\n"


def _usd(amount: Decimal) -> str:
    return f"{amount:.2f}"
