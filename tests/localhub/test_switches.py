"""Whatever the unknown of the real Hub turns out to be, a manifest with every facet converges."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hfspace.localhub import LocalHub
from hfspace.localhub.seed_hub import Switches
from hfspace.model import Status
from tests.converge.harness import Runner
from tests.converge.test_converge import ENV, SEED, everything

OTHER: dict[str, Any] = {
    "sleeptime_on_free": "ignore",
    "max_page": 2,
    "paused_forgets_after": 3600,
    "restart_lag": 4,
    "runtime_lags_reads": 2,
    "change_wakes_after_reads": 3,
    "sleep_time_when_paused": "refuse",
    "billing_refusal": 401,
} | {
    name: not field.default
    for name, field in Switches.model_fields.items()
    if isinstance(field.default, bool)
}


def test_every_switch_has_another_setting_and_a_row_in_the_documents_with_its_default() -> None:
    assert set(OTHER) == set(Switches.model_fields)
    page = (Path(__file__).parents[2] / "docs/local-hub.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \| (\S+) \|", page, re.MULTILINE))
    defaults = {name: str(field.default).lower() for name, field in Switches.model_fields.items()}
    assert rows == defaults


def settings() -> Iterator[Any]:
    for names in (*([name] for name in OTHER), list(OTHER), []):
        yield pytest.param(names, id="+".join(names)[:40] or "default")


@pytest.mark.parametrize("names", list(settings()))
def test_a_manifest_with_every_facet_converges(names: list[str]) -> None:
    switches = {name: OTHER[name] for name in names if name != "logs_stay_open"}
    with LocalHub(seed={**SEED, "hub": {"switches": switches}}, clock="manual") as hub:
        result = Runner(hub, everything(), ENV).apply()
        assert [(one.space, one.error) for one in result.outcomes if one.status is not Status.DONE] == []
        hub.clear_requests()
        runner = Runner(hub, everything(), ENV)
        assert runner.plan().changes == ()
        assert not runner.apply().changed
        assert hub.writes() == []
