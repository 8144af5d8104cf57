"""The apps behind Spaces, read through their own adapters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hfspace.live.hub import HubClient
from hfspace.manifest.models import SpaceSpec
from hfspace.manifest.trackio_models import TrackioSpec
from hfspace.model import LiveExperiments, ServedApp, SpaceState

if TYPE_CHECKING:
    from hfspace.live.experiments.client import TrackioClient

TRACKIO_SECONDS = 20.0
"""For one call of a Trackio app."""
READ_SECONDS = 60.0
"""For all that a plan reads of one Trackio app."""
WRITE_SECONDS = 600.0
"""For all that one change asks of one Trackio app."""
MOST_BYTES = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class AppReaders:
    """What the snapshot reads apps with, and apply reaches experiments with. `env` lends TRACKIO_WRITE_TOKEN,
    and nothing else."""

    hub: HubClient
    env: Mapping[str, str] = field(default_factory=dict, repr=False)

    def served(self, state: SpaceState, spec: SpaceSpec) -> ServedApp:
        from hfspace.live.gradio.served import read_space_app

        token = self.hub.token_for(state.id)
        return read_space_app(state, hub_endpoint=self.hub.endpoint, token=token, declared=spec.endpoint)

    def experiments(self, state: SpaceState, spec: SpaceSpec) -> LiveExperiments:
        """What the app of a running Space keeps. Raises TrackioError when it is not ready."""
        from hfspace.live.experiments.reader import read_experiments

        with self._client(state, spec, READ_SECONDS) as client:
            return read_experiments(client, spec)

    def visit(self, state: SpaceState) -> None:
        """Open the app of a sleeping Space once: it wakes, which may start a bill. Raises HubUnreachable."""
        from hfspace.live.waking import visit

        visit(self.hub, state if state.host else self.hub.space(state.id))

    def wake(self, state: SpaceState) -> SpaceState:
        """Visit a sleeping Space once and wait, at most five minutes, until it runs. May start a bill."""
        from hfspace.live.waking import wake

        return wake(self.hub, state)

    def tracker(self, space: str, spec: SpaceSpec) -> TrackioClient:
        """A client for the experiments of one Space, at the host that the Hub names now."""
        return self._client(self.hub.space(space), spec, WRITE_SECONDS)

    def _client(self, state: SpaceState, spec: SpaceSpec, seconds: float) -> TrackioClient:
        from hfspace.live.experiments.client import TrackioClient
        from hfspace.live.experiments.location import WRITE_TOKEN, address_of
        from hfspace.live.trackio.budget import Budget

        address = address_of(
            state,
            hub_endpoint=self.hub.endpoint,
            token=self.hub.token_for(state.id),
            write_token=self.env.get(WRITE_TOKEN) or None,
        )
        left = self.hub.pace.left
        trackio = spec.trackio or TrackioSpec()
        return TrackioClient.at(
            address,
            space=state.id,
            backend=trackio.backend,
            endpoints=trackio.endpoints,
            timeout=TRACKIO_SECONDS,
            budget=Budget(seconds if left is None else max(0.0, min(seconds, left)), MOST_BYTES),
        )
