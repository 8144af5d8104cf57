"""A bill as text, JSON and CSV. Three figures by their names, each with where it is from."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hfspace.model.billing import Usage
from hfspace.planner.bill import Bill, Line
from hfspace.report import costs
from hfspace.report.cells import counted, shipped_prices_note
from hfspace.report.tables import csv_lines, lines
from hfspace.text import json_text, plain

_BAR = 24
_CENT = Decimal("0.01")
_EIGHTHS = " ▏▎▍▌▋▊▉"


def text_lines(bill: Bill, *, columns: int | None) -> Iterator[str]:
    """The sums with bars, then the figures, then what is unknown."""
    owners = ", ".join(plain(usage.owner) for usage in bill.billed.usages)
    if owners:
        requests = counted(bill.requests, "request")
        yield f"Billed by the Hub for {owners}, {span(bill.start, bill.end)}      {requests}"
        yield from _other_periods(bill)
        yield ""
    for head, rows in ((bill.by, bill.lines), ("resource group", bill.groups)):
        if rows:
            largest = max(line.usd for line in rows)
            names = (head.upper(), f"{'HOURS':>8}", f"{'USD':>10}", "")
            cells = [_row(line, largest) for line in rows]
            yield from (f"  {line}" for line in lines(names, cells, columns=columns and columns - 2))
            yield ""
    yield from figures(bill)
    if bill.prices_of:
        yield f"prices     {shipped_prices_note(bill.prices_of)}"
    for owner, why in sorted(bill.billed.unknown.items()):
        yield f"unknown    {plain(owner)}: {plain(why)}"


def figures(bill: Bill) -> Iterator[str]:
    """The three figures that there are, each with its source."""
    if bill.billed.usages:
        yield f"billed     {cents(bill.usd)}   what the Hub says was used"
    cost = bill.cost
    if cost is None:
        return
    if cost.scheduled_rest_usd is not None:
        source = "for the rest of this month: the hours that the manifest leaves on"
        yield f"scheduled  {cents(cost.scheduled_rest_usd)}   {source}"
    yield f"ceiling    {cents(cost.after_usd_per_month)} per month   all of it always on (730 h)"
    if cost.spent_usd is not None:
        yield f"spent      {costs.spent(cost)}"


def to_json(bill: Bill) -> str:
    """One document. Money is a decimal string with every digit that the Hub gave."""
    cost = bill.cost
    document: dict[str, Any] = {
        "format_version": 1,
        "start": stamp(bill.start),
        "end": stamp(bill.end),
        "by": bill.by,
        "billed_usd": _amount(bill.usd) if bill.billed.usages else None,
        "scheduled_rest_usd": None if cost is None else _amount(cost.scheduled_rest_usd),
        "ceiling_usd_per_month": None if cost is None else _amount(cost.after_usd_per_month),
        "prices_of": bill.prices_of or None,
        "unknown": dict(sorted(bill.billed.unknown.items())),
        "lines": [_line(line) for line in bill.lines],
        "resource_groups": [_line(line) for line in bill.groups],
        "accounts": [_account(usage) for usage in bill.billed.usages],
        "charges": [
            {
                "owner": one.owner,
                "space": one.space,
                "kind": one.kind,
                "product": one.product,
                "hardware": one.flavor,
                "quantity": _amount(one.quantity),
                "unit": one.unit or None,
                "usd": _amount(one.usd),
                "started": None if one.started is None else stamp(one.started),
                "stopped": None if one.stopped is None else stamp(one.stopped),
                "grant": one.grant,
                "labels": dict(bill.labels.get((one.space or "").lower(), {})),
            }
            for one in bill.billed.charges
        ],
        "requests": bill.requests,
    }
    return json_text(document)


def to_csv(bill: Bill) -> Iterator[str]:
    """A row for each sum; dollars to the cent, with a last row for all."""
    rows = [(line.name, _hours(line), f"{line.usd:.2f}") for line in bill.lines]
    yield from csv_lines((bill.by, "hours", "usd"), [*rows, ("total", "", f"{bill.usd:.2f}")])


def cents(usd: Decimal) -> str:
    """Dollars with their cents, however many they are."""
    return f"${usd.quantize(_CENT):,.2f}"


def stamp(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%SZ}"


def span(start: float, end: float) -> str:
    """The days of a time in UTC; its end is the first moment that is not in it."""
    first, last = (datetime.fromtimestamp(one, UTC) for one in (start, end - 1))
    if (first.year, first.month) == (last.year, last.month):
        return f"{first:%Y-%m-%d} to {last:%d} (UTC)"
    return f"{first:%Y-%m-%d} to {last:%Y-%m-%d} (UTC)"


def bar(usd: Decimal, largest: Decimal, width: int = _BAR) -> str:
    """A bar of blocks, an eighth of a column fine."""
    if largest <= 0 or usd <= 0:
        return ""
    eighths = max(int(usd * width * 8 / largest), 1)
    full, rest = divmod(eighths, 8)
    return "█" * full + _EIGHTHS[rest].strip()


def _other_periods(bill: Bill) -> Iterator[str]:
    for usage in bill.billed.usages:
        if (usage.start, usage.end) != (bill.start, bill.end):
            yield f"The Hub tells of {plain(usage.owner)}: {span(usage.start, usage.end)}."


def _row(line: Line, largest: Decimal) -> tuple[str, str, str, str]:
    return (line.name, f"{_hours(line):>8}", f"{cents(line.usd):>10}", bar(line.usd, largest))


def _hours(line: Line) -> str:
    return "" if line.hours is None else f"{line.hours:.1f}"


def _line(line: Line) -> dict[str, Any]:
    hours = None if line.hours is None else f"{line.hours:.4f}"
    return {"name": line.name, "usd": _amount(line.usd), "hours": hours}


def _account(usage: Usage) -> dict[str, Any]:
    return {
        "owner": usage.owner,
        "usd": _amount(usage.usd),
        "start": stamp(usage.start),
        "end": stamp(usage.end),
        "source": usage.source,
    }


def _amount(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"
