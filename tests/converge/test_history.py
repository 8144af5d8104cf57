"""Convergence as a property: see history.py."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.converge import history
from tests.converge.direct import Wire, plugged
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
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestHistories = Histories.TestCase
