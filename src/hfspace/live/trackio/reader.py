"""The live experiments of one Space, as far as its declaration needs them. Reads only."""

from __future__ import annotations

from hfspace.errors import TrackioUnavailable
from hfspace.live.trackio.client import TrackioClient
from hfspace.live.trackio.interface import InterfaceTracker
from hfspace.live.trackio.official import OfficialTracker
from hfspace.live.trackio.port import Experiment
from hfspace.manifest.experiments import canonical_project, identity
from hfspace.manifest.models import SpaceSpec
from hfspace.model import LiveExperiment, LiveExperiments

UNSUPPORTED = "unsupported"
"""The `backend` of an app that was reached, and keeps no experiments that can be declared."""


def read_experiments(client: TrackioClient, spec: SpaceSpec) -> LiveExperiments:
    """The experiments that `spec` names, and on official trackio the other runs of its projects by name.

    Only declared parameters are kept: what training logs must not make a saved plan stale. Raises
    TrackioError when the app is not ready or not understood; an app that is something else is `problem`.
    """
    try:
        backend = client.backend
    except TrackioUnavailable as error:
        if not error.not_trackio:
            raise
        return LiveExperiments(backend=UNSUPPORTED, problem=f"{error.message} {error.hint}".strip())
    if isinstance(backend, InterfaceTracker):
        return LiveExperiments(backend="interface", items=_interface(backend, spec))
    return LiveExperiments(backend="trackio", items=_official(backend, spec))


def _interface(tracker: InterfaceTracker, spec: SpaceSpec) -> tuple[LiveExperiment, ...]:
    declared = spec.experiments or {}
    pins = {one.id: key for key, one in declared.items() if one.id is not None}
    found = tracker.named(declared, pins)
    return tuple(sorted((_live(one.name, one, spec, pins) for one in found), key=_order))


def _official(tracker: OfficialTracker, spec: SpaceSpec) -> tuple[LiveExperiment, ...]:
    """Keyed as the manifest spells them; a run that nobody declares as project/run."""
    keys: dict[tuple[str | None, str], str] = {}
    projects: set[str] = set()
    pins = {one.id: key for key, one in (spec.experiments or {}).items() if one.id is not None}
    for key, one in (spec.experiments or {}).items():
        found = identity(key, one, spec.trackio)
        keys[found.same] = key
        if found.project is not None:
            projects.add(canonical_project(found.project))
    if "experiments" in spec.prune and spec.trackio and spec.trackio.project:
        projects.add(canonical_project(spec.trackio.project))
    runs = [(project, run) for project in sorted(projects) for run in tracker.runs(project)]
    items = [
        _live(keys.get((project, run.name), f"{project}/{run.name}"), run, spec, pins)
        for project, run in runs
    ]
    return tuple(sorted(items, key=_order))


def _live(key: str, one: Experiment, spec: SpaceSpec, pins: dict[str, str]) -> LiveExperiment:
    declared = (spec.experiments or {}).get(pins.get(one.id, key))
    owned = declared.parameters if declared else {}
    return LiveExperiment(
        key=key,
        id=one.id,
        status=one.status if declared else None,
        description=one.description if declared else None,
        parameters={name: value for name, value in one.parameters.items() if name in owned},
    )


def _order(item: LiveExperiment) -> tuple[str, str]:
    return (item.key, item.id)
