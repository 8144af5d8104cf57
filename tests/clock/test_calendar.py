"""hfspace calendar: bars, hours and dollars are what the plan of each minute says."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hfspace.manifest.clock import at
from hfspace.manifest.loader import load
from hfspace.manifest.models import Manifest
from hfspace.model import Flavor, Snapshot, SpaceState
from hfspace.planner.calendar import Calendar, calendar
from hfspace.planner.scheduled import scheduled_spaces
from hfspace.report.calendar_html import render
from hfspace.report.calendar_json import to_json
from hfspace.report.calendar_text import lines
from tests.clock.reading import minutes

GOLDEN = Path(__file__).parents[1] / "golden"
MANIFEST = """
version: 1
timezone: Europe/Paris
spaces:
  acme/demo:
    hardware: cpu-upgrade
    sleep_time: 30m
    state: paused
    when:
      - {from: 2026-12-01T09:00, until: 2026-12-01T18:00, set: {hardware: a10g-small, state: running}}
      - {during: "Mon-Fri 08:00-19:00", set: {state: running}}
    restart: {every: "30 4 * * 1"}
  acme/night:
    hardware: t4-small
    sleep_time: 1h
    state: paused
    when: [{during: "Fri,Sat 22:00-02:00", set: {state: running}}]
  acme/always: {hardware: cpu-upgrade, state: running, sleep_time: 1h}
  acme/off: {hardware: cpu-upgrade, state: paused}
  acme/as-it-is: {}
  acme/gone: {state: absent}
"""
NOW = datetime(2026, 11, 30, 10, 30, tzinfo=UTC)
"""A Monday."""

PRICES = {"cpu-upgrade": "0.03", "t4-small": "0.40", "a10g-small": "1.00", "l4x1": "0.80", "cpu-basic": "0"}
FLAVORS = {
    name: Flavor(name=name, pretty_name=name, usd_per_hour=Decimal(price)) for name, price in PRICES.items()
}


def manifest(text: str = MANIFEST) -> Manifest:
    return load([("spaces.yaml", text)], env={})


def snapshot(*states: SpaceState, prices: dict[str, Flavor] = FLAVORS) -> Snapshot:
    live = SpaceState(id="acme/as-it-is", stage="RUNNING", hardware="l4x1")
    spaces = {state.id: state for state in (live, *states)}
    return Snapshot(hub="http://hub", account=None, spaces=spaces, flavors=prices)


def of(text: str = MANIFEST, *, now: datetime = NOW, days: int = 7, live: Snapshot | None = None) -> Calendar:
    return calendar(manifest(text), live or snapshot(), now, days)


def by_space(one: Calendar) -> dict[str, Any]:
    return {item.space: item for item in one.spaces}


def check(name: str, shown: str) -> None:
    path = GOLDEN / name
    if os.environ.get("HFSPACE_UPDATE_GOLDEN"):
        path.write_text(f"{shown}\n", encoding="utf-8")
    assert f"{shown}\n" == path.read_text(encoding="utf-8")


def text(one: Calendar, **options: Any) -> str:
    return "\n".join(lines(one, **{"columns": 100, "color": False, "verbose": False, **options}))


# ------------------------------------------------------------ figures


def test_hours_and_dollars_of_a_week() -> None:
    spaces = by_space(of())
    assert {space: (item.hours, item.usd) for space, item in spaces.items()} == {
        "acme/always": (168, Decimal("5.04")),
        "acme/as-it-is": (168, Decimal("134.4")),
        "acme/demo": (55, 46 * Decimal("0.03") + 9),  # nine of its 55 hours on the A10G
        "acme/night": (8, Decimal("3.2")),
        "acme/off": (0, 0),
    }
    assert spaces["acme/demo"].always == 159 * Decimal("0.03") + 9
    assert spaces["acme/off"].always == Decimal("5.04")


def test_the_dollars_are_those_that_the_bill_is_made_with() -> None:
    """One time box, so that one week is not like another: the calendar and the scheduled cost agree on it."""
    one, (start, *_, end) = of(days=28), of(days=28).midnights
    costs = scheduled_spaces(manifest(), snapshot(*(_live(item.space) for item in one.spaces)), start, end)
    for item in one.spaces:
        assert item.usd is not None
        assert round(item.usd * 4, 9) == round(costs[item.space], 9)


def _live(space: str) -> SpaceState:
    hardware = "l4x1" if space == "acme/as-it-is" else "cpu-upgrade"
    return SpaceState(id=space, stage="RUNNING", hardware=hardware)


def test_fewer_days_show_the_same_week() -> None:
    assert [item.usd for item in of(days=1).spaces] == [item.usd for item in of(days=7).spaces]
    assert all(item.spans[-1].end == of(days=1).midnights[-1] for item in of(days=1).spaces)


def test_a_week_in_which_clocks_are_changed_has_an_hour_more_or_less() -> None:
    always = "version: 1\ntimezone: Europe/Paris\nspaces: {acme/x: {hardware: t4-small, state: running}}"
    for day, hours in ((datetime(2027, 3, 26, tzinfo=UTC), 167), (datetime(2026, 10, 23, tzinfo=UTC), 169)):
        midnights = of(always, now=day).midnights
        assert (midnights[-1] - midnights[0]) == timedelta(hours=hours)
        assert by_space(of(always, now=day))["acme/x"].hours == 168  # of a week of 168 hours


def test_an_unknown_price_is_no_price() -> None:
    one = of(live=snapshot(prices={"cpu-upgrade": FLAVORS["cpu-upgrade"]}))
    assert by_space(one)["acme/night"].usd is None
    assert "without 3 Spaces whose price is not known" in text(one)
    assert json.loads(to_json(one))["spaces"]["acme/night"]["usd_per_week"] is None


def test_prices_that_are_not_the_hubs_of_today_are_told() -> None:
    one = of(live=replace(snapshot(), prices_of="2026-08-01"))
    for shown in (text(one), render(one)):
        assert "prices could not be read: these are of 2026-08-01" in shown
    assert json.loads(to_json(one))["prices_of"] == "2026-08-01"


def test_what_is_ignored_is_shown_as_it_is() -> None:
    ignored = MANIFEST.replace("    restart:", "    ignore: [state]\n    restart:")
    live = snapshot(SpaceState(id="acme/demo", stage="RUNNING", hardware="cpu-upgrade"))
    assert by_space(of(ignored, live=live))["acme/demo"].hours == 168


def test_every_minute_is_as_the_manifest_of_that_minute() -> None:
    """`plan --at` plans with this manifest: two weeks, over a change of the clocks."""
    one = of(now=datetime(2026, 10, 20, tzinfo=UTC), days=14)
    midnights = one.midnights
    spans = {item.space: list(item.spans) for item in one.spaces}
    for minute in minutes(midnights[0], midnights[-1])[::7]:
        now = at(manifest(), minute)
        for space, left in spans.items():
            while minute >= left[0].end:
                left.pop(0)
            assert left[0].state == now.spaces[space].state, (space, minute)
            assert left[0].hardware == (now.spaces[space].hardware or "l4x1"), (space, minute)


# ------------------------------------------------------------ what people read


def test_text() -> None:
    check("calendar.txt", text(of()))
    check("calendar-verbose.txt", text(of(days=2), columns=None, verbose=True))


@pytest.mark.parametrize("columns", [80, 100, 132, 200])
def test_rows_fit_the_terminal(columns: int) -> None:
    assert max(map(len, text(of(), columns=columns).splitlines())) <= columns


def test_colours_are_for_a_terminal_and_change_no_width() -> None:
    plain = re.sub(r"\x1b\[\d+m", "", text(of(), color=True))
    assert plain == text(of())
    assert "\x1b" not in text(of())


def test_html_is_one_page_without_scripts_and_escapes_what_it_shows() -> None:
    page = render(of())
    assert "<script" not in page
    assert not re.search(r"(src|href)=", page)
    assert page.count('role="img"') == len(of().spaces)
    assert "Tue 2026-12-01 09:00 to 18:00  running on a10g-small" in page
    evil = SpaceState(id="acme/as-it-is", stage="RUNNING", hardware="<img src=x>\u202e")
    assert "<img" not in render(of(live=snapshot(evil)))
    assert "\u202e" not in render(of(live=snapshot(evil))) + text(of(live=snapshot(evil)), verbose=True)


def test_json_has_every_span_and_restart() -> None:
    document = json.loads(to_json(of()))
    demo = document["spaces"]["acme/demo"]
    assert demo["restarts"] == ["2026-11-30T04:30:00+01:00"]
    assert demo["spans"][1] == {
        "start": "2026-11-30T08:00:00+01:00",
        "end": "2026-11-30T19:00:00+01:00",
        "state": "running",
        "up": True,
        "hardware": "cpu-upgrade",
        "reason": "inside Mon-Fri 08:00-19:00",
        "usd_per_hour": "0.03",
    }
    assert "acme/gone" not in document["spaces"]


def test_a_restart_every_minute_is_named_some_times_only() -> None:
    often = MANIFEST.replace("30 4 * * 1", "* * * * *")
    assert len(by_space(of(often, days=92))["acme/demo"].restarts) == 500


def test_a_manifest_without_spaces_has_an_empty_calendar() -> None:
    assert text(of("version: 1\nspaces: {}")).endswith(
        "All: $0.00 a week at most; always on it would be $0.00."
    )
