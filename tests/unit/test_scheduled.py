"""Money by the hours of a manifest: exact, over a month and over a year."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from hfspace.manifest.clock import at, segments
from hfspace.manifest.models import SpaceSpec
from hfspace.manifest.zones import zone
from hfspace.planner.scheduled import (
    average_month,
    hours_on,
    month_end,
    rest_of_month,
    scheduled,
    scheduled_spaces,
)

from .builders import FLAVORS, live, manifest, snapshot

OFFICE: dict[str, Any] = {
    "hardware": "t4-small",
    "state": "paused",
    "when": [{"during": "Mon-Fri 08:00-19:00", "set": {"state": "running"}}],
}
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)


def test_office_hours_of_a_month() -> None:
    parts = segments(SpaceSpec.model_validate(OFFICE), zone("UTC"), DECEMBER, month_end(DECEMBER))
    assert hours_on(parts) == 253
    assert scheduled(parts, FLAVORS) == Decimal("101.20")
    always = segments(SpaceSpec(hardware="t4-small"), zone("UTC"), DECEMBER, month_end(DECEMBER))
    assert scheduled(always, FLAVORS) == Decimal("297.60")


def test_a_window_has_a_price_of_its_own() -> None:
    spec = {
        "hardware": "cpu-upgrade",
        "when": [
            {"from": "2026-12-01T09:00", "until": "2026-12-01T18:30", "set": {"hardware": "a10g-small"}}
        ],
    }
    parts = segments(SpaceSpec.model_validate(spec), zone("UTC"), DECEMBER, DECEMBER + timedelta(days=1))
    assert scheduled(parts, FLAVORS) == Decimal("9.5") * Decimal("1.00") + Decimal("14.5") * Decimal("0.03")


def test_the_rest_of_a_month_is_exact_to_the_minute() -> None:
    declared = manifest(x=SpaceSpec.model_validate(OFFICE))
    world = snapshot(live(hardware="t4-small"))
    thursday = datetime(2026, 12, 31, 18, 59, tzinfo=UTC)
    assert rest_of_month(declared, world, thursday) == Decimal("0.40") / 60
    assert rest_of_month(at(declared, thursday), world, thursday) == Decimal("0.40") / 60


def test_an_average_month_is_a_twelfth_of_a_year() -> None:
    declared = manifest(x=SpaceSpec(hardware="t4-small", state="running"))
    assert average_month(declared, snapshot(live()), DECEMBER) == Decimal("0.40") * 730
    office = manifest(x=SpaceSpec.model_validate(OFFICE))
    weekdays = sum((DECEMBER + timedelta(days=day)).weekday() < 5 for day in range(365))
    assert average_month(office, snapshot(live()), DECEMBER) == Decimal("0.40") * 11 * weekdays / 12


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
