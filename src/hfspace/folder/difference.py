"""What a commit would change, so that a Space has the files of a folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from hfspace.model import HubTree, Json, LocalTree
from hfspace.model.files import KEPT


def difference(folder: LocalTree, tree: HubTree, *, prune: bool) -> Mapping[str, Json]:
    """The paths that a commit would change, add and delete; empty where there are none."""
    here, there = folder.files, tree.files
    changed = [path for path, file in here.items() if path in there and not there[path].is_same(file)]
    new = [path for path in here if path not in there]
    deleted = set(there) - set(here) - KEPT if prune else set(_in_the_way(new, there))
    paths = {"changed": sorted(changed), "new": sorted(new), "deleted": sorted(deleted)}
    return {kind: listed for kind, listed in paths.items() if listed}


def _in_the_way(new: Sequence[str], there: Mapping[str, object]) -> Iterator[str]:
    """Files on the Hub where a folder is to be, and in a folder where a file is to be: one name is one
    thing."""
    if not new:
        return
    folders = {str(parent) for path in new for parent in PurePosixPath(path).parents}
    names = set(new)
    for path in there:
        inside = any(str(parent) in names for parent in PurePosixPath(path).parents)
        if path in folders or inside:
            yield path
