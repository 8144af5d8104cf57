"""The one place where the monitor and the commands get a Tracker from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hfspace.live.trackio.port import Tracker

if TYPE_CHECKING:
    from hfspace.live.trackio.budget import Budget


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingTarget:
    """Where a Trackio app is: a Space, or the URL of an app. Without both, TRACKIO_SPACE_ID says it."""

    space: str | None = None
    url: str | None = None
    project: str | None = None
    backend: str = "auto"
    endpoints: Mapping[Any, str] | None = None
    artifacts: str | None = None

    def over(self, other: RecordingTarget) -> RecordingTarget:
        """This, where it says something, else what `other` says."""
        place = (self.space, self.url) if self.space or self.url else (other.space, other.url)
        chosen = self.backend if self.backend != "auto" else other.backend
        return replace(
            self,
            space=place[0],
            url=place[1],
            project=self.project or other.project,
            backend=chosen,
            endpoints=self.endpoints or other.endpoints,
            artifacts=self.artifacts or other.artifacts,
        )


def connect(
    target: RecordingTarget,
    *,
    token: str | None = None,
    endpoint: str | None = None,
    timeout: float = 30.0,
    budget: Budget | None = None,
    wake: bool | None = False,
    env: Mapping[str, str] | None = None,
) -> Tracker:
    """A client for the app; `budget` bounds time and bytes of all that is asked of it. Raises TrackioError
    and HubError, here or at the first call."""
    from hfspace.live.experiments.client import TrackioClient

    return TrackioClient(
        target.space,
        token=token,
        url=target.url,
        project=target.project,
        backend=target.backend,
        endpoints=target.endpoints,
        artifacts=target.artifacts,
        endpoint=endpoint,
        timeout=timeout,
        budget=budget,
        wake=wake,
        env=env,
    )


def disconnect(tracker: Tracker) -> None:
    """Close what can be closed; the Tracker protocol itself has no end."""
    close = getattr(tracker, "close", None)
    if callable(close):
        close()


@contextmanager
def connected(target: RecordingTarget, **settings: Any) -> Iterator[Tracker]:
    """`connect`, closed at the end."""
    tracker = connect(target, **settings)
    try:
        yield tracker
    finally:
        disconnect(tracker)
