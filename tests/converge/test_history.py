"""Convergence as a property: see history.py."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.converge import history
from tests.converge.direct import Wire, plugged
from tests.converge.direct import hub as hub_on
from tests.converge.harness import Runner
from tests.converge.history import NAMES, Counts, History

COUNTS = Counts()
WIRE = Wire()


class Histories(RuleBasedStateMachine):
    """A fleet, a manifest, people, and faults."""

    steps: History | None = None
    edited = False

    @initialize(first=history.live, second=history.live, switches=history.switches, wanted=history.spec)
    def begin(self, first: Any, second: Any, switches: Any, wanted: Any) -> None:
        self.steps = History(WIRE, {"acme/a": first, "acme/b": second}, switches, COUNTS)
        self.steps.edit("acme/a", wanted)

    @rule(space=st.sampled_from(NAMES), wanted=history.spec)
    def edit(self, space: str, wanted: Any) -> None:
        assert self.steps is not None
        self.steps.edit(space, wanted)

    @rule(space=st.sampled_from(NAMES), what=history.click)
    def click(self, space: str, what: Any) -> None:
        assert self.steps is not None
        self.steps.click(space, what)

    @precondition(lambda self: self.steps is not None)
    @rule(
        faults=st.lists(history.fault, max_size=5),
        crashes=st.lists(history.crash, max_size=2),
        slow=st.sampled_from([1.0, 1.0, 3.0]),
    )
    def apply(self, faults: Any, crashes: Any, slow: float) -> None:
        assert self.steps is not None
        self.steps.apply(faults, crashes, slow)

    def teardown(self) -> None:
        if self.steps is not None:
            self.steps.close()


@pytest.fixture(autouse=True, scope="module")
def direct() -> Iterator[None]:
    with plugged(WIRE):
        yield


Histories.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=10,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestHistories = Histories.TestCase


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_histories_at_length() -> None:
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=1000,
            stateful_step_count=10,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


# ------------------------------------------------------------ found by histories, kept


@pytest.fixture
def steps() -> Iterator[History]:
    started = History(WIRE, {"acme/a": {"stage": "RUNNING", "visibility": "protected"}}, {})
    yield started
    started.close()


def test_a_create_with_a_sleep_time_and_no_hardware_is_an_error_of_the_plan(steps: History) -> None:
    """Was created on free hardware, without its sleep time, and called done."""
    steps.edit("acme/c", {"sleep_time": 72000})
    steps.apply([], [], 1.0)
    assert steps.counts.refused == 1
    assert "acme/c" not in steps.hub.spaces()


@pytest.mark.parametrize("wanted", ["private", "public", "protected"])
def test_protected_becomes_private_in_one_run(steps: History, wanted: str) -> None:
    """A single read shows both alike, and what was known from the plan was taken for what is."""
    steps.edit("acme/a", {"visibility": "private"})
    steps.apply([], [], 1.0)
    steps.edit("acme/a", {"visibility": wanted})
    steps.apply([{"method": "PUT", "drop": "after", "times": 1}], [], 1.0)
    assert steps.hub.space("acme/a")["visibility"] == wanted


def test_a_crash_after_a_pause_leaves_what_a_paused_space_does_not_tell(steps: History) -> None:
    """The known exception (docs/reliability.md): the sleep time is set when the Space is next awake."""
    steps.click("acme/a", {"requested": "cpu-upgrade"})
    steps.edit("acme/a", {"state": "paused", "sleep_time": 36000})
    for at in range(1, 10):
        steps.apply([], [(at, "after")], 1.0)
    steps.edit("acme/a", {"state": "running", "sleep_time": 36000})
    steps.apply([], [], 1.0)
    assert steps.hub.space("acme/a")["sleep_time"] == 36000


@pytest.mark.parametrize(
    ("wanted", "method"),
    [
        ({"variables": {"A": "1"}}, "POST"),
        ({"hardware": "t4-small"}, "POST"),
        ({"visibility": "public"}, "PUT"),
    ],
)
@pytest.mark.parametrize("lost", [0, 1])
def test_reads_that_lag_cost_no_second_pause(wanted: dict[str, Any], method: str, lost: int) -> None:
    """They showed the Space as it was before its pause, and it was paused again."""
    space = {"stage": "RUNNING", "visibility": "private"}
    switches = {"runtime_lags_reads": 3, "hardware_change_wakes_paused": False}
    steps = History(WIRE, {"acme/a": space}, switches)
    steps.edit("acme/a", {"state": "paused", **wanted})
    steps.apply([{"method": method, "drop": "after", "times": lost, "after": method == "POST"}], [], 1.0)
    assert steps.hub.space("acme/a")["pauses"] == 1
    steps.close()


def test_a_space_to_be_deleted_that_can_not_be_read_is_not_taken_for_gone() -> None:
    """Five 500s made an empty plan of it, and an apply that exited 0."""
    steps = History(WIRE, {"acme/a": {"stage": "PAUSED"}}, {})
    steps.edit("acme/a", {"state": "absent"})
    steps.apply([{"status": 500, "times": 5, "after": 2}], [], 1.0)
    assert "acme/a" not in steps.hub.spaces()
    steps.close()


def test_a_log_that_stays_open_does_not_keep_a_run_that_reads_it() -> None:
    seed = {
        "spaces": {"acme/a": {"stage": "RUNNING", "start": "crash", "logs": {"run": ["Traceback"]}}},
        "hub": {"switches": {"logs_stay_open": True}},
    }
    before = WIRE.struck["open log"]
    with hub_on(WIRE, seed) as hub:
        result = Runner(hub, {"version": 1, "spaces": {"acme/a": {"variables": {"A": "1"}}}}, {}).apply()
    assert WIRE.struck["open log"] == before + 1
    assert result.outcomes[0].log_tail[0] == "Traceback"
