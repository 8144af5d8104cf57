"""Laws of savings: no amount past what a Space costs, nothing said of visits that nobody told, and what the
edits mend is not found again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hfspace.live.prices import shipped_prices
from hfspace.manifest.models import SpaceSpec
from hfspace.model import BILLED, HOURS_PER_MONTH, SpaceState
from hfspace.planner.savings import Savings, savings
from hfspace.planner.use import DAY, HOUR, Evidence, Use
from tests.unit.builders import live, manifest, snapshot

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
END = NOW.timestamp()
START = END - 30 * DAY
PRICES = shipped_prices().flavors
FLAVORS = ("cpu-basic", "cpu-upgrade", "t4-small", "a10g-small", "l4x1")
STAGES = (
    "RUNNING",
    "RUNNING",
    "RUNNING",
    "SLEEPING",
    "PAUSED",
    "APP_STARTING",
    "BUILDING",
    "RUNTIME_ERROR",
    "RUNNING_BUILDING",
    "NEW",
)

lengths = st.lists(st.integers(1, 40), max_size=12)


@st.composite
def states(draw: st.DrawFn) -> SpaceState:
    flavor = draw(st.sampled_from(FLAVORS))
    asked = draw(st.sampled_from([flavor, draw(st.sampled_from(FLAVORS))]))
    return live(
        hardware=asked,
        hardware_current=flavor,
        stage=draw(st.sampled_from(STAGES)),
        sleep_time=draw(st.sampled_from([-1, 300, 1800, 3600, 12 * HOUR, 2 * DAY])),
        replicas=draw(st.sampled_from([None, 1, 3])),
    )


def used(state: SpaceState, hours: list[int]) -> Use:
    """Runs of so many hours with an hour between them; the last one goes on where the stage says so."""
    runs, begin = [], START
    for length in hours:
        runs.append((begin, begin + length * HOUR))
        begin += (length + 1) * HOUR
    flavor = state.hardware_current or ""
    usd = PRICES[flavor].usd_per_hour * max(state.replicas or 1, 1) * sum(hours)
    running = runs[-1][0] if runs and state.stage in BILLED else None
    return Use(start=START, end=END, usd=usd, awake=tuple(runs), flavors=frozenset({flavor}), running=running)


def judged(state: SpaceState, spec: SpaceSpec, evidence: Evidence) -> Savings:
    return savings(manifest(x=spec), replace(snapshot(state), flavors=PRICES), evidence, NOW)


@settings(max_examples=150, deadline=None)
@given(states(), lengths, st.booleans())
def test_no_space_saves_more_than_it_costs(state: SpaceState, hours: list[int], is_known: bool) -> None:
    use = used(state, hours)
    found = judged(state, SpaceSpec(), Evidence(uses={"acme/x": use} if is_known else {}))
    price = max(PRICES[name or ""].usd_per_hour for name in (state.hardware, state.hardware_current))
    most = price * max(state.replicas or 1, 1) * HOURS_PER_MONTH
    assert Decimal(0) <= found.usd_per_month <= most + Decimal("0.01")
    for one in found.items:
        assert one.rule != "awake-outside-hours"
        assert one.usd_per_month is None or one.usd_per_month >= 0


@settings(max_examples=150, deadline=None)
@given(states(), lengths)
def test_what_the_edits_mend_is_not_found_again(state: SpaceState, hours: list[int]) -> None:
    evidence = Evidence(uses={"acme/x": used(state, hours)})
    first = judged(state, SpaceSpec(), evidence)
    edits: dict[str, Any] = {key: value for one in first.items for key, value in one.edits}
    again = judged(state, SpaceSpec.model_validate(edits), evidence)
    mended = {one.rule for one in first.items if one.edits}
    assert not mended & {one.rule for one in again.items}
