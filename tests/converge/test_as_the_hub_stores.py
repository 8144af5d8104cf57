"""What the Hub makes of what it is sent: converge, or say so; never blame a person for our own write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from hfspace.applier.executor import apply
from hfspace.localhub import LocalHub
from hfspace.model import Plan, Status
from hfspace.planner.plan import plan
from tests.converge.harness import OPTIONS, Runner

ENV = {"S1": "s3cret-value-one"}


@contextmanager
def served(live: dict[str, Any] | None = None, **switches: Any) -> Iterator[LocalHub]:
    seed = {
        "accounts": {
            "harbour": {"type": "org", "plan": "team", "can_pay": True},
            "mira": {"type": "user", "orgs": {"harbour": "admin"}},
        },
        "spaces": {
            "harbour/app": {"sdk": "docker", "hardware": "cpu-upgrade", "sleep_time": 3600, **(live or {})}
        },
        "hub": {"switches": switches},
    }
    with LocalHub(seed=seed, clock="manual") as hub:
        yield hub


def runner(hub: LocalHub, **spec: Any) -> Runner:
    return Runner(hub, {"version": 1, "spaces": {"harbour/app": spec}}, ENV)


def messages(plan: Plan) -> list[str]:
    return [check.message for check in plan.checks]


@pytest.mark.parametrize("text", ["x\n", "x ", "", "  "])
@pytest.mark.parametrize("trims", [True, False])
def test_a_description_is_compared_as_the_hub_stores_it(text: str, trims: bool) -> None:
    """Every apply wrote it again, and said that somebody else had changed it."""
    wanted = {
        "secrets": {"S1": {"env": "S1", "description": text}},
        "variables": {"V": {"value": "1", "description": text}},
    }
    with served(trims_descriptions=trims) as hub:
        assert runner(hub, **wanted).apply().exit_code == 0
        assert runner(hub, **wanted).plan().changes == ()


def test_an_empty_description_takes_one_away() -> None:
    live = {"variables": {"V": {"value": "1", "description": "old"}}}
    with served(live) as hub:
        wanted = {"variables": {"V": {"value": "1", "description": ""}}}
        assert runner(hub, **wanted).apply().exit_code == 0
        assert runner(hub, **wanted).plan().changes == ()
        assert not hub.space("harbour/app")["variables"]["V"].get("description")


@pytest.mark.parametrize("trims", [True, False])
def test_values_that_the_hub_trims_are_written_once_and_said(trims: bool) -> None:
    wanted = {"secrets": {"S1": {"env": "S1"}}, "variables": {"V": "x "}}
    with served(trims_values=trims) as hub:
        assert runner(hub, **wanted).apply().exit_code == 0
        plan = runner(hub, **wanted).plan()
        assert plan.changes == ()
        assert any("without the white space at its ends" in text for text in messages(plan)) is trims


COLLIDING = {"secrets": {"LLM_BASE_URL": "old"}}


def test_the_removal_of_a_secret_belongs_to_the_variable_that_takes_its_name() -> None:
    """Targeted alone, the variable brought a running Space to CONFIG_ERROR."""
    with served(COLLIDING) as hub:
        one = runner(hub, variables={"LLM_BASE_URL": "http://llm"})
        pattern = "harbour/app.variables.LLM_BASE_URL"
        made = plan(one.manifest, one.snapshot(), one.inputs, targets=[pattern])
        assert [change.address for change in made.changes] == ["harbour/app.secrets.LLM_BASE_URL", pattern]
        assert "the variable of this name replaces it" in made.changes[0].note
        assert one.apply(targets=(pattern,)).exit_code == 0
        hub.advance(600)
        assert hub.space("harbour/app")["stage"] == "RUNNING"


@pytest.mark.parametrize("kind", ["secrets", "variables"])
def test_a_name_that_an_ignored_kind_holds_is_refused(kind: str) -> None:
    other = "variables" if kind == "secrets" else "secrets"
    with served({kind: {"N": "old"}}) as hub:
        value: Any = "1" if other == "variables" else {"env": "S1"}
        plan = runner(hub, **{other: {"N": value}, "ignore": [kind]}).plan()
        assert [check.address for check in plan.errors] == [f"harbour/app.{other}.N"]


@pytest.mark.parametrize(
    ("live", "spec"),
    [
        ({"stage": "PAUSED"}, {}),
        ({"stage": "PAUSED"}, {"state": "paused"}),
        ({"stage": "SLEEPING"}, {"state": "running"}),
        ({}, {"state": "paused"}),
    ],
)
def test_a_restart_marker_is_not_used_up_without_a_restart(
    live: dict[str, Any], spec: dict[str, Any]
) -> None:
    with served(live) as hub:
        plan = runner(hub, restart="run-42", **spec).plan()
        assert all(change.facet != "restart" for change in plan.changes)
        assert any(text.startswith("run-42 waits: the Space is ") for text in messages(plan))
        assert runner(hub, restart="run-42", **spec).apply().exit_code == 0
        assert "HFSPACE_RESTART" not in hub.space("harbour/app")["variables"]
        hub.set_space("harbour/app", stage="RUNNING")
        again = runner(hub, restart="run-42").apply()
        assert again.exit_code == 0
        assert hub.space("harbour/app")["restarts"] == 1


def test_a_start_uses_the_restart_marker_up() -> None:
    with served({"stage": "PAUSED"}) as hub:
        assert runner(hub, restart="run-42", state="running").apply().exit_code == 0
        assert runner(hub, restart="run-42", state="running").plan().changes == ()
        assert hub.space("harbour/app")["restart_calls"] == 1


def test_a_static_space_is_not_promised_a_restart() -> None:
    with served({"sdk": "static", "hardware": None, "sleep_time": None}) as hub:
        one = runner(hub, restart="run-42", variables={"A": "1"})
        assert messages(one.plan()) == ["a static Space never restarts."]
        assert [change.effects for change in one.plan().changes] == [()]


@pytest.mark.parametrize("when_paused", ["accept", "refuse"])
def test_the_sleep_time_is_set_before_the_pause(when_paused: str) -> None:
    with served(sleep_time_when_paused=when_paused) as hub:
        result = runner(hub, state="paused", sleep_time=7200).apply()
        assert (result.exit_code, hub.space("harbour/app")["sleep_time"]) == (0, 7200)
        assert hub.space("harbour/app")["pauses"] == 1


def test_a_sleeping_space_shows_no_saving_that_the_total_does_not_show() -> None:
    with served({"stage": "SLEEPING"}) as hub:
        plan = runner(hub, state="paused").plan()
        assert plan.changes[0].usd_per_hour_before is None
        assert plan.cost.before_usd_per_hour == plan.cost.after_usd_per_hour == 0


def test_a_hardware_change_of_a_sleeping_space_wakes_it_and_costs_that() -> None:
    with served({"stage": "SLEEPING", "hardware": "a10g-small"}) as hub:
        plan = runner(hub, hardware="t4-small").plan()
        change = plan.changes[0]
        assert "wakes" in change.effects
        assert change.usd_per_hour_before == 0
        assert change.usd_per_hour_after == plan.cost.after_usd_per_hour
        assert plan.cost.before_usd_per_hour == 0


def test_zero_gpu_on_a_live_docker_space_is_an_error_of_the_plan() -> None:
    with served() as hub:
        assert messages(runner(hub, hardware="zero-a10g").plan())[0].startswith("ZeroGPU runs gradio Spaces")


def test_a_plan_that_removes_what_broke_a_space_says_so() -> None:
    live = {"secrets": {"N": "x"}, "variables": {"N": "1"}}
    with served(live) as hub:
        assert hub.space("harbour/app")["stage"] == "CONFIG_ERROR"
        one = runner(hub, variables={"N": "1"})
        assert messages(one.plan()) == [
            "CONFIG_ERROR: N is a variable and a secret at once; the plan mends it."
        ]
        assert one.apply().exit_code == 0
        assert hub.space("harbour/app")["stage"] == "RUNNING"


def test_a_refusal_with_a_body_is_final_and_never_made() -> None:
    """Ended 'its answer was lost; reading shows that it was made' with exit 0, after 28 requests."""
    with served() as hub:
        hub.add_fault({"path": "*/secrets", "method": "POST", "status": 400, "error": "No.", "times": 9})
        one = runner(hub, secrets={"S1": {"env": "S1"}})
        before = len(hub.requests())
        result = one.apply()
        assert (result.exit_code, result.outcomes[0].applied) == (1, ())
        assert sum(entry.method == "POST" for entry in hub.requests()[before:]) == 1
        assert len(hub.requests()) - before < 12


def test_a_lost_answer_that_no_read_can_tell_of_is_not_made() -> None:
    with served(sleep_time_when_paused="accept") as hub:
        hub.add_fault({"path": "*/sleeptime", "method": "POST", "drop": "before", "times": 1})
        assert runner(hub, state="paused", sleep_time=7200).apply().exit_code == 0
        assert hub.space("harbour/app")["sleep_time"] == 7200


@pytest.mark.parametrize("reads", [2, 3])
def test_a_pause_that_the_hub_undoes_later_is_made_again(reads: int) -> None:
    """Exit 0, 'PAUSED'; some reads later it ran and billed."""
    switches = {"hardware_change_wakes_paused": True, "runtime_lags_reads": reads}
    with served(**switches) as hub:
        result = runner(hub, state="paused", hardware="t4-small").apply()
        hub.advance(900)
        doc = hub.space("harbour/app")
        assert (result.exit_code, doc["stage"], doc["requested"]) == (0, "PAUSED", "t4-small")
        assert runner(hub, state="paused", hardware="t4-small").plan().changes == ()


def test_an_undeclared_sleep_time_outlives_a_pause_with_a_hardware_change() -> None:
    with served(hardware_resets_sleep=True) as hub:
        assert runner(hub, state="paused", hardware="t4-small").apply().exit_code == 0
        assert hub.space("harbour/app")["sleep_time"] == 3600


@pytest.mark.parametrize("parallelism", [1, 8])
def test_a_stuck_space_takes_no_time_of_others(parallelism: int) -> None:
    seed: dict[str, Any] = {
        "spaces": {
            "harbour/a": {"stage": "RUNNING", "hardware": "t4-small", "build": "stuck"},
            "harbour/b": {"stage": "PAUSED"},
        }
    }
    wanted = {"harbour/a": {"hardware": "cpu-basic"}, "harbour/b": {"state": "running"}}
    with LocalHub(seed=seed, clock="manual") as hub:
        one = Runner(hub, {"version": 1, "spaces": wanted})
        one.pace._end = 200
        result = one.apply(options=replace(OPTIONS, parallelism=parallelism))
        stuck, other = result.outcomes
        assert "harbour/a is still" in stuck.error
        assert (other.status, other.error) == (Status.DONE, "")


@pytest.mark.parametrize("in_private", [True, False])
@pytest.mark.parametrize("before", ["public", "private", "protected"])
@pytest.mark.parametrize("after", ["public", "private", "protected"])
def test_visibility_is_read_back_exactly(in_private: bool, before: str, after: str) -> None:
    with served({"visibility": before}, protected_in_private=in_private) as hub:
        assert runner(hub, visibility=after).apply().exit_code == 0
        assert hub.space("harbour/app")["visibility"] == after
        assert runner(hub, visibility=after).plan().changes == ()


def test_forty_visibilities_of_one_owner_cost_two_scans() -> None:
    names = [f"harbour/s{number:02}" for number in range(40)]
    live: dict[str, Any] = {name: {"visibility": "private"} for name in names}
    wanted = {"version": 1, "spaces": {name: {"visibility": "protected"} for name in names}}
    with LocalHub(seed={"spaces": live}, clock="manual") as hub:
        assert Runner(hub, wanted).apply().exit_code == 0
        scans = [entry for entry in hub.requests() if entry.path.endswith("/settings/repositories")]
        assert len(scans) == 2
        assert {hub.space(name)["visibility"] for name in names} == {"protected"}


def test_a_visibility_that_somebody_else_changed_is_said_by_the_one_scan() -> None:
    with served({"visibility": "private"}) as hub:

        def click(when: str, method: str, path: str) -> None:
            if when == "after" and method == "PUT":
                hub.set_space("harbour/app", visibility="private")

        hub.set_hook(click)
        result = runner(hub, visibility="protected").apply()
        assert result.exit_code == 3
        assert "was made protected, and is private now" in result.outcomes[0].error


def test_one_variable_costs_six_requests_for_each_space() -> None:
    names = [f"harbour/s{number}" for number in range(4)]
    live: dict[str, Any] = {name: {"variables": {"A": "1"}} for name in names}
    wanted = {"version": 1, "spaces": {name: {"variables": {"A": "2"}} for name in names}}
    with LocalHub(seed={"spaces": live}, clock="manual") as hub:
        one = Runner(hub, wanted)
        snapshot = one.snapshot()
        before = len(hub.requests())
        assert apply(plan(one.manifest, snapshot).approve(), one.run(snapshot)).exit_code == 0
        assert len(hub.requests()) - before <= 6 * len(names)
        assert [hub.space(name)["restarts"] for name in names] == [1] * len(names)
