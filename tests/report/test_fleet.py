"""The fleet on one page: what it says is what the Hub billed and the plan holds, and nothing in it runs."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

import pytest

from hfspace.model import Plan
from hfspace.model.billing import Billed, Usage, total
from hfspace.planner.bill import ended, lines
from hfspace.report.fleet import Fleet, render
from tests.report import fleets, plans
from tests.report.html_page import Page, check_inert

ATTRIBUTES = {
    "lang", "charset", "name", "content", "http-equiv", "class", "scope", "id", "href", "role", "tabindex",
    "aria-label", "aria-labelledby", "aria-hidden", "viewbox", "preserveaspectratio", "x", "y", "x1", "x2",
    "y1", "y2", "width", "height",
}  # fmt: skip
LARGEST = {12: 25_000, 500: 300_000}


def hostile() -> Fleet:
    """Every text that comes from elsewhere wants out of its place."""
    fleet = fleets.fleet(len(plans.HOSTILE))
    renamed = dict(zip(fleet.plan.declared, plans.HOSTILE, strict=True))
    states = {
        renamed[space]: replace(state, id=renamed[space], stage=renamed[space], hardware=renamed[space])
        for space, state in fleet.snapshot.spaces.items()
    }
    charges = tuple(
        replace(charge, owner=text, product=text, space=text, label=text)
        for charge, text in zip(fleet.billed.charges, plans.HOSTILE, strict=False)
    )
    usage = Usage(owner="acme", start=fleet.start, end=fleet.now, source="x", charges=charges)
    unmanaged = tuple(
        replace(state, id=f"{text}/x") for state, text in zip(states.values(), plans.HOSTILE, strict=True)
    )
    return replace(
        fleet,
        plan=replace(plans.hostile(), declared=tuple(plans.HOSTILE)),
        snapshot=replace(fleet.snapshot, spaces=states, unmanaged=unmanaged, prices_of=plans.HOSTILE[8]),
        billed=Billed(usages=(usage,), unknown=dict.fromkeys(plans.HOSTILE, plans.HOSTILE[9])),
        uses={},
    )


def of_plan(plan: Plan) -> Fleet:
    return replace(fleets.fleet(3), plan=plan)


@pytest.mark.parametrize(
    "fleet",
    [
        fleets.fleet(0),
        fleets.fleet(12),
        fleets.fleet(12, billing=False),
        hostile(),
        of_plan(plans.everything()),
        fleets.fleet(12, prices_of="2026-08"),
    ],
    ids=["empty", "twelve", "no permission", "hostile", "every kind of change", "shipped prices"],
)
def test_the_page_is_well_formed_and_needs_nothing_from_elsewhere(fleet: Fleet) -> None:
    check_inert(render(fleet), ATTRIBUTES)


@pytest.mark.parametrize("count", [12, 500])
def test_the_page_stays_small(count: int) -> None:
    assert len(render(fleets.fleet(count)).encode()) < LARGEST[count]


def test_every_space_has_a_row_with_what_the_hub_billed() -> None:
    fleet = fleets.fleet(12)
    text = Page(render(fleet)).text
    for space in (*fleet.snapshot.spaces, *(state.id for state in fleet.snapshot.unmanaged)):
        usd = total(charge for charge in fleet.billed.charges if charge.space == space)
        row = text.split(f"{space} ")[1]
        assert (f" ${usd:,.2f} " if usd else " - - ") in row[:80], space
    declared = total(charge for charge in fleet.billed.charges if charge.space in fleet.plan.declared)
    assert f"so far the Hub's usage ${declared:,.2f}" in text


def test_a_community_grant_bills_nothing() -> None:
    fleet = fleets.fleet(5)
    (space,) = [one.id for one in fleet.snapshot.spaces.values() if one.hardware == "a10g-small"]
    spec = fleet.manifest.spaces[space].model_copy(update={"free_hardware": True})
    granted = replace(fleet, manifest=replace(fleet.manifest, spaces={**fleet.manifest.spaces, space: spec}))
    before, after = (Page(render(one)).text.split(f"{space} ")[1].split("$")[2] for one in (fleet, granted))
    assert (before[:4], after[:4]) == ("1.00", "0.00")


def amounts(text: str) -> Decimal:
    return sum((Decimal(word[1:].replace(",", "")) for word in text.split() if word[0] == "$"), Decimal(0))


def test_the_parts_of_the_bill_are_the_whole_of_it() -> None:
    fleet = fleets.fleet(30)
    whole = total(fleet.billed.charges)
    text = Page(render(fleet)).text
    parts = re.split(
        "Amounts by day|By owner|By label team|By hardware|Drift and checks", text.split("Where it goes")[2]
    )
    for name, part in zip(("day", "owner", "label", "hardware"), parts[1:5], strict=True):
        assert amounts(part) == whole, name


def test_what_goes_on_belongs_to_each_of_its_days() -> None:
    day = 86400.0
    charge = replace(fleets.fleet(2).billed.charges[0], usd=Decimal(4), started=0.75 * day, stopped=None)
    days = lines(ended([charge], 2.75 * day), "day", {})
    assert [(line.name, line.usd) for line in days] == [
        ("1970-01-01", Decimal("0.5")),
        ("1970-01-02", 2),
        ("1970-01-03", Decimal("1.5")),
    ]
    assert ended([charge], 0.5 * day) == [charge]  # it began after that: a clock is wrong


def test_what_could_not_be_read_is_unknown_and_never_nothing() -> None:
    text = Page(render(fleets.fleet(12, billing=False))).text
    assert "What acme was billed is unknown: needs the Billing read permission." in text
    assert "so far the Hub's usage unknown" in text
    assert "Nothing was billed" not in text
    missing = fleets.fleet(3, spaces={}, unreadable={"acme/whisper-000": "The Hub answered with an error."})
    assert "acme/whisper-000 not read" in Page(render(missing)).text
    assert "speech-lab/ocr-001 missing" in Page(render(missing)).text
