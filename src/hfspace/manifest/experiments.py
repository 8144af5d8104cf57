"""What an experiment of a manifest is called on a Trackio app, and what no Trackio app could hold."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from hfspace.manifest.models import SpaceSpec
from hfspace.manifest.trackio_models import ExperimentSpec, TrackioSpec

Complaints = Iterator[tuple[tuple[str, ...], str, str]]
"""What is wrong with one Space: the path below it, a message, a hint."""

_BREAKS = frozenset({"Cc", "Zl", "Zp", "Cs"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Where a run is kept on official trackio. `project` is None when the manifest names none."""

    project: str | None
    name: str

    @property
    def same(self) -> tuple[str | None, str]:
        """Equal for two that trackio keeps as one."""
        return (None if self.project is None else canonical_project(self.project), self.name)


def identity(key: str, experiment: ExperimentSpec, trackio: TrackioSpec | None) -> Identity:
    """Project and run of one experiment: `project:` of its own, else `project/run` in the key, else the
    Space's `trackio.project`."""
    if experiment.project is not None:
        return Identity(project=experiment.project, name=key)
    project, slash, name = key.partition("/")
    if slash and project and name:
        return Identity(project=project, name=name)
    return Identity(project=trackio.project if trackio else None, name=key)


def canonical_project(project: str) -> str:
    """The name under which trackio stores a project: letters, digits, - and _ (trackio 0.43,
    utils.canonical_project_name). `my.model` and `mymodel` are one project."""
    kept = "".join(char for char in project if char.isalnum() or char in "-_").rstrip()
    return kept or "default"


def has_breaks(text: str) -> bool:
    """Whether a name holds line ends or control characters: the Gradio app writes names into its listing
    as they are, so that one could forge the lines of another experiment."""
    return any(unicodedata.category(char) in _BREAKS for char in text)


def problems(spec: SpaceSpec) -> Complaints:
    """What is wrong with the experiments of one Space."""
    if "experiments" in spec.prune and spec.experiments is None:
        yield (
            ("prune",),
            "experiments can't be pruned where none are declared",
            "Declare them, or write `experiments: {}` to delete all of the project.",
        )
    for key, experiment in (spec.experiments or {}).items():
        at = ("experiments", key)
        if not key.strip() or has_breaks(key):
            yield at, f"{key!r} can't be the name of an experiment", "Use one line of visible text."
        for name, text in (("project", experiment.project), ("id", experiment.id)):
            if text is not None and (not text.strip() or has_breaks(text)):
                yield (*at, name), f"{name} {text!r} is not one line of text", "Correct it, or remove it."
    if spec.trackio is None or spec.trackio.backend in {"auto", "trackio"}:
        yield from _collisions(spec)


def _collisions(spec: SpaceSpec) -> Complaints:
    """Projects that trackio would silently merge, and runs that would then be one."""
    spelled: dict[str, str] = {}
    runs: dict[tuple[str | None, str], str] = {}
    for key, experiment in (spec.experiments or {}).items():
        run = identity(key, experiment, spec.trackio)
        at = ("experiments", key)
        if run.project is not None:
            canonical = canonical_project(run.project)
            first = spelled.setdefault(canonical, run.project)
            if first != run.project:
                yield (
                    at,
                    f"the projects '{first}' and '{run.project}' are one on trackio ('{canonical}')",
                    f"Write {canonical} for both, or rename one.",
                )
                continue
        if run.same in runs:
            yield at, f"'{key}' and '{runs[run.same]}' are the same run", "Keep one."
        runs.setdefault(run.same, key)
