"""Official trackio (0.24 and later) behind the port: a run is an experiment, its config the parameters.

Declaring is idempotent: the run id is made from project and name, the log id from the run id. A config is
replaced as a whole by every write, so that ours is read, merged and written, and only our keys compared.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hfspace.errors import (
    AmbiguousExperiment,
    DataLoss,
    ExperimentNotFound,
    NotSupported,
    TrackioRejected,
    TrackioUnavailable,
)
from hfspace.live.trackio.official_api import OfficialApi
from hfspace.live.trackio.port import Entry, Experiment, Kind, Point, Series
from hfspace.live.trackio.series import all_series
from hfspace.live.trackio.values import (
    checked_name,
    differing,
    metrics_of,
    number,
    one_line,
    parameters_of,
    run_id,
)
from hfspace.manifest.experiments import canonical_project
from hfspace.model import Json

_WORDS = {float("inf"): "Infinity", float("-inf"): "-Infinity"}


class OfficialTracker:
    """One trackio server. `project` is what is meant when a call names none."""

    def __init__(self, api: OfficialApi, *, project: str | None = None) -> None:
        self._api = api
        self._project = project

    @property
    def kind(self) -> Kind:
        return "trackio"

    @property
    def keyed(self) -> bool:
        return True

    def close(self) -> None:
        self._api.close()

    # ------------------------------------------------------------ reads

    def projects(self) -> tuple[str, ...]:
        found = self._api.read("get_all_projects")
        if not isinstance(found, list):
            raise _odd("list of projects")
        return tuple(str(item) for item in found)

    def list(self, project: str | None = None) -> tuple[Experiment, ...]:
        """The runs of one project, of all when none is named. Without their latest metrics."""
        chosen = project or self._project
        projects = (canonical_project(chosen),) if chosen else self.projects()
        return tuple(self._counted(run, name) for name in projects for run in self.runs(name))

    def runs(self, project: str) -> tuple[Experiment, ...]:
        """The runs of one project with their config, and nothing of their metrics: two requests."""
        canonical = canonical_project(project)
        records = self._api.read("get_runs_for_project", project=canonical)
        if not isinstance(records, list):
            raise _odd("list of runs")
        configs = self._configs(canonical, records)
        return tuple(_experiment(canonical, record, configs) for record in records)

    def show(self, ref: str, project: str | None = None) -> Experiment:
        found = self._one(ref, project)
        where = str(found.project)
        summary = self._summary(found.id, where)
        now = self._counted(found, where, summary)
        step = summary.get("last_step")
        if not now.metrics or not isinstance(step, int):
            return now
        entries = self._api.read("get_snapshot", project=where, run=None, step=step, run_id=found.id)
        return replace(now, latest=_latest(entries), latest_step=step)

    def plot(self, ref: str, metric: str, project: str | None = None) -> Series:
        found = self._one(ref, project)
        where = str(found.project)
        rows = self._api.read(
            "get_metric_values", project=where, run=None, metric_name=metric, run_id=found.id
        )
        if not isinstance(rows, list):
            raise _odd("values of a metric")
        if not rows:
            known = self._api.read("get_metrics_for_run", project=where, run=None, run_id=found.id)
            if isinstance(known, list) and known and metric not in known:
                raise TrackioRejected(
                    f"'{one_line(found.name)}' has no metric '{one_line(metric)}'.",
                    hint=f"It has: {one_line(', '.join(map(str, known)))}.",
                )
        points = (_point(row) for row in rows)
        return Series(
            experiment=found.name, metric=metric, points=tuple(point for point in points if point is not None)
        )

    def metric_names(self, ref: str, project: str | None = None) -> tuple[str, ...]:
        found = self._one(ref, project)
        known = self._api.read("get_metrics_for_run", project=found.project, run=None, run_id=found.id)
        if not isinstance(known, list):
            raise _odd("list of metrics")
        return tuple(str(name) for name in known)

    def compare(
        self, refs: Sequence[str], metric: str = "loss", project: str | None = None
    ) -> tuple[Series, ...]:
        return all_series(lambda ref: self.plot(ref, metric, project), refs, metric)

    # ------------------------------------------------------------ writes

    def create(
        self,
        name: str,
        *,
        description: str = "",
        parameters: Mapping[str, Json] | None = None,
        project: str | None = None,
    ) -> Experiment:
        """Declare a run; one that has the name stays, and gets the parameters."""
        checked_name(name)
        wanted = parameters_of(parameters or {})
        if description:
            raise NotSupported(
                "Official trackio keeps no description.", hint="Give it as a parameter instead."
            )
        where = self._named(project)
        mine = Experiment(id=run_id(where, name), name=name, project=canonical_project(where))
        runs = self.runs(where)
        twins = [run for run in runs if run.name == name]
        if len(twins) > 1:
            raise _ambiguous(name, twins)
        if twins:
            return self._with(twins[0], wanted) if wanted else twins[0]
        if renamed := next((run for run in runs if run.id == mine.id), None):
            # Logging one id under a second name would leave two records of one run (trackio 0.43).
            raise TrackioRejected(
                f"The run '{one_line(name)}' is called '{one_line(renamed.name)}' now.",
                hint="Use that name, or rename the run back.",
            )
        self._declare(mine, wanted)
        return self._read_back(mine, wanted)

    ensure = create

    def update_status(self, ref: str, status: str, project: str | None = None) -> Experiment:
        raise NotSupported(
            "Official trackio keeps no status of a run.", hint="Give it as a parameter instead."
        )

    def log_parameters(
        self, ref: str, parameters: Mapping[str, Json], project: str | None = None
    ) -> Experiment:
        return self._with(self._one(ref, project), parameters_of(parameters))

    def log_metrics(self, ref: str, entries: Sequence[Entry], project: str | None = None) -> None:
        """All entries in one request. An entry with a `key` is kept once, however often it is sent."""
        bodies = [(metrics_of(entry), entry) for entry in entries]
        if not bodies:
            return
        found = self._one(ref, project)
        before = self._summary(found.id, str(found.project)).get("num_logs")
        self._bulk([
            {
                **_owner(found),
                "metrics": _sendable(metrics),
                "step": entry.step,
                "log_id": f"{found.id}:{entry.key}" if entry.key is not None else None,
            }
            for metrics, entry in bodies
        ])  # fmt: skip
        self._verify_logged(found, before, [entry for _, entry in bodies])

    def delete(self, ref: str, project: str | None = None) -> None:
        """Delete a run with everything in it, by its id: by name, twins are torn apart (trackio 0.43)."""
        found = self._one(ref, project)
        self._api.write("delete_run", project=found.project, run=found.name, run_id=found.id)
        if any(run.id == found.id for run in self.runs(str(found.project))):
            raise TrackioRejected(f"Trackio says that '{one_line(found.name)}' is deleted, and it is there.")

    def simulate(self, ref: str, project: str | None = None) -> Experiment:
        raise NotSupported("Official trackio can't simulate training.", hint="Log metrics instead.")

    def demo(self) -> Experiment:
        raise NotSupported("Official trackio has no demo experiment.", hint="Create one instead.")

    # ------------------------------------------------------------ how

    def _named(self, project: str | None) -> str:
        chosen = project or self._project
        if not chosen:
            raise TrackioRejected(
                "Official trackio keeps runs in projects, and none is named.",
                hint="Name one: `project:` in the manifest, --project, or TrackioClient(project=...).",
            )
        return chosen

    def _one(self, ref: str, project: str | None) -> Experiment:
        """The run with this id or exact name. Without a project, all are searched."""
        chosen = project or self._project
        places = (chosen,) if chosen else self.projects()
        runs = [run for place in places for run in self.runs(place)]
        found = [run for run in runs if run.id == ref] or [run for run in runs if run.name == ref]
        if not found:
            where = f"The project '{one_line(chosen)}'" if chosen else "No project"
            has = "has no" if chosen else "has a"
            raise ExperimentNotFound(
                f"{where} {has} run with the id or exact name '{one_line(ref)}'.",
                hint="List them: hfspace experiments list",
            )
        if len(found) > 1:
            raise _ambiguous(ref, found)
        return found[0]

    def _with(self, found: Experiment, wanted: Mapping[str, Json]) -> Experiment:
        if not differing(wanted, found.parameters):
            return found
        # Whatever training logged between our read and this write is replaced: trackio has no merge.
        self._declare(found, {**found.parameters, **wanted})
        return self._read_back(found, wanted)

    def _declare(self, run: Experiment, config: Mapping[str, Json]) -> None:
        """One entry without metrics; its fixed log id keeps a second one from being stored."""
        entry: dict[str, Json] = {**_owner(run), "metrics": {}, "step": 0, "log_id": _mark(run)}
        if config:
            entry["config"] = dict(config)
        try:
            self._bulk([entry])
        except TrackioUnavailable:
            if not any(one.id == run.id for one in self.runs(str(run.project))):
                raise

    def _read_back(self, run: Experiment, wanted: Mapping[str, Json]) -> Experiment:
        twins = [one for one in self.runs(str(run.project)) if one.name == run.name]
        mine = [one for one in twins if one.id == run.id]
        if len(mine) != 1:
            raise DataLoss(f"Trackio took the run '{one_line(run.name)}', and does not list it.")
        if left := differing(wanted, mine[0].parameters):
            raise TrackioRejected(
                f"Trackio took the parameters of '{one_line(run.name)}', and reads otherwise: "
                f"{one_line(', '.join(left))}."
            )
        return mine[0]

    def _bulk(self, logs: Sequence[Mapping[str, Json]]) -> None:
        # hf_token must be there, even empty; a Bearer token takes its place on a Space.
        self._api.write("bulk_log", logs=list(logs), hf_token=None)

    def _verify_logged(self, run: Experiment, before: Json, entries: Sequence[Entry]) -> None:
        after = self._summary(run.id, str(run.project)).get("num_logs")
        fresh = sum(entry.key is None for entry in entries)
        if isinstance(before, int) and (not isinstance(after, int) or after < before + fresh):
            raise DataLoss(
                f"{len(entries)} entries were logged for '{one_line(run.name)}', and its count went from "
                f"{before} to {after}."
            )

    def _summary(self, ref: str, project: str) -> Mapping[str, Any]:
        found = self._api.read("get_run_summary", project=project, run_id=ref)
        if not isinstance(found, Mapping):
            raise _odd("summary of a run")
        return found

    def _counted(self, run: Experiment, project: str, summary: Mapping[str, Any] | None = None) -> Experiment:
        told = summary if summary is not None else self._summary(run.id, project)
        count = told.get("num_logs")
        declared = 1 if run.id == run_id(project, run.name) else 0
        return replace(run, metrics=max(0, count - declared) if isinstance(count, int) else 0)

    def _configs(self, project: str, records: Sequence[Json]) -> Mapping[str, Json]:
        try:
            found = self._api.read("get_run_configs", project=project)
        except NotSupported:  # 0.24: one request for each run
            ids = [str(item.get("id")) for item in records if isinstance(item, Mapping)]
            found = {ref: self._summary(ref, project).get("config") for ref in ids}
        if not isinstance(found, Mapping):
            raise _odd("configs of runs")
        return found


def _experiment(project: str, record: Json, configs: Mapping[str, Json]) -> Experiment:
    if not isinstance(record, Mapping) or not record.get("name"):
        raise _odd("list of runs")
    name = str(record["name"])
    ref = str(record.get("id") or name)
    config = configs.get(ref)
    return Experiment(
        id=ref,
        name=name,
        project=project,
        created=str(record["created_at"]) if record.get("created_at") else None,
        parameters=dict(config) if isinstance(config, Mapping) else {},
    )


def _owner(run: Experiment) -> dict[str, Json]:
    return {"project": run.project, "run": run.name, "run_id": run.id}


def _mark(run: Experiment) -> str:
    return f"hfspace:{run.id}"


def _sendable(metrics: Mapping[str, Json]) -> dict[str, Json]:
    """Non-finite numbers as the words that trackio keeps them as (trackio 0.43, utils.serialize_values)."""
    return {key: _word(value) for key, value in metrics.items()}


def _word(value: Json) -> Json:
    if isinstance(value, Mapping):
        return {key: _word(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_word(item) for item in value]
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    return _WORDS.get(value, value) if isinstance(value, float) else value


def _point(row: Json) -> Point | None:
    """One value; None for what can't be drawn."""
    if not isinstance(row, Mapping):
        return None
    value, step = number(row.get("value")), number(row.get("step"))
    if value is None:
        return None
    stamp = row.get("timestamp")
    return Point(step=None if step is None else int(step), value=value, time=str(stamp) if stamp else None)


def _latest(entries: Json) -> dict[str, Json]:
    """The values of a snapshot: a map from metric to its rows at that step."""
    if not isinstance(entries, Mapping):
        return {}
    return {
        str(key): rows[-1].get("value")
        for key, rows in entries.items()
        if isinstance(rows, list) and rows and isinstance(rows[-1], Mapping)
    }


def _ambiguous(ref: str, found: Sequence[Experiment]) -> AmbiguousExperiment:
    told = ", ".join(f"{run.project}: {run.id}" for run in found)
    return AmbiguousExperiment(
        f"{len(found)} runs are called '{one_line(ref)}' ({one_line(told)}).", hint="Use an id."
    )


def _odd(what: str) -> TrackioUnavailable:
    return TrackioUnavailable(
        f"Trackio's {what} is not what it documents.", hint="Look for a newer hfspace; nothing was concluded."
    )
