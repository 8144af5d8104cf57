"""An app that serves runs as JSON: GET and POST /runs, PATCH /runs/ID, POST /runs/ID/metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hfspace.trackers import Experiment, Json, LogEntry, TrackerApp, TrackerBase, TrackioUnavailable


class Runbook(TrackerBase):
    keyed = True  # the app keeps one entry of a key, however often it is sent
    holds = ("description", "status")

    def __init__(self, app: TrackerApp) -> None:
        self._app = app

    def list(self, project: str | None = None) -> tuple[Experiment, ...]:
        runs = self._app.get("/runs")
        if not isinstance(runs, list):
            raise TrackioUnavailable("The app does not list its runs.")
        return tuple(_experiment(run) for run in runs)

    def create(
        self,
        name: str,
        *,
        description: str = "",
        parameters: Mapping[str, Json] | None = None,
        project: str | None = None,
    ) -> Experiment:
        body = {"name": name, "description": description, "parameters": dict(parameters or {})}
        return _experiment(self._app.send("POST", "/runs", body))

    def log_parameters(
        self, ref: str, parameters: Mapping[str, Json], project: str | None = None
    ) -> Experiment:
        return self._change(ref, {"parameters": dict(parameters)})

    def update_status(self, ref: str, status: str, project: str | None = None) -> Experiment:
        return self._change(ref, {"status": status})

    def log_metrics(self, ref: str, entries: Sequence[LogEntry], project: str | None = None) -> None:
        rows = [{"metrics": dict(one.metrics), "step": one.step, "key": one.key} for one in entries]
        self._app.send("POST", f"/runs/{self.show(ref).id}/metrics", rows)

    def _change(self, ref: str, fields: dict[str, Json]) -> Experiment:
        return _experiment(self._app.send("PATCH", f"/runs/{self.show(ref).id}", fields))


def _experiment(run: Any) -> Experiment:
    """Whatever the app may say: what is no run is an error, never an empty one."""
    if not isinstance(run, dict) or not all(isinstance(run.get(key), str) for key in ("id", "name")):
        raise TrackioUnavailable("The app answers with something else than a run.")
    return Experiment(
        id=run["id"],
        name=run["name"],
        description=str(run.get("description", "")),
        status=str(run.get("status", "running")),
        parameters=dict(run.get("parameters") or {}),
        metrics=len(run.get("metrics") or ()),
    )
