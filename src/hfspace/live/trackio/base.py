"""What every backend of experiments need not write, and what one that another package brings starts from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from hfspace.errors import ExperimentNotFound, NotSupported, TrackioRejected, UsageError
from hfspace.live.trackio.address import Address
from hfspace.live.trackio.app_http import AppCall, AppConnection, AppHttp, parsed, unusable
from hfspace.live.trackio.matches import the_one
from hfspace.live.trackio.port import Artifact, ArtifactFile, Experiment, Kind, LogEntry, Progress, Series
from hfspace.live.trackio.series import all_series
from hfspace.live.trackio.values import one_line
from hfspace.manifest.trackers import Ability
from hfspace.model import Json


class TrackerApp:
    """The app behind a Space, reached within the command's time and limit of bytes. `project` is that of the
    manifest or the command line."""

    def __init__(self, http: AppHttp, address: Address, *, space: str | None, project: str | None) -> None:
        self.base = address.base
        self.space = space
        self.project = project
        self._http = http
        # Whoever may read a private Space needs the token; a public one's app is never shown it.
        self._headers = (
            {"authorization": f"Bearer {address.token}"} if address.private and address.token else {}
        )

    def get(self, path: str) -> Json:
        """The JSON at `path` of the app; read again when the connection fails. Raises as `send`."""
        return self._http.read([self._call("GET", path, None)])[0]

    def send(self, method: str, path: str, body: Json = None) -> Json:
        """The JSON that answers a write, which is sent once. Raises TrackioRejected when the app says no,
        TrackioUnavailable when no usable answer comes."""
        return self._http.write(self._call(method, path, body))

    def _call(self, method: str, path: str, body: Json) -> AppCall[Json]:
        if not path.startswith("/") or path.startswith("//"):
            # Anything else is an address, and the token is for this app only.
            raise UsageError(f"'{one_line(path)}' is no path of the app.", hint="Begin it with one slash.")

        async def make(connection: AppConnection) -> Json:
            answer = await connection.answer(method, path, body, self._headers)
            text = answer.body.decode("utf-8", "replace")
            if 400 <= answer.status < 500:
                raise TrackioRejected(f"{self._http.host} refuses {path}: {answer.status} {one_line(text)}")
            if answer.status >= 300:
                raise unusable(self._http.host, path, answer.status, answer.content_type)
            return parsed(text)

        return AppCall(path, make)


class TrackerBase:
    """What a backend inherits: it writes `list`, and what else its app can do. `holds` says what of it a
    manifest may declare."""

    kind: Kind = ""
    keyed = False
    holds: tuple[Ability, ...] = ()
    _refusals: ClassVar[Mapping[str, tuple[str, str]]] = {}
    """Sentence and hint for what it can't do, where the usual sentence won't do."""

    def list(self, project: str | None = None) -> tuple[Experiment, ...]:
        raise NotImplementedError

    def show(self, ref: str, project: str | None = None) -> Experiment:
        """Of those that are listed, the one with this id or exact name."""
        return the_one(ref, self.list(project), absent="No experiment has")

    def create(
        self,
        name: str,
        *,
        description: str = "",
        parameters: Mapping[str, Json] | None = None,
        project: str | None = None,
    ) -> Experiment:
        raise self._lacks("create experiments")

    def ensure(
        self,
        name: str,
        *,
        description: str = "",
        parameters: Mapping[str, Json] | None = None,
        project: str | None = None,
    ) -> Experiment:
        """The experiment of this exact name, created when there is none; the parameters brought in line."""
        try:
            one = self.show(name, project)
        except ExperimentNotFound:
            return self.create(name, description=description, parameters=parameters, project=project)
        return self.log_parameters(one.id, parameters, project) if parameters else one

    def delete(self, ref: str, project: str | None = None) -> None:
        raise self._lacks("delete experiments")

    def update_status(self, ref: str, status: str, project: str | None = None) -> Experiment:
        raise self._lacks("set a status")

    def log_parameters(
        self, ref: str, parameters: Mapping[str, Json], project: str | None = None
    ) -> Experiment:
        raise self._lacks("keep parameters")

    def log_metrics(self, ref: str, entries: Sequence[LogEntry], project: str | None = None) -> None:
        raise self._lacks("keep metrics")

    def upload_media(
        self, ref: str, path: Path, project: str | None = None, *, step: int | None = None
    ) -> str:
        raise self._lacks("keep pictures")

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
        raise self._lacks("keep artifacts")

    def plot(self, ref: str, metric: str, project: str | None = None) -> Series:
        raise self._lacks("tell the values of a metric")

    def metric_names(self, ref: str, project: str | None = None) -> tuple[str, ...]:
        return tuple(self.show(ref, project).latest)

    def compare(
        self, refs: Sequence[str], metric: str = "loss", project: str | None = None
    ) -> tuple[Series, ...]:
        return all_series(lambda ref: self.plot(ref, metric, project), refs, metric)

    def simulate(self, ref: str, project: str | None = None) -> Experiment:
        raise self._lacks("simulate training")

    def demo(self) -> Experiment:
        raise self._lacks("make a demo")

    def _lacks(self, what: str) -> NotSupported:
        message, hint = self._refusals.get(what, (f"The backend '{self.kind}' can't {what}.", ""))
        return NotSupported(message, hint=hint)
