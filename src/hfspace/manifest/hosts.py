"""*.hf.space hosts in a manifest: put in the ids that the Hub gives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hfspace.errors import ManifestError, Problem
from hfspace.manifest.models import Manifest, SpaceSpec
from hfspace.manifest.written import problem


def with_hosts(manifest: Manifest, ids: Mapping[str, str]) -> Manifest:
    """`manifest` with each host of `ids` replaced. Raises ManifestError when that declares a Space twice."""
    spaces: dict[str, SpaceSpec] = {}
    for key, spec in manifest.spaces.items():
        space = ids.get(key, key)
        if space in spaces or (space != key and space in manifest.spaces):
            raise ManifestError([_twice(manifest, key, space)])
        needs = tuple(ids.get(name, name) for name in spec.depends_on)
        spaces[space] = spec.model_copy(update={"depends_on": needs}) if needs != spec.depends_on else spec
    positions = {
        (path[0], ids.get(path[1], path[1]), *path[2:]) if len(path) > 1 else path: place
        for path, place in manifest.positions.items()
    }
    return replace(manifest, spaces=spaces, positions=positions)


def _twice(manifest: Manifest, key: str, space: str) -> Problem:
    message = f"{key} is {space}, which is declared already"
    return problem(manifest.source("spaces", key), message, "Keep one of the two.")
