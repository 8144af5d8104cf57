"""Apply against the local Hub on a stepped clock: nothing sleeps for real."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from hfspace.applier.executor import apply
from hfspace.applier.run import Options, Run
from hfspace.errors import HubError
from hfspace.folder import read_trees
from hfspace.live.hub import connect
from hfspace.live.limiter import Pace
from hfspace.live.ports import Ports
from hfspace.localhub import LocalHub
from hfspace.manifest.loader import load
from hfspace.manifest.models import Manifest
from hfspace.manifest.secrets import read_local_inputs
from hfspace.model import ApplyResult, Plan, Snapshot
from hfspace.observer import Look, observe
from hfspace.planner.plan import plan

OPTIONS = Options(parallelism=1, poll_seconds=5, settle_seconds=20)


class HubPace(Pace):
    """Sleeping steps the Hub's clock, and takes no time."""

    def __init__(self, hub: LocalHub, timeout: float = 3600) -> None:
        self._time = 0.0
        super().__init__()
        self._hub = hub
        self._end = timeout
        self.slept = 0.0

    def now(self) -> float:
        return self._time

    @property
    def _end(self) -> float:
        """Seconds that each Space, and a plan, may take."""
        return self._timeout or 0.0

    @_end.setter
    def _end(self, seconds: float) -> None:
        self._timeout = seconds
        self._deadline = self._time + seconds

    def sleep(self, seconds: float, what: str) -> None:
        from hfspace.errors import Interrupted, WaitTimeout

        if self.stopped:
            raise Interrupted("Interrupted.")
        if self.left is not None and seconds > self.left:
            raise WaitTimeout(f"Time is up while {what}.")
        self._time += seconds
        self.slept += seconds
        self._hub.advance(seconds)


class Runner:
    """One person's setup: a manifest, a token, secrets in the environment."""

    def __init__(
        self,
        hub: LocalHub,
        manifest: Mapping[str, Any] | str,
        env: Mapping[str, str] | None = None,
        base: Path | None = None,
    ) -> None:
        """`base` is the folder of the manifest, where it names folders with files."""
        self.hub = hub
        text = manifest if isinstance(manifest, str) else yaml.safe_dump(dict(manifest), sort_keys=False)
        self.manifest: Manifest = load([("spaces.yaml", text)], env=env or {})
        inputs = read_local_inputs(self.manifest, env or {}, Path("/nonexistent"))
        trees = read_trees(self.manifest, base, {}, cached=False) if base else {}
        self.inputs = replace(inputs, now=time.time(), trees=trees)
        self.pace = HubPace(hub)
        self.told: list[str] = []
        self.client = connect(hub.url, hub.token, notify=self.told.append, pace=self.pace)
        self.look = Look(inputs=self.inputs, threads=1)
        self.events: list[Any] = []

    def snapshot(self) -> Snapshot:
        return observe(self.manifest, self.client, self.look)

    def plan(self) -> Plan:
        return plan(self.manifest, self.snapshot(), self.inputs)

    def run(self, snapshot: Snapshot, **values: Any) -> Run:
        import secrets

        return Run(
            manifest=self.manifest,
            snapshot=snapshot,
            ports=Ports(hub=self.client, random_bytes=secrets.token_bytes),
            look=self.look,
            pace=self.pace,
            inputs=self.inputs,
            options=values.pop("options", OPTIONS),
            listener=self.events.append,
            **values,
        )

    def apply(self, **values: Any) -> ApplyResult:
        snapshot = self.snapshot()
        approved = plan(self.manifest, snapshot, self.inputs).approve(allow_delete=True)
        return apply(approved, self.run(snapshot, **values))

    def apply_until_done(self, tries: int = 6) -> ApplyResult:
        """As a person would: run again after a failure. Fails the test when it does not end."""
        last: object = None
        for _ in range(tries):
            try:
                result = self.apply()
            except HubError as error:
                last = error
                continue
            if not result.failed:
                return result
            last = result
        raise AssertionError(f"did not converge: {last}")
