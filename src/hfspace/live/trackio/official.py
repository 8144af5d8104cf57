"""Official trackio (0.24 and later) behind the port: a run is an experiment, its config the parameters.

Declaring is idempotent: the run id is made from project and name, the log id from the run id. A config is
replaced as a whole by every write, so that ours is read, merged and written, and only our keys compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from hfspace.errors import DataLoss, NotSupported, TrackioRejected, TrackioUnavailable
from hfspace.live.trackio import artifacts, media
from hfspace.live.trackio.base import TrackerBase
from hfspace.live.trackio.matches import ambiguous
from hfspace.live.trackio.official_api import OfficialApi
from hfspace.live.trackio.official_reads import OfficialReads, counted
from hfspace.live.trackio.official_records import latest_of, mark_of, owner_of, point_of, sendable
from hfspace.live.trackio.port import Artifact, ArtifactFile, Experiment, LogEntry, Progress, Series
from hfspace.live.trackio.values import checked_name, differing, metrics_of, one_line, parameters_of, run_id
from hfspace.manifest.experiments import canonical_project
from hfspace.manifest.trackers import HOLDS
from hfspace.model import Json


class OfficialTracker(TrackerBase):
    """One trackio server. `project` is what is meant when a call names none."""

    kind = "trackio"
    keyed = True
    holds = HOLDS["trackio"]
    _refusals: ClassVar = {
        "set a status": ("Official trackio keeps no status of a run.", "Give it as a parameter instead."),
        "simulate training": ("Official trackio can't simulate training.", "Log metrics instead."),
        "make a demo": ("Official trackio has no demo experiment.", "Create one instead."),
    }

    def __init__(self, api: OfficialApi, *, project: str | None = None) -> None:
        self._api = api
        self._reads = OfficialReads(api)
        self._project = project

    # ------------------------------------------------------------ reads

    def list(self, project: str | None = None) -> tuple[Experiment, ...]:
        """The runs of one project, of all when none is named. Without their latest metrics."""
        chosen = project or self._project
        runs = self.runs(*((chosen,) if chosen else self._reads.projects()))
        return tuple(map(counted, runs, self._reads.summaries(runs)))

    def runs(self, *projects: str) -> tuple[Experiment, ...]:
        """The runs of these projects with their config, and nothing of their metrics."""
        return self._reads.runs(projects)

    def show(self, ref: str, project: str | None = None) -> Experiment:
        run = self._one(ref, project)
        (summary,) = self._reads.summaries([run])
        now = counted(run, summary)
        step = summary.get("last_step")
        if not now.metrics or not isinstance(step, int):
            return now
        return replace(now, latest=latest_of(self._reads.snapshot(run, step)), latest_step=step)

    def plot(self, ref: str, metric: str, project: str | None = None) -> Series:
        run = self._one(ref, project)
        rows = self._reads.values(run, metric)
        if not rows:
            known = self._reads.metrics(run)
            if known and metric not in known:
                raise TrackioRejected(
                    f"'{one_line(run.name)}' has no metric '{one_line(metric)}'.",
                    hint=f"It has: {one_line(', '.join(known))}.",
                )
        points = (point_of(row) for row in rows)
        return Series(
            experiment=run.name, metric=metric, points=tuple(point for point in points if point is not None)
        )

    def metric_names(self, ref: str, project: str | None = None) -> tuple[str, ...]:
        return self._reads.metrics(self._one(ref, project))

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
        target = parameters_of(parameters or {})
        if description:
            raise NotSupported(
                "Official trackio keeps no description.", hint="Give it as a parameter instead."
            )
        where = self._named(project)
        mine = Experiment(id=run_id(where, name), name=name, project=canonical_project(where))
        runs = self.runs(where)
        twins = [run for run in runs if run.name == name]
        if len(twins) > 1:
            raise ambiguous(name, twins)
        if twins:
            return self._with(twins[0], target) if target else twins[0]
        if renamed := next((run for run in runs if run.id == mine.id), None):
            # Logging one id under a second name would leave two records of one run (trackio 0.43).
            raise TrackioRejected(
                f"The run '{one_line(name)}' is called '{one_line(renamed.name)}' now.",
                hint="Use that name, or rename the run back.",
            )
        self._declare(mine, target)
        return self._read_back(mine, target)

    ensure = create

    def log_parameters(
        self, ref: str, parameters: Mapping[str, Json], project: str | None = None
    ) -> Experiment:
        return self._with(self._one(ref, project), parameters_of(parameters))

    def log_metrics(self, ref: str, entries: Sequence[LogEntry], project: str | None = None) -> None:
        """All entries in one request. An entry with a `key` is kept once, however often it is sent."""
        bodies = [(metrics_of(entry), entry) for entry in entries]
        if not bodies:
            return
        run = self._one(ref, project)
        before = self._count(run)
        self._bulk([
            {
                **owner_of(run),
                "metrics": sendable(metrics),
                "step": entry.step,
                "log_id": f"{run.id}:{entry.key}" if entry.key is not None else None,
            }
            for metrics, entry in bodies
        ])  # fmt: skip
        self._verify_logged(run, before, [entry for _, entry in bodies])

    def upload_media(
        self, ref: str, path: Path, project: str | None = None, *, step: int | None = None
    ) -> str:
        return media.upload(self._api, self._one(ref, project), path, step)

    def upload_artifact(
        self,
        ref: str,
        files: Sequence[ArtifactFile],
        project: str | None = None,
        *,
        name: str,
        type: str,
        aliases: Sequence[str] = (),
        progress: Progress = lambda name, sent, size: None,
    ) -> Artifact:
        run = self._one(ref, project)
        return artifacts.upload(
            self._api, run, files, name=name, type=type, aliases=aliases, progress=progress
        )

    def delete(self, ref: str, project: str | None = None) -> None:
        """Delete a run with everything in it, by its id: by name, twins are torn apart (trackio 0.43)."""
        run = self._one(ref, project)
        self._api.write("delete_run", project=run.project, run=run.name, run_id=run.id)
        if any(one.id == run.id for one in self.runs(str(run.project))):
            raise TrackioRejected(f"Trackio says that '{one_line(run.name)}' is deleted, and it is there.")

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
        return self._reads.one(ref, project or self._project)

    def _with(self, run: Experiment, target: Mapping[str, Json]) -> Experiment:
        if not differing(target, run.parameters):
            return run
        # Whatever training logged between our read and this write is replaced: trackio has no merge.
        self._declare(run, {**run.parameters, **target})
        return self._read_back(run, target)

    def _declare(self, run: Experiment, config: Mapping[str, Json]) -> None:
        """One entry without metrics; its fixed log id keeps a second one from being stored."""
        entry: dict[str, Json] = {**owner_of(run), "metrics": {}, "step": 0, "log_id": mark_of(run)}
        if config:
            entry["config"] = dict(config)
        try:
            self._bulk([entry])
        except TrackioUnavailable:
            if not any(one.id == run.id for one in self.runs(str(run.project))):
                raise

    def _read_back(self, run: Experiment, target: Mapping[str, Json]) -> Experiment:
        twins = [one for one in self.runs(str(run.project)) if one.name == run.name]
        mine = [one for one in twins if one.id == run.id]
        if len(mine) != 1:
            raise DataLoss(f"Trackio took the run '{one_line(run.name)}', and does not list it.")
        if left := differing(target, mine[0].parameters):
            raise TrackioRejected(
                f"Trackio took the parameters of '{one_line(run.name)}', and reads otherwise: "
                f"{one_line(', '.join(left))}."
            )
        return mine[0]

    def _bulk(self, logs: Sequence[Mapping[str, Json]]) -> None:
        # hf_token must be there, even empty; a Bearer token takes its place on a Space.
        self._api.write("bulk_log", logs=list(logs), hf_token=None)

    def _verify_logged(self, run: Experiment, before: Json, entries: Sequence[LogEntry]) -> None:
        after = self._count(run)
        fresh = sum(entry.key is None for entry in entries)
        if isinstance(before, int) and (not isinstance(after, int) or after < before + fresh):
            raise DataLoss(
                f"{len(entries)} entries were logged for '{one_line(run.name)}', and its count went from "
                f"{before} to {after}."
            )

    def _count(self, run: Experiment) -> Json:
        return self._reads.summaries([run])[0].get("num_logs")
