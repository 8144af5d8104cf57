"""What could be saved: 14 wastes and 14 Spaces that only look so; the edits, and the plan after them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hfspace.errors import UsageError
from hfspace.live.prices import shipped_prices
from hfspace.manifest.loader import load_files
from hfspace.manifest.models import Manifest
from hfspace.manifest.rewrite import edits_of, write
from hfspace.model import Change, Details, LocalInputs, Snapshot, SpaceState, Volume
from hfspace.model.billing import SPACES, Billed, Charge, Usage
from hfspace.planner.case import Saving
from hfspace.planner.plan import plan
from hfspace.planner.savings import Savings, savings
from hfspace.planner.use import DAY, HOUR, Evidence, hours_outside, used_hours, uses
from hfspace.report.savings import SavingsReport, text_lines, to_json
from tests.unit.builders import live, snapshot

NOW = datetime(2026, 11, 25, 22, 0, tzinfo=UTC)  # a Wednesday night
END = NOW.timestamp()
START = END - 30 * DAY
PRICES = shipped_prices().flavors

MANIFEST = """\
version: 1
spaces:
  # ---- wastes
  acme/w01: {hardware: t4-small, sleep_time: never}   # for a demo
  acme/w02: {hardware: l4x1, sleep_time: -1}
  other/w03: {hardware: t4-medium, sleep_time: never}
  acme/w04:
    hardware: t4-small
    sleep_time: 12h     # long
  acme/w05: {hardware: l4x1, sleep_time: 2d}
  acme/w06: {hardware: a100-large}
  acme/w07: {hardware: t4-small}
  acme/w08: {hardware: t4-small}
  acme/w09: {hardware: t4-small, state: running}
  acme/w10: {hardware: t4-small, state: running, sleep_time: never}
  acme/w12:
    hardware: cpu-upgrade
    state: paused
    volumes: [{source: hf://buckets/acme/old, mount_path: /data}]
  acme/w13: {hardware: a10g-small}
  acme/w14: {hardware: cpu-xl, sleep_time: never}
  # ---- decoys
  acme/d01: {hardware: t4-small, sleep_time: 1h}
  acme/d02: {hardware: cpu-basic}
  acme/d03: {hardware: a100-large, state: paused, sleep_time: never}
  acme/d04: {hardware: t4-small, sleep_time: 12h}
  acme/d05: {hardware: t4-small, sleep_time: 12h}
  acme/d06: {hardware: cpu-basic}
  acme/d07: {hardware: t4-small}
  acme/d08: {hardware: l4x1}
  acme/d09: {hardware: t4-medium}
  acme/d10:
    hardware: t4-small
    sleep_time: never
    state: paused
    when: [{during: "Mon-Fri 08:00-19:00", set: {state: running}}]
  acme/d11: {hardware: t4-small, sleep_time: 1h}
  acme/d12: {hardware: cpu-upgrade, volumes: [{source: hf://buckets/acme/live, mount_path: /data}]}
"""


def charge(space: str, flavor: str, first: float, last: float | None) -> Charge:
    """`flavor` from `first` until `last` hours after START; until now, and on, where that is None."""
    begin, end = START + first * HOUR, END if last is None else START + last * HOUR
    usd = PRICES[flavor].usd_per_hour * Decimal(end - begin) / HOUR
    return Charge(
        owner="acme", kind=SPACES, product=f"spaces/{flavor}/minutes", usd=usd, space=space,
        started=begin, stopped=None if last is None else end, active=last is None,
    )  # fmt: skip


def runs(space: str, flavor: str, count: int, length: float) -> list[Charge]:
    return [charge(space, flavor, 24.0 * day, 24.0 * day + length) for day in range(count)]


def space(name: str, **values: Any) -> SpaceState:
    owner, _, name = name.rpartition("/")
    return replace(live(name, **{"sleep_time": 1800, **values}), id=f"{owner or 'acme'}/{name}")


LIVE = [
    space("w01", hardware="t4-small", sleep_time=-1),
    space("w02", hardware="l4x1", sleep_time=-1, replicas=2),
    space("other/w03", hardware="t4-medium", sleep_time=-1),
    space("w04", hardware="t4-small", sleep_time=12 * HOUR, stage="SLEEPING"),
    space("w05", hardware="l4x1", sleep_time=2 * DAY, stage="SLEEPING"),
    space("w06", hardware="a100-large", stage="RUNTIME_ERROR", error_message="CUDA out of memory"),
    space("w07", hardware="t4-small", stage="APP_STARTING"),
    space("w08", hardware="t4-small", stage="BUILDING", details=Details(modified="2026-11-20T00:00:00Z")),
    space("w09", hardware="t4-small", hardware_current="cpu-basic"),
    space("w10", hardware="t4-small", sleep_time=-1),
    space("w12", hardware="cpu-upgrade", stage="PAUSED", volumes=(
        Volume(type="bucket", source="acme/old", mount_path="/data", read_only=False),)),
    space("w13", hardware="a10g-small"),
    space("w14", hardware="cpu-xl", sleep_time=-1),
    space("d01", hardware="t4-small", sleep_time=-1),  # the plan gives it one
    space("d02", sleep_time=-1),  # free
    space("d03", hardware="a100-large", sleep_time=-1, stage="PAUSED"),
    space("d04", hardware="t4-small", sleep_time=12 * HOUR),  # visited all the time
    space("d05", hardware="t4-small", sleep_time=12 * HOUR, stage="SLEEPING"),  # too few runs to judge
    space("d06", stage="RUNTIME_ERROR"),  # free
    space("d07", hardware="t4-small", stage="APP_STARTING"),  # for some minutes
    space("d08", hardware="l4x1", stage="BUILDING", details=Details(modified="2026-11-25T21:00:00Z")),
    space("d09", hardware="t4-medium"),  # t4-small has the GPU memory, and half of the RAM
    space("d10", hardware="t4-small", sleep_time=-1, stage="PAUSED"),
    space(
        "d11", hardware="t4-small", sleep_time=HOUR, stage="RUNNING_BUILDING", hardware_current="cpu-upgrade"
    ),
    space("d12", hardware="cpu-upgrade", volumes=(
        Volume(type="bucket", source="acme/live", mount_path="/data", read_only=False),)),
]  # fmt: skip
UNMANAGED = (
    space("w11", hardware="l4x1", sleep_time=-1),
    space("d13", hardware="a100-large", stage="PAUSED"),
    space("d14"),
)
CHARGES = [
    charge("acme/w01", "t4-small", 0, None),
    charge("acme/w02", "l4x1", 0, None),
    *runs("acme/w04", "t4-small", 20, 12.5),
    *(charge("acme/w05", "l4x1", 72.0 * day, 72.0 * day + 49) for day in range(9)),
    charge("acme/w07", "t4-small", 600, None),
    charge("acme/w10", "t4-small", 0, None),
    charge("acme/w11", "l4x1", 0, None),
    charge("acme/w13", "a10g-small", 300, None),
    charge("acme/w14", "cpu-xl", 700, None),
    charge("acme/d04", "t4-small", 0, None),
    *runs("acme/d05", "t4-small", 2, 12.5),
    charge("acme/d07", "t4-small", 719.9, None),
    charge("acme/d09", "t4-medium", 100, None),
    charge("acme/d12", "cpu-upgrade", 100, None),
]
VISITS = {
    "acme/w10": tuple(
        START + day * DAY + hour * HOUR
        for day in range(30)
        for hour in (11, 15, 20)  # START is at 22:00: 09:00, 13:00 and 18:00
        if datetime.fromtimestamp(START + day * DAY + hour * HOUR, UTC).weekday() < 5
    )
}
PLANTED = {
    ("acme/w01", "no-sleep-time"),
    ("acme/w02", "no-sleep-time"),
    ("other/w03", "no-sleep-time"),
    ("acme/w04", "long-sleep-time"),
    ("acme/w05", "long-sleep-time"),
    ("acme/w06", "failed-on-paid"),
    ("acme/w07", "never-comes-up"),
    ("acme/w08", "keeps-building"),
    ("acme/w09", "hardware-not-reached"),
    ("acme/w10", "awake-outside-hours"),
    ("acme/w11", "unmanaged"),
    ("acme/w12", "dead-volume"),
    ("acme/w13", "cheaper-flavor"),
    ("acme/w14", "no-sleep-time"),
}


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    file = tmp_path / "spaces.yaml"
    file.write_text(MANIFEST)
    return load_files((file,), env={})


def world(**values: Any) -> Snapshot:
    return replace(snapshot(*LIVE), **{"flavors": PRICES, "unmanaged": UNMANAGED, **values})


def evidence(*, visits: bool = True) -> Evidence:
    usage = Usage(owner="acme", start=START, end=END, source="usage-v2", charges=tuple(CHARGES))
    billed = Billed(usages=(usage,), unknown={"other": "needs the Billing read permission"})
    ids = [state.id for state in (*LIVE, *UNMANAGED)]
    return Evidence(uses=uses(billed, ids, END), visits=VISITS if visits else {})


def judge(manifest: Manifest, **values: Any) -> Savings:
    return savings(manifest, world(), evidence(**values), NOW)


def planned(manifest: Manifest) -> tuple[Change, ...]:
    return plan(manifest, world(), LocalInputs(now=END)).changes


def one(judged: Savings, space: str) -> Saving:
    (saving,) = [item for item in judged.items if item.space == space]
    return saving


def test_all_14_wastes_are_found_and_none_of_14_decoys_is_accused(manifest: Manifest) -> None:
    decoys = {state.id for state in (*LIVE, *UNMANAGED) if "/d" in state.id}
    assert len(PLANTED) == len(decoys) == 14
    assert {(item.space, item.rule) for item in judge(manifest).items} == PLANTED


def test_after_the_edits_are_written_the_plan_shows_just_those(manifest: Manifest, tmp_path: Path) -> None:
    file = tmp_path / "spaces.yaml"
    before = {change.address for change in planned(manifest)}
    items = judge(manifest).items
    edits = edits_of(manifest, [(item.space, key, value) for item in items for key, value in item.edits])
    write(edits)
    after = load_files((file,), env={})
    new = {change.address for change in planned(after)} - before
    assert new == {
        "acme/w01.sleep_time", "acme/w02.sleep_time", "other/w03.sleep_time", "acme/w04.sleep_time",
        "acme/w05.sleep_time", "acme/w06.state", "acme/w07.state", "acme/w09.hardware", "acme/w10.state",
        "acme/w13.hardware", "acme/w14.sleep_time",
    }  # fmt: skip
    old, new_lines = MANIFEST.splitlines(), file.read_text().splitlines()
    changed = [line for line, before_it in zip(new_lines, old, strict=True) if line != before_it]
    assert changed == [
        "  acme/w01: {hardware: t4-small, sleep_time: 30m}   # for a demo",
        "  acme/w02: {hardware: l4x1, sleep_time: 30m}",
        "  other/w03: {hardware: t4-medium, sleep_time: 30m}",
        "    sleep_time: 30m     # long",
        "  acme/w05: {hardware: l4x1, sleep_time: 30m}",
        "  acme/w06: {hardware: a100-large, state: paused}",
        "  acme/w07: {hardware: t4-small, state: paused}",
        "  acme/w09: {hardware: cpu-basic, state: running}",
        "  acme/w10: {hardware: t4-small, state: paused, sleep_time: never, "
        'when: [{during: "Mon-Fri 09:00-19:00", set: {state: running}}]}',
        "  acme/w13: {hardware: l4x1}",
        "  acme/w14: {hardware: cpu-xl, sleep_time: 30m}",
    ]


def cents(usd: Decimal) -> Decimal:
    return usd.quantize(Decimal("0.01"))


def usd(judged: Savings, name: str) -> Decimal:
    return cents(one(judged, name).usd_per_month or Decimal(0))


def test_amounts_are_those_that_were_billed_and_ceilings_where_they_are_unknown(manifest: Manifest) -> None:
    judged = judge(manifest)
    month = Decimal(365) / 12 / 30
    assert usd(judged, "acme/w01") == cents(Decimal("0.40") * 730)
    assert usd(judged, "other/w03") == cents(Decimal("0.60") * 730)
    assert usd(judged, "acme/w04") == cents(20 * Decimal("11.5") * Decimal("0.40") * month)
    assert usd(judged, "acme/w07") == cents(Decimal("0.40") * 730)
    hours = Decimal(420)
    assert usd(judged, "acme/w13") == cents(hours * (Decimal("1.00") - Decimal("0.80")) * month)
    assert one(judged, "acme/w06").usd_per_month is None
    assert judged.usd_per_month == sum(item.usd_per_month or 0 for item in judged.items)


def test_without_visits_nothing_is_said_of_the_hours_in_which_it_is_used(manifest: Manifest) -> None:
    saving = one(judge(manifest, visits=False), "acme/w10")
    assert (saving.rule, saving.at_most) == ("no-sleep-time", True)
    assert "visits are not known" in saving.evidence


def test_a_few_visits_are_no_visits_to_conclude_from() -> None:
    known = evidence().uses

    def enough(*visits: float) -> bool:
        return Evidence(uses=known, visits={"acme/w10": visits}).visited("acme/w10") is not None

    spread = [START + day * DAY for day in range(15)]
    assert enough(*spread)
    assert not enough(*spread[::2])  # eight
    assert not enough(*(START + second for second in range(100)))  # of one day
    assert not enough(*(time - 365 * DAY for time in spread))  # of another year
    assert Evidence(visits={"acme/w10": tuple(spread)}).visited("acme/w10") is None  # of unknown use


def test_without_billing_only_what_the_state_shows_is_said(manifest: Manifest) -> None:
    judged = savings(manifest, world(), Evidence(), NOW)
    rules = {item.rule for item in judged.items}
    assert rules == {"no-sleep-time", "failed-on-paid", "keeps-building", "unmanaged", "cheaper-flavor"}
    assert all(item.usd_per_month is None or item.at_most for item in judged.items)


def test_less_than_a_day_is_no_month() -> None:
    usage = Usage(owner="acme", start=END - 60, end=END + DAY, source="usage")
    known = uses(Billed(usages=(usage,)), ["acme/x"], END)
    assert Evidence(uses=known).use("acme/x") is None


@pytest.mark.parametrize("why", ["free_hardware: true", 'exempt: {require_sleep_time: "demo day"}'])
def test_a_grant_and_a_written_reason_are_respected(tmp_path: Path, why: str) -> None:
    file = tmp_path / "spaces.yaml"
    file.write_text(f"version: 1\nspaces:\n  acme/w01: {{hardware: t4-small, sleep_time: never, {why}}}\n")
    judged = savings(load_files((file,), env={}), world(unmanaged=()), evidence(), NOW)
    assert "acme/w01" not in {item.space for item in judged.items}


def test_what_a_plan_restarts_is_left_to_it(tmp_path: Path) -> None:
    file = tmp_path / "spaces.yaml"
    file.write_text("version: 1\nspaces:\n  acme/w06: {hardware: a100-large, on_error: restart}\n")
    judged = savings(load_files((file,), env={}), world(unmanaged=()), evidence(), NOW)
    assert "acme/w06" not in {item.space for item in judged.items}


def test_a_dollar_is_saved_once(manifest: Manifest) -> None:
    both = [space("w13", hardware="a10g-small", sleep_time=-1)]
    judged = savings(manifest, replace(snapshot(*both), flavors=PRICES), Evidence(), NOW)
    assert len(judged.items) == 2
    assert judged.usd_per_month == Decimal("1.00") * 730


def test_what_the_manifest_leaves_alone_gets_no_edit(tmp_path: Path) -> None:
    file = tmp_path / "spaces.yaml"
    file.write_text("version: 1\nspaces:\n  acme/w01: {hardware: t4-small, ignore: [sleep_time]}\n")
    judged = savings(load_files((file,), env={}), world(), Evidence(), NOW)
    assert one(judged, "acme/w01").edits == ()


def test_a_value_from_the_environment_is_not_written_over(tmp_path: Path) -> None:
    file = tmp_path / "spaces.yaml"
    file.write_text("version: 1\nspaces:\n  acme/x: {hardware: t4-small, sleep_time: '${S}'}\n")
    loaded = load_files((file,), env={"S": "never"})
    with pytest.raises(UsageError, match="comes from the environment"):
        edits_of(loaded, [("acme/x", "sleep_time", "30m")])


def test_hours_are_those_of_the_wall_also_when_the_clocks_change() -> None:
    from hfspace.manifest.zones import zone

    paris = zone("Europe/Paris")
    begin = datetime(2026, 10, 23, 0, 0, tzinfo=paris)  # a Friday; clocks change on Sunday
    visits = [begin.replace(hour=hour).timestamp() for hour in (9, 17)]
    used = used_hours(visits, paris)
    assert used.text == "Fri 09:00-18:00"
    week = (begin.timestamp(), (begin + timedelta(days=7)).timestamp())
    assert hours_outside([week], used, paris) == 7 * 24 + 1 - 9


def report(manifest: Manifest) -> SavingsReport:
    unknown = {"other": "needs the Billing read permission"}
    return SavingsReport(savings=judge(manifest), days=30, unknown=unknown, unreadable={})


def test_text_and_json_say_the_same(manifest: Manifest) -> None:
    text = "\n".join(text_lines(report(manifest)))
    document = to_json(report(manifest))
    assert json.loads(json.dumps(document)) == document
    for item in document["savings"]:
        assert item["evidence"] in text
        assert f"{item['space']}  {item['rule']}" in text
    assert "What other was billed is unknown: needs the Billing read permission." in text
    assert f"${Decimal(document['usd_per_month']):,.2f}" in text
