"""After an apply that restarts a Space, its declared endpoint is verified before it counts as done."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hfspace.applier.run import Options
from hfspace.localhub import LocalHub
from hfspace.manifest.models import SpaceSpec
from hfspace.model import LiveExperiments, ServedApp, ServedEndpoint, SpaceState
from tests.converge.harness import OPTIONS, Runner

WANTED = {"version": 1, "spaces": {"acme/x": {"variables": {"A": "1"}, "endpoint": {"api_name": "/predict"}}}}


class Apps:
    """Serves one endpoint; counts how often it was asked."""

    def __init__(self, name: str) -> None:
        self.name, self.asked = name, 0

    def served(self, state: SpaceState, spec: SpaceSpec) -> ServedApp:
        self.asked += 1
        endpoint = ServedEndpoint(name=self.name, url=f"http://app{self.name}")
        return ServedApp(kind="gradio", version="6.31.0", prefix="/gradio_api", endpoints=(endpoint,))

    def experiments(self, state: SpaceState, spec: SpaceSpec) -> LiveExperiments:
        raise AssertionError


def applied(apps: Apps, options: Options = OPTIONS) -> Any:
    with LocalHub(seed={"spaces": {"acme/x": {"stage": "RUNNING"}}}, clock="manual") as hub:
        runner = Runner(hub, WANTED)
        runner.look = replace(runner.look, apps=apps)
        return runner.apply(options=options).outcomes[0]


def test_a_served_endpoint_counts_as_done() -> None:
    assert applied(Apps("/predict")).error == ""


def test_an_endpoint_that_is_not_served_fails_the_space() -> None:
    outcome = applied(Apps("/add"))
    assert "its endpoint" in outcome.error
    assert "acme/x.variables.A" in [change.address for change in outcome.applied]


@pytest.mark.parametrize("name", ["/add"])
def test_no_verify_asks_no_app(name: str) -> None:
    apps = Apps(name)
    assert applied(apps, replace(OPTIONS, verify=False)).error == ""
    assert apps.asked == 0
