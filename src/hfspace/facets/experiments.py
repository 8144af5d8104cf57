"""Trackio experiments: created once, then status and owned parameters kept in line. What the app at hand
can't hold is an error with the way out, never a difference that comes back (docs/trackio.md)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hfspace.errors import TrackioError, TrackioUnavailable
from hfspace.facets.base import NOTHING, Facet, Need
from hfspace.facets.desired import Desired
from hfspace.live.ports import Ports
from hfspace.live.trackio.port import Tracker
from hfspace.live.trackio.values import differing, run_id
from hfspace.manifest.experiments import Identity, identity
from hfspace.manifest.models import SpaceSpec
from hfspace.manifest.trackers import HOLDS
from hfspace.manifest.trackio_models import ExperimentSpec
from hfspace.model import (
    UNKNOWN,
    Action,
    Change,
    Check,
    Json,
    LiveExperiment,
    LiveExperiments,
    Severity,
    SpaceState,
    Subject,
)

_NAME = "experiments"
_NOT_FINITE = frozenset({"NaN", "Infinity", "-Infinity"})
_UNSUPPORTED = "unsupported"
_WHOSE = {"interface": "the Gradio Trackio app", "trackio": "official trackio"}
_PERSISTENCE = ("HF_TOKEN", "TRACKIO_DATASET_REPO")


class Experiments(Facet):
    name = _NAME

    def needs(self, spec: SpaceSpec, state: SpaceState) -> frozenset[Need]:
        """The names of variables and secrets too where the app may have nowhere to keep its experiments."""
        if not spec.experiments and _NAME not in spec.prune:
            return NOTHING
        forgetful = state.experiments is not None and state.experiments.backend == "interface"
        names = {Need.VARIABLES, Need.SECRETS} if forgetful else set()
        return frozenset({Need.EXPERIMENTS, *names})

    def compare(self, desired: Desired, state: SpaceState) -> list[Change | Check]:
        spec, live = desired.spec, state.experiments
        if not spec.experiments and _NAME not in spec.prune:
            return []
        if live is None:
            return [] if spec.state == "paused" else [_unread(desired, state)]
        if live.problem:
            return [_problem(desired, live)]
        holds = HOLDS.get(live.backend, live.holds)
        items: list[Change | Check] = [*_limits(desired, live.backend, holds)]
        blocked = {check.address for check in items}
        for key, wanted in sorted((spec.experiments or {}).items()):
            if f"{desired.id}.{_NAME}.{key}" not in blocked:
                items += _one(desired, key, wanted, live)
        if _NAME in spec.prune and "delete" in holds:
            items += [_delete(desired, item) for item in _extra(desired, live)]
        if live.backend == "interface":
            items += _forgetful(desired, state)
        return items

    def compare_missing(self, desired: Desired) -> list[Change | Check]:
        """All of its experiments, once it is created and runs."""
        spec = desired.spec
        if spec.state == "paused" or not desired.is_created:
            return []
        backend = spec.trackio.backend if spec.trackio else "auto"
        holds = HOLDS.get(backend)  # what another package's can hold is known when its app was asked
        return [
            *(_limits(desired, backend, holds) if holds is not None else ()),
            *(_create(desired, key, wanted) for key, wanted in sorted((spec.experiments or {}).items())),
        ]

    def value(self, state: SpaceState, key: str | None) -> object:
        live = state.experiments
        return UNKNOWN if live is None or live.problem else [item for item in live.items if item.key == key]

    def held(self, spec: SpaceSpec, state: SpaceState) -> frozenset[str] | None:
        live = state.experiments
        if live is None or live.problem:
            return None
        return frozenset(spec.experiments or {}) & {item.key for item in live.items}

    def is_silent(self, state: SpaceState) -> bool:
        live = state.experiments
        return live is not None and bool(live.problem) and not live.backend

    def verify(self, desired: Desired, state: SpaceState) -> Check | None:
        """What could not be planned, since the app did not run before."""
        live = state.experiments
        checks = [item for item in self.compare(desired, state) if isinstance(item, Check)] if live else []
        return next((item for item in checks if (live and live.problem) or item.severity == "error"), None)

    def apply(self, change: Change, desired: Desired, ports: Ports) -> None:
        """Safe to repeat: creates only what no experiment is called, and reads after every write."""
        if ports.tracker is None:
            raise TrackioUnavailable("This run has no way to reach the apps of Spaces.")
        key = str(change.key)
        with ports.tracker(desired.id, desired.spec) as client:
            if change.action is Action.DELETE:
                project = key.partition("/")[0] if "projects" in client.holds else None
                client.delete(str((change.before or {}).get("id")), project)
                return
            wanted = (desired.spec.experiments or {})[key]
            where = Identity(project=None, name=key)
            if "projects" in client.holds:
                where = identity(key, wanted, desired.spec.trackio)
            _bring(client, where, wanted, create=change.action is Action.CREATE)


def _bring(client: Tracker, where: Identity, wanted: ExperimentSpec, *, create: bool) -> None:
    """Create, then parameters, then status. An error after the first of them says what was done."""
    done: list[str] = []
    ref = wanted.id or where.name
    try:
        if create:
            about = wanted.description or ""
            ref = client.ensure(where.name, description=about, project=where.project).id
            done.append("it was created")
        if wanted.parameters:
            client.log_parameters(ref, wanted.parameters, where.project)
            done.append("its parameters are set")
        if wanted.status is not None:
            client.update_status(ref, wanted.status, where.project)
    except TrackioError as error:
        if not done:
            raise
        partial = type(error)(f"'{where.name}': {', '.join(done)}; then: {error.message}", hint=error.hint)
        partial.partly = True
        raise partial from None


def _one(desired: Desired, key: str, wanted: ExperimentSpec, live: LiveExperiments) -> list[Change | Check]:
    """What is to do for one declared experiment."""
    if wanted.id is not None:
        matches = [item for item in live.items if item.id == wanted.id]
        if not matches:
            return [
                _error(desired, key, f"no experiment has the id {wanted.id}.", "Correct it, or remove `id:`.")
            ]
        if matches[0].key != key:
            return [
                _error(
                    desired,
                    key,
                    f"the experiment {wanted.id} is called '{matches[0].key}'.",
                    "Write that name, or remove `id:`.",
                )
            ]
    else:
        matches = [item for item in live.items if item.key == key]
    if len(matches) > 1:
        ids = ", ".join(item.id for item in matches)
        return [
            _error(
                desired, key, f"{len(matches)} live experiments have this name: {ids}.", "Pin one with `id:`."
            )
        ]
    if not matches:
        renamed = _renamed(desired, key, wanted, live)
        return [renamed] if renamed else [_create(desired, key, wanted)]
    return _update(desired, key, wanted, matches[0])


def _update(desired: Desired, key: str, wanted: ExperimentSpec, live: LiveExperiment) -> list[Change | Check]:
    before: dict[str, Json] = {}
    after: dict[str, Json] = {}
    if wanted.status is not None and live.status != wanted.status:
        before["status"], after["status"] = live.status, wanted.status
    changed = differing(wanted.parameters, live.parameters)
    if changed:
        before["parameters"] = {name: live.parameters[name] for name in changed if name in live.parameters}
        after["parameters"] = changed
    items: list[Change | Check] = []
    if wanted.description is not None and live.description not in (None, wanted.description):
        items.append(
            _error(
                desired,
                key,
                "its description differs, and the Gradio app can't edit one.",
                "Write the live text into the manifest, leave it out, or declare it under a new name.",
            )
        )
    if after:
        items.append(
            desired.change(_NAME, Action.UPDATE, subject=Subject.APP, key=key, before=before, after=after)
        )
    return items


def _create(desired: Desired, key: str, wanted: ExperimentSpec) -> Change:
    settings = {
        "description": wanted.description,
        "status": wanted.status,
        "parameters": dict(wanted.parameters) or None,
    }
    after = {name: value for name, value in settings.items() if value is not None}
    return desired.change(_NAME, Action.CREATE, subject=Subject.APP, key=key, after=after)


def _delete(desired: Desired, item: LiveExperiment) -> Change:
    return desired.change(
        _NAME,
        Action.DELETE,
        subject=Subject.APP,
        key=item.key,
        before={"id": item.id},
        note="deleted for good, with all its metrics",
    )


def _extra(desired: Desired, live: LiveExperiments) -> list[LiveExperiment]:
    """Live runs of the declared projects that nobody declares."""
    declared = desired.spec.experiments or {}
    pins = {one.id for one in declared.values() if one.id is not None}
    return [item for item in live.items if item.key not in declared and item.id not in pins]


def _renamed(desired: Desired, key: str, wanted: ExperimentSpec, live: LiveExperiments) -> Check | None:
    """A run that hfspace declared and somebody renamed: declaring it again would tear it in two."""
    where = identity(key, wanted, desired.spec.trackio)
    if live.backend != "trackio" or where.project is None:
        return None
    mine = run_id(where.project, where.name)
    now = next((item for item in live.items if item.id == mine), None)
    if now is None:
        return None
    return _error(desired, key, f"the run was renamed: it is '{now.key}' now.", "Write that name.")


def _limits(desired: Desired, backend: str, holds: Sequence[str]) -> Iterator[Check]:
    """What this kind of app can't hold."""
    spec, whose = desired.spec, _WHOSE.get(backend, f"the backend '{backend}'")
    if _NAME in spec.prune and "delete" not in holds:
        text, hint = f"{whose} can't delete experiments.", "Remove experiments from `prune`."
        yield desired.check(_NAME, "error", text, hint=hint, at="prune")
    if spec.trackio and spec.trackio.project is not None and backend == "interface":
        text, hint = f"{whose} has no projects.", "Remove `trackio.project`."
        yield desired.check(_NAME, "error", text, hint=hint, at="trackio")
    for key, wanted in sorted((spec.experiments or {}).items()):
        for message, hint in (*_lacking(wanted, holds), *_unnamed(desired, key, wanted, backend, holds)):
            yield _error(desired, key, f"{whose} {message}", hint)


def _lacking(wanted: ExperimentSpec, holds: Sequence[str]) -> Iterator[tuple[str, str]]:
    if wanted.status is not None and "status" not in holds:
        hint = "Remove `status:`, or keep it as a parameter: parameters: {status: …}."
        yield "keeps no status of a run.", hint
    if wanted.description is not None and "description" not in holds:
        hint = "Remove `description:`, or keep it as a parameter: parameters: {description: …}."
        yield "keeps no description of a run.", hint
    if wanted.project is not None and "projects" not in holds:
        yield "has no projects.", "Remove `project:`."


def _unnamed(
    desired: Desired, key: str, wanted: ExperimentSpec, backend: str, holds: Sequence[str]
) -> Iterator[tuple[str, str]]:
    if "projects" in holds and identity(key, wanted, desired.spec.trackio).project is None:
        hint = f"Write `trackio: {{project: NAME}}`, or the key as NAME/{key}."
        yield "keeps runs in projects, and none is named.", hint
    for name, value in wanted.parameters.items() if backend == "trackio" else ():
        if str(value) in _NOT_FINITE:
            yield f"reads the text of '{name}' back as no number.", "Write it in lower case."


def _forgetful(desired: Desired, state: SpaceState) -> Iterator[Check]:
    """The Gradio app keeps experiments in memory, unless it has a token and a dataset to write to."""
    if state.variables is None or state.secrets is None:
        return
    spec = desired.spec
    has = {*state.variables, *state.secrets, *(spec.variables or {}), *(spec.secrets or {})}
    missing = [name for name in _PERSISTENCE if name not in has]
    if missing:
        yield desired.check(
            _NAME,
            "warning",
            f"a restart forgets everything: the Space has no {' and no '.join(missing)}.",
            hint="Declare the secret HF_TOKEN and the variable TRACKIO_DATASET_REPO.",
        )


def _unread(desired: Desired, state: SpaceState) -> Check:
    stage = (state.stage or "its stage is unknown").lower().replace("_", " ")
    asleep = state.stage == "SLEEPING"
    return desired.check(
        _NAME,
        "warning",
        f"not read: {stage}.",
        hint="Wake it and look: hfspace plan --wake" if asleep else "They are compared while the Space runs.",
    )


def _problem(desired: Desired, live: LiveExperiments) -> Check:
    """Another app can't hold what is declared; one that is not ready must not hold up its own repair."""
    severity: Severity = "error" if live.backend == _UNSUPPORTED else "unknown"
    return desired.check(_NAME, severity, f"not read: {live.problem}")


def _error(desired: Desired, key: str, message: str, hint: str) -> Check:
    return desired.check(_NAME, "error", message, key=key, hint=hint)
