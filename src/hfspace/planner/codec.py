"""A plan as JSON and back: the format that scripts and saved plans rely on (design section 10)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from hfspace.model import Action, Change, Check, Cost, ManifestRef, Plan, Source
from hfspace.planner.counts import counts, unchanged

FORMAT_VERSION = 1


def to_json(plan: Plan) -> dict[str, Any]:
    """Plain JSON values; money as decimal strings."""
    created, deleted, changed = counts(plan)
    return {
        "format_version": FORMAT_VERSION,
        "hub": plan.hub,
        "account": plan.account,
        "role": plan.role,
        "manifest": {"files": list(plan.manifest.files), "sha256": plan.manifest.sha256},
        "summary": {
            "create": created,
            "update": changed,
            "delete": deleted,
            "unchanged": unchanged(plan),
            "checks_failed": len(plan.checks),
        },
        "declared": list(plan.declared),
        "changes": [_change(change) for change in plan.changes],
        "ignored": [_change(change) for change in plan.ignored],
        "checks": [_check(check) for check in plan.checks],
        "cost": _cost(plan.cost),
        "requests": plan.requests,
        "snapshot": dict(plan.snapshot),
        "unmanaged": list(plan.unmanaged),
    }


def from_json(raw: Mapping[str, Any]) -> Plan:
    """The plan that `to_json` wrote. Raises KeyError, TypeError or ValueError when it is not one."""
    return Plan(
        hub=str(raw["hub"]),
        account=raw["account"],
        role=str(raw["role"]),
        manifest=ManifestRef(files=tuple(raw["manifest"]["files"]), sha256=str(raw["manifest"]["sha256"])),
        declared=tuple(raw["declared"]),
        changes=tuple(_to_change(item) for item in raw["changes"]),
        checks=tuple(_to_check(item) for item in raw["checks"]),
        cost=_to_cost(raw["cost"]),
        requests=int(raw["requests"]),
        snapshot=dict(raw["snapshot"]),
        unmanaged=tuple(raw["unmanaged"]),
        ignored=tuple(_to_change(item) for item in raw["ignored"]),
    )


def _change(change: Change) -> dict[str, Any]:
    return {
        "address": change.address,
        "space": change.space,
        "facet": change.facet,
        "key": change.key,
        "action": str(change.action),
        "before": None if change.sensitive else change.before,
        "after": None if change.sensitive else change.after,
        "sensitive": change.sensitive,
        "effects": list(change.effects),
        "usd_per_hour_before": _usd(change.usd_per_hour_before),
        "usd_per_hour_after": _usd(change.usd_per_hour_after),
        "note": change.note,
        "needed_by": change.needed_by,
        "early": change.early,
        "power": change.power,
        "in_app": change.in_app,
        "source": _source(change.source),
    }


def _to_change(raw: Mapping[str, Any]) -> Change:
    return Change(
        address=str(raw["address"]),
        space=str(raw["space"]),
        facet=str(raw["facet"]),
        key=raw["key"],
        action=Action(raw["action"]),
        before=raw["before"],
        after=raw["after"],
        sensitive=bool(raw["sensitive"]),
        effects=tuple(raw["effects"]),
        usd_per_hour_before=_to_usd(raw["usd_per_hour_before"]),
        usd_per_hour_after=_to_usd(raw["usd_per_hour_after"]),
        note=str(raw["note"]),
        needed_by=str(raw.get("needed_by", "")),
        early=bool(raw.get("early")),
        power=bool(raw.get("power")),
        in_app=bool(raw.get("in_app")),
        source=_to_source(raw["source"]),
    )


def _check(check: Check) -> dict[str, Any]:
    return {
        "address": check.address,
        "space": check.space,
        "facet": check.facet,
        "severity": check.severity,
        "message": check.message,
        "hint": check.hint,
        "source": _source(check.source),
    }


def _to_check(raw: Mapping[str, Any]) -> Check:
    if raw["severity"] not in {"error", "warning"}:
        raise ValueError("severity")
    return Check(
        address=str(raw["address"]),
        space=str(raw["space"]),
        facet=str(raw["facet"]),
        severity=raw["severity"],
        message=str(raw["message"]),
        hint=str(raw["hint"]),
        source=_to_source(raw["source"]),
    )


def _cost(cost: Cost) -> dict[str, str | None]:
    return {
        "before_usd_per_hour": _usd(cost.before_usd_per_hour),
        "after_usd_per_hour": _usd(cost.after_usd_per_hour),
        "before_usd_per_month": _usd(cost.before_usd_per_month),
        "after_usd_per_month": _usd(cost.after_usd_per_month),
        "limit_usd_per_month": _usd(cost.limit_usd_per_month),
    }


def _to_cost(raw: Mapping[str, Any]) -> Cost:
    limit = raw["limit_usd_per_month"]
    return Cost(
        before_usd_per_hour=Decimal(raw["before_usd_per_hour"]),
        after_usd_per_hour=Decimal(raw["after_usd_per_hour"]),
        before_usd_per_month=Decimal(raw["before_usd_per_month"]),
        after_usd_per_month=Decimal(raw["after_usd_per_month"]),
        limit_usd_per_month=None if limit is None else Decimal(limit),
    )


def _usd(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def _to_usd(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def _source(source: Source | None) -> dict[str, Any] | None:
    return None if source is None else {"file": source.file, "line": source.line, "column": source.column}


def _to_source(raw: Mapping[str, Any] | None) -> Source | None:
    return None if raw is None else Source(file=raw["file"], line=int(raw["line"]), column=int(raw["column"]))
