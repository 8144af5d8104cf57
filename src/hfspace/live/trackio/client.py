"""TrackioClient: the experiments of a Space, by the Space's id, whichever Trackio runs behind it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hfspace.errors import HubError, TrackioUnavailable, UsageError
from hfspace.live.trackio.names import EndpointNames, entries_of, text_of
from hfspace.live.trackio.port import Entry, Experiment, Kind, Series
from hfspace.live.trackio.spacing import PROCESS, Spacing
from hfspace.model import FAILED, FREE_HARDWARE, HELD, Json, SpaceState

if TYPE_CHECKING:
    from hfspace.live.trackio.interface import InterfaceTracker
    from hfspace.live.trackio.official import OfficialTracker

    Backend = InterfaceTracker | OfficialTracker

HUB = "https://huggingface.co"
WRITE_TOKEN = "TRACKIO_WRITE_TOKEN"  # noqa: S105 - the name of a variable
_KINDS = {"interface": "the Gradio app", "trackio": "official trackio"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where an app is, and which tokens may go there. `private`: reading needs the token too."""

    base: str
    private: bool = False
    token: str | None = field(default=None, repr=False)
    write_token: str | None = field(default=None, repr=False)


class TrackioClient(EndpointNames):
    """The experiments of one Trackio Space. Connects at the first use; safe to use from several threads.

    `space` is owner/name, a Space's URL or its *.hf.space host (default: TRACKIO_SPACE_ID); the Hub tells its
    host, and only that host gets the token. `url` names the app itself instead: then no Hugging Face token
    is sent. `token` defaults to HF_TOKEN, else the saved login; `endpoint` to HF_ENDPOINT. Official trackio
    may want its own token too: TRACKIO_WRITE_TOKEN. `project` is meant where a method is given none.
    `backend` asserts which kind it is: interface (the Gradio app) or trackio (official). `timeout` is in
    seconds, for each call. A sleeping Space is an error and sleeps on, unless `wake`; None wakes it where its
    hardware is free.

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
        timeout: float = 30.0,
        wake: bool | None = False,
        env: Mapping[str, str] | None = None,
    ) -> None:
        for value, what in ((space, "A Space"), (token, "A token"), (url, "A URL"), (project, "A project")):
            if value is not None:
                text_of(value, what)
        self._env = os.environ if env is None else env
        self.space = _space_id(space or self._env.get("TRACKIO_SPACE_ID") or None)
        self._url = url.rstrip("/") if url else None
        if self.space is None and self._url is None:
            raise UsageError(
                "Which Trackio Space is not said.", hint="Name it, or set TRACKIO_SPACE_ID=owner/name."
            )
        if self._url is not None and not self._url.startswith(("http://", "https://")):
            raise UsageError(f"{self._url} is no http(s) URL.", hint="Write https://host.")
        if backend not in {"auto", *_KINDS}:
            raise UsageError(f"'{backend}' is no backend.", hint="It is one of auto, interface, trackio.")
        self._token = token
        self._endpoint = endpoint
        self._project = project
        self._wanted = backend
        self._timeout = timeout
        self._wake = wake
        self._spacing: Spacing = PROCESS
        self._address: Address | None = None
        self._is_located = False
        self._backend: Backend | None = None
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
            for space in spaces
        }

    @classmethod
    def at(
        cls,
        address: Address,
        *,
        space: str,
        project: str | None = None,
        backend: str = "auto",
        timeout: float = 30.0,
    ) -> TrackioClient:
        """A client for a Space whose host was already read from the Hub."""
        client = cls(space, project=project, backend=backend, timeout=timeout, env={})
        client._address = address
        return client

    def __enter__(self) -> TrackioClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give up the connection; the next use makes a new one."""
        with self._lock:
            backend, self._backend = self._backend, None
            if self._is_located:
                self._address = None  # it may be asleep by then: the Hub is asked again
        if backend is not None:
            backend.close()

    # ------------------------------------------------------------ what it is

    @property
    def kind(self) -> Kind:
        return self.backend.kind

    @property
    def keyed(self) -> bool:
        return self.backend.keyed

    @property
    def backend(self) -> Backend:
        """The adapter for the kind of app that was found. Raises TrackioUnavailable."""
        with self._lock:
            if self._backend is None:
                self._backend = self._connected()
            return self._backend

    # ------------------------------------------------------------ the port

    def list(self, project: str | None = None) -> tuple[Experiment, ...]:
        return self.backend.list(self._in(project))

    def show(self, ref: str, project: str | None = None) -> Experiment:
        return self.backend.show(ref, self._in(project))

    def create(
        self,
        name: str,
        *,
        description: str = "",
        parameters: Mapping[str, Json] | None = None,
        project: str | None = None,
    ) -> Experiment:
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
        return self.backend.ensure(
            name, description=description, parameters=parameters, project=self._in(project)
        )

    def delete(self, ref: str, project: str | None = None) -> None:
        """Delete a run for good (official trackio only)."""
        self.backend.delete(ref, self._in(project))

    def update_status(self, ref: str, status: str, project: str | None = None) -> Experiment:
        return self.backend.update_status(ref, status, self._in(project))

    def log_metrics(
        self,
        ref: str,
        entries: Sequence[Entry] | Mapping[str, Json],
        project: str | None = None,
        *,
        step: int | None = None,
    ) -> None:
        """Log entries, or one map of metrics at a step."""
        text_of(ref, "An experiment's id or name")
        self.backend.log_metrics(ref, entries_of(entries, step), self._in(project))

    def log_parameters(
        self, ref: str, parameters: Mapping[str, Json], project: str | None = None
    ) -> Experiment:
        return self.backend.log_parameters(ref, parameters, self._in(project))

    def plot(self, ref: str, metric: str, project: str | None = None) -> Series:
        return self.backend.plot(ref, metric, self._in(project))

    def metric_names(self, ref: str, project: str | None = None) -> tuple[str, ...]:
        return self.backend.metric_names(ref, self._in(project))

    def compare(
        self, refs: Sequence[str], metric: str = "loss", project: str | None = None
    ) -> tuple[Series, ...]:
        return self.backend.compare(refs, metric, self._in(project))

    def simulate(self, ref: str, project: str | None = None) -> Experiment:
        return self.backend.simulate(ref, self._in(project))

    def demo(self) -> Experiment:
        return self.backend.demo()

    # ------------------------------------------------------------ connecting

    def _in(self, project: str | None) -> str | None:
        return project if project is not None else self._project

    def _connected(self) -> Backend:
        from hfspace.live.trackio.detect import detect

        if self._address is None:
            self._address, self._is_located = self._located(), True
        address = self._address
        reading = address.token if address.private else None
        found = detect(address.base, token=reading, timeout=self._timeout)
        if self._wanted not in {"auto", found.kind}:
            raise TrackioUnavailable(
                f"{self.space or address.base} is {_KINDS[found.kind]}, and {_KINDS[self._wanted]} was asked "
                "for.",
                hint="Correct `trackio.backend`, or leave it out.",
                not_trackio=True,
            )
        if found.kind == "trackio":
            from hfspace.live.trackio.official import OfficialTracker
            from hfspace.live.trackio.official_api import OfficialApi

            api = OfficialApi(
                address.base,
                token=address.token,
                private=address.private,
                write_token=address.write_token,
                timeout=self._timeout,
            )
            return OfficialTracker(api)
        from hfspace.live.trackio.door import Door
        from hfspace.live.trackio.interface import InterfaceTracker

        door = Door(address.base, token=reading, timeout=self._timeout)
        return InterfaceTracker(door, endpoints=found.endpoints, spacing=self._spacing)

    def _located(self) -> Address:
        write_token = self._env.get(WRITE_TOKEN) or None
        is_space = self._url is None or (urlsplit(self._url).hostname or "").endswith(".hf.space")
        if self._url is not None and (self._wake or not is_space):
            return Address(base=self._url, write_token=write_token)
        from hfspace.live.credentials import find_token
        from hfspace.live.hub import connect

        endpoint = self._endpoint or self._env.get("HF_ENDPOINT") or HUB
        token = self._token or find_token(self._env)
        try:
            hub = connect(endpoint.rstrip("/"), token)
            space = (urlsplit(self._url).hostname or "") if self._url else str(self.space)
            if space.endswith(".hf.space"):
                from hfspace.live.hosts import resolve

                space = resolve(hub, space)
            state = hub.space(space)
        except (HubError, UsageError) as error:
            raise TrackioUnavailable(error.message, hint=error.hint) from None
        leave_asleep(state, self._wake)
        if self._url is not None:
            return Address(base=self._url, write_token=write_token)
        return address_of(state, hub_endpoint=hub.endpoint, token=token, write_token=write_token)


def leave_asleep(state: SpaceState, wake: bool | None) -> None:
    """Raises TrackioUnavailable for a sleeping Space, unless it may be woken (None: where that is free)."""
    is_free = state.hardware in FREE_HARDWARE
    if state.stage == "SLEEPING" and not (is_free if wake is None else wake):
        raise TrackioUnavailable(
            f"{state.id} is SLEEPING on {state.hardware}: a visit would wake it"
            f"{'' if is_free else ', which starts a bill'}.",
            hint="Wake it: --wake, or TrackioClient(wake=True).",
        )


def address_of(
    state: SpaceState, *, hub_endpoint: str, token: str | None, write_token: str | None
) -> Address:
    """Where the app of a Space is, from what the Hub says. Raises TrackioUnavailable when it can't be up."""
    from hfspace.live.gradio.tokens import host_token

    if state.is_static:
        raise TrackioUnavailable(
            f"{state.id} is a static Space: there is no app to keep experiments.", not_trackio=True
        )
    if state.stage in HELD | FAILED:
        raise TrackioUnavailable(
            f"{state.id} is {state.stage}.", hint=f"See why: hfspace diagnose {state.id}"
        )
    if not state.host:
        raise TrackioUnavailable(f"The Hub names no host for {state.id}.")
    return Address(
        base=state.host.rstrip("/"),
        private=state.visibility == "private",
        token=host_token(state.host, hub_endpoint=hub_endpoint, needed=True, token=token),
        write_token=write_token,
    )


def _space_id(text: str | None) -> str | None:
    if text is None:
        return None
    from hfspace.manifest.values import normalise_id

    try:
        return normalise_id(text)
    except ValueError as error:
        raise UsageError(f"'{text}' is no Space: {error}.", hint="Write owner/name.") from None
