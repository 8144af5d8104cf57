"""The live experiments of one Space, as far as its declaration needs them. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hfspace.errors import TrackioUnavailable
from hfspace.live.experiments.client import TrackioClient
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
    if isinstance(backend, OfficialTracker):
        return LiveExperiments(backend="trackio", items=_in_projects(backend.runs, spec, canonical_project))
    if "projects" in backend.holds:
        items = _in_projects(backend.list, spec, str)
    else:
        items = _by_name(backend.list(), spec)
    return LiveExperiments(backend=backend.kind, holds=tuple(sorted(backend.holds)), items=items)


def _interface(tracker: InterfaceTracker, spec: SpaceSpec) -> tuple[LiveExperiment, ...]:
    return _by_name(tracker.named(spec.experiments or {}, _pins(spec)), spec)


def _by_name(runs: Iterable[Experiment], spec: SpaceSpec) -> tuple[LiveExperiment, ...]:
    pins = _pins(spec)
    return tuple(sorted((_live(one.name, one, spec, pins) for one in runs), key=_order))


def _in_projects(
    runs: Callable[[str], Iterable[Experiment]], spec: SpaceSpec, canonical: Callable[[str], str]
) -> tuple[LiveExperiment, ...]:
    """Keyed as the manifest spells them; a run that nobody declares as project/run."""
    keys: dict[tuple[str, str], str] = {}
    projects: set[str] = set()
    for key, one in (spec.experiments or {}).items():
        place = identity(key, one, spec.trackio)
        if place.project is not None:
            keys[canonical(place.project), place.name] = key
            projects.add(canonical(place.project))
    if "experiments" in spec.prune and spec.trackio and spec.trackio.project:
        projects.add(canonical(spec.trackio.project))
    items = [
        _live(keys.get((project, run.name), f"{project}/{run.name}"), run, spec, _pins(spec))
        for project in sorted(projects)
        for run in runs(project)
    ]
    return tuple(sorted(items, key=_order))


def _pins(spec: SpaceSpec) -> dict[str, str]:
    return {one.id: key for key, one in (spec.experiments or {}).items() if one.id is not None}


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
