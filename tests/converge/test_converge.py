"""Plan, apply, plan again against the local Hub, through the real huggingface_hub."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hfspace.localhub import LocalHub
from hfspace.model import Status
from tests.converge.harness import Runner

ENV = {"TOKEN_ONE": "s3cret-value-one", "TOKEN_TWO": "s3cret-value-two"}

EVERYTHING = """
version: 1
policy: {max_monthly_usd: 2000, max_running: 20}
spaces:
  acme/every:
    sdk: gradio
    visibility: protected
    hardware: t4-small
    sleep_time: 1h
    state: running
    on_error: restart
    restart: "one"
    dev_mode: true
    variables:
      A: one
      MOVES: now-a-variable
      NUMBER: {value: 4, description: a number}
    secrets:
      S: {env: TOKEN_ONE}
      OPEN: {env: TOKEN_TWO, description: was a variable}
    volumes:
      - {source: hf://buckets/acme/audio, mount_path: /data}
    prune: [variables, secrets, volumes]
    ignore: [visibility]
    depends_on: [acme/new]
  acme/asleep: {hardware: cpu-upgrade, sleep_time: 30m, state: running, visibility: private}
  acme/off: {state: paused, hardware: cpu-upgrade, variables: {X: "1"}}
  acme/gone: {state: absent}
  acme/kept: {protect: true, visibility: public}
  acme/new:
    sdk: docker
    hardware: cpu-upgrade
    sleep_time: 15m
    variables: {GREETING: hello}
    secrets: {S: {env: TOKEN_ONE}}
    restart: "one"
    visibility: private
    create: {template: SpacesExamples/jupyterlab}
  acme/new-paused: {sdk: gradio, state: paused, dev_mode: false, create: {}}
"""

SEED = {
    "spaces": {
        "acme/every": {
            "stage": "PAUSED",
            "hardware": "cpu-basic",
            "variables": {"A": "old", "GONE": "x", "OPEN": "open"},
            "secrets": {"MOVES": "x", "EXTRA": "y"},
            "volumes": [{"type": "model", "source": "acme/m", "mountPath": "/m", "readOnly": True}],
        },
        "acme/asleep": {"stage": "SLEEPING", "hardware": "cpu-upgrade", "sleep_time": -1},
        "acme/off": {"stage": "RUNNING", "hardware": "t4-small"},
        "acme/gone": {"stage": "RUNNING"},
        "acme/kept": {"stage": "RUNNING"},
        "acme/nobodys": {"stage": "RUNNING", "hardware": "t4-small", "variables": {"V": "1"}},
    }
}


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    with LocalHub(seed=SEED, clock="manual") as hub:
        yield hub


@pytest.mark.parametrize("hard", [True, False], ids=["harder switches", "easier switches"])
def test_a_manifest_with_every_facet_converges_and_the_second_apply_writes_nothing(hard: bool) -> None:
    switches = {} if hard else {
        "hardware_change_wakes_paused": False,
        "hardware_resets_sleep": False,
        "sleeptime_on_free": "ignore",
        "description_dropped": False,
        "list_runtime_has_volumes": True,
        "list_runtime_has_error": True,
        "identical_post_restarts": False,
        "coalesce_restarts": True,
        "max_page": 2,
    }  # fmt: skip
    with LocalHub(seed={**SEED, "hub": {"switches": switches}}, clock="manual") as hub:
        untouched = hub.space("acme/nobodys")
        runner = Runner(hub, everything(), ENV)
        result = runner.apply()
        assert [(o.space, o.error) for o in result.outcomes if o.status is not Status.DONE] == []
        assert runner.plan().changes == ()
        hub.clear_requests()
        again = Runner(hub, everything(), ENV)
        assert not again.apply().changed
        assert hub.writes() == []
        every = hub.space("acme/every")
        assert every["visibility"] == "public"  # ignored
        assert (every["requested"], every["sleep_time"], every["stage"]) == ("t4-small", 3600, "RUNNING")
        assert set(every["variables"]) == {"A", "MOVES", "NUMBER", "HFSPACE_RESTART"}
        assert {key: item["value"] for key, item in every["secrets"].items()} == {
            "S": "s3cret-value-one",
            "OPEN": "s3cret-value-two",
        }
        assert [item["mountPath"] for item in every["volumes"]] == ["/data"]
        assert hub.space("acme/off")["stage"] == "PAUSED"
        assert hub.space("acme/new-paused")["stage"] == "PAUSED"
        assert "acme/gone" not in hub.spaces()
        after = hub.space("acme/nobodys")
        assert {k: v for k, v in after.items() if k not in {"stage", "since"}} == {
            k: v for k, v in untouched.items() if k not in {"stage", "since"}
        }


def everything() -> str:
    """The manifest that uses every facet. create_repo has templates since huggingface_hub 1.23 only."""
    import inspect

    from huggingface_hub import HfApi

    has_templates = "space_template" in inspect.signature(HfApi.create_repo).parameters
    return EVERYTHING if has_templates else EVERYTHING.replace("{template: SpacesExamples/jupyterlab}", "{}")


def test_a_plan_of_50_spaces_of_one_owner_takes_3_requests() -> None:
    names = [f"acme/s{number:02}" for number in range(50)]
    spaces = {name: {"hardware": "t4-small", "sleep_time": 60} for name in names}
    manifest = {"version": 1, "spaces": {name: {"hardware": "t4-small", "sleep_time": 60} for name in names}}
    with LocalHub(seed={"spaces": spaces}) as hub:
        runner = Runner(hub, manifest)
        made = runner.plan()
        assert made.changes == ()
        assert made.requests == len(hub.requests()) == 3


def test_hardware_and_sleep_time_are_one_request(hub: LocalHub) -> None:
    Runner(hub, {"version": 1, "spaces": {"acme/kept": {"hardware": "t4-small", "sleep_time": "1h"}}}).apply()
    assert [entry.path.rpartition("/")[2] for entry in hub.writes()] == ["hardware"]
    assert hub.space("acme/kept")["sleep_time"] == 3600


def test_an_undeclared_sleep_time_survives_a_hardware_change(hub: LocalHub) -> None:
    hub.set_space("acme/nobodys", sleep_time=1800)
    Runner(hub, {"version": 1, "spaces": {"acme/nobodys": {"hardware": "a10g-small"}}}).apply()
    assert hub.space("acme/nobodys")["sleep_time"] == 1800


def test_a_paused_space_whose_state_nobody_declares_stays_paused(hub: LocalHub) -> None:
    hub.set_space("acme/nobodys", stage="PAUSED", current=None)
    runner = Runner(hub, {"version": 1, "spaces": {"acme/nobodys": {"hardware": "a10g-small"}}})
    runner.apply()
    assert hub.space("acme/nobodys")["stage"] == "PAUSED"
    assert runner.plan().changes == ()


def test_a_restart_marker_restarts_once(hub: LocalHub) -> None:
    manifest = {"version": 1, "spaces": {"acme/nobodys": {"restart": "a"}}}
    Runner(hub, manifest).apply()
    Runner(hub, manifest).apply()
    assert hub.space("acme/nobodys")["restarts"] == 1


def test_a_failing_build_fails_the_apply_with_the_end_of_its_log() -> None:
    seed = {
        "acme/x": {
            "stage": "RUNNING",
            "build": "fail",
            "hardware": "t4-small",
            "logs": {"build": ["one", "two"]},
        }
    }
    with LocalHub(seed={"spaces": seed}, clock="manual") as hub:
        result = Runner(hub, {"version": 1, "spaces": {"acme/x": {"hardware": "a10g-small"}}}).apply()
        assert result.exit_code == 3
        outcome = result.outcomes[0]
        assert "BUILD_ERROR" in outcome.error
        assert "--build" in outcome.hint
        assert outcome.log_tail[:2] == ("one", "two")


def test_a_stuck_build_ends_at_the_timeout_with_the_stage() -> None:
    seed = {"acme/x": {"stage": "PAUSED", "build": "stuck"}}
    with LocalHub(seed={"spaces": seed}, clock="manual") as hub:
        result = Runner(hub, {"version": 1, "spaces": {"acme/x": {"state": "running"}}}).apply()
        assert "still BUILDING" in result.outcomes[0].error


def test_a_space_that_crashes_again_is_not_restarted_without_end() -> None:
    seed = {"acme/x": {"stage": "RUNTIME_ERROR", "start": "crash"}}
    with LocalHub(seed={"spaces": seed}, clock="manual") as hub:
        wanted = {"version": 1, "spaces": {"acme/x": {"state": "running", "on_error": "restart"}}}
        result = Runner(hub, wanted).apply()
        assert hub.space("acme/x")["restart_calls"] == 2
        assert "restarted 2 times" in result.outcomes[0].error
        assert result.exit_code == 3


def test_one_failure_stops_one_space_and_what_depends_on_it(hub: LocalHub) -> None:
    hub.add_fault({"path": "/api/spaces/acme/kept/hardware", "status": 400})
    wanted = {
        "version": 1,
        "spaces": {
            "acme/kept": {"hardware": "t4-small"},
            "acme/asleep": {"visibility": "private", "depends_on": ["acme/kept"]},
            "acme/off": {"state": "paused"},
        },
    }
    result = Runner(hub, wanted).apply()
    assert {o.space: o.status for o in result.outcomes} == {
        "acme/kept": Status.FAILED,
        "acme/asleep": Status.NOT_TRIED,
        "acme/off": Status.DONE,
    }
    assert result.exit_code == 3
    assert hub.space("acme/asleep")["visibility"] == "public"


def test_pauses_come_before_starts_and_max_running_holds() -> None:
    seed = {"acme/on": {"stage": "RUNNING"}, "acme/next": {"stage": "PAUSED"}}
    with LocalHub(seed={"spaces": seed}, clock="manual") as hub:
        wanted = {
            "version": 1,
            "policy": {"max_running": 1},
            "spaces": {"acme/on": {"state": "paused"}, "acme/next": {"state": "running"}},
        }
        runner = Runner(hub, wanted)
        assert not runner.apply().failed
        assert [entry.path.rpartition("/")[2] for entry in hub.writes()] == ["pause", "restart"]


def test_a_read_only_token_sees_settings_as_unknown_and_plans_nothing_from_them() -> None:
    seed = {
        "accounts": {"alice": {"orgs": {"acme": "admin"}}, "acme": {"type": "org"}},
        "tokens": {"hf_local_read": {"account": "alice", "role": "read"}},
        "spaces": {"acme/x": {"variables": {"A": "1"}, "secrets": {"S": "1"}}},
    }
    spec = "{variables: {A: '2'}, secrets: {S: {env: TOKEN_ONE}}, prune: [variables]}"
    wanted = f"version: 1\nspaces: {{acme/x: {spec}}}"
    with LocalHub(seed=seed) as hub:
        made = Runner(hub, wanted, ENV).plan()
        assert made.changes == ()
        assert {check.severity for check in made.checks} == {"unknown"}


@pytest.mark.parametrize("state", [None, "paused"])
def test_a_target_that_wakes_a_paused_space_pauses_it_again(hub: LocalHub, state: str | None) -> None:
    """Was left running, and billed: the pause was no target."""
    hub.set_space("acme/nobodys", stage="PAUSED", current=None)
    spec = {"hardware": "a10g-small"} | ({"state": state} if state else {})
    runner = Runner(hub, {"version": 1, "spaces": {"acme/nobodys": spec}})
    assert not runner.apply(targets=("acme/nobodys.hardware",)).failed
    doc = hub.space("acme/nobodys")
    assert (doc["stage"], doc["requested"]) == ("PAUSED", "a10g-small")
