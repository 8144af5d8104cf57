"""An in-memory Tracker of either kind, with faults: it can be unreachable, lose an answer after the effect,
stop half-way through a batch, forget everything, and keep its state in a file for several processes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hfspace.errors import (
    AmbiguousExperiment,
    ExperimentNotFound,
    NotSupported,
    TrackioRejected,
    TrackioUnavailable,
)
from hfspace.live.trackio.base import TrackerBase
from hfspace.live.trackio.port import (
    STATUSES,
    Artifact,
    ArtifactFile,
    Experiment,
    LogEntry,
    Point,
    Progress,
    Series,
)
from hfspace.manifest.trackers import HOLDS


class FakeTracker(TrackerBase):
    """`fault` is asked before each call: None, 'before' (nothing happens), 'after' (done, answer lost), or
    for log_metrics the number of entries that arrive before it breaks."""

    def __init__(
        self,
        *,
        keyed: bool = False,
        fault: Callable[[str], str | int | None] | None = None,
        store: Path | None = None,
    ) -> None:
        self.keyed = keyed
        self.kind = "trackio" if keyed else "interface"
        self.holds = HOLDS[self.kind]
        self.fault = fault or (lambda call: None)
        self.calls: list[str] = []
        self.experiments: dict[str, Experiment] = {}
        self.entries: dict[str, list[LogEntry]] = {}
        self.files: dict[str, bytes] = {}
        self._store = store
        self._made = 0
        self._load()

    # what tests look at

    def named(self, name: str) -> Experiment:
        (found,) = [item for item in self.experiments.values() if item.name == name]
        return found

    def logged(self, name: str) -> list[tuple[int | None, dict[str, Any]]]:
        return [(entry.step, dict(entry.metrics)) for entry in self.entries[self.named(name).id]]

    def forget(self) -> None:
        self.experiments.clear()
        self.entries.clear()
        self._save()

    # the port

    def list(self, project: str | None = None) -> tuple[Experiment, ...]:
        return self._do("list", lambda: tuple(map(self._now, self.experiments.values())))

    def show(self, ref: str, project: str | None = None) -> Experiment:
        return self._do("show", lambda: self._find(ref))

    def create(
        self,
        name: str,
        *,
        description: str = "",
        parameters: Mapping[str, Any] | None = None,
        project: str | None = None,
    ) -> Experiment:
        def effect() -> Experiment:
            if self.keyed and description:
                raise NotSupported("Official trackio keeps no description.")
            if self.keyed and (found := [e for e in self.experiments.values() if e.name == name]):
                return found[0]
            self._made += 1
            made = Experiment(
                id=f"exp_{self._made}",
                name=name,
                description=None if self.keyed else description,
                status=None if self.keyed else "running",
                parameters=dict(parameters or {}),
                project="default" if self.keyed else None,
            )
            self.experiments[made.id] = made
            self.entries[made.id] = []
            return made

        return self._do("create", effect)

    def update_status(self, ref: str, status: str, project: str | None = None) -> Experiment:
        def effect() -> Experiment:
            if self.keyed:
                raise NotSupported("Official trackio holds no status.")
            if status not in STATUSES:
                raise TrackioRejected(f"{status} is no status.")
            return self._put(replace(self._find(ref), status=status))

        return self._do("update_status", effect)

    def log_metrics(self, ref: str, entries: Sequence[LogEntry], project: str | None = None) -> None:
        fault = self._fault("log_metrics")
        if fault == "before":
            raise TrackioUnavailable("No answer.")
        found = self._find(ref)
        keys = {entry.key for entry in self.entries[found.id]}
        for at, entry in enumerate(entries):
            if isinstance(fault, int) and at == fault:
                self._save()
                raise TrackioUnavailable("The app died half-way.")
            if not (self.keyed and entry.key in keys):
                self.entries[found.id].append(entry)
        self._save()
        if fault == "after":
            raise TrackioUnavailable("The answer was lost.")

    def log_parameters(
        self, ref: str, parameters: Mapping[str, Any], project: str | None = None
    ) -> Experiment:
        def effect() -> Experiment:
            found = self._find(ref)
            return self._put(replace(found, parameters={**found.parameters, **parameters}))

        return self._do("log_parameters", effect)

    def plot(self, ref: str, metric: str, project: str | None = None) -> Series:
        def effect() -> Series:
            found = self._find(ref)
            points = tuple(
                Point(step=entry.step, value=float(entry.metrics[metric]), time=entry.time)
                for entry in self.entries[found.id]
                if metric in entry.metrics
            )
            return Series(experiment=found.name, metric=metric, points=points)

        return self._do("plot", effect)

    def upload_media(
        self, ref: str, path: Path, project: str | None = None, *, step: int | None = None
    ) -> str:
        def effect() -> str:
            if not self.keyed:
                raise NotSupported("It holds no pictures.")
            place = f"default/{ref}/{step}/{path.name}"
            self.files[place] = path.read_bytes()
            return place

        return str(self._do("upload_media", effect))

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
        def effect() -> Artifact:
            if not self.keyed:
                raise NotSupported("It holds no artifacts.")
            fresh = [file for file in files if f"{name}:{file.name}" not in self.files]
            for file in files:
                self.files[f"{name}:{file.name}"] = file.path.read_bytes()
                progress(file.name, file.size, file.size)
            return Artifact(name=name, version="v0", files=tuple(files), sent=sum(f.size for f in fresh))

        return self._do("upload_artifact", effect)

    def simulate(self, ref: str, project: str | None = None) -> Experiment:
        if self.keyed:
            raise NotSupported("Official trackio does not simulate.")
        entries = [LogEntry(metrics={"loss": 2 / (1 + step)}, step=step) for step in range(20)]
        self.log_metrics(ref, entries)
        return self.show(ref)

    def demo(self) -> Experiment:
        return self.simulate(self.create("demo").id)

    def close(self) -> None:
        self.calls.append("close")

    # inside

    def _fault(self, call: str) -> str | int | None:
        self.calls.append(call)
        return self.fault(call)

    def _do(self, call: str, effect: Callable[[], Any]) -> Any:
        fault = self._fault(call)
        if fault == "before":
            raise TrackioUnavailable("No answer.")
        result = effect()
        self._save()
        if fault == "after":
            raise TrackioUnavailable("The answer was lost.")
        return result

    def _find(self, ref: str) -> Experiment:
        if ref in self.experiments:
            return self._now(self.experiments[ref])
        found = [item for item in self.experiments.values() if item.name == ref]
        if len(found) > 1:
            raise AmbiguousExperiment(f"{len(found)} experiments are named {ref}.")
        if not found:
            raise ExperimentNotFound(f"There is no experiment {ref}.", hint="hfspace experiments list")
        return self._now(found[0])

    def _now(self, experiment: Experiment) -> Experiment:
        entries = self.entries[experiment.id]
        last = entries[-1] if entries else LogEntry(metrics={})
        return replace(experiment, metrics=len(entries), latest=last.metrics, latest_step=last.step)

    def _put(self, experiment: Experiment) -> Experiment:
        self.experiments[experiment.id] = experiment
        self._save()
        return experiment

    def _save(self) -> None:
        if self._store is None:
            return
        names = Experiment.__dataclass_fields__
        document = {
            "made": self._made,
            "experiments": [{n: getattr(e, n) for n in names} for e in self.experiments.values()],
            "entries": {
                key: [{n: getattr(e, n) for n in LogEntry.__dataclass_fields__} for e in entries]
                for key, entries in self.entries.items()
            },
        }
        text = json.dumps(document)
        temporary = self._store.with_suffix(".new")
        temporary.write_text(text)
        temporary.replace(self._store)

    def _load(self) -> None:
        if self._store is None or not self._store.exists():
            return
        document = json.loads(self._store.read_text())
        self._made = document["made"]
        self.experiments = {raw["id"]: Experiment(**raw) for raw in document["experiments"]}
        self.entries = {key: [LogEntry(**raw) for raw in raws] for key, raws in document["entries"].items()}
