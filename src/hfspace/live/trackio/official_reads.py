"""What an official trackio keeps: its projects, and their runs with their configurations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hfspace.errors import NotSupported
from hfspace.live.trackio.matches import the_one
from hfspace.live.trackio.official_api import OfficialApi
from hfspace.live.trackio.official_records import experiment_of, odd
from hfspace.live.trackio.port import Experiment
from hfspace.live.trackio.values import one_line, run_id
from hfspace.manifest.experiments import canonical_project
from hfspace.model import Json


class OfficialReads:
    """Reads of one server."""

    def __init__(self, api: OfficialApi) -> None:
        self._api = api

    def projects(self) -> tuple[str, ...]:
        names = self._api.read("get_all_projects")
        if not isinstance(names, list):
            raise odd("list of projects")
        return tuple(str(item) for item in names)

    def runs(self, projects: Sequence[str]) -> tuple[Experiment, ...]:
        """The runs of these projects with their config, and nothing of their metrics: two requests each."""
        places = [canonical_project(project) for project in projects]
        listed = self._api.read_all("get_runs_for_project", [{"project": place} for place in places])
        records = [_records(answer) for answer in listed]
        configs = self._configs(places, records)
        return tuple(
            experiment_of(place, record, configs[place])
            for place, its in zip(places, records, strict=True)
            for record in its
        )

    def one(self, ref: str, project: str | None) -> Experiment:
        """The run with this id or exact name. Without a project, all are searched."""
        runs = self.runs((project,) if project else self.projects())
        where = f"The project '{one_line(project)}' has no" if project else "No project has a"
        return the_one(ref, runs, absent=f"{where} run with")

    def summaries(self, runs: Sequence[Experiment]) -> tuple[Mapping[str, Any], ...]:
        """What the server says of each run: num_logs, last_step, config."""
        answers = self._api.read_all(
            "get_run_summary", [{"project": run.project, "run_id": run.id} for run in runs]
        )
        return tuple(_mapping(answer, "summary of a run") for answer in answers)

    def metrics(self, run: Experiment) -> tuple[str, ...]:
        names = self._api.read("get_metrics_for_run", project=run.project, run=None, run_id=run.id)
        if not isinstance(names, list):
            raise odd("list of metrics")
        return tuple(str(name) for name in names)

    def values(self, run: Experiment, metric: str) -> Sequence[Json]:
        """The rows of one metric, in the order in which they were logged."""
        rows = self._api.read(
            "get_metric_values", project=run.project, run=None, metric_name=metric, run_id=run.id
        )
        if not isinstance(rows, list):
            raise odd("values of a metric")
        return rows

    def snapshot(self, run: Experiment, step: int) -> Json:
        return self._api.read("get_snapshot", project=run.project, run=None, step=step, run_id=run.id)

    def _configs(
        self, projects: Sequence[str], records: Sequence[Sequence[Json]]
    ) -> dict[str, Mapping[str, Json]]:
        """By project, the configs by the id of their run."""
        try:
            answers = self._api.read_all("get_run_configs", [{"project": project} for project in projects])
        except NotSupported:  # 0.24: one request for each run
            return {
                project: self._configs_run_by_run(project, its)
                for project, its in zip(projects, records, strict=True)
            }
        return {
            project: _mapping(answer, "configs of runs")
            for project, answer in zip(projects, answers, strict=True)
        }

    def _configs_run_by_run(self, project: str, records: Sequence[Json]) -> Mapping[str, Json]:
        runs = [experiment_of(project, record, {}) for record in records]
        return {
            run.id: summary.get("config") for run, summary in zip(runs, self.summaries(runs), strict=True)
        }


def counted(run: Experiment, summary: Mapping[str, Any]) -> Experiment:
    """`run` with the number of its entries, without the one that declared it."""
    count = summary.get("num_logs")
    declared = 1 if run.id == run_id(str(run.project), run.name) else 0
    return replace(run, metrics=max(0, count - declared) if isinstance(count, int) else 0)


def _records(answer: Json) -> Sequence[Json]:
    if not isinstance(answer, list):
        raise odd("list of runs")
    return answer


def _mapping(answer: Json, what: str) -> Mapping[str, Any]:
    if not isinstance(answer, Mapping):
        raise odd(what)
    return answer
