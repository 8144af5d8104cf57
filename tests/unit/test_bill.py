"""A month of ten Spaces on the local Hub's clock, and what the bill says of it in every form, to the cent."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from click.testing import CliRunner

from hfspace.bills import bill_of_account, bill_of_manifest
from hfspace.cli.main import cli
from hfspace.live.hub import connect
from hfspace.localhub import LocalHub
from hfspace.manifest.loader import load
from hfspace.model import Plan
from hfspace.model.billing import Billed, Charge, Usage
from hfspace.planner.bill import Bill, by_day, lines
from hfspace.report import bill as report
from hfspace.report import focus, plan_html, plan_markdown, plan_text
from hfspace.session import Session, open_session

CENT = Decimal("0.01")
FIRST = datetime(2026, 11, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
HOURLY = {"cpu-upgrade": 3, "t4-small": 40, "t4-medium": 60, "l4x1": 80, "a10g-small": 100}
"""Cents an hour, as the Hub lists them; it bills the minute, rounded to a millionth of a dollar."""


@dataclass(frozen=True)
class Run:
    """A Space that runs on some days of the month, from an hour on, for so many minutes."""

    flavor: str
    days: tuple[int, ...]
    hour: int
    minutes: int
    team: str

    def cost(self, day: int) -> Decimal:
        return (
            Decimal(round(HOURLY[self.flavor] * 10_000 / 60) * self.minutes) / 1_000_000
            if day
            else Decimal(0)
        )


WEEKDAYS = tuple(day for day in range(1, 25) if (FIRST + timedelta(days=day - 1)).weekday() < 5)
RUNS = {
    "acme/a": Run("t4-small", WEEKDAYS, 8, 660, "speech"),
    "acme/b": Run("a10g-small", (3, 10, 17, 24), 13, 61, "speech"),
    "acme/c": Run("cpu-upgrade", tuple(range(1, 25)), 0, 1440, "docs"),
    "acme/d": Run("l4x1", (5, 6), 9, 1, "vision"),
    "acme/e": Run("t4-medium", (11,), 20, 480, "vision"),  # over midnight
    "acme/f": Run("t4-small", WEEKDAYS[::2], 7, 95, "vision"),
    "acme/g": Run("l4x1", (), 7, 60, "docs"),
    "beta/h": Run("a10g-small", (2, 20), 23, 119, "speech"),
    "beta/i": Run("cpu-upgrade", (15,), 6, 59, "docs"),
    "beta/j": Run("t4-small", tuple(range(10, 20)), 10, 240, "docs"),
}
HOURS = "sleep_time: 1h, when: [{during: 'Mon-Fri 08:00-19:00', set: {state: running}}]"
MANIFEST = "version: 1\npolicy: {max_spent_usd: 500, max_monthly_usd: 5000}\nspaces:\n" + "".join(
    f"  {space}: {{hardware: {run.flavor}, state: paused, labels: {{team: {run.team}}}"
    f"{', ' + HOURS if space == 'acme/a' else ''}}}\n"
    for space, run in RUNS.items()
)
BILLED = {space: sum((run.cost(day) for day in run.days), Decimal(0)) for space, run in RUNS.items()}
TOTAL = sum(BILLED.values(), Decimal(0))
SCHEDULED = Decimal("0.40") * (7 + 11 * 3)
"""acme/a from Wednesday noon on: 7 hours of that day, then 11 hours each on 26, 27 and 30 November."""
CEILING = Decimal("0.40") * 730
"""acme/a is up at that time; the others are to stay paused."""


@pytest.fixture(scope="module")
def hub() -> Iterator[LocalHub]:
    seed = {
        "hub": {"now": FIRST.isoformat()},
        "accounts": {
            "acme": {"type": "org", "plan": "team", "groups": {"all": {"spaces": ["acme/a", "acme/b"]}}},
            "beta": {"type": "org", "plan": "team"},
            "alice": {"type": "user", "orgs": {"acme": "admin", "beta": "admin"}},
        },
        "tokens": {
            "hf_local_write": {"account": "alice"},
            "hf_fine": {"account": "alice", "role": "fineGrained", "spaces": ["acme", "beta"]},
        },
        "spaces": {
            space: {"stage": "PAUSED", "hardware": run.flavor, "sleep_time": 3600}
            for space, run in RUNS.items()
        },
    }
    events: list[tuple[datetime, int, str]] = []
    for space, run in RUNS.items():
        for day in run.days:
            start = FIRST + timedelta(days=day - 1, hours=run.hour)
            events += [(start, 1, space), (start + timedelta(minutes=run.minutes), 0, space)]
    with LocalHub(seed=seed, clock="manual") as hub:
        clock = FIRST
        for moment, on, space in sorted(events):
            hub.advance((moment - clock).total_seconds())
            clock = moment
            up = {"stage": "RUNNING", "current": RUNS[space].flavor, "sleep_time": -1}
            hub.set_space(space, **(up if on else {"stage": "PAUSED", "current": None, "sleep_time": 3600}))
        hub.advance((NOW - clock).total_seconds())
        hub.set_space("acme/a", stage="SLEEPING")
        yield hub


def session(hub: LocalHub, token: str = "") -> Session:
    wanted = load([("spaces.yaml", MANIFEST)], env={})
    made = open_session(manifest=wanted, hub=connect(hub.url, token or hub.token), env={})
    made.clock = NOW.timestamp
    return made


def bill(hub: LocalHub, by: str = "space", label: str = "", token: str = "") -> Bill:
    end = datetime(2026, 12, 1, tzinfo=UTC).timestamp()
    return bill_of_manifest(session(hub, token), FIRST.timestamp(), end, by=by, label=label)


def plan(hub: LocalHub) -> Plan:
    return session(hub).plan()


def grouped(by: str) -> dict[str, Decimal]:
    """The computation of the test's own, independent of the bill's."""
    sums: dict[str, Decimal] = {}
    for space, run in RUNS.items():
        for day in run.days:
            start = FIRST + timedelta(days=day - 1, hours=run.hour)
            today = min(
                run.minutes, int((start.replace(hour=0) + timedelta(days=1) - start).total_seconds() // 60)
            )
            cost = run.cost(day)
            names = {
                "space": [(space, cost)],
                "owner": [(space.split("/")[0], cost)],
                "hardware": [(run.flavor, cost)],
                "label": [(f"team={run.team}", cost)],
                "day": [
                    (f"2026-11-{day:02}", cost * today / run.minutes),
                    (f"2026-11-{day + 1:02}", cost * (run.minutes - today) / run.minutes),
                ],
            }
            for name, usd in names[by]:
                sums[name] = sums.get(name, Decimal(0)) + usd
    return {name: usd.quantize(CENT) for name, usd in sums.items() if usd}


# ------------------------------------------------------------ every form, to the cent


@pytest.mark.parametrize("by", ["space", "owner", "hardware", "label", "day"])
def test_every_way_to_sum_a_month_agrees_in_every_form(hub: LocalHub, by: str) -> None:
    expected = grouped(by)
    made = bill(hub, by, "team" if by == "label" else "")
    assert made.usd.quantize(CENT) == TOTAL.quantize(CENT) == made.billed.usd.quantize(CENT)  # type: ignore[union-attr]
    text = "\n".join(report.text_lines(made, columns=None))
    shown = dict(re.findall(r"^  (\S+) +[\d.]+ +\$([\d.,]+)", text.split("RESOURCE GROUP")[0], re.MULTILINE))
    assert {name: Decimal(usd.replace(",", "")) for name, usd in shown.items()} == expected
    document = json.loads(report.to_json(made))
    assert {one["name"]: Decimal(one["usd"]).quantize(CENT) for one in document["lines"]} == expected
    rows = list(csv.reader(io.StringIO("\n".join(report.to_csv(made)))))
    assert {name: Decimal(usd) for name, _, usd in rows[1:-1]} == expected
    assert rows[-1] == ["total", "", str(TOTAL.quantize(CENT))]


def test_the_three_figures_stand_by_their_names_in_every_form(hub: LocalHub) -> None:
    made, planned = bill(hub), plan(hub)
    assert made.cost is not None
    figures = (made.usd, made.cost.scheduled_rest_usd, made.cost.after_usd_per_month)
    assert figures == pytest.approx((TOTAL, SCHEDULED, CEILING), abs=Decimal("0.001"))
    course = (TOTAL + SCHEDULED).quantize(CENT)
    text = "\n".join(report.text_lines(made, columns=None))
    assert f"billed     ${TOTAL:.2f}   what the Hub says was used" in text
    assert f"scheduled  ${SCHEDULED:.2f}   for the rest of this month" in text
    assert f"ceiling    ${CEILING:.2f} per month   all of it always on (730 h)" in text
    sentence = f"${TOTAL:.2f} of $500 this month, on course for ${course}"
    assert f"spent      {sentence}" in text
    document = json.loads(report.to_json(made))
    assert Decimal(document["billed_usd"]).quantize(CENT) == TOTAL.quantize(CENT)
    assert Decimal(document["scheduled_rest_usd"]).quantize(CENT) == SCHEDULED.quantize(CENT)
    assert Decimal(document["ceiling_usd_per_month"]).quantize(CENT) == CEILING.quantize(CENT)
    assert f"spent {sentence}." in plan_text.render(planned, color=False)
    assert sentence.replace("$", "&#36;") in plan_markdown.render(planned)
    assert sentence in plan_html.render(planned)
    assert ">$292<" in plan_html.render(planned)
    assert planned.cost.spent_usd == TOTAL


def test_resource_groups_are_shown_where_the_plan_has_them(hub: LocalHub) -> None:
    (group,) = bill(hub).groups
    assert (group.name, group.usd.quantize(CENT)) == (
        "acme/all",
        (BILLED["acme/a"] + BILLED["acme/b"]).quantize(CENT),
    )


def test_without_a_manifest_it_is_the_account_and_its_organisations(hub: LocalHub) -> None:
    client = connect(hub.url, hub.token)
    made = bill_of_account(client, FIRST.timestamp(), NOW.timestamp(), NOW.timestamp(), by="owner")
    assert {line.name: line.usd.quantize(CENT) for line in made.lines} == grouped("owner")
    assert made.cost is None


def test_one_question_for_each_account_and_none_where_nothing_asks_for_it(hub: LocalHub) -> None:
    hub.clear_requests()
    plan(hub)
    asked = [one.path for one in hub.requests() if "billing" in one.path]
    assert asked == [f"/api/organizations/{owner}/billing/usage-v2" for owner in ("acme", "beta")]
    hub.clear_requests()
    quiet = session(hub)
    quiet.manifest = replace(
        quiet.manifest, policy=quiet.manifest.policy.model_copy(update={"max_spent_usd": None})
    )
    assert quiet.plan().cost.spent_usd is None
    assert [one.path for one in hub.requests() if "billing" in one.path] == []
    quiet.costs = True
    assert quiet.plan().cost.spent_usd == TOTAL


# ------------------------------------------------------------ FOCUS

MANDATORY = {
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd",
    "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargePeriodEnd",
    "ChargePeriodStart", "ContractedCost", "EffectiveCost", "InvoiceIssuerName", "ListCost",
    "PricingQuantity", "PricingUnit", "ProviderName", "PublisherName", "ServiceCategory", "ServiceName",
}  # fmt: skip
"""Columns that FOCUS 1.2 requires of every dataset of cost and usage."""
NEVER_EMPTY = MANDATORY - {"ChargeClass"} | {"BillingAccountType", "SkuId", "SkuPriceId", "ConsumedUnit"}
DECIMALS = ("BilledCost", "ContractedCost", "EffectiveCost", "ListCost", "PricingQuantity",
            "ConsumedQuantity", "ListUnitPrice", "ContractedUnitPrice")  # fmt: skip
TIMES = ("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd")
ALLOWED = {
    "ChargeCategory": {"Usage", "Purchase", "Tax", "Credit", "Adjustment"},
    "ChargeFrequency": {"One-Time", "Recurring", "Usage-Based"},
    "ChargeClass": {"", "Correction"},
    "PricingCategory": {"Standard", "Dynamic", "Committed", "Other"},
    "BillingCurrency": {"USD"},
    "ServiceCategory": {
        "AI and Machine Learning", "Analytics", "Business Applications", "Compute", "Databases",
        "Developer Tools", "Multicloud", "Identity", "Integration", "Internet of Things",
        "Management and Governance", "Media", "Migration", "Mobile", "Networking", "Security", "Storage",
        "Web", "Other",
    },
}  # fmt: skip


def focus_rows(made: Bill) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO("\n".join(focus.csv_of(made)))))


def test_focus_has_the_month_to_the_cent_and_its_labels_as_tags(hub: LocalHub) -> None:
    rows = focus_rows(bill(hub))
    for space, usd in BILLED.items():
        its = [row for row in rows if row["ResourceName"] == space]
        assert sum(Decimal(row["BilledCost"]) for row in its) == usd
        assert {json.loads(row["Tags"])["team"] for row in its} <= {RUNS[space].team}
    assert sum(Decimal(row["EffectiveCost"]) for row in rows) == TOTAL


def test_focus_is_as_the_specification_has_each_column(hub: LocalHub) -> None:
    """focus-validator needs Python 3.12, and this environment has 3.11: the rules of 1.2 stand here. Run by
    hand, `focus-validator --validate-version 1.2.0.1 --block-download` fails one rule of 578, of which it
    takes the alternative: an InvoiceId is there, or is null where there is no invoice."""
    strange = Charge(owner="acme", kind="quantum", product="q/shots", usd=Decimal("0.1"))
    grant = Charge(
        owner="acme", kind="Spaces", product="spaces/t4-small/minutes", usd=Decimal(0), quantity=Decimal(60),
        unit="minute", unit_usd=Decimal("0.006667"), grant=True, entity="0" * 24, started=1793491200.0,
    )  # fmt: skip
    usage = Usage(
        owner="acme", start=1793491200.0, end=1796083200.0, source="usage", charges=(strange, grant)
    )
    made = bill(hub)
    made = replace(made, billed=Billed(usages=(*made.billed.usages, usage)))
    rows = focus_rows(made)
    assert set(rows[0]) >= MANDATORY
    for row in rows:
        assert all(row[name] for name in NEVER_EMPTY), row
        assert all(re.fullmatch(r"-?\d+\.\d+", row[name]) for name in DECIMALS), row
        assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", row[name]) for name in TIMES), row
        assert all(row[name] in values for name, values in ALLOWED.items()), row
        assert row["BillingPeriodStart"] <= row["ChargePeriodStart"] < row["ChargePeriodEnd"]
        assert row["ChargePeriodEnd"] <= row["BillingPeriodEnd"]
        assert bool(row["ResourceId"]) == bool(row["ResourceType"])
        quantity, price = Decimal(row["PricingQuantity"]), Decimal(row["ListUnitPrice"])
        assert quantity * price == Decimal(row["ListCost"])
        assert isinstance(json.loads(row["Tags"]), dict)
    granted = next(row for row in rows if row["ListCost"] != row["BilledCost"])
    assert (granted["BilledCost"], granted["ListCost"]) == ("0.0", "0.400020")


# ------------------------------------------------------------ days, and the command


def charge(**given: Any) -> Charge:
    values = {"owner": "acme", "kind": "Spaces", "product": "spaces/l4x1/minutes", "usd": Decimal(1), **given}
    return Charge(**values)


def test_the_parts_of_days_are_the_charge_exactly() -> None:
    one = charge(started=1793491200.0 + 80000, stopped=1793491200.0 + 400000, quantity=Decimal(5333))
    parts = list(by_day(one))
    assert len(parts) == 5
    assert sum(part.usd for part in parts) == 1
    assert sum(part.quantity or 0 for part in parts) == 5333
    assert [part.started for part in parts[1:]] == [part.stopped for part in parts[:-1]]
    assert list(by_day(charge())) == [charge()]


def test_what_has_no_space_is_named_by_what_it_is() -> None:
    charges = [charge(), charge(kind="inferenceProviders", product="x"), charge(space="acme/x")]
    assert {line.name for line in lines(charges, "space", {})} == {
        "acme: Spaces without a name",
        "inferenceProviders",
        "acme/x",
    }


def test_a_token_without_the_permission_is_told_so_and_the_other_two_figures_stay(hub: LocalHub) -> None:
    made = bill(hub, token="hf_fine")
    text = "\n".join(report.text_lines(made, columns=None))
    assert "unknown    acme: needs the Billing read permission" in text
    assert "billed" not in text
    assert f"scheduled  ${SCHEDULED:.2f}" in text
    assert json.loads(report.to_json(made))["billed_usd"] is None


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--month", "2026-13"), "is no month"),
        (("--month", "9999-01"), "has not begun"),
        (("--since", "soon"), "is no time"),
        (("--since", "7d", "--month", "2026-10"), "exclude each other"),
        (("--since", "9999-01-01"), "is not before now"),
        (("--by", "label"), "By which label?"),
        (("--label", "team", "--by", "day"), "exclude each other"),
        (("--label", "room"), "No Space has the label room."),
    ],
)
def test_a_slip_on_the_command_line_is_one_sentence(
    hub: LocalHub, arguments: tuple[str, ...], says: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hfspace.errors import UsageError

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.setenv("HF_TOKEN", hub.token)
    result = CliRunner().invoke(cli, ["bill", *arguments])
    assert isinstance(result.exception, UsageError)
    assert says in str(result.exception)
