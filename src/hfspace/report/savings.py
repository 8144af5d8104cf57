"""What could be saved, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hfspace.planner.case import Saving
from hfspace.planner.savings import Savings
from hfspace.report.cells import counted, money, shipped_prices_note
from hfspace.text import as_text, plain

_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class SavingsReport:
    """What `hfspace savings` shows. `days` is how far back usage was read, `unknown` why it could not be, by
    owner; `prices_of` as in Snapshot."""

    savings: Savings
    days: int
    unknown: Mapping[str, str]
    unreadable: Mapping[str, str]
    prices_of: str = ""


def text_lines(report: SavingsReport) -> Iterator[str]:
    """What to save, the most first, each with its evidence and what to do; then the sum."""
    for one in report.savings.items:
        yield f"{plain(one.space)}  {one.rule}  {amount(one)}"
        yield f"    {plain(one.evidence)}."
        place = f"   {one.source}" if one.source and one.edits else ""
        yield f"    {plain(one.advice)}{place}"
        for key, value in one.edits:
            yield f"      {key}: {plain(as_text(value))}"
        yield ""
    yield from closing(report)


def closing(report: SavingsReport) -> Iterator[str]:
    """The sum, and what the judgement does not rest on."""
    count = len(report.savings.items)
    usd = report.savings.usd_per_month
    if not count:
        yield "Nothing to save is known."
    elif not usd:
        yield f"{counted(count, 'saving')} of unknown amount."
    else:
        yield f"{counted(count, 'saving')}, up to {money(usd)} a month."
    for owner, why in sorted(report.unknown.items()):
        yield f"What {plain(owner)} was billed is unknown: {plain(why)}. Its amounts are ceilings, always on."
    for space, why in sorted(report.unreadable.items()):
        yield f"{plain(space)} was not judged: {plain(why)}"
    if report.prices_of:
        yield shipped_prices_note(report.prices_of)


def amount(saving: Saving) -> str:
    """$292.00 a month, with `up to` where use may have needed a part of it."""
    if saving.usd_per_month is None:
        return "amount unknown"
    return f"{'up to ' if saving.at_most else ''}{money(saving.usd_per_month.quantize(_CENT))} a month"


def to_json(report: SavingsReport) -> dict[str, Any]:
    return {
        "format_version": 1,
        "days": report.days,
        "savings": [_item(one) for one in report.savings.items],
        "usd_per_month": str(report.savings.usd_per_month.quantize(_CENT)),
        "billing_unknown": dict(report.unknown),
        "not_judged": dict(report.unreadable),
        "prices_of": report.prices_of or None,
    }


def _item(one: Saving) -> dict[str, Any]:
    return {
        "rule": one.rule,
        "space": one.space,
        "usd_per_month": None if one.usd_per_month is None else str(one.usd_per_month.quantize(_CENT)),
        "at_most": one.at_most,
        "evidence": one.evidence,
        "advice": one.advice,
        "edits": dict(one.edits),
        "place": str(one.source) if one.source else None,
    }
