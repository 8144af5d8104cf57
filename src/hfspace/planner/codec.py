"""A plan as JSON and back: the format that scripts and saved plans rely on (docs/commands.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from hfspace.model import Plan
from hfspace.planner.counts import counts, unchanged

if TYPE_CHECKING:
    from pydantic import TypeAdapter

FORMAT_VERSION = 1
_DERIVED = frozenset({"format_version", "summary", "checksum"})
_SURROGATE = re.compile("[\ud800-\udfff]")


def to_json(plan: Plan) -> dict[str, Any]:
    """Plain JSON values; money as decimal strings."""
    created, deleted, changed = counts(plan)
    summary = {
        "create": created,
        "update": changed,
        "delete": deleted,
        "unchanged": unchanged(plan),
        "checks_failed": sum(check.severity != "unknown" for check in plan.checks),
        "unknown": len(plan.unknowns),
    }
    return {"format_version": FORMAT_VERSION, "summary": summary, **_json(plan)}


def from_json(raw: Mapping[str, Any]) -> Plan:
    """The plan that `to_json` wrote. Raises ValueError when it is not one."""
    return _adapter().validate_python(_json({key: raw[key] for key in raw.keys() - _DERIVED}))


@cache
def _adapter() -> TypeAdapter[Plan]:
    from pydantic import TypeAdapter  # only where a plan is read back

    return TypeAdapter(Plan)


def _json(value: Any) -> Any:
    """`value` as JSON holds it. Half a character, which a Hub may send and no file can hold, is replaced."""
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return {_json(str(key)): _json(item) for key, item in value.items()}
    if is_dataclass(value):
        return {field.name: _json(getattr(value, field.name)) for field in fields(value)}
    return [_json(item) for item in value]
