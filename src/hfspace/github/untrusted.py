"""A plan that was written by somebody else's code (a fork's run): every value checked before it is used."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from hfspace.errors import PlanFileError
from hfspace.github.client import GitHub
from hfspace.github.event import WorkflowEvent
from hfspace.model import Change, Check, Cost, Plan
from hfspace.planner.codec import FORMAT_VERSION, from_json

LARGEST = 20 * 1024 * 1024
_MOST = 50_000
_DEEPEST = 20
_EFFECTS = {"restart", "bills", "wakes", "stops", "exposes", "hides"}
_NUMBER = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,12})?")


def load(path: Path) -> Plan:
    """The plan in a file that nobody vouches for. Its checksum is worth nothing here, so its values are
    checked one by one. Raises PlanFileError."""
    refused = PlanFileError(f"{path.name} is not a plan that can be shown.")
    try:
        if path.is_symlink() or path.stat().st_size > LARGEST:
            raise refused
        raw = json.loads(path.read_bytes(), parse_constant=_no_constant)
        if not isinstance(raw, dict) or raw.get("format_version") != FORMAT_VERSION:
            raise refused
        _check_money(raw)
        plan = from_json(raw)
        _check(plan)
    except (OSError, KeyError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError):
        raise refused from None
    return plan


def pull_of_run(github: GitHub, event: WorkflowEvent) -> int | None:
    """The open pull request whose head is what the run was about; never what the artifact claims.

    None when there is none any more. (`workflow_run.pull_requests` is empty for forks.)
    """
    run = event.run
    if run is None or not run.head_sha or "/" not in run.head_repository:
        return None
    owner = run.head_repository.partition("/")[0]
    params = {"state": "open", "head": f"{owner}:{run.head_branch}"}
    for pull in github.pages(f"/repos/{event.repository}/pulls", params):
        head = pull.get("head") or {}
        repository = (head.get("repo") or {}).get("full_name")
        if head.get("sha") == run.head_sha and repository == run.head_repository:
            return int(pull["number"])
    return None


def _no_constant(text: str) -> Any:
    raise ValueError(text)


def _check_money(raw: dict[str, Any]) -> None:
    amounts = [amount for name, amount in raw["cost"].items() if name != "spent_unknown"]
    for change in raw["changes"]:
        amounts += [change["usd_per_hour_before"], change["usd_per_hour_after"]]
    for amount in amounts:
        if amount is not None and not (isinstance(amount, str) and _NUMBER.fullmatch(amount)):
            raise ValueError("money")


def _check(plan: Plan) -> None:
    for items in (plan.declared, plan.changes, plan.checks, plan.ignored, plan.unmanaged, plan.snapshot):
        if len(items) > _MOST:
            raise ValueError("too many")
    _strings(plan.hub, plan.role, plan.account or "", *plan.manifest.files)
    _strings(*plan.declared, *plan.unmanaged, *plan.snapshot, *plan.snapshot.values())
    for change in (*plan.changes, *plan.ignored):
        _check_change(change)
    _strings(plan.cost.spent_unknown, *plan.exempt)
    for reasons in plan.exempt.values():
        _strings(*reasons, *reasons.values())
    for check in plan.checks:
        _strings(check.address, check.space, check.facet, check.message, check.hint)
    if not isinstance(plan.cost, Cost):
        raise TypeError("cost")


def _check_change(change: Change) -> None:
    _strings(change.address, change.space, change.facet, change.key or "", change.note)
    if not _EFFECTS.issuperset(change.effects):
        raise ValueError("effects")
    _shallow(change.before, _DEEPEST)
    _shallow(change.after, _DEEPEST)
    if change.sensitive and (change.before is not None or change.after is not None):
        raise ValueError("a sensitive value is shown")


def _shallow(value: object, left: int) -> None:
    """Values are rendered by functions that call themselves: nothing deep may reach them."""
    if left == 0:
        raise ValueError("deep")
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _shallow(item, left - 1)


def _strings(*items: object) -> None:
    for item in items:
        if not isinstance(item, str):
            raise TypeError("text")


def without_places(plan: Plan) -> Plan:
    """`plan` without file names and lines: nothing in it points into the checked-out repository."""
    changes: tuple[Change, ...] = tuple(replace(change, source=None) for change in plan.changes)
    checks: tuple[Check, ...] = tuple(replace(check, source=None) for check in plan.checks)
    return replace(plan, changes=changes, checks=checks)
