"""Which backend keeps the experiments of an app: one of ours, by what it turns out to be, or a package's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hfspace.errors import TrackioUnavailable
from hfspace.live.trackio.address import Address
from hfspace.live.trackio.app_http import AppHttp
from hfspace.live.trackio.base import TrackerApp
from hfspace.live.trackio.budget import Budget
from hfspace.live.trackio.detect import detect
from hfspace.live.trackio.interface import InterfaceTracker
from hfspace.live.trackio.official import OfficialTracker
from hfspace.live.trackio.official_api import OfficialApi
from hfspace.live.trackio.plugins import open_backend
from hfspace.live.trackio.port import Tracker
from hfspace.live.trackio.queue_client import QueueClient
from hfspace.manifest.trackers import HOLDS

_KINDS = {"interface": "the Gradio app", "trackio": "official trackio"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Backends:
    """How apps are reached. `backend` is auto, interface, trackio, or one of a package; `endpoints` are the
    names of the Gradio app's. `timeout` is in seconds, for each call; `budget` is for all of them."""

    backend: str
    endpoints: Mapping[str, str]
    timeout: float
    budget: Budget | None = None

    def open(self, address: Address, *, space: str | None, project: str | None) -> Tracker:
        """The backend of the app at `address`. Raises TrackioUnavailable: `not_trackio` when the app is none,
        or another than is asked for."""
        http = AppHttp(address.base, timeout=self.timeout, budget=self.budget)
        if self.backend not in {"auto", *HOLDS}:
            return open_backend(self.backend, TrackerApp(http, address, space=space, project=project))
        reading = address.token if address.private else None
        app = detect(
            address.base, token=reading, timeout=self.timeout, names=self.endpoints, budget=self.budget
        )
        if self.backend not in {"auto", app.kind}:
            raise TrackioUnavailable(
                f"{space or address.base} is {_KINDS[app.kind]}, and {_KINDS[self.backend]} was asked for.",
                hint="Correct `trackio.backend`, or leave it out.",
                not_trackio=True,
            )
        if app.kind == "trackio":
            return OfficialTracker(
                OfficialApi(
                    http, token=address.token, private=address.private, write_token=address.write_token
                )
            )
        return InterfaceTracker(
            QueueClient(http, token=reading, prefix=app.prefix, names=self.endpoints, served=app.endpoints)
        )
