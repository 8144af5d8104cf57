"""TrackioClient: the experiments of a Space, by the Space's id, whichever Trackio runs behind it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from hfspace.errors import NotSupported, UsageError
from hfspace.live.experiments.location import TrackioPlace
from hfspace.live.experiments.names import (
    EndpointNames,
    entries_of,
    map_of,
    number_of,
    optional_texts,
    ref_of,
    text_of,
    texts_of,
)
from hfspace.live.trackio.address import Address
from hfspace.live.trackio.endpoints import endpoint_names
from hfspace.live.trackio.port import Artifact, ArtifactFile, Experiment, Kind, LogEntry, Progress, Series
from hfspace.manifest.trackers import HOLDS, Ability, plugin
from hfspace.manifest.values import normalise_id
from hfspace.model import Json

if TYPE_CHECKING:
    from hfspace.live.trackio.budget import Budget
    from hfspace.live.trackio.hub_artifacts import HubArtifacts
    from hfspace.live.trackio.port import Tracker

IDLE_SECONDS = 60.0
"""After this long without a call the app may be asleep: the Hub is asked again before the next one."""


class TrackioClient(EndpointNames):
    """The experiments of one Trackio Space. Connects at the first use; safe to use from several threads.

    `space` is owner/name, a Space's URL or its *.hf.space host (default: TRACKIO_SPACE_ID); the Hub tells its
    host, and only that host gets the token. `url` names the app itself instead: then no Hugging Face token
    is sent. `token` defaults to HF_TOKEN, else the saved login; `endpoint` to HF_ENDPOINT. Official trackio
    may want its own token too: TRACKIO_WRITE_TOKEN. `project` is meant where a method is given none.
    `backend` asserts which kind it is: interface (the Gradio app), trackio (official), or one that an
    installed package brings (docs/trackio.md). `endpoints` are names of the Gradio app's endpoints that are
    not the usual ones (`endpoints.USUAL`). `artifacts` is hf://buckets/owner/name or hf://datasets/owner/name,
    which keeps the artifacts of an app that holds none. `timeout` is in seconds, for each call; `budget`
    bounds time and bytes of all calls. A sleeping Space is an error and sleeps on, unless `wake`; None wakes
    it where its hardware is free. After a minute without a call the Hub is asked again.

    Raises UsageError when neither a Space nor a URL is known. The methods are those of
    `hfspace.live.trackio.port.Tracker`, and raise TrackioError.
    """

    def __init__(
        self,
        space: str | None = None,
        token: str | None = None,
        *,
        url: str | None = None,
        project: str | None = None,
        backend: str = "auto",
        endpoint: str | None = None,
        endpoints: Mapping[Any, str] | None = None,
        artifacts: str | None = None,
        timeout: float = 30.0,
        budget: Budget | None = None,
        wake: bool | None = False,
        env: Mapping[str, str] | None = None,
    ) -> None:
        optional_texts(space=space, token=token, url=url, project=project, endpoint=endpoint)
        optional_texts(artifacts=artifacts)
        self._env = os.environ if env is None else map_of(env, "env=")
        self.space = _space_id(space or self._env.get("TRACKIO_SPACE_ID") or None)
        self._url = url.rstrip("/") if url else None
        if self.space is None and self._url is None:
            raise UsageError(
                "Which Trackio Space is not said.", hint="Name it, or set TRACKIO_SPACE_ID=owner/name."
            )
        if self._url is not None and not self._url.startswith(("http://", "https://")):
            raise UsageError(f"{self._url} is no http(s) URL.", hint="Write https://host.")
        if text_of(backend, "backend=") not in {"auto", *HOLDS}:
            plugin(backend)
        place = TrackioPlace(
            space=self.space, url=self._url, token=token, endpoint=endpoint, wake=wake, env=self._env
        )
        self._locate: Callable[[], Address] = place.locate
        self._artifacts = _hub_artifacts(artifacts, place)
        self._project = project
        self._backend_name = backend
        self._endpoints = endpoint_names(None if endpoints is None else map_of(endpoints, "endpoints="))
        self._timeout = number_of(timeout, "timeout=")
        self._budget = budget
        self._address: Address | None = None
        self._backend: Tracker | None = None
        self._used = 0.0
        self._lock = threading.Lock()

    @classmethod
    def many(
        cls,
        spaces: Iterable[str],
        *,
        token: str | None = None,
        project: str | None = None,
        endpoint: str | None = None,
        timeout: float = 30.0,
        env: Mapping[str, str] | None = None,
    ) -> dict[str, TrackioClient]:
        """A client for each of these Spaces."""
        return {
            space: cls(space, token=token, project=project, endpoint=endpoint, timeout=timeout, env=env)
            for space in texts_of(spaces, "Spaces")
        }

    @classmethod
    def at(
        cls,
        address: Address,
        *,
        space: str,
        project: str | None = None,
        backend: str = "auto",
        endpoints: Mapping[Any, str] | None = None,
        timeout: float = 30.0,
        budget: Budget | None = None,
    ) -> TrackioClient:
        """A client for a Space whose host was already read from the Hub."""
        client = cls(
            space,
            project=project,
            backend=backend,
            endpoints=endpoints,
            timeout=timeout,
            budget=budget,
            env={},
        )
        client._locate = lambda: address
        return client

    def __enter__(self) -> TrackioClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Forget the app; the next use asks anew where and what it is."""
        with self._lock:
            self._address = self._backend = None

    # ------------------------------------------------------------ what it is

    @property
    def kind(self) -> Kind:
        return self.backend.kind

    @property
    def holds(self) -> tuple[Ability, ...]:
        return self.backend.holds

    @property
    def keyed(self) -> bool:
        return self.backend.keyed

    @property
    def backend(self) -> Tracker:
        """The adapter for the kind of app that was found. Raises TrackioUnavailable."""
        with self._lock:
            now = time.monotonic()
            if self._backend is None or now - self._used > IDLE_SECONDS:
                address = self._locate()
                if self._backend is None or address != self._address:
                    self._address, self._backend = address, self._connected(address)
            self._used = now
            return self._backend

    # ------------------------------------------------------------ the port

    def list(self, project: str | None = None) -> tuple[Experiment, ...]:
        return self.backend.list(self._in(project))

    def show(self, ref: str, project: str | None = None) -> Experiment:
        return self.backend.show(ref_of(ref), self._in(project))

    def create(
        self,
        name: str,
        *,
        description: str = "",
        parameters: Mapping[str, Json] | None = None,
        project: str | None = None,
    ) -> Experiment:
        text_of(description, "A description")
        return self.backend.create(
            name, description=description, parameters=parameters, project=self._in(project)
        )

    def ensure(
        self,
        name: str,
        *,
        description: str = "",
        parameters: Mapping[str, Json] | None = None,
        project: str | None = None,
    ) -> Experiment:
        """The experiment of this exact name, created when there is none; the parameters brought in line.

        Raises AmbiguousExperiment when several have the name."""
        text_of(description, "A description")
        return self.backend.ensure(
            name, description=description, parameters=parameters, project=self._in(project)
        )

    def delete(self, ref: str, project: str | None = None) -> None:
        """Delete a run for good (official trackio only)."""
        self.backend.delete(ref_of(ref), self._in(project))

    def update_status(self, ref: str, status: str, project: str | None = None) -> Experiment:
        return self.backend.update_status(ref_of(ref), status, self._in(project))

    def log_metrics(
        self,
        ref: str,
        entries: Sequence[LogEntry] | Mapping[str, Json],
        project: str | None = None,
        *,
        step: int | None = None,
    ) -> None:
        """Log entries, or one map of metrics at a step."""
        self.backend.log_metrics(ref_of(ref), entries_of(entries, step), self._in(project))

    def log_parameters(
        self, ref: str, parameters: Mapping[str, Json], project: str | None = None
    ) -> Experiment:
        return self.backend.log_parameters(ref_of(ref), parameters, self._in(project))

    def upload_media(
        self, ref: str, path: Path, project: str | None = None, *, step: int | None = None
    ) -> str:
        """Send a picture of a step; the `file_path` of a metric that shows it. Raises NotSupported."""
        return self.backend.upload_media(ref_of(ref), path, self._in(project), step=step)

    def upload_artifact(
        self,
        ref: str,
        files: Sequence[str | Path | ArtifactFile],
        project: str | None = None,
        *,
        name: str,
        type: str = "file",
        aliases: Sequence[str] = (),
        progress: Progress = lambda name, sent, size: None,
    ) -> Artifact:
        """Keep files and folders as a version of the artifact `name` that this run made: in the app, or where
        it holds none in the bucket or dataset `artifacts`. What is there already is not sent again. Raises
        NotSupported."""
        from hfspace.live.trackio.artifacts import checked_artifact_name, collect

        content, where = collect(files), self._in(project)
        checked_artifact_name(name)
        try:
            return self.backend.upload_artifact(
                ref_of(ref), content, where, name=name, type=type, aliases=aliases, progress=progress
            )
        except NotSupported as error:
            if self._artifacts is None:
                hint = "Name a bucket or dataset for them: trackio.artifacts, or TrackioClient(artifacts=…)."
                raise NotSupported(error.message, hint=hint) from None
        return self._artifacts.keep(self.show(ref, where), content, name=name, progress=progress)

    def plot(self, ref: str, metric: str, project: str | None = None) -> Series:
        return self.backend.plot(ref_of(ref), text_of(metric, "A metric's name"), self._in(project))

    def metric_names(self, ref: str, project: str | None = None) -> tuple[str, ...]:
        return self.backend.metric_names(ref_of(ref), self._in(project))

    def compare(
        self, refs: Sequence[str], metric: str = "loss", project: str | None = None
    ) -> tuple[Series, ...]:
        return self.backend.compare(texts_of(refs, "Experiments"), metric, self._in(project))

    def simulate(self, ref: str, project: str | None = None) -> Experiment:
        return self.backend.simulate(ref_of(ref), self._in(project))

    def demo(self) -> Experiment:
        return self.backend.demo()

    # ------------------------------------------------------------ connecting

    def _in(self, project: str | None) -> str | None:
        return project if project is not None else self._project

    def _connected(self, address: Address) -> Tracker:
        # Only a client that connects pays for this import.
        from hfspace.live.trackio.backends import Backends

        backends = Backends(
            backend=self._backend_name, endpoints=self._endpoints, timeout=self._timeout, budget=self._budget
        )
        return backends.open(address, space=self.space, project=self._project)


def _hub_artifacts(source: str | None, place: TrackioPlace) -> HubArtifacts | None:
    if source is None:
        return None
    from hfspace.live.trackio.hub_artifacts import HubArtifacts

    return HubArtifacts(source, endpoint=place.hub, token=place.hub_token)


def _space_id(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return normalise_id(text)
    except ValueError as error:
        raise UsageError(f"'{text}' is no Space: {error}.", hint="Write owner/name.") from None
