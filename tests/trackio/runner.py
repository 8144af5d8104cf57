"""A person's setup whose Spaces have real apps behind the local Hub."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hfspace.applier.run import Options, Run
from hfspace.live.apps import AppReaders
from hfspace.localhub import LocalHub
from hfspace.model import Snapshot
from tests.converge.harness import Runner

OPTIONS = Options(parallelism=1, poll_seconds=5, settle_seconds=20)
SPACE = "acme/trackio"


class AppRunner(Runner):
    """As Runner, with the apps read and written. `env` holds the token of official trackio."""

    def __init__(
        self, hub: LocalHub, manifest: Mapping[str, Any] | str, env: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(hub, manifest, env)
        self.apps = AppReaders(hub=self.client, env=env or {})
        self.look = replace(self.look, apps=self.apps)

    def run(self, snapshot: Snapshot, **values: Any) -> Run:
        made = super().run(snapshot, **values)
        return replace(made, ports=replace(made.ports, tracker=self.apps.tracker))


def hub_for(url: str | None, **space: Any) -> LocalHub:
    """A local Hub with one Space, whose app is at `url`."""
    doc = {"sdk": "gradio", "stage": "RUNNING", "hardware": "cpu-basic", "host": url, **space}
    return LocalHub(seed={"spaces": {SPACE: doc}}, clock="manual")


def five(**common: Any) -> dict[str, Any]:
    """A manifest with five experiments; `common` goes into each."""
    experiments = {
        f"run-{number}": {
            "parameters": {"learning_rate": 2.0e-5 * number, "size": number, "amp": True},
            **common,
        }
        for number in range(1, 6)
    }
    return {"version": 1, "spaces": {SPACE: {"experiments": experiments}}}


def problems(result: Any) -> list[str]:
    return [outcome.error for outcome in result.outcomes if outcome.error]
