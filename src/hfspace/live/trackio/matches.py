"""Which experiment an id or a name means."""

from __future__ import annotations

from collections.abc import Sequence

from hfspace.errors import AmbiguousExperiment, ExperimentNotFound
from hfspace.live.trackio.port import Experiment
from hfspace.live.trackio.values import one_line


def the_one(ref: str, experiments: Sequence[Experiment], *, absent: str) -> Experiment:
    """Of these the one with this id, else with this exact name. Raises AmbiguousExperiment, and
    ExperimentNotFound, whose sentence begins with `absent`."""
    matches = [one for one in experiments if one.id == ref] or [one for one in experiments if one.name == ref]
    if not matches:
        raise ExperimentNotFound(
            f"{absent} the id or exact name '{one_line(ref)}'.", hint="List them: hfspace experiments list"
        )
    if len(matches) > 1:
        raise ambiguous(ref, matches)
    return matches[0]


def ambiguous(ref: str, matches: Sequence[Experiment]) -> AmbiguousExperiment:
    """The error for several of one name: ids alone, or with the project where there is one."""
    places = ", ".join(one.id if one.project is None else f"{one.project}: {one.id}" for one in matches)
    return AmbiguousExperiment(
        f"{len(matches)} experiments are called '{one_line(ref)}' ({one_line(places)}).", hint="Use an id."
    )
