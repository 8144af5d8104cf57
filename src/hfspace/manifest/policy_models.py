"""The guardrails that a manifest can declare."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, Strict, WithJsonSchema

from hfspace.manifest.keys import Model, Unstrict, key
from hfspace.manifest.values import parse_duration
from hfspace.model import NEVER

ALL = "all"
"""What a budget is of when it is of every Space."""

_WHOSE = re.compile(r"[\w.-]{1,96}|[A-Za-z][\w.-]{0,62}=[^\s=][^=]{0,99}", re.ASCII)
_MOST = Decimal(10) ** 12


def dollars(value: Any) -> Decimal:
    """An amount that is no less than 0. Raises ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise ValueError("a budget is a number of dollars")
    try:
        usd = Decimal(str(value).strip())
    except InvalidOperation:
        raise ValueError("a budget is a number of dollars") from None
    if not usd.is_finite() or not 0 <= usd <= _MOST:
        raise ValueError("a budget is a number of dollars, 0 or more")
    return usd


def _budget(value: Any) -> dict[str, Decimal]:
    """Dollars by whose they are: one number is of all Spaces."""
    if not isinstance(value, Mapping):
        return {ALL: dollars(value)}
    for whose in value:
        if not isinstance(whose, str) or not _WHOSE.fullmatch(whose):
            raise ValueError(f"'{str(whose)[:60]}' is nobody: write all, an owner, or label=value")
    return {whose: dollars(usd) for whose, usd in value.items()}


def _longest_sleep(value: Any) -> bool | int:
    if isinstance(value, bool):
        return value
    try:
        seconds = parse_duration(value)
    except (ValueError, AttributeError):
        raise ValueError("write true, false, or the longest sleep time that is allowed, such as 1h") from None
    if seconds == NEVER:
        raise ValueError("never is what it forbids: write false, or the longest sleep time, such as 1h")
    return seconds


_AMOUNT = {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": r"\$\{"}]}
Budget = Annotated[
    Mapping[str, Annotated[Decimal, Strict(False)]],
    BeforeValidator(_budget),
    WithJsonSchema({"anyOf": [*_AMOUNT["anyOf"], {"type": "object", "additionalProperties": _AMOUNT}]}),
]
"""Dollars by whose: all, an owner, or a label of Spaces (team=speech)."""

_BUDGET = "dollars, or a map by `all`, owner, `label=value`"


class Policy(Model):
    """Guardrails of the whole manifest; None means no limit of that kind."""

    noun = "policy"

    max_monthly_usd: Annotated[Decimal, Unstrict, Field(ge=0)] | None = key(
        "Ceiling of the whole manifest after the plan, as if always on (730 h).", example="150"
    )
    max_scheduled_usd: Budget | None = key(
        "What the hours that the manifest leaves on may cost in an average month (730 h).",
        values=_BUDGET,
        example="90",
    )
    max_spent_usd: Budget | None = key(
        "What this month may cost: billed so far, and scheduled for the rest. Past it nothing starts or is "
        "upgraded.",
        values=_BUDGET,
        example="{all: 150, team=speech: 40}",
    )
    max_usd_per_hour: Budget | None = key(
        "What may be billed per hour at once, right after the plan.", values=_BUDGET, example="4"
    )
    allowed_hardware: Annotated[tuple[str, ...], Unstrict] | None = key(
        "Flavors that may be declared.", example="[cpu-basic, t4-small]"
    )
    require_sleep_time: Annotated[
        bool | int,
        BeforeValidator(_longest_sleep),
        WithJsonSchema({"anyOf": [{"type": "boolean"}, {"type": "integer"}, {"type": "string"}]}),
    ] = key(
        "Paid hardware must declare a sleep time that is not never; with a duration, none that is longer.",
        default=False,
        values="true, false, or the longest sleep time",
        example="1h",
    )
    forbid_public: bool = key("No Space may be public.", default=False, example="true")
    max_deletes: Annotated[int, Field(ge=0)] | None = key("Spaces that one apply may delete.", example="0")
    max_running: Annotated[int, Field(ge=0)] | None = key("Compute Spaces running at once.", example="8")
    max_change_percent: Annotated[float, Field(ge=0, le=100)] | None = key(
        "Share of 10 or more Spaces that one apply may touch without `--force`.", example="50"
    )

    @property
    def budgets(self) -> tuple[str, ...]:
        """The limits in dollars that it has, by their key."""
        return tuple(name for name in BUDGETS if getattr(self, name) is not None)

    @property
    def longest_sleep(self) -> int | None:
        """Seconds of the longest sleep time that paid hardware may have; None for any."""
        longest = self.require_sleep_time
        return None if isinstance(longest, bool) else longest


BUDGETS = ("max_monthly_usd", "max_scheduled_usd", "max_spent_usd", "max_usd_per_hour")
EXEMPTIBLE = (*BUDGETS, "allowed_hardware", "require_sleep_time", "forbid_public")
"""The rules that a single Space may leave, with a written reason."""
