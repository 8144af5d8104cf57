"""Hours in a plan: what changes now, why, until when; what is held, restarted, kept awake, warned of."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from hfspace.errors import ManifestError, PlanRefused, UsageError
from hfspace.manifest.clock import at
from hfspace.manifest.loader import load
from hfspace.manifest.models import Manifest, Policy, SpaceSpec
from hfspace.model import LocalInputs, Plan, SpaceState
from hfspace.planner.plan import plan
from hfspace.planner.saved import why_stale
from hfspace.planner.warnings import warnings

from .builders import FLAVORS, checks, live, manifest, planned, snapshot, told, variable

WEDNESDAY = datetime(2026, 11, 25, 12, tzinfo=UTC)
NIGHT = datetime(2026, 11, 25, 22, tzinfo=UTC)
OFFICE: dict[str, Any] = {
    "state": "paused",
    "when": [{"during": "Mon-Fri 08:00-19:00", "set": {"state": "running"}}],
}
WEEKLY = {"restart": {"every": "30 4 * * 1"}}
TICK = "2026-11-23T04:30Z"


def at_time(now: datetime, spec: dict[str, Any], state: SpaceState | None, **values: Any) -> Plan:
    return planned(SpaceSpec.model_validate(spec), state, LocalInputs(now=now.timestamp()), **values)


def held(until: str, **values: Any) -> SpaceState:
    return live(marks=(f"hfspace-hold-until-{until}",), **values)


def test_outside_its_hours_a_space_is_paused_and_the_plan_says_why() -> None:
    made = at_time(NIGHT, OFFICE, live())
    assert told(made) == ["state pause 'RUNNING' -> 'PAUSED'"]
    assert made.changes[0].note == "outside Mon-Fri 08:00-19:00, until Thu 08:00"
    assert (made.valid_until, made.timezone) == ("2026-11-26T08:00:00Z", "UTC")


def test_inside_its_hours_it_is_started() -> None:
    made = at_time(WEDNESDAY, OFFICE, live(stage="PAUSED"))
    assert told(made) == ["state restart 'PAUSED' -> 'RUNNING'"]
    assert made.changes[0].note == "inside Mon-Fri 08:00-19:00, until Wed 19:00"
    assert told(at_time(WEDNESDAY, OFFICE, live())) == []


def test_a_manifest_with_hours_has_no_plan_without_a_time() -> None:
    with pytest.raises(UsageError, match="depends on the time"):
        planned(SpaceSpec.model_validate(OFFICE), live())
    assert planned(SpaceSpec(state="paused"), live()).valid_until is None


def test_the_manifest_of_one_time_is_taken_as_it_is() -> None:
    declared = at(manifest(x=SpaceSpec.model_validate(OFFICE)), NIGHT)
    made = plan(declared, snapshot(live()), LocalInputs(now=WEDNESDAY.timestamp()))
    assert told(made) == ["state pause 'RUNNING' -> 'PAUSED'"]


def test_hardware_of_a_window_and_back() -> None:
    box = {"from": "2026-11-25T10:00", "until": "2026-11-25T18:00", "set": {"hardware": "a10g-small"}}
    spec = {"hardware": "cpu-upgrade", "sleep_time": "30m", "when": [box]}
    state = live(hardware="cpu-upgrade", sleep_time=1800)
    assert told(at_time(WEDNESDAY, spec, state)) == ["hardware update 'cpu-upgrade' -> 'a10g-small'"]
    assert told(at_time(NIGHT, spec, state)) == []
    raised = live(hardware="a10g-small", sleep_time=1800)
    assert told(at_time(NIGHT, spec, raised)) == ["hardware update 'a10g-small' -> 'cpu-upgrade'"]


def test_valid_until_is_that_of_the_spaces_of_the_plan() -> None:
    early = {"when": [{"during": "Wed 12:30-13:00", "set": {"state": "running"}}]}
    declared = manifest(x=SpaceSpec.model_validate(OFFICE), y=SpaceSpec.model_validate(early))
    inputs, world = LocalInputs(now=WEDNESDAY.timestamp()), snapshot(live(), live("y"))
    assert plan(declared, world, inputs).valid_until == "2026-11-25T12:30:00Z"
    assert plan(declared, world, inputs, targets=["acme/x"]).valid_until == "2026-11-25T19:00:00Z"


def test_a_saved_plan_past_its_time_is_stale() -> None:
    made = at_time(WEDNESDAY, OFFICE, live(stage="PAUSED"))
    end = datetime(2026, 11, 25, 19, tzinfo=UTC).timestamp()
    assert why_stale(made, made, end - 1) == []
    assert why_stale(made, made, end) == ["the hours of the manifest asked for it until 2026-11-25T19:00:00Z"]


def test_the_plan_of_another_time_is_not_applied() -> None:
    made = replace(at_time(WEDNESDAY, OFFICE, live(stage="PAUSED")), at="2026-12-01T12:00:00Z")
    with pytest.raises(PlanRefused, match="2026-12-01T12:00:00Z"):
        made.approve()
    assert "only looked at" in why_stale(made, made, 0.0)[0]


# restarts


@pytest.mark.parametrize("live_marker", [None, "2026-11-16T04:30Z", "2026-11-21", "2099-01-01T00:00Z"])
def test_the_last_tick_restarts_once(live_marker: str | None) -> None:
    variables = {"HFSPACE_RESTART": variable(live_marker)} if live_marker else {}
    made = at_time(WEDNESDAY, WEEKLY, live(variables=variables))
    assert told(made) == [f"restart restart {live_marker!r} -> '{TICK}'"]
    assert made.changes[0].note == "the tick of Mon 04:30"
    assert made.valid_until == "2026-11-30T04:30:00Z"


@pytest.mark.parametrize("live_marker", [TICK, "2026-11-25T12:30Z"])
def test_a_tick_that_another_runner_took_is_not_taken_again(live_marker: str) -> None:
    made = at_time(WEDNESDAY, WEEKLY, live(variables={"HFSPACE_RESTART": variable(live_marker)}))
    assert told(made) == []


def test_a_paused_space_keeps_the_tick_for_its_start() -> None:
    both = {**OFFICE, "restart": {"every": "0 6 * * *"}}
    paused = live(stage="PAUSED", variables={"HFSPACE_RESTART": variable("2026-11-23T06:00Z")})
    asleep = at_time(NIGHT, both, paused)
    assert (told(asleep), checks(asleep)) == ([], [])
    started = at_time(WEDNESDAY, both, paused)
    assert told(started) == [
        "restart restart '2026-11-23T06:00Z' -> '2026-11-25T06:00Z'",
        "state restart 'PAUSED' -> 'RUNNING'",
    ]
    assert [change.effects for change in started.changes] == [(), ("wakes",)]


def test_a_rebuild_is_a_restart_that_builds_anew() -> None:
    spec = {"restart": {"value": "v2", "rebuild": True}}
    (change,) = at_time(WEDNESDAY, spec, live()).changes
    assert (change.rebuild, change.note) == (True, "factory rebuild")
    (start,) = (
        one
        for one in at_time(WEDNESDAY, {**spec, "state": "running"}, live(stage="PAUSED")).changes
        if not one.power
    )
    assert not start.rebuild


# awake


def test_awake_is_running_and_not_sleeping() -> None:
    spec = {"state": "awake", "hardware": "t4-small", "sleep_time": "1h"}
    asleep = live(stage="SLEEPING", hardware="t4-small", sleep_time=3600)
    made = at_time(WEDNESDAY, spec, asleep)
    assert told(made) == ["state restart 'SLEEPING' -> 'RUNNING'"]
    assert (made.changes[0].effects, made.changes[0].note) == (("wakes", "bills"), "one visit wakes it")
    assert told(at_time(WEDNESDAY, {**spec, "state": "running"}, asleep)) == []
    assert told(at_time(WEDNESDAY, spec, live(hardware="t4-small", sleep_time=3600))) == []


def test_free_hardware_is_kept_awake_only_inside_a_window() -> None:
    asleep = live(stage="SLEEPING")
    made = at_time(WEDNESDAY, {"state": "awake"}, asleep)
    assert (told(made), checks(made)) == (
        [],
        ["error state: free hardware is kept awake only inside a window."],
    )
    window = {"when": [{"during": "Mon-Fri 08:00-19:00", "set": {"state": "awake"}}]}
    assert told(at_time(WEDNESDAY, window, asleep)) == ["state restart 'SLEEPING' -> 'RUNNING'"]
    assert told(at_time(NIGHT, window, asleep)) == []


def test_an_unknown_stage_is_not_awake() -> None:
    made = at_time(
        WEDNESDAY, {"state": "awake", "hardware": "t4-small"}, live(stage=None, hardware="t4-small")
    )
    assert told(made) == []
    assert checks(made) == ["unknown state: the Hub does not tell its stage."]


# holds


def test_the_hours_of_a_space_that_is_held_are_left_alone() -> None:
    made = at_time(NIGHT, OFFICE, held("20261125T2300Z"))
    assert told(made) == []
    assert [change.note for change in made.ignored] == ["held until Wed 23:00"]
    assert made.held == {"acme/x": "2026-11-25T23:00:00Z"}
    assert made.valid_until == "2026-11-25T23:00:00Z"


def test_what_hours_do_not_decide_goes_on_while_it_is_held() -> None:
    made = at_time(NIGHT, {**OFFICE, "variables": {"A": "1"}}, held("20261125T2300Z"))
    assert told(made) == ["variables.A create None -> '1'"]


def test_a_hold_stops_regular_restarts() -> None:
    made = at_time(WEDNESDAY, WEEKLY, held("20261125T2300Z"))
    assert told(made) == []


def test_a_hold_whose_time_is_over_goes_with_the_pause() -> None:
    made = at_time(NIGHT, OFFICE, held("20261125T2100Z"))
    over = "hold delete ['hfspace-hold-until-20261125T2100Z'] -> None"
    assert told(made) == ["state pause 'RUNNING' -> 'PAUSED'", over]
    assert made.held == {}
    rest = at_time(NIGHT, OFFICE, held("20261125T2100Z", stage="PAUSED"))
    assert told(rest) == [over]


def test_a_hold_whose_time_is_over_restarts_nothing() -> None:
    made = at_time(WEDNESDAY, OFFICE, held("20261125T1100Z"))
    assert [(change.facet, change.effects) for change in made.changes] == [("hold", ())]


def test_a_hold_that_is_no_time_holds_and_is_told() -> None:
    made = at_time(NIGHT, OFFICE, held("tomorrow"))
    assert told(made) == []
    assert made.held == {"acme/x": ""}
    assert checks(made)[0].startswith("warning hold: a hold says no time")


def test_a_hold_that_can_not_be_read_is_unknown() -> None:
    made = at_time(NIGHT, OFFICE, live(marks=None))
    assert "unknown hold: whether somebody holds it can't be read with this token." in checks(made)


def test_a_space_without_hours_has_no_hold() -> None:
    state = held("20261125T2300Z")
    made = planned(SpaceSpec(state="paused", prune=["variables"]), state, names_read=True)
    assert told(made) == ["state pause 'RUNNING' -> 'PAUSED'"]
    assert made.undeclared == ()


# what is refused, and what is warned of


def loaded(space: str, top: str = "") -> Manifest:
    return load([("spaces.yaml", f"version: 1\n{top}\nspaces:\n  acme/x: {space}\n")], env={})


@pytest.mark.parametrize(
    ("space", "says"),
    [
        ("{when: [{during: Mon 08:00-24:00, set: {}}]}", "There is no 24:00"),
        ("{when: [{from: 2026-02-30, set: {}}]}", "There is no day 2026-02-30"),
        ("{when: [{from: 2026-12-02, until: 2026-12-01, set: {}}]}", "over before it begins"),
        ("{when: [{during: Mon, from: 2026-12-01, until: 2026-12-05, set: {}}]}", "none of its hours"),
        ("{when: [{set: {}}]}", "needs a time"),
        ("{when: [{during: Mon, set: {variables: {A: b}}}]}", "'set' has no key 'variables'"),
        ("{when: [{during: Mon, set: {state: absent}}]}", "'state' can't be 'absent'"),
        ("{when: [{during: Mon, set: {hardware: 'a b'}}]}", "'a b' is no name of hardware"),
        ("{hardware: cpu-basic, when: [{during: Mon, set: {sleep_time: 1h}}]}", "fixed sleep time"),
        ("{when: [{from: 2026-12-01T09:00+01:00, set: {}}]}", "leave out what follows"),
        ("{when: [{until: 9999-12-31, set: {}}]}", "a year is 1970 to 2999"),
        ("{sdk: static, when: [{during: Mon, set: {visibility: private}}]}", "a static Space has no when"),
        ("{state: absent, when: [{during: Mon, set: {}}]}", "to be absent has no hours"),
        ("{state: awake, hardware: cpu-basic}", "only inside a window"),
        ("{restart: {every: '0 30 4 * * 1'}}", "five fields, and this has 6 (there are no seconds)"),
        ("{restart: {every: '0 0 30 2 *'}}", "it never comes"),
        ("{restart: {every: '0 0 32 * *'}}", "'32' is no day of the month"),
        ("{restart: {every: '*/0 * * * *'}}", "'*/0' is no minute"),
        ("{restart: {every: '0 0 * * Mo'}}", "'Mo' is no day of the week"),
        ("{restart: {every: 'daily'}}", "five fields"),
        ("{restart: {every: '0 4 * * *', value: x}}", "restart has value and every"),
        ("{restart: {rebuild: true}}", "nothing that it waits for"),
        ("{restart: {on: files}}", "no files of ours that a restart could follow"),
        ("{restart: {on: push}}", "It is one of: files"),
    ],
)
def test_what_hours_can_not_say(space: str, says: str) -> None:
    with pytest.raises(ManifestError) as caught:
        loaded(space)
    assert says.lower() in " ".join(f"{one.message}: {one.hint}" for one in caught.value.problems).lower()


def test_on_needs_no_quotes_in_a_restart() -> None:
    restart = loaded("{files: app, restart: {on: files, rebuild: true}}").spaces["acme/x"].restart
    assert restart is not None
    assert (restart.on, restart.rebuild) == ("files", True)


def test_two_files_have_one_timezone() -> None:
    one, two = "version: 1\ntimezone: Europe/Paris\n", "version: 1\ntimezone: UTC\n"
    with pytest.raises(ManifestError) as caught:
        load([("a.yaml", one), ("b.yaml", two)], env={})
    assert caught.value.problems[0].message == "timezone is Europe/Paris at a.yaml:2:1"
    assert load([("a.yaml", one)], overlays=[("b.yaml", two)], env={}).timezone == "UTC"


@pytest.mark.parametrize(
    ("space", "says"),
    [
        (
            "{when: [{during: Mon-Fri, set: {}}, {during: Tue 08:00-09:00, set: {}}]}",
            "Tue 08:00-09:00 never holds: windows before it do at all of its times.",
        ),
        (
            "{when: [{during: Mon 08:00-08:03, set: {}}]}",
            "Mon 08:00-08:03 is 3 minutes, and a start may take 5 minutes.",
        ),
        ("{restart: {every: '* * * * *'}}", "it restarts every 1 minute, and a start may take 5 minutes."),
        (
            "{hardware: cpu-upgrade, when: [{during: Mon, set: {hardware: a10g-small}}]}",
            "if no runner comes at the end of this window, a10g-small goes on at $0.97 more an hour, "
            "$23.28 a day.",
        ),
        (
            "{hardware: t4-small, state: paused, when: [{during: Mon, set: {state: running}}]}",
            "if no runner comes at the end of this window, t4-small goes on at $0.40 more an hour, "
            "$9.60 a day.",
        ),
    ],
)
def test_what_is_hardly_ever_meant_is_warned_of(space: str, says: str) -> None:
    (check,) = warnings(loaded(space), FLAVORS)
    assert (check.severity, check.message) == ("warning", says)


@pytest.mark.parametrize(
    "space",
    [
        "{hardware: cpu-upgrade, sleep_time: 30m, when: [{during: Mon, set: {hardware: a10g-small}}]}",
        "{hardware: a10g-small, when: [{during: Mon, set: {hardware: cpu-upgrade}}]}",
        "{hardware: a10g-small, when: [{during: Mon, set: {state: paused}}]}",
        "{when: [{during: Mon 08:00-09:00, set: {}}, {during: Mon 08:30-10:00, set: {}}]}",
        "{restart: {every: '0 4 * * *'}}",
    ],
)
def test_what_is_meant_is_not(space: str) -> None:
    assert warnings(loaded(space), FLAVORS) == []


def test_the_policy_holds_inside_windows_at_any_time() -> None:
    window = {"during": "Mon 08:00-09:00", "set": {"hardware": "a10g-small"}}
    spec = SpaceSpec.model_validate({"hardware": "cpu-upgrade", "sleep_time": "1h", "when": [window]})
    policy = Policy(allowed_hardware=["cpu-upgrade"], require_sleep_time=True)
    made = plan(
        manifest(policy, x=spec), snapshot(live(hardware="cpu-upgrade", sleep_time=3600)),
        LocalInputs(now=NIGHT.timestamp()),
    )  # fmt: skip
    assert [check.message for check in made.breaches] == [
        "acme/x is to run on a10g-small inside a window, which is not allowed."
    ]
    free = SpaceSpec.model_validate({"hardware": "cpu-basic", "when": [window]})
    strict = manifest(Policy(require_sleep_time=True), x=free)
    made = plan(strict, snapshot(live()), LocalInputs(now=NIGHT.timestamp()))
    assert [check.message for check in made.breaches] == [
        "acme/x is to run on a10g-small inside a window without a sleep time."
    ]


def test_hours_without_a_transition_to_come_are_valid_for_ever() -> None:
    over = {"when": [{"from": "2026-01-01", "until": "2026-01-02", "set": {"state": "running"}}]}
    assert at_time(WEDNESDAY + timedelta(days=1), over, live()).valid_until is None


@pytest.mark.parametrize("now", [WEDNESDAY, NIGHT])
@pytest.mark.parametrize("stage", ["RUNNING", "PAUSED"])
def test_the_ceiling_of_hours_is_one_by_day_and_by_night(now: datetime, stage: str) -> None:
    spec = {**OFFICE, "hardware": "t4-small"}
    cost = at_time(now, spec, live(stage=stage, hardware="t4-small")).cost
    assert (cost.before_usd_per_month, cost.after_usd_per_month) == (Decimal("292.00"), Decimal("292.00"))


def test_the_ceiling_counts_the_dearest_of_its_windows() -> None:
    box = {"from": "2026-12-01", "until": "2026-12-02", "set": {"hardware": "a10g-small"}}
    spec = {"hardware": "cpu-upgrade", "when": [box]}
    cost = at_time(WEDNESDAY, spec, live(hardware="t4-small")).cost
    assert (cost.before_usd_per_month, cost.after_usd_per_month) == (Decimal("292.00"), Decimal("730.00"))
    paused = {**spec, "state": "paused"}
    assert at_time(WEDNESDAY, paused, live(hardware="cpu-upgrade")).cost.after_usd_per_month == 0
