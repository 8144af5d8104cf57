"""An app is anybody's: what it answers may fail its own Space, and never the plan."""

from __future__ import annotations

from typing import Any

import pytest

from hfspace.manifest.models import EndpointSpec, SpaceSpec
from hfspace.manifest.trackio_models import ExperimentSpec
from hfspace.observer import Look, read_details
from tests.unit.builders import live


class OddApps:
    """Reads whatever raises: nobody has foreseen it."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def served(self, *args: Any) -> Any:
        raise self.error

    def experiments(self, *args: Any) -> Any:
        raise self.error


@pytest.mark.parametrize("error", [TypeError("x"), KeyError("x"), RecursionError(), OverflowError()])
def test_an_answer_that_nobody_foresaw_is_a_problem_of_its_space(error: Exception) -> None:
    look = Look(apps=OddApps(error), endpoints=True)  # type: ignore[arg-type]
    spec = SpaceSpec(endpoint=EndpointSpec(api_name="/x"), experiments={"a": ExperimentSpec()})
    state = read_details(live(stage="RUNNING"), spec, None, look, None)  # type: ignore[arg-type]
    assert state.app is not None
    assert state.experiments is not None
    assert type(error).__name__ in state.app.problem
    assert type(error).__name__ in state.experiments.problem
