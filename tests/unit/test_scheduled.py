"""Money by the hours of a manifest: exact, over a month and over a year."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from hfspace.manifest.clock import at
from hfspace.manifest.models import SpaceSpec
from hfspace.planner.scheduled import month_end, scheduled_spaces

from .builders import live, manifest, snapshot

OFFICE: dict[str, Any] = {
    "hardware": "t4-small",
    "state": "paused",
    "when": [{"during": "Mon-Fri 08:00-19:00", "set": {"state": "running"}}],
}
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)


def usd(spec: dict[str, Any], start: datetime, end: datetime) -> Decimal:
    declared = manifest(x=SpaceSpec.model_validate(spec))
    return scheduled_spaces(declared, snapshot(live(hardware="t4-small")), start, end)["acme/x"]


def test_office_hours_of_a_month() -> None:
    end = month_end(DECEMBER)
    assert end == datetime(2027, 1, 1, tzinfo=UTC)
    assert usd(OFFICE, DECEMBER, end) == Decimal("101.20") == Decimal("0.40") * 253
    assert usd({"hardware": "t4-small", "state": "running"}, DECEMBER, end) == Decimal("297.60")


def test_a_window_has_a_price_of_its_own() -> None:
    window = {"from": "2026-12-01T09:00", "until": "2026-12-01T18:30", "set": {"hardware": "a10g-small"}}
    spec = {"hardware": "cpu-upgrade", "when": [window]}
    cost = usd(spec, DECEMBER, DECEMBER + timedelta(days=1))
    assert cost == Decimal("9.5") * Decimal("1.00") + Decimal("14.5") * Decimal("0.03")


def test_the_rest_of_a_month_is_exact_to_the_minute() -> None:
    thursday = datetime(2026, 12, 31, 18, 59, tzinfo=UTC)
    assert usd(OFFICE, thursday, month_end(thursday)) == Decimal("0.40") / 60


def test_hours_cost_the_same_in_the_manifest_of_one_time() -> None:
    declared, world = manifest(x=SpaceSpec.model_validate(OFFICE)), snapshot(live(hardware="t4-small"))
    night = at(declared, DECEMBER)
    assert scheduled_spaces(night, world, DECEMBER, month_end(DECEMBER)) == {"acme/x": Decimal("101.20")}


def test_a_year_of_office_hours() -> None:
    weekdays = sum((DECEMBER + timedelta(days=day)).weekday() < 5 for day in range(365))
    assert usd(OFFICE, DECEMBER, DECEMBER + timedelta(days=365)) == Decimal("0.40") * 11 * weekdays


@pytest.mark.parametrize(
    ("spec", "state", "hours"),
    [
        ({}, {"stage": "RUNNING", "hardware": "t4-small"}, 24),
        ({}, {"stage": "PAUSED", "hardware": "t4-small"}, 0),
        ({"state": "paused"}, {"stage": "RUNNING", "hardware": "t4-small"}, 0),
        ({"state": "absent"}, {"stage": "RUNNING", "hardware": "t4-small"}, 0),
        ({"state": "running", "ignore": ["state"]}, {"stage": "PAUSED", "hardware": "t4-small"}, 0),
        ({**OFFICE, "ignore": ["state"]}, {"stage": "RUNNING", "hardware": "t4-small"}, 24),
        (OFFICE, {"stage": "PAUSED", "hardware": "cpu-basic"}, 11),
        ({"state": "running", "hardware": "t4-small"}, None, 0),
        ({"state": "running", "hardware": "t4-small", "create": {}, "sdk": "gradio"}, None, 24),
        ({}, {"stage": "RUNNING", "hardware": "t4-small", "replicas": 2}, 48),
    ],
)
def test_what_nobody_declares_is_counted_as_it_is(
    spec: dict[str, Any], state: dict[str, Any] | None, hours: int
) -> None:
    world = snapshot(*([live(**state)] if state else []))
    declared = manifest(x=SpaceSpec.model_validate(spec))
    costs = scheduled_spaces(declared, world, DECEMBER, DECEMBER + timedelta(days=1))
    assert sum(costs.values()) == Decimal("0.40") * hours
