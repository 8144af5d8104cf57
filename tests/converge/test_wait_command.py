"""`hfspace wait` right after a restart whose runtime still reads as before."""

from __future__ import annotations

import pytest

from hfspace.localhub import LocalHub
from tests.converge.killing import Commands

pytestmark = pytest.mark.xdist_group("kill")


@pytest.mark.parametrize("stage", ["PAUSED", "RUNNING"])
def test_wait_after_a_restart_is_not_taken_in_by_the_stage_of_before(stage: str) -> None:
    """Said 'is PAUSED', or was content with the RUNNING of before."""
    seed = {
        "spaces": {"acme/x": {"stage": stage}},
        "hub": {"time_scale": 20, "switches": {"runtime_lags_reads": 3}},
    }
    with LocalHub(seed=seed) as hub, Commands() as commands:
        assert commands.run(hub, "restart", "acme/x")[0] == 0
        code, output = commands.run(hub, "wait", "acme/x", "--timeout", "60s")
        assert code == 0, output
        assert hub.space("acme/x")["stage"] == "RUNNING"
