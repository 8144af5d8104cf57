"""The apps behind Spaces, read through their own adapters."""

from __future__ import annotations

from dataclasses import dataclass

from hfspace.live.hub import HubClient
from hfspace.manifest.models import SpaceSpec
from hfspace.model import LiveExperiments, ServedApp, SpaceState


@dataclass(frozen=True, slots=True, kw_only=True)
class AppReaders:
    """What the snapshot reads apps with."""

    hub: HubClient

    def served(self, state: SpaceState, spec: SpaceSpec) -> ServedApp:
        from hfspace.live.gradio.served import read_space_app

        return read_space_app(state, hub_endpoint=self.hub.endpoint, token=self.hub.token_for(state.id))

    def experiments(self, state: SpaceState, spec: SpaceSpec) -> LiveExperiments:
        return LiveExperiments(backend="", problem="experiments are not read yet")
