"""What the layers above may ask of a Trackio app, whichever of the two kinds it is (docs/trackio.md)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from hfspace.manifest.trackers import Ability
from hfspace.model import Json

Kind = str
"""interface (the Gradio app), trackio (official), or the name of a backend that another package brings."""
Status = Literal["running", "completed", "failed", "paused"]
STATUSES: tuple[Status, ...] = ("running", "completed", "failed", "paused")


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """One experiment, or on official trackio one run. None means: this kind of app does not hold it.

    `latest` is the last metrics entry that can be read, with its step; `metrics` counts entries.
    """

    id: str
    name: str
    project: str | None = None
    description: str | None = None
    status: str | None = None
    created: str | None = None
    parameters: Mapping[str, Json] = field(default_factory=dict)
    metrics: int = 0
    latest: Mapping[str, Json] = field(default_factory=dict)
    latest_step: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One value of one metric. `step` is None where the app keeps none."""

    step: int | None
    value: float
    time: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """The values of one metric of one experiment, in the order in which they were logged."""

    experiment: str
    metric: str
    points: tuple[Point, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """Metrics at a step, to be logged. `key` makes sending it twice harmless, where the app is `keyed`."""

    metrics: Mapping[str, Json]
    step: int | None = None
    time: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactFile:
    """A file on this side: where it is, its path in the artifact, and what was in it when it was read."""

    path: Path
    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """What is kept now. The same files again make no new version. `sent` counts bytes that went over."""

    name: str
    version: str
    files: tuple[ArtifactFile, ...]
    sent: int


Progress = Callable[[str, int, int], None]
"""Hears a file's path in the artifact, how many of its bytes are at the app, and how many it has."""


class Tracker(Protocol):
    """One Trackio app. `ref` is an experiment's id or its exact name.

    Every method raises ExperimentNotFound, AmbiguousExperiment, TrackioRejected, TrackioUnavailable or
    NotSupported (all TrackioError), and never returns an error as if it were an answer. Only reads are
    repeated by themselves. Times out.
    """

    @property
    def kind(self) -> Kind: ...

    @property
    def holds(self) -> tuple[Ability, ...]:
        """What of a declaration it can hold beside name and parameters."""
        ...

    @property
    def keyed(self) -> bool:
        """True when a LogEntry's `key` keeps it from being logged twice (official trackio)."""
        ...

    def list(self, project: str | None = None) -> tuple[Experiment, ...]: ...

    def show(self, ref: str, project: str | None = None) -> Experiment: ...

    def create(
        self,
        name: str,
        *,
        description: str = "",
        parameters: Mapping[str, Json] | None = None,
        project: str | None = None,
    ) -> Experiment:
        """Create, then read it back.

        On official trackio creating again is a no-op; on the Gradio app it makes another experiment of the
        same name, and waits until no other create shares its second."""
        ...

    def ensure(
        self,
        name: str,
        *,
        description: str = "",
        parameters: Mapping[str, Json] | None = None,
        project: str | None = None,
    ) -> Experiment:
        """The experiment of this exact name, created when there is none; the parameters brought in line."""
        ...

    def delete(self, ref: str, project: str | None = None) -> None:
        """Delete for good, where the app can."""
        ...

    def update_status(self, ref: str, status: str, project: str | None = None) -> Experiment: ...

    def log_metrics(self, ref: str, entries: Sequence[LogEntry], project: str | None = None) -> None: ...

    def log_parameters(
        self, ref: str, parameters: Mapping[str, Json], project: str | None = None
    ) -> Experiment:
        """Add or change these keys; others stay."""
        ...

    def upload_media(
        self, ref: str, path: Path, project: str | None = None, *, step: int | None = None
    ) -> str:
        """Send a picture of a step; the `file_path` of a metric that shows it (official trackio only)."""
        ...

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
        """Keep files as a version of the artifact `name` (official trackio only)."""
        ...

    def plot(self, ref: str, metric: str, project: str | None = None) -> Series: ...

    def metric_names(self, ref: str, project: str | None = None) -> tuple[str, ...]:
        """The metrics that are known to have values: all on official trackio, those of the last entry on the
        Gradio app."""
        ...

    def compare(
        self, refs: Sequence[str], metric: str = "loss", project: str | None = None
    ) -> tuple[Series, ...]: ...

    def simulate(self, ref: str, project: str | None = None) -> Experiment: ...

    def demo(self) -> Experiment: ...
