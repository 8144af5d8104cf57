"""Waiting ends: at the timeout with the stage, at once when a build fails, and never by restarting on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from hfspace.localhub import LocalHub
from hfspace.model import Outcome, Status
from tests.converge.harness import OPTIONS, HubPace, Runner


def outcome(hub: LocalHub, spec: dict[str, Any], timeout: float = 3600) -> tuple[Outcome, Runner]:
    runner = Runner(hub, {"version": 1, "spaces": {"acme/x": spec}})
    runner.pace._end = timeout
    return runner.apply().outcomes[0], runner


def served(**space: Any) -> LocalHub:
    return LocalHub(seed={"spaces": {"acme/x": space}}, clock="manual")


@pytest.mark.parametrize(("stage", "log"), [("BUILDING", " --build"), ("APP_STARTING", "")])
def test_a_stuck_stage_ends_at_the_timeout_with_the_stage_and_the_log_command(stage: str, log: str) -> None:
    stuck = {"build": "stuck"} if stage == "BUILDING" else {"start": "stuck"}
    with served(stage="PAUSED", **stuck) as hub:
        got, runner = outcome(hub, {"state": "running"}, timeout=120)
        assert got.status is Status.FAILED
        assert f"acme/x is still {stage} after" in got.error
        assert got.hint == f"See `hfspace logs acme/x{log}`; run again with a longer --timeout."
        assert runner.pace.slept <= 120
        assert hub.space("acme/x")["restart_calls"] == 1


def test_a_stage_of_the_future_is_waited_for_and_named() -> None:
    with served(stage="PAUSED", start="stuck") as hub:
        hub.set_hook(
            lambda when, method, path: (
                hub.set_space("acme/x", stage="HOVERING") if path.endswith("/runtime") else None
            )
        )
        got, _ = outcome(hub, {"state": "running"}, timeout=60)
        assert "still HOVERING" in got.error


def test_a_failing_build_ends_the_wait_at_once_with_the_end_of_its_log() -> None:
    lines = [f"step {number}" for number in range(50)]
    with served(stage="RUNNING", build="fail", hardware="t4-small", logs={"build": lines}) as hub:
        got, runner = outcome(hub, {"hardware": "a10g-small"})
        assert "acme/x is BUILD_ERROR after the change: Job failed with exit code: 1" in got.error
        assert got.hint == "See `hfspace logs acme/x --build`."
        assert got.log_tail[-2] == "step 49"
        assert got.log_tail[-1].startswith("Job failed with exit code: 1")
        assert len(got.log_tail) == OPTIONS.log_lines
        assert runner.pace.slept <= 30 + 2 * OPTIONS.poll_seconds  # the local Hub builds for 30 s


def test_an_app_that_crashes_after_a_change_is_reported_and_left_alone() -> None:
    with served(stage="RUNNING", start="crash", logs={"run": ["Traceback", "CUDA out of memory"]}) as hub:
        got, _ = outcome(hub, {"variables": {"A": "1"}})
        assert (
            "acme/x is RUNTIME_ERROR after the change: Exit code: 1. Reason: the application stopped."
            in got.error
        )
        assert "CUDA out of memory" in got.log_tail
        assert hub.space("acme/x")["restart_calls"] == 0


def test_a_log_that_keeps_talking_does_not_keep_an_apply() -> None:
    seed = {
        "spaces": {"acme/x": {"stage": "RUNNING", "start": "crash", "logs": {"run": ["Traceback"]}}},
        "hub": {"switches": {"logs_stay_open": True}},
    }
    with LocalHub(seed=seed, clock="manual") as hub:
        asked: list[float | None] = []
        runner = Runner(hub, {"version": 1, "spaces": {"acme/x": {"variables": {"A": "1"}}}})
        logs = runner.client.logs

        def limited(space: str, *, seconds: float | None = None, **rest: Any) -> Any:
            asked.append(seconds)
            return logs(space, seconds=min(seconds or 9.0, 0.5), **rest)

        runner.client.logs = limited  # type: ignore[method-assign, assignment]
        got = runner.apply().outcomes[0]
        assert "acme/x is RUNTIME_ERROR after the change" in got.error
        assert got.log_tail[0] == "Traceback"
        assert asked == [OPTIONS.log_seconds]


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_a_space_that_flips_is_reported_as_such_and_not_restarted_without_end(limit: int) -> None:
    with served(stage="RUNTIME_ERROR", error="CUDA out of memory") as hub:

        def crash(when: str, method: str, path: str) -> None:
            """Comes up each time, is seen running, and fails before it is read again."""
            up = hub.space("acme/x")["stage"] == "RUNNING"
            if when == "before" and path == "/api/spaces/acme/x" and up:
                hub.set_space("acme/x", stage="RUNTIME_ERROR", error="CUDA out of memory")

        hub.set_hook(crash)
        runner = Runner(
            hub, {"version": 1, "spaces": {"acme/x": {"state": "running", "on_error": "restart"}}}
        )
        result = runner.apply(options=replace(OPTIONS, restarts=limit))
        got = result.outcomes[0]
        assert "acme/x flips between RUNNING and RUNTIME_ERROR" in got.error
        assert f"restarted {limit} time{'s' * (limit > 1)} in this run" in got.error
        assert got.hint == "See `hfspace logs acme/x`."
        assert result.exit_code == 3
        assert hub.space("acme/x")["restart_calls"] == limit


def test_a_factory_rebuild_has_the_same_limit() -> None:
    with served(stage="BUILD_ERROR", build="fail") as hub:
        got, _ = outcome(hub, {"state": "running", "on_error": "factory-rebuild"})
        assert "was restarted 2 times in this run and is BUILD_ERROR again: no more of that." in got.error
        assert got.hint == "See `hfspace logs acme/x --build`."
        assert hub.space("acme/x")["restart_calls"] == 2


def test_a_build_that_hangs_is_restarted_once_and_waited_for() -> None:
    with served(stage="BUILDING", build="stuck") as hub:

        def mended(when: str, method: str, path: str) -> None:
            if when == "before" and path.endswith("/restart"):
                hub.set_space("acme/x", build="ok")

        hub.set_hook(mended)
        spec = {"state": "running", "on_error": {"do": "restart", "after": "30m"}}
        runner = Runner(hub, {"version": 1, "spaces": {"acme/x": spec}})
        assert not runner.plan().changes
        runner.inputs = replace(runner.inputs, now=datetime(2126, 1, 1, tzinfo=UTC).timestamp())
        result = runner.apply()
        assert result.outcomes[0].error == ""
        assert (hub.space("acme/x")["stage"], hub.space("acme/x")["restart_calls"]) == ("RUNNING", 1)
        assert not runner.plan().changes


def test_on_error_report_restarts_nothing() -> None:
    with served(stage="RUNTIME_ERROR", error="boom") as hub:
        runner = Runner(hub, {"version": 1, "spaces": {"acme/x": {"state": "running"}}})
        assert runner.plan().changes == ()
        assert "RUNTIME_ERROR: boom" in runner.plan().checks[0].message
        assert not runner.apply().changed


def test_a_running_that_was_there_before_is_not_what_is_waited_for() -> None:
    """The runtime still says RUNNING for a while after a change that restarts: the wait must see movement."""
    with served(stage="RUNNING", hardware="t4-small") as hub:
        lag = {"left": 0}

        def stale(when: str, method: str, path: str) -> None:
            if when == "after" and path.endswith("/hardware"):
                hub.add_fault({"path": "/none", "stale": 2})
                lag["left"] = 1

        hub.set_hook(stale)
        got, runner = outcome(hub, {"hardware": "a10g-small"})
        assert lag["left"]
        assert (got.status, hub.space("acme/x")["stage"]) == (Status.DONE, "RUNNING")
        assert hub.space("acme/x")["current"] == "a10g-small"
        assert runner.pace.slept >= 40  # 30 s to build, 10 s to start


def test_no_wait_does_not_wait() -> None:
    with served(stage="RUNNING", hardware="t4-small") as hub:
        runner = Runner(hub, {"version": 1, "spaces": {"acme/x": {"hardware": "a10g-small"}}})
        assert not runner.apply(options=replace(OPTIONS, wait=False)).failed
        assert runner.pace.slept == 0
        assert isinstance(runner.pace, HubPace)


@pytest.mark.parametrize("reads", [4, 8])
@pytest.mark.parametrize("lag", [0, 3])
def test_a_start_that_lagging_reads_hide_is_nobody_elses_pause(reads: int, lag: int) -> None:
    """Was 'paused by somebody else meanwhile' and exit 3 after five reads, a second apart."""
    live = {"stage": "PAUSED", "hardware": "cpu-upgrade", "sleep_time": 600}
    seed = {"spaces": {"acme/x": live}, "hub": {"switches": {"runtime_lags_reads": lag}}}
    with LocalHub(seed=seed, clock="manual") as hub:
        hub.add_fault({"path": "*/restart", "stale": reads})
        result = Runner(hub, {"version": 1, "spaces": {"acme/x": {"state": "running"}}}).apply()
        assert [outcome.error for outcome in result.outcomes] == [""]
        assert hub.space("acme/x")["restarts"] == 1
