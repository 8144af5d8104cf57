"""Hours against the local Hub: what is due happens once, whatever breaks on the way, and nobody is fought."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from hfspace.applier.executor import apply
from hfspace.applier.run import Run
from hfspace.errors import HubError
from hfspace.live.hold import held_until, hold, read_holds, release
from hfspace.live.marks import read_marks, set_mark
from hfspace.live.waking import visit
from hfspace.localhub import LocalHub
from hfspace.manifest import ticks
from hfspace.manifest.clock import at
from hfspace.model import REBUILD_TAG, ApplyResult, Snapshot, SpaceState, Variable
from hfspace.planner.hours import resolved
from hfspace.planner.plan import plan
from tests.converge.harness import Runner
from tests.converge.test_meanwhile import Meanwhile

WEDNESDAY = datetime(2026, 11, 25, 12, tzinfo=UTC)
NIGHT = datetime(2026, 11, 25, 22, tzinfo=UTC)
TICK = "2026-11-23T04:30Z"
OFFICE: dict[str, Any] = {
    "state": "paused",
    "when": [{"during": "Mon-Fri 08:00-19:00", "set": {"state": "running"}}],
}
WEEKLY: dict[str, Any] = {"restart": {"every": "30 4 * * 1"}}


class Clock(Runner):
    """A runner whose clock shows `now`."""

    def __init__(self, hub: LocalHub, now: datetime, **spec: Any) -> None:
        super().__init__(hub, {"version": 1, "spaces": {"acme/x": spec}})
        self.manifest = at(self.manifest, now)
        self.inputs = replace(self.inputs, now=now.timestamp())
        self.visit: Callable[[SpaceState], None] = lambda state: visit(self.client, state)

    def run(self, snapshot: Snapshot, **values: Any) -> Run:
        run = super().run(snapshot, **values)
        return replace(
            run, ports=replace(run.ports, visit=self.visit), manifest=resolved(self.manifest, snapshot, None)
        )


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    with opened(stage="RUNNING", hardware="cpu-upgrade", sleep_time=600) as hub:
        yield hub


def opened(switches: dict[str, Any] | None = None, **space: Any) -> LocalHub:
    seed = {"spaces": {"acme/x": space}, "hub": {"edge": True, "switches": switches or {}}}
    return LocalHub(seed=seed, clock="manual")


def marker(hub: LocalHub) -> str | None:
    entry = hub.space("acme/x")["variables"].get("HFSPACE_RESTART")
    return entry["value"] if entry else None


def in_line(one: Clock) -> bool:
    return one.plan().is_empty


def done(result: ApplyResult) -> bool:
    return not result.failed


def test_a_night_and_a_day(hub: LocalHub) -> None:
    night = Clock(hub, NIGHT, **OFFICE)
    assert done(night.apply())
    assert (hub.space("acme/x")["stage"], in_line(night)) == ("PAUSED", True)
    day = Clock(hub, WEDNESDAY, **OFFICE)
    assert done(day.apply())
    assert (hub.space("acme/x")["stage"], in_line(day)) == ("RUNNING", True)
    assert (hub.space("acme/x")["pauses"], hub.space("acme/x")["restarts"]) == (1, 1)


def test_a_sleeping_space_is_woken_by_one_visit() -> None:
    window = {"when": [{"during": "Mon-Fri 08:00-19:00", "set": {"state": "awake"}}]}
    with opened(stage="SLEEPING", hardware="cpu-basic") as hub:
        one = Clock(hub, WEDNESDAY, **window)
        assert done(one.apply())
        assert (hub.space("acme/x")["stage"], in_line(one)) == ("RUNNING", True)
        assert (hub.space("acme/x")["restart_calls"], hub.writes()) == (0, [])


def test_a_visit_that_wakes_nothing_is_told() -> None:
    with opened(stage="SLEEPING", hardware="t4-small", sleep_time=600) as hub:
        one = Clock(hub, WEDNESDAY, state="awake", hardware="t4-small")
        one.visit = lambda state: None
        (outcome,) = one.apply().outcomes
        assert outcome.error == "acme/x is still SLEEPING: the visit did not wake it."


def test_an_app_that_can_not_be_visited_is_told() -> None:
    def unreachable(state: SpaceState) -> None:
        visit(one.client, replace(state, host="http://127.0.0.1:9"))

    with opened(stage="SLEEPING", hardware="t4-small", sleep_time=600) as hub:
        one = Clock(hub, WEDNESDAY, state="awake", hardware="t4-small")
        one.visit = unreachable
        (outcome,) = one.apply().outcomes
        assert outcome.error.startswith("acme/x could not be visited at http://127.0.0.1:9: ")
        assert not outcome.applied


def test_one_tick_is_one_restart(hub: LocalHub) -> None:
    one = Clock(hub, WEDNESDAY, **WEEKLY)
    assert done(one.apply())
    assert (marker(hub), hub.space("acme/x")["restarts"], in_line(one)) == (TICK, 1, True)
    assert done(Clock(hub, NIGHT, **WEEKLY).apply())
    assert hub.space("acme/x")["restarts"] == 1


def test_a_second_runner_with_a_slow_clock_restarts_nothing_again(hub: LocalHub) -> None:
    hourly = {"restart": {"every": "0 * * * *"}}
    assert done(Clock(hub, WEDNESDAY, **hourly).apply())
    slow = Clock(hub, datetime(2026, 11, 25, 11, 59, 30, tzinfo=UTC), **hourly)
    assert slow.plan().is_empty
    assert hub.space("acme/x")["restarts"] == 1


def test_two_runners_at_once_make_one_restart(hub: LocalHub) -> None:
    first, second = (Clock(hub, WEDNESDAY, **WEEKLY) for _ in range(2))
    snapshot = first.snapshot()
    approved = plan(first.manifest, snapshot, first.inputs).approve()
    assert done(second.apply())
    assert done(apply(approved, first.run(snapshot)))
    assert hub.space("acme/x")["restarts"] == 1


@pytest.mark.parametrize("drop", ["before", "after"])
def test_a_lost_answer_is_no_lost_restart_and_no_second_one(hub: LocalHub, drop: str) -> None:
    hub.add_fault({"path": "/api/spaces/*/*/variables", "method": "POST", "drop": drop, "times": 1})
    one = Clock(hub, WEDNESDAY, **WEEKLY)
    assert done(one.apply_until_done())
    assert (marker(hub), hub.space("acme/x")["restarts"]) == (TICK, 1)


def test_reads_that_lag_make_no_second_restart() -> None:
    switches = {"runtime_lags_reads": 3, "restart_lag": 5}
    with opened(switches, stage="RUNNING", hardware="cpu-upgrade", sleep_time=600) as hub:
        one = Clock(hub, WEDNESDAY, **WEEKLY)
        assert done(one.apply_until_done())
        assert done(one.apply_until_done())
        assert (marker(hub), hub.space("acme/x")["restarts"]) == (TICK, 1)


def test_a_restart_that_failed_is_still_due(hub: LocalHub) -> None:
    hub.add_fault({"path": "/api/spaces/*/*/variables", "method": "POST", "status": 403, "times": 1})
    one = Clock(hub, WEDNESDAY, **WEEKLY)
    assert not done(one.apply())
    assert (marker(hub), in_line(one)) == (None, False)
    assert done(one.apply())
    assert (marker(hub), hub.space("acme/x")["restarts"]) == (TICK, 1)


def factory_calls(hub: LocalHub) -> int:
    return sum(one.path.endswith("/restart") and one.status == 200 for one in hub.writes())


def test_a_rebuild_comes_after_its_marker(hub: LocalHub) -> None:
    one = Clock(hub, WEDNESDAY, restart={"value": "v2", "rebuild": True})
    assert done(one.apply())
    calls = [write.path.removeprefix("/api/spaces/acme/x/") for write in hub.writes()]
    assert calls == ["tag/main", "variables", "restart", f"tag/{REBUILD_TAG}"]
    assert (marker(hub), factory_calls(hub), in_line(one)) == ("v2", 1, True)


@pytest.mark.parametrize("before", [None, "v1"])
def test_a_rebuild_that_is_refused_is_still_due(hub: LocalHub, before: str | None) -> None:
    if before:
        assert done(Clock(hub, WEDNESDAY, restart=before).apply())
    hub.add_fault({"path": "/api/spaces/*/*/restart", "method": "POST", "status": 403, "times": 1})
    one = Clock(hub, WEDNESDAY, restart={"value": "v2", "rebuild": True})
    assert not done(one.apply())
    (change,) = one.plan().changes
    assert (change.rebuild, change.note) == (True, "factory rebuild, still due")
    assert done(one.apply())
    assert (marker(hub), factory_calls(hub), in_line(one)) == ("v2", 1, True)
    assert read_marks("acme/x", one.client) == ()


@pytest.mark.parametrize("path", ["tag/*", "variables", "restart"])
@pytest.mark.parametrize("drop", ["before", "after"])
def test_a_rebuild_whose_answer_is_lost_is_made(hub: LocalHub, path: str, drop: str) -> None:
    hub.add_fault({"path": f"/api/spaces/*/*/{path}", "drop": drop, "times": 1})
    one = Clock(hub, WEDNESDAY, restart={"value": "v2", "rebuild": True})
    assert done(one.apply_until_done())
    assert (marker(hub), factory_calls(hub) >= 1, in_line(one)) == ("v2", True, True)


@pytest.mark.parametrize("last", ["tag/main", "variables", "restart"])
def test_a_rebuild_survives_a_process_that_is_killed_after_any_of_its_requests(
    hub: LocalHub, last: str
) -> None:
    """What the killed run has written is there; the next one makes the rest."""
    one = Clock(hub, WEDNESDAY, restart={"value": "v2", "rebuild": True})
    set_mark("acme/x", REBUILD_TAG, one.client)
    if last != "tag/main":
        one.client.set_variable("acme/x", "HFSPACE_RESTART", Variable(value="v2"))
    if last == "restart":
        one.client.restart("acme/x", factory=True)
    assert done(one.apply_until_done())
    assert (factory_calls(hub), marker(hub), in_line(one)) == (2 if last == "restart" else 1, "v2", True)


def test_a_hold_that_comes_after_the_plan_is_respected(hub: LocalHub) -> None:
    one = Clock(hub, NIGHT, **OFFICE)
    snapshot = one.snapshot()
    approved = plan(one.manifest, snapshot, one.inputs).approve()
    hold("acme/x", datetime(2026, 11, 25, 23, tzinfo=UTC), one.client)
    assert done(apply(approved, one.run(snapshot)))
    assert (hub.space("acme/x")["stage"] == "PAUSED", hub.space("acme/x")["pauses"]) == (False, 0)


def test_a_hold_that_is_over_leaves_nothing_behind(hub: LocalHub) -> None:
    one = Clock(hub, NIGHT, **OFFICE)
    hold("acme/x", datetime(2026, 11, 25, 21, tzinfo=UTC), one.client)
    restarts = hub.space("acme/x")["restarts"]
    assert done(one.apply())
    space = hub.space("acme/x")
    assert (space["stage"], space["variables"], space["restarts"]) == ("PAUSED", {}, restarts)
    assert in_line(one)


def test_a_hold_is_written_read_and_released(hub: LocalHub) -> None:
    one, until = Clock(hub, NIGHT, **OFFICE), datetime(2026, 11, 25, 23, tzinfo=UTC)
    hold("acme/x", until, one.client)
    assert held_until(one.snapshot().spaces["acme/x"]) == until
    assert in_line(one)
    release("acme/x", read_holds("acme/x", one.client), one.client)
    assert held_until(one.snapshot().spaces["acme/x"]) is None
    assert not in_line(one)


def test_who_starts_it_meanwhile_is_not_fought(hub: LocalHub) -> None:
    Meanwhile(hub, "/pause", lambda: hub.set_space("acme/x", stage="RUNNING"))
    result = Clock(hub, NIGHT, **OFFICE).apply()
    assert "was started by somebody else" in result.outcomes[0].error
    assert hub.space("acme/x")["pauses"] == 1


FAULTS = st.sampled_from(
    [
        None,
        {"path": "/api/spaces/*/*/variables", "method": "POST", "drop": "after", "times": 1},
        {"path": "/api/spaces/*/*/variables", "method": "POST", "drop": "before", "times": 1},
        {"path": "/api/spaces/*/*/variables", "method": "POST", "status": 503, "times": 2},
        {"path": "/api/spaces/*/*/variables", "method": "POST", "status": 403, "times": 1},
        {"path": "/api/spaces/*/*", "method": "GET", "status": 500, "times": 2},
    ]
)
TURNS = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 150), FAULTS), min_size=1, max_size=6)


@settings(max_examples=8, deadline=None, phases=[Phase.generate])
@given(turns=TURNS, lag=st.integers(0, 3))
def test_no_tick_is_lost_and_none_restarts_twice(turns: list[tuple[int, int, Any]], lag: int) -> None:
    """Three runners whose clocks differ by half an hour, each turn at another time, with what breaks."""
    with opened({"runtime_lags_reads": lag}, stage="RUNNING", hardware="cpu-upgrade", sleep_time=-1) as hub:
        now, newest, markers = WEDNESDAY, WEDNESDAY - timedelta(days=1), []
        for runner, minutes, fault in turns:
            now += timedelta(minutes=minutes)
            here = now + timedelta(minutes=30 * (runner - 1))
            if fault:
                hub.add_fault(fault)
            with suppress(HubError):
                result = Clock(hub, here, restart={"every": "0 * * * *"}).apply()
                newest = newest if result.failed else max(newest, here)
            hub.clear_faults()
            hub.advance(600)
            markers.append(marker(hub))
        seen = [one for one in dict.fromkeys(markers) if one is not None]
        assert seen == sorted(seen)
        assert hub.space("acme/x")["restarts"] == len(seen)
        if newest >= WEDNESDAY:
            assert seen[-1] >= ticks.marker(ticks.last("0 * * * *", UTC, newest))
